//! One program twice: in the dashboard's terminal, and by `docker exec -it` in a plain tmux window of the same size. Both
//! screens are read back from tmux, cell by cell.

use std::fmt::Write as _;
use std::time::Duration;

use palisade::terminal::{Cell, Colour, Look, Size};

use super::super::screen::Screen;
use crate::support::{Session, until_had};

/// A screen's cells, row by row.
pub type Cells = Vec<Vec<Cell>>;

pub struct Pair {
    pane: Screen,
    plain: Screen,
    size: (u16, u16),
}

/// What is not compared, because it is another at every look.
pub struct Mask {
    /// What it is, and why it changes.
    #[expect(dead_code, reason = "for whoever reads the test")]
    pub why: &'static str,
    /// In these rows.
    pub rows: std::ops::Range<usize>,
    pub what: Masked,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Masked {
    /// Numbers, with the blanks that make room for them.
    Numbers,
    /// What stands between brackets: a bar.
    Bars,
}

impl Pair {
    /// Runs a command in both.
    pub fn run(session: &Session, (columns, rows): (u16, u16), command: &str) -> Self {
        let pane = Screen::dashboard(columns, rows + 1, &session.name);
        pane.keys(&["x"]);
        pane.line(command);
        let plain = Screen::shell(columns, rows);
        let environment = "-e TERM=xterm-256color -e COLORTERM=truecolor";
        // An engine's terminal is not born with its size: a program that began before it came would have drawn twice.
        let sized = format!("sh -c 'until [ \"$(stty size)\" = \"{rows} {columns}\" ]; do :; done; exec \"$@\"' sh");
        plain.line(&format!("clear; exec docker exec -it {environment} {} {sized} {command}", session.container()));
        Self { pane, plain, size: (columns, rows) }
    }

    pub fn keys(&self, keys: &[&str]) {
        self.pane.keys(keys);
        self.plain.keys(keys);
    }

    pub fn typed(&self, text: &str) {
        self.pane.typed(text);
        self.plain.typed(text);
    }

    pub fn line(&self, text: &str) {
        self.typed(text);
        self.keys(&["enter"]);
    }

    /// Both show this.
    pub fn shows(&self, part: &str) {
        self.plain.shows(part);
        self.pane.shows(part);
    }

    pub fn plain_text(&self) -> String {
        self.plain.text()
    }

    /// Both screens' cells: the dashboard's without its title.
    pub fn cells(&self) -> (Cells, Cells) {
        let (columns, rows) = self.size;
        (read(&self.pane, columns, rows + 1)[1..].to_vec(), read(&self.plain, columns, rows))
    }

    /// Waits until both look alike, and shows where they do not.
    pub fn alike(&self, what: &str, masks: &[Mask]) {
        until_had(&format!("{what} looks alike"), || {
            let (pane, plain) = self.cells();
            let different = differences(&masked(pane, masks), &masked(plain, masks));
            if different.is_empty() { Ok(()) } else { Err(different) }
        });
    }

