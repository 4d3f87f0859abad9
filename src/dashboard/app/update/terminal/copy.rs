//! Looking back in a terminal, selecting and copying by keys, as vi moves.

use crate::dashboard::app::effect::{Effect, PaneId};
use crate::dashboard::app::input::Input;
use crate::dashboard::app::key::{Code, Key};
use crate::dashboard::app::row::Weight;
use crate::dashboard::app::state::State;
use crate::dashboard::app::terminals::{Mode, Pane, Point, Selection};
use crate::terminal::{Found, Needle};

/// A key while the cursor is ours.
pub fn key(state: &mut State, id: PaneId, point: Point, key: Key) -> Vec<Effect> {
    let Some(pane) = state.terminals.get_mut(id) else { return Vec::new() };
    let plain = key.typed();
    pane.mode = Mode::Copy(point);
    match (key.code, plain) {
        (Code::Esc, _) if pane.selection.is_some() => pane.selection = None,
        (Code::Esc, _) | (_, Some('q')) => pane.live(),
        (Code::Enter, _) | (_, Some('y')) => return copied(state, id),
        (_, Some('v' | ' ')) => select(pane, point, false),
        (_, Some('V')) => select(pane, point, true),
        (_, Some('/' | '?')) => pane.mode = Mode::Search(Input::default()),
        (_, Some('n')) => to_match(state, id, point, true),
        (_, Some('N')) => to_match(state, id, point, false),
        _ => {
            let to = pane.within(moved(pane, point, key));
            go(pane, to);
        }
    }
    Vec::new()
}

fn go(pane: &mut Pane, to: Point) {
    pane.mode = Mode::Copy(to);
    pane.scroll_to(to.line);
    if let Some(selection) = &mut pane.selection {
        selection.to = to;
    }
}

fn select(pane: &mut Pane, point: Point, lines: bool) {
    pane.selection = match pane.selection {
        Some(selection) if selection.lines == lines => None,
        Some(selection) => Some(Selection { lines, ..selection }),
        None => Some(Selection { from: point, to: point, lines }),
    };
}

fn moved(pane: &Pane, at: Point, key: Key) -> Point {
    let rows = i64::from(pane.screen.size().rows());
    let last = pane.screen.size().columns() - 1;
    let line = |by: i64| Point { line: at.line + by, ..at };
    let column = |column: u16| Point { column, ..at };
    match (key.code, key.ctrl) {
        (Code::Left | Code::Char('h') | Code::Backspace, false) => column(left_of(pane, at)),
        (Code::Right | Code::Char('l'), false) => column(right_of(pane, at)),
        (Code::Up | Code::Char('k'), false) => line(-1),
        (Code::Down | Code::Char('j'), false) => line(1),
        (Code::PageUp, _) | (Code::Char('b'), true) => line(-rows),
        (Code::PageDown, _) | (Code::Char('f'), true) => line(rows),
        (Code::Char('u'), true) => line(-rows / 2),
        (Code::Char('d'), true) => line(rows / 2),
        (Code::Home | Code::Char('0'), false) => column(0),
        (Code::Char('^'), false) => column(ends(pane, at.line).map_or(0, |(first, _)| first)),
        (Code::End | Code::Char('$'), false) => column(ends(pane, at.line).map_or(0, |(_, last)| last)),
        (Code::Char('g'), false) => Point { line: pane.oldest(), column: 0 },
        (Code::Char('G'), false) => Point { line: pane.newest(), column: 0 },
        (Code::Char('H'), false) => Point { line: pane.top(), column: 0 },
        (Code::Char('M'), false) => Point { line: pane.top() + rows / 2, column: 0 },
        (Code::Char('L'), false) => Point { line: pane.top() + rows - 1, column: 0 },
        (Code::Char('w'), false) => word(pane, at, true, |before, c| before.is_whitespace() && !c.is_whitespace()),
        (Code::Char('b'), false) => word(pane, at, false, |before, c| before.is_whitespace() && !c.is_whitespace()),
        (Code::Char('e'), false) => {
            let end = word(pane, Point { column: at.column.saturating_add(1).min(last), ..at }, true, |before, c| {
                !before.is_whitespace() && c.is_whitespace()
            });
            if end.column == 0 { end } else { Point { column: end.column - 1, ..end } }
        }
        _ => at,
    }
}

