//! Where everything stands on the screen: one pure function of the state, for drawing, mouse and scrolling alike.

#[cfg(test)]
mod tests;

use ratatui::layout::Rect;

use super::action::Action;
use super::ask::Confirm;
use super::detail::Tab;
use super::effect::PaneId;
use super::list::Column;
use super::overlay::Overlay;
use super::page::{hardening, help, notices, overview};
use super::row::Row;
use super::state::{Focus, State};
use super::terminals::{self, Place};
use crate::dashboard::text;

/// Lines below which list and detail do not share the screen: the pane in focus has it alone.
const BOTH: u16 = 20;
/// Lines of a pane that are not content: its title, and the list's heads.
const TITLE: u16 = 1;
/// Columns of the mark and the cursor before a name.
pub const GUTTER: u16 = 2;
/// Columns between two of the list's columns.
pub const GAP: u16 = 1;

/// A terminal's size and state, laid out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// The top line.
    pub totals: Rect,
    /// The list with its heads; without lines where the detail has all the room.
    pub list: Rect,
    /// The heads of the list's columns.
    pub heads: Vec<(Column, Rect)>,
    /// The list's lines.
    pub rows: Rect,
    /// The detail pane with its tabs; without lines where the list has all the room.
    pub detail: Rect,
    /// The tabs' titles.
    pub tabs: Vec<(Tab, Rect)>,
    /// What is below them and does not scroll: a tab's own figures and heads.
    pub note: Rect,
    /// What is below that: the lines that scroll.
    pub body: Rect,
    /// The line of notices and work under way.
    pub status: Rect,
    /// The buttons in the bottom line.
    pub buttons: Vec<(Action, Rect)>,
    /// The terminal, where one is shown: below the list, or over everything.
    pub terminal: Option<TerminalLayout>,
    /// What stands over all that.
    pub overlay: Option<Rect>,
}

/// A terminal's part of the screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TerminalLayout {
    /// The line above it.
    pub title: Rect,
    /// The tabs in it, from left to right, as many as have room.
    pub tabs: Vec<(PaneId, Rect)>,
    /// The terminal itself.
    pub screen: Rect,
}

/// Lines above the choices among shells that were left.
pub const CHOICES: u16 = 2;
/// Columns of a terminal's title that its tabs leave to what is told there.
const TOLD: u16 = 34;

/// How wide a column is, and with which others it gives way: the greatest first.
const fn width(column: Column) -> (u16, u8) {
    match column {
        Column::Name => (12, 0),
        Column::Status => (13, 1),
        Column::Posture => (11, 2),
        Column::Pids => (8, 3),
        Column::Cpu => (6, 4),
        Column::Hits => (5, 5),
        Column::Memory => (6, 6),
        Column::Uptime => (6, 7),
        Column::Network => (8, 8),
        Column::Kind => (10, 9),
        Column::Saved => (6, 10),
        Column::Profile => (10, 11),
    }
}

/// The widest that a name's column grows to.
const WIDEST_NAME: u16 = 40;

/// Actions that have a button, most wanted first: those that do not fit are left out.
const BUTTONS: [Action; 9] = [
    Action::Launch,
    Action::Shell,
    Action::Attach,
    Action::Stop,
    Action::Remove,
    Action::Filter,
    Action::Palette,
    Action::Help,
    Action::Quit,
];

impl Layout {
    /// Lays the screen out.
    pub fn of(state: &State) -> Self {
        let (columns, lines) = state.size;
        let mut free = Rect::new(0, 0, columns, lines);
        let totals = take_top(&mut free, u16::from(lines >= 6));
        let bottom = take_bottom(&mut free, u16::from(lines >= 4));
        let status = take_bottom(&mut free, u16::from(lines >= 10));
        let (list, mut detail) = panes(state, free);
        let terminal = match state.terminals.place {
            Place::Full => Some(Rect::new(0, 0, columns, lines)),
            Place::Below if list.height > 0 && detail.height > 0 => Some(std::mem::take(&mut detail)),
            // Where there is no room for both, it has all of it while it has the keys.
            Place::Below if state.focus == Focus::Terminal => Some(Rect::new(0, 0, columns, lines)),
            Place::Away | Place::Below => None,
        };
        let terminal = terminal.map(|area| terminal_in(state, area));
        let heads = heads(list, state);
        let rows = inset(list);
        let mut body = inset(detail);
        let wanted = note_lines(state.detail.tab, body.height);
        let note = take_top(&mut body, wanted);
        Self {
            totals,
            list,
            heads,
            rows,
            detail,
            tabs: tabs(detail),
            note,
            body,
            status,
            buttons: buttons(state, bottom),
            terminal,
            overlay: state.overlay.as_ref().map(|overlay| over(overlay, state.size)),
        }
    }
}

