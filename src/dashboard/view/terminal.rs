//! Terminals in sessions: their tabs, and the emulator's cells, each filtered. Nothing that a sandbox wrote is passed on.

use jiff::Timestamp;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::canvas::Canvas;
use super::status::field;
use crate::dashboard::app::State;
use crate::dashboard::app::action::Action;
use crate::dashboard::app::layout::{CHOICES, TerminalLayout};
use crate::dashboard::app::page::words::weight_role;
use crate::dashboard::app::page::{Line, Piece};
use crate::dashboard::app::state::Focus;
use crate::dashboard::app::terminals::{Mode, Pane, Sign, Tie, label, program};
use crate::dashboard::text;
use crate::dashboard::theme::Role;
use crate::terminal::wire::Held;
use crate::terminal::{Colour, Look};
use crate::units::brief_age;

/// How a terminal is left, told in its title.
const DETACH: &str = "ctrl-p ctrl-q leaves";
/// The same once what ran in it has ended.
const CLOSE: &str = "any key closes";
/// The same once the first of the two keys was pressed.
const LEAVING: &str = "ctrl-q leaves it, any other key stays";

/// Draws it, and tells where the cursor stands.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, place: &TerminalLayout) -> Option<(u16, u16)> {
    let pane = state.terminals.current()?;
    canvas.clear(place.screen);
    let has_focus = state.focus == Focus::Terminal;
    let typed = title(canvas, state, place, pane, has_focus);
    if let Mode::Choose(left, at) = &pane.mode {
        choices(canvas, place.screen, &pane.target.name, left, *at);
        return None;
    }
    cells(canvas, place.screen, pane);
    fate(canvas, place.screen, pane);
    if !has_focus {
        return None;
    }
    typed.or_else(|| cursor(canvas, place.screen, pane))
}

fn cells(canvas: &mut Canvas<'_>, area: Rect, pane: &Pane) {
    let screen = &pane.screen;
    let top = pane.line(pane.top());
    for (line, y) in (top..).zip(area.top()..area.bottom()).take(usize::from(screen.size().rows())) {
        for (cell, x) in screen.line(line).zip(area.left()..area.right()) {
            if x + u16::from(cell.width) <= area.right() {
                canvas.put_cell(x, y, &cell, look(cell.look));
            }
        }
    }
    let on_screen = |line: i32, column: u16| {
        let y = area.y.checked_add(u16::try_from(line - top).ok()?)?;
        let x = area.x.checked_add(column)?;
        area.contains((x, y).into()).then_some((x, y))
    };
    for found in pane.found() {
        for line in found.first.0.max(top)..=found.last.0 {
            let first = if line == found.first.0 { found.first.1 } else { 0 };
            let last = if line == found.last.0 { found.last.1 } else { u16::MAX };
            if let Some((x, y)) = on_screen(line, first) {
                let width = last.saturating_sub(first).saturating_add(1).min(area.right() - x);
                canvas.paint(Rect { x, y, width, height: 1 }, Role::Match);
            }
        }
    }
    if let Some(selection) = pane.selection {
        let (first, last) = selection.range();
        for line in first.line.max(pane.top())..=last.line {
            let from = if line == first.line { first.column } else { 0 };
            let to = if line == last.line { last.column } else { u16::MAX };
            let Some((x, y)) = on_screen(pane.line(line), from) else { continue };
            canvas.invert(Rect { x, y, width: to.saturating_sub(from).saturating_add(1).min(area.right() - x), height: 1 });
        }
    }
}

/// What became of its session, over the screen's last lines; over its first where its program wrote last among those.
fn fate(canvas: &mut Canvas<'_>, area: Rect, pane: &Pane) {
    let Some(fate) = &pane.fate else { return };
    let room = usize::from(area.width.saturating_sub(2));
    let lines: Vec<String> = fate.said.iter().flat_map(|said| text::wrap(said, room)).collect();
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height);
    let (_, row) = pane.screen.cursor();
    let is_in_the_way = pane.scroll == 0 && row >= area.height - height;
    let y = if is_in_the_way { area.y } else { area.bottom() - height };
    let over = Rect { y, height, ..area };
    canvas.clear(over);
    canvas.paint(over, Role::Header);
    for (line, y) in lines.iter().zip(over.top()..over.bottom()) {
        canvas.put(area.x + 1, y, area.width.saturating_sub(1), line, Role::Warning);
    }
}