/// The next cell in which a word begins or ends, on this line or at an end of it, else on the line after or before.
fn word(pane: &Pane, at: Point, forward: bool, is_edge: impl Fn(char, char) -> bool) -> Point {
    let edges = |line: i64| {
        let mut before = ' ';
        let cells = pane.screen.line(pane.line(line)).map(|cell| cell.c).chain([' ']).zip(0_u16..);
        cells.filter_map(|(c, column)| is_edge(std::mem::replace(&mut before, c), c).then_some(column)).collect::<Vec<_>>()
    };
    let here = edges(at.line);
    if forward {
        let next = here.iter().find(|column| **column > at.column).copied();
        next.map_or_else(
            || Point { line: at.line + 1, column: edges(at.line + 1).first().copied().unwrap_or(0) },
            |column| Point { column, ..at },
        )
    } else {
        let next = here.iter().rfind(|column| **column < at.column).copied();
        next.map_or_else(
            || Point { line: at.line - 1, column: edges(at.line - 1).last().copied().unwrap_or(0) },
            |column| Point { column, ..at },
        )
    }
}

/// First and last column of a line that is not blank.
fn ends(pane: &Pane, line: i64) -> Option<(u16, u16)> {
    let mut drawn = pane.screen.line(pane.line(line)).zip(0_u16..).filter(|(cell, _)| cell.c != ' ').map(|(_, column)| column);
    let first = drawn.next()?;
    Some((first, drawn.last().unwrap_or(first)))
}

/// A wide character is stepped over as one.
fn right_of(pane: &Pane, at: Point) -> u16 {
    let cell = pane.screen.line(pane.line(at.line)).nth(usize::from(at.column));
    at.column + u16::from(cell.map_or(1, |cell| cell.width.max(1)))
}

fn left_of(pane: &Pane, at: Point) -> u16 {
    let to = at.column.saturating_sub(1);
    let cell = pane.screen.line(pane.line(at.line)).nth(usize::from(to));
    if cell.is_some_and(|cell| cell.width == 0) { to.saturating_sub(1) } else { to }
}

/// Copies what is selected, and goes back to what runs.
pub fn copied(state: &mut State, id: PaneId) -> Vec<Effect> {
    let Some(pane) = state.terminals.get_mut(id) else { return Vec::new() };
    let text = pane.selected();
    pane.live();
    let Some(text) = text else {
        state.notices.add(state.now, Weight::Plain, "nothing is selected: v selects, y copies");
        return Vec::new();
    };
    taken(state, text)
}

/// It is on the clipboard, and ready to be pasted.
pub fn taken(state: &mut State, text: String) -> Vec<Effect> {
    let told = match (text.lines().count(), text.chars().count()) {
        (0 | 1, 1) => "1 character is copied".to_owned(),
        (0 | 1, characters) => format!("{characters} characters are copied"),
        (lines, _) => format!("{lines} lines are copied"),
    };
    state.notices.add(state.now, Weight::Plain, told);
    state.terminals.copied.clone_from(&text);
    vec![Effect::Copy(text)]
}

/// A search was typed: to the nearest match above what is looked at.
pub fn found(state: &mut State, id: PaneId) {
    let Some(pane) = state.terminals.get(id) else { return };
    let bottom = pane.top() + i64::from(pane.screen.newest());
    to_match(state, id, Point { line: bottom, column: u16::MAX }, true);
}

/// The next match further back, or on the way forward.
fn to_match(state: &mut State, id: PaneId, at: Point, back: bool) {
    let Some(pane) = state.terminals.get_mut(id) else { return };
    let needle = Needle::new(&pane.sought);
    let cell = (pane.line(at.line), at.column);
    let find = |needle: &Needle| -> Option<Found> {
        if back { pane.screen.find_before(needle, cell) } else { pane.screen.find_after(needle, cell) }
    };
    if let Some(found) = needle.as_ref().and_then(find) {
        let to = pane.point(found.first);
        go(pane, to);
        return;
    }
    let here = pane.within(at);
    go(pane, here);
    let told = if needle.is_none() { "nothing is searched".to_owned() } else { format!("no more '{}' that way", pane.sought) };
    state.notices.add(state.now, Weight::Plain, told);
}
