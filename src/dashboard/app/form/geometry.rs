//! Where everything of the form stands: one pure function, for drawing and for the mouse alike.

use ratatui::layout::Rect;

use super::field::{Field, Section};
use super::wrap::wrap;
use super::{Button, Focus, Form};

/// From here on the plan stands beside the fields.
const BESIDE: u16 = 96;
/// From here on there is a frame all round.
const FRAMED: (u16, u16) = (60, 16);
/// Columns of the sign before a label, and of a label with the blank after it.
const LABEL: u16 = 14;
/// Completions that are shown under a path.
const CANDIDATES: usize = 5;
/// Lines of one field's error, where it has the focus and where it has not.
const ERROR_LINES: (usize, usize) = (4, 2);

/// A line of the fields' column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A heading.
    Heading(Section),
    /// A field with its value.
    Field(Field),
    /// What is wrong with the field above, and whether it begins here.
    Error(String, bool),
    /// What the path above could go on as: its place in the list.
    Candidate(usize),
    /// So many more.
    More(usize),
}

/// Where everything stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    /// Whether there is a frame all round; else the first line is the title.
    pub framed: bool,
    /// The fields' column.
    pub fields: Rect,
    /// Its lines that are on the screen.
    pub lines: Vec<(Line, Rect)>,
    /// Whether there are more above and below them.
    pub hidden: (bool, bool),
    /// Plan and command line; without lines where there is no room.
    pub preview: Rect,
    /// What is wrong with the whole.
    pub alert: Rect,
    /// What the field in focus takes.
    pub help: Rect,
    /// The buttons with what is on them.
    pub buttons: Vec<(Button, Rect, &'static str)>,
}

/// What the mouse can hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// A field.
    Field(Field),
    /// A completion.
    Candidate(usize),
    /// A button.
    Button(Button),
    /// The plan.
    Preview,
}

impl Geometry {
    /// Lays the form out in an area.
    pub fn of(form: &Form, area: Rect) -> Self {
        let framed = area.width >= FRAMED.0 && area.height >= FRAMED.1;
        let mut free = if framed { inset(area) } else { below_title(area) };
        let buttons = buttons(take_bottom(&mut free, 1));
        let wide = free.width >= BESIDE;
        let alert_lines = form.alert(free.width).len().min(usize::from(free.height / 4));
        let alert = take_bottom(&mut free, u16::try_from(alert_lines).unwrap_or(0));
        let mut preview = Rect::default();
        if wide {
            preview = Rect { x: free.x + free.width / 2 + 1, width: free.width - free.width / 2 - 1, ..free };
            free.width /= 2;
        } else if free.height >= 8 {
            let third = free.height / 3;
            preview = take_bottom(&mut free, third);
        }
        let helped = u16::from(free.height >= 3);
        let help = take_bottom(&mut free, helped);
        let (lines, hidden) = on_screen(lines(form, free), form.focus(), free);
        Self { framed, fields: free, lines, hidden, preview, alert, help, buttons }
    }

    /// Where a field's value stands on its line. The last column is for the signs of what is above and below.
    pub fn value(line: Rect) -> Rect {
        let label = LABEL.min(line.width);
        Rect { x: line.x + label, width: (line.width - label).saturating_sub(1), ..line }
    }

    /// What is at a column and a line of the terminal.
    pub fn at(&self, column: u16, line: u16) -> Option<Hit> {
        let inside = |rect: &Rect| rect.contains((column, line).into());
        if let Some((button, ..)) = self.buttons.iter().find(|(_, rect, _)| inside(rect)) {
            return Some(Hit::Button(*button));
        }
        if inside(&self.preview) {
            return Some(Hit::Preview);
        }
        match self.lines.iter().find(|(_, rect)| inside(rect))? {
            (Line::Field(field), _) => Some(Hit::Field(*field)),
            (Line::Candidate(at), _) => Some(Hit::Candidate(*at)),
            (Line::Heading(_) | Line::Error(..) | Line::More(_), _) => None,
        }
    }
}

/// Everything that stands in the fields' column, from top to bottom.
fn lines(form: &Form, area: Rect) -> Vec<Line> {
    let columns = Geometry::value(area).width;
    let (mut lines, mut section) = (Vec::new(), None);
    for field in Field::all() {
        if section != Some(field.section()) {
            section = Some(field.section());
            // On a low screen every line is a field's.
            if area.height >= 12 {
                lines.push(Line::Heading(field.section()));
            }
        }
        lines.push(Line::Field(field));
        let focused = form.focus() == Focus::Field(field);
        let mut error = wrap(&form.error(field).unwrap_or_default(), columns);
        let most = if focused { ERROR_LINES.0 } else { ERROR_LINES.1 };
        if error.len() > most {
            error.truncate(most);
            if let Some(last) = error.last_mut() {
                last.push_str(" …");
            }
        }
        lines.extend(error.into_iter().enumerate().map(|(at, text)| Line::Error(text, at == 0)));
        if field == Field::Workspace && focused {
            let found = form.candidates().len();
            lines.extend((0..found.min(CANDIDATES)).map(Line::Candidate));
            if found > CANDIDATES {
                lines.push(Line::More(found - CANDIDATES));
            }
        }
    }
    lines
}

/// The lines that fit, with the focus as near the middle as the ends allow, and all that belongs to it below it.
fn on_screen(lines: Vec<Line>, focus: Focus, area: Rect) -> (Vec<(Line, Rect)>, (bool, bool)) {
    let (room, all) = (usize::from(area.height), lines.len());
    let focused = match focus {
        Focus::Field(field) => lines.iter().position(|line| *line == Line::Field(field)).unwrap_or(0),
        Focus::Button(_) => all,
    };
    let own = lines.iter().skip(focused + 1).take_while(|line| !matches!(line, Line::Field(_) | Line::Heading(_))).count();
    let with_its_own = (focused + 1 + own).saturating_sub(room).min(focused);
    let first = focused.saturating_sub(room / 2).max(with_its_own).min(all.saturating_sub(room));
    let placed = lines.into_iter().skip(first).take(room).zip(area.y..).map(|(line, y)| (line, Rect { y, height: 1, ..area })).collect();
    (placed, (first > 0, first + room < all))
}

fn buttons(line: Rect) -> Vec<(Button, Rect, &'static str)> {
    let long = [(Button::Launch, "[ Launch ctrl-s ]"), (Button::Copy, "[ Copy command ctrl-y ]"), (Button::Close, "[ Close esc ]")];
    let short = [(Button::Launch, "[Launch]"), (Button::Copy, "[Copy]"), (Button::Close, "[Close]")];
    let wide = |labels: &[(Button, &str)]| labels.iter().map(|(_, label)| letters(label) + 1).sum::<u16>();
    let labels = if wide(&long) <= line.width { long } else { short };
    let mut x = line.x;
    let mut placed = Vec::new();
    for (button, label) in labels {
        let wide = letters(label);
        if line.height == 0 || x + wide > line.x + line.width {
            break;
        }
        placed.push((button, Rect { x, width: wide, ..line }, label));
        x += wide + 1;
    }
    placed
}

fn letters(label: &str) -> u16 {
    u16::try_from(label.len()).unwrap_or(u16::MAX)
}

fn inset(area: Rect) -> Rect {
    Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
}

fn below_title(area: Rect) -> Rect {
    let title = area.height.min(1);
    Rect { y: area.y + title, height: area.height - title, ..area }
}

fn take_bottom(free: &mut Rect, lines: u16) -> Rect {
    let lines = lines.min(free.height);
    free.height -= lines;
    Rect { y: free.y + free.height, height: lines, ..*free }
}