fn cursor(canvas: &mut Canvas<'_>, area: Rect, pane: &Pane) -> Option<(u16, u16)> {
    let (column, row) = match pane.mode {
        Mode::Copy(point) => (point.column, u16::try_from(point.line - pane.top()).ok()?),
        _ if pane.ended.is_some() || pane.scroll > 0 || !pane.screen.shows_cursor() => return None,
        _ => pane.screen.cursor(),
    };
    let at = (area.x.checked_add(column)?, area.y.checked_add(row)?);
    if matches!(pane.mode, Mode::Copy(_)) && area.contains(at.into()) {
        canvas.caret(at.0, at.1);
    }
    area.contains(at.into()).then_some(at)
}

/// The tabs, and at their right how the shown one stands and what keys do. Where a search is typed, its cursor.
fn title(canvas: &mut Canvas<'_>, state: &State, place: &TerminalLayout, pane: &Pane, has_focus: bool) -> Option<(u16, u16)> {
    let line = place.title;
    canvas.paint(line, Role::Header);
    match (&pane.mode, has_focus) {
        (Mode::Search(input), true) => {
            let used = canvas.put(line.x, line.y, line.width, " search: ", Role::Title);
            let told = format!(" {} on the screen, enter goes to the nearest above ", pane.found().len());
            let note = u16::try_from(told.chars().count()).unwrap_or(0).min(line.width / 2);
            let room = line.width.saturating_sub(used + note);
            let cursor = field(canvas, Rect { x: line.x + used, width: room, ..line }, input);
            canvas.put(line.x + used + room, line.y, note, &told, Role::Muted);
            return Some(cursor);
        }
        (Mode::Prefix, true) => {
            canvas.line(line.x, line.y, line.width, &prefixed(state));
            return None;
        }
        _ => {}
    }
    let end = tabs(canvas, state, place);
    let (words, role) = told(canvas, state, pane, has_focus);
    canvas.put_right(end + 1, line.y, line.right().saturating_sub(end + 1), &format!("{words} "), role);
    None
}

fn tabs(canvas: &mut Canvas<'_>, state: &State, place: &TerminalLayout) -> u16 {
    let mut end = place.title.x;
    let numbered = (1..).zip(&state.terminals.open);
    for (number, pane) in numbered {
        let Some((_, area)) = place.tabs.iter().find(|(id, _)| *id == pane.id) else { continue };
        let is_current = state.terminals.current == Some(pane.id);
        // Brackets tell the open one where there is no colour.
        let [before, after] = if is_current { ["[", "]"] } else { [" ", " "] };
        let role = if is_current { Role::Selected } else { Role::Header };
        let label = label(pane, number);
        canvas.put_cut(area.x, area.y, area.width.saturating_sub(3), &format!("{before}{label}"), role);
        let (sign, its) = sign(canvas, pane);
        let x = area.right().saturating_sub(3);
        canvas.put(x, area.y, 3, " ", role);
        canvas.put(x + 1, area.y, 1, sign, if is_current { role } else { its });
        canvas.put(x + 2, area.y, 1, after, role);
        end = area.right();
    }
    end
}

/// How a terminal stands.
fn sign(canvas: &Canvas<'_>, pane: &Pane) -> (&'static str, Role) {
    let signs = canvas.signs;
    match Sign::of(pane) {
        Sign::Running => (signs.running, Role::Good),
        Sign::Opening => (signs.waiting, Role::Info),
        Sign::Rang => ("!", Role::Warning),
        Sign::Active => (signs.mark, Role::Info),
        Sign::Ended => (signs.stopped, Role::Muted),
        Sign::Failed => (signs.bad, Role::Danger),
    }
}

/// What is to be known of the shown one now: a notice, how it ended, which keys lead out of it.
fn told(canvas: &Canvas<'_>, state: &State, pane: &Pane, has_focus: bool) -> Piece {
    let signs = canvas.signs;
    let prefix = state.keymap.shown(Action::TerminalPrefix);
    if let Some(notice) = state.notices.standing().filter(|_| has_focus) {
        return (format!("{} {}", signs.weight(notice.weight), notice.text), weight_role(notice.weight));
    }
    if pane.is_over() {
        return (format!("{} ended with its session; q closes", signs.bad), Role::Danger);
    }
    match &pane.ended {
        Some(Ok(None)) => return (format!("{} ended; {CLOSE}", signs.stopped), Role::Muted),
        Some(Ok(Some(code))) => {
            let role = if *code == 0 { Role::Muted } else { Role::Warning };
            return (format!("{} ended with {code}; {CLOSE}", signs.stopped), role);
        }
        Some(Err(failure)) if pane.is_lost() => {
            return (format!("{} {}; r takes it up again, q closes", signs.bad, failure.message), Role::Danger);
        }
        Some(Err(failure)) => return (format!("{} {}; {CLOSE}", signs.bad, failure.message), Role::Danger),
        None => {}
    }
    match pane.mode {
        Mode::Leaving => return (format!("{} {LEAVING}", signs.paused), Role::Warning),
        Mode::Copy(_) => {
            let words = if pane.selection.is_some() { "y copies, esc selects nothing" } else { "v selects, / n N search, q goes back" };
            return (words.to_owned(), Role::Info);
        }
        Mode::Choose(..) => return ("enter takes it, q leaves".to_owned(), Role::Info),
        Mode::Live | Mode::Prefix | Mode::Search(_) => {}
    }
    if pane.scroll > 0 {
        return (format!("{} {} lines back", signs.up, pane.scroll), Role::Warning);
    }
    if !has_focus {
        return (format!("{} takes the keys there", state.keymap.shown(Action::Terminals)), Role::Muted);
    }
    let words = match pane.tie {
        Tie::Opening => format!("{} opening; {DETACH}", signs.waiting),
        Tie::Connection => format!("it ends with this connection; {prefix} for more"),
        Tie::Held(_) | Tie::Log => format!("{DETACH}, {prefix} for more"),
    };
    (words, Role::Muted)
}