fn terminal_in(state: &State, area: Rect) -> TerminalLayout {
    let title = Rect { height: TITLE.min(area.height), ..area };
    let screen = Rect { y: area.y + title.height, height: area.height - title.height, ..area };
    let open = &state.terminals.open;
    // A tab is its label in brackets, and its sign.
    let wide: Vec<u16> = (1..).zip(open).map(|(number, pane)| letters(&terminals::label(pane, number)) + 4).collect();
    let room = area.width.saturating_sub(TOLD.min(area.width / 2));
    let current = open.iter().position(|pane| Some(pane.id) == state.terminals.current).unwrap_or(0);
    // From the first tab on, or from the one from which the current one has room.
    let fits = |first: &usize| wide.get(*first..=current).is_some_and(|upto| upto.iter().sum::<u16>() <= room);
    let first = (0..=current).find(fits);
    let mut tabs = Vec::new();
    let mut x = area.x;
    for (pane, wide) in open.iter().zip(&wide).skip(first.unwrap_or(current)) {
        let wide = if tabs.is_empty() { (*wide).min(room) } else { *wide };
        if x + wide > area.x + room {
            break;
        }
        tabs.push((pane.id, Rect { x, width: wide, ..title }));
        x += wide;
    }
    TerminalLayout { title, tabs, screen }
}

/// Lines of the open tab that do not scroll: never more than a third of what there is.
fn note_lines(tab: Tab, height: u16) -> u16 {
    let wanted = match tab {
        Tab::Overview | Tab::Hardening | Tab::Events => 0,
        Tab::Logs | Tab::Files => 1,
        Tab::Processes => 2,
        // Two lines of figures, and the curve with the lines that it needs to be one.
        Tab::Cache if height >= 24 => 2 + 6,
        Tab::Cache => 2 + 1,
    };
    wanted.min(height / 3)
}

impl Layout {
    /// The furthest that the open tab can be scrolled: its last line is then the last on the screen. The log knows its own.
    pub fn furthest(&self, state: &State) -> usize {
        let (detail, width) = (&state.detail, self.body.width);
        let lines = match (detail.tab, state.list.selected()) {
            (_, None) | (Tab::Logs, _) => 0,
            (Tab::Overview, Some(row)) => overview::lines(state, row, width).len(),
            (Tab::Hardening, Some(row)) => hardening::lines(state, row, width).len(),
            (Tab::Cache, _) => detail.fetches.last().map_or(0, |(fetches, _)| fetches.events.len()),
            (Tab::Processes, _) => detail.processes.last().map_or(0, |(list, _)| list.processes.len()),
            (Tab::Events, Some(row)) => row.happenings.len(),
            (Tab::Files, _) => detail.files.last().map_or(0, |(changes, _)| changes.files.len()),
        };
        lines.saturating_sub(usize::from(self.body.height))
    }

    /// The same for what stands over the panes.
    pub fn furthest_over(&self, state: &State) -> usize {
        let area = self.overlay.unwrap_or_default();
        let (width, height) = (area.width.saturating_sub(2), area.height.saturating_sub(2));
        let lines = match &state.overlay {
            Some(Overlay::Help(_)) => help::columns(&state.keymap, width).first().map_or(0, Vec::len),
            Some(Overlay::Notices(_)) => notices::lines(state, width).len(),
            Some(Overlay::Palette(_) | Overlay::Ask(_) | Overlay::Confirm(_) | Overlay::Form(_)) | None => 0,
        };
        lines.saturating_sub(usize::from(height))
    }
}

/// The list above the detail, or the one in focus alone.
fn panes(state: &State, free: Rect) -> (Rect, Rect) {
    let nothing = Rect::default();
    if (state.zoomed && state.focus != Focus::Terminal) || free.height + 3 < BOTH {
        return match state.focus {
            Focus::List => (free, nothing),
            Focus::Detail => (nothing, free),
            Focus::Terminal => (nothing, nothing),
        };
    }
    // As many lines as the sessions need, at most half of them.
    let wanted = u16::try_from(state.list.lines.len()).unwrap_or(u16::MAX).saturating_add(TITLE).max(5);
    let upper = wanted.min(free.height / 2);
    let (mut list, mut detail) = (free, free);
    list.height = upper;
    detail.y += upper;
    detail.height -= upper;
    (list, detail)
}

fn take_top(free: &mut Rect, lines: u16) -> Rect {
    let taken = Rect { height: lines, ..*free };
    free.y += lines;
    free.height -= lines;
    taken
}

fn take_bottom(free: &mut Rect, lines: u16) -> Rect {
    free.height -= lines;
    Rect { y: free.y + free.height, height: lines, ..*free }
}