    /// Whether both come to look alike; neither changes any more where they do not.
    pub fn settles(&self, before: Option<&(Cells, Cells)>) -> Result<(), String> {
        const STILL: u32 = 25;
        let mut last = self.cells();
        let mut still = 0;
        loop {
            let has_moved = before.is_none_or(|before| last.0 != before.0 && last.1 != before.1);
            let different = differences(&masked(last.0.clone(), &[]), &masked(last.1.clone(), &[]));
            if has_moved && different.is_empty() && still >= 3 {
                return Ok(());
            }
            if still >= STILL {
                return if different.is_empty() { Ok(()) } else { Err(different) };
            }
            std::thread::sleep(Duration::from_millis(30));
            let now = self.cells();
            still = if now == last { still + 1 } else { 0 };
            last = now;
        }
    }
}

/// A tmux screen's cells, by its own account of them.
fn read(screen: &Screen, columns: u16, rows: u16) -> Cells {
    let text = screen.tmux(&["capture-pane", "-e", "-p", "-N"]);
    // Where a line's rest was cleared and never written, this tmux does not tell in which colour.
    let told: Vec<usize> = screen.tmux(&["capture-pane", "-p", "-N"]).lines().map(columns_of).collect();
    let mut again = palisade::terminal::Screen::new(Size::new(columns, rows), 0);
    // tmux shifts to the second character set for line drawing, and goes from line to line with the look that it has.
    let mut written = "\u{1b})0\u{1b}[?7l".to_owned();
    for (number, line) in (1..=rows).zip(text.lines()) {
        let _ = write!(written, "\u{1b}[{number};1H{line}");
    }
    again.feed(written.as_bytes());
    let row = |row: i32| {
        let told = usize::try_from(row).ok().and_then(|row| told.get(row)).copied().unwrap_or(0);
        again.line(row).map(as_seen).enumerate().map(|(at, cell)| if at < told { cell } else { untold() }).collect()
    };
    (0..i32::from(rows)).map(row).collect()
}

/// Columns of a line, as our own screen lays it out.
fn columns_of(line: &str) -> usize {
    let mut screen = palisade::terminal::Screen::new(Size::new(1000, 2), 0);
    screen.feed(line.as_bytes());
    usize::from(screen.cursor().0)
}

/// A cell of which only that it is blank is known.
fn untold() -> Cell {
    Cell { c: ' ', mark: Some(UNTOLD), width: 1, look: Look::default() }
}

/// Stands at cells of which tmux tells no more than that nothing is written there.
const UNTOLD: char = '?';

/// Of a blank only what is behind it is seen.
fn as_seen(mut cell: Cell) -> Cell {
    if cell.width == 0 {
        cell.look = Look::default();
    } else if cell.c == ' ' && !cell.look.inverse && !cell.look.underline && !cell.look.strikeout {
        cell.look = Look { background: cell.look.background, ..Look::default() };
    } else if cell.c == ' ' && cell.look.inverse {
        cell.look = Look { foreground: cell.look.foreground, background: cell.look.background, inverse: true, ..Look::default() };
    }
    cell
}

fn masked(mut cells: Cells, masks: &[Mask]) -> Cells {
    for mask in masks {
        for row in cells.iter_mut().skip(mask.rows.start).take(mask.rows.len()) {
            let mut inside = false;
            for cell in row {
                let is_hidden = match mask.what {
                    Masked::Numbers => cell.c.is_ascii_digit() || matches!(cell.c, ' ' | '.' | ',' | ':'),
                    Masked::Bars => {
                        inside = (inside || cell.c == '[') && cell.c != ']';
                        inside && cell.c != '['
                    }
                };
                if is_hidden {
                    (cell.c, cell.mark, cell.look) = ('#', None, Look::default());
                }
            }
        }
    }
    cells
}

fn is_same(ours: &Cell, theirs: &Cell) -> bool {
    ours == theirs || (theirs.mark == Some(UNTOLD) && ours.c == ' ' && ours.width == 1) || (ours.mark == Some(UNTOLD) && theirs.is_blank())
}

/// Where two screens differ, row by row.
pub fn differences(pane: &[Vec<Cell>], plain: &[Vec<Cell>]) -> String {
    let mut told = String::new();
    for (number, (ours, theirs)) in pane.iter().zip(plain).enumerate() {
        if ours.iter().zip(theirs).all(|(ours, theirs)| is_same(ours, theirs)) {
            continue;
        }
        let text = |row: &[Cell]| row.iter().filter(|cell| cell.width > 0).map(|cell| cell.c).collect::<String>();
        let _ = writeln!(told, "row {number}\n  here {:?}\n  tmux {:?}", text(ours).trim_end(), text(theirs).trim_end());
        if let Some((at, (ours, theirs))) = ours.iter().zip(theirs).enumerate().find(|(_, (ours, theirs))| !is_same(ours, theirs)) {
            let _ = writeln!(told, "  first at {at}: here {}, tmux {}", cell(ours), cell(theirs));
        }
    }
    told
}

fn cell(cell: &Cell) -> String {
    let colour = |colour: Colour| format!("{colour:?}");
    format!("{:?}{:?} {:?} on {} {}", cell.c, cell.mark, cell.look.sgr(), colour(cell.look.background), cell.width)
}