/// The keys after the prefix.
fn prefixed(state: &State) -> Line {
    let mut line = vec![(format!(" {} ", state.keymap.shown(Action::TerminalPrefix)), Role::Title)];
    let words = [
        (Action::TerminalList, "sessions"),
        (Action::TerminalNext, "next"),
        (Action::TerminalPrevious, "previous"),
        (Action::TerminalZoom, "zoom"),
        (Action::TerminalSearch, "search"),
        (Action::TerminalCopy, "copy"),
        (Action::TerminalPaste, "paste"),
        (Action::TerminalLeave, "leave"),
        (Action::TerminalHelp, "help"),
        (Action::TerminalNew, "shell"),
        (Action::TerminalEnd, "end"),
    ];
    for (action, word) in words {
        line.extend([(state.keymap.shown(action), Role::Key), (format!(" {word} "), Role::Header)]);
    }
    line
}

/// Shells that were left, and a new one.
fn choices(canvas: &mut Canvas<'_>, area: Rect, name: &str, left: &[Held], selected: usize) {
    let width = area.width.saturating_sub(2);
    let head = if left.len() == 1 { "a shell was left".to_owned() } else { format!("{} shells were left", left.len()) };
    if area.height > 0 {
        canvas.put(area.x + 1, area.y, width, &format!("{head} in {name}: take one up, or open another"), Role::Text);
    }
    let now = canvas.now;
    let lines = left.iter().map(|held| {
        // What a sandbox says of its age is any number.
        let since = now.as_second().saturating_sub(i64::try_from(held.idle_s).unwrap_or(i64::MAX)).max(1);
        let idle = Timestamp::from_second(since).map_or_else(|_| "long".to_owned(), |since| brief_age(now, since));
        let clients = match held.clients {
            1 => "1 looks on".to_owned(),
            clients => format!("{clients} look on"),
        };
        let number = format!("#{} ", held.id);
        vec![(number, Role::Key), (format!("{}  ", program(&held.command)), Role::Strong), (format!("idle {idle}, {clients}"), Role::Muted)]
    });
    let lines = lines.chain([vec![("n  ".to_owned(), Role::Key), ("a new shell".to_owned(), Role::Strong)]]);
    let first = area.y.saturating_add(CHOICES);
    for ((at, line), y) in lines.enumerate().zip(first..area.bottom()) {
        canvas.line(area.x + 2, y, width.saturating_sub(1), &line);
        if at == selected {
            canvas.put(area.x + 1, y, 1, canvas.signs.cursor, Role::Title);
            canvas.paint(Rect { y, height: 1, ..area }, Role::Selected);
        }
    }
}

/// A cell's own look.
fn look(look: Look) -> Style {
    let mut style = Style::new().fg(colour(look.foreground)).bg(colour(look.background));
    for (is_on, modifier) in [
        (look.bold, Modifier::BOLD),
        (look.dim, Modifier::DIM),
        (look.italic, Modifier::ITALIC),
        (look.underline, Modifier::UNDERLINED),
        (look.inverse, Modifier::REVERSED),
        (look.strikeout, Modifier::CROSSED_OUT),
    ] {
        if is_on {
            style = style.add_modifier(modifier);
        }
    }
    style
}

const fn colour(colour: Colour) -> Color {
    match colour {
        Colour::Default => Color::Reset,
        Colour::Indexed(index) => Color::Indexed(index),
        Colour::Rgb(red, green, blue) => Color::Rgb(red, green, blue),
    }
}