/// A pane without its title line.
fn inset(pane: Rect) -> Rect {
    if pane.height == 0 {
        return Rect::default();
    }
    Rect { y: pane.y + TITLE, height: pane.height - TITLE, ..pane }
}

/// The columns that fit, in their order; what is left over is the name's.
fn heads(list: Rect, state: &State) -> Vec<(Column, Rect)> {
    if list.height == 0 {
        return Vec::new();
    }
    let mut shown = Column::ALL.to_vec();
    // A name that cannot be read is worth more room than a column that can be had in the detail.
    let least = width(Column::Name).0;
    // And the sign for the terminals that are open in it.
    let wide = |row: &Row| letters(row.session.name.as_str()) + if state.terminals.of(row.id()).next().is_some() { 4 } else { 0 };
    let longest = state.list.rows.iter().map(wide).max().unwrap_or(0);
    let name = longest.min(list.width / 4).clamp(least, WIDEST_NAME);
    let needed = |shown: &[Column]| GUTTER + name - least + shown.iter().map(|column| width(*column).0 + GAP).sum::<u16>() - GAP;
    while shown.len() > 1 && needed(&shown) > list.width {
        if let Some(last) = shown.iter().copied().max_by_key(|column| width(*column).1) {
            shown.retain(|column| *column != last);
        }
    }
    let spare = list.width.saturating_sub(needed(&shown)).min(WIDEST_NAME - name) + (name - least);
    let mut x = list.x + GUTTER;
    let place = |column: Column| {
        let wide = width(column).0 + if column == Column::Name { spare } else { 0 };
        let head = Rect { x, y: list.y, width: wide.min((list.x + list.width).saturating_sub(x)), height: 1 };
        x += wide + GAP;
        (column, head)
    };
    shown.into_iter().map(place).collect()
}

/// The tabs from left to right; those that do not fit give way to the open one's neighbours in the view.
fn tabs(detail: Rect) -> Vec<(Tab, Rect)> {
    let mut x = detail.x + 1;
    let mut placed = Vec::new();
    if detail.height == 0 {
        return placed;
    }
    let full: u16 = Tab::ALL.iter().map(|tab| letters(tab.title()) + 2).sum();
    for tab in Tab::ALL {
        // On a narrow terminal a tab is its first four letters.
        let wide = if full < detail.width { letters(tab.title()) + 2 } else { 5 };
        if x + wide > detail.x + detail.width {
            break;
        }
        placed.push((tab, Rect { x, y: detail.y, width: wide, height: 1 }));
        x += wide;
    }
    placed
}

/// `n launch`, `s shell`, ….
pub fn label(state: &State, action: Action) -> String {
    format!("{} {}", state.keymap.shown(action), action.name().replace('_', " "))
}

fn buttons(state: &State, bottom: Rect) -> Vec<(Action, Rect)> {
    let mut x = bottom.x;
    let mut placed = Vec::new();
    if bottom.height == 0 {
        return placed;
    }
    for action in BUTTONS {
        let wide = letters(&label(state, action)) + 2;
        if x + wide > bottom.x + bottom.width {
            break;
        }
        placed.push((action, Rect { x, y: bottom.y, width: wide, height: 1 }));
        x += wide;
    }
    placed
}

fn letters(words: &str) -> u16 {
    u16::try_from(text::width(words)).unwrap_or(u16::MAX)
}

/// Lines of a question that are not what would be lost: the frame, and two for the answer.
const CONFIRM: u16 = 4;

/// What would be lost, broken to the width of the question's frame.
pub fn confirm_lines(confirm: &Confirm, width: u16) -> Vec<String> {
    let room = usize::from(width.saturating_sub(4)).max(1);
    confirm.lines.iter().flat_map(|line| text::wrap(line, room)).collect()
}

/// Where what stands over the panes does.
fn over(overlay: &Overlay, (columns, lines): (u16, u16)) -> Rect {
    let narrow = columns.min(76);
    let (wide, high) = match overlay {
        Overlay::Help(_) => (columns.min(156), lines),
        Overlay::Form(_) | Overlay::Notices(_) => (columns.min(120), lines),
        Overlay::Palette(_) => (columns.min(80), lines.min(24)),
        Overlay::Confirm(confirm) => {
            let told = u16::try_from(confirm_lines(confirm, narrow).len()).unwrap_or(lines);
            (narrow, lines.min(told.saturating_add(CONFIRM)))
        }
        Overlay::Ask(_) => (narrow, lines.min(6)),
    };
    Rect { x: (columns - wide) / 2, y: (lines - high) / 2, width: wide, height: high }
}

/// Lines of the palette above its first match: its frame, and what is typed.
pub const PALETTE_LINES: usize = 2;
