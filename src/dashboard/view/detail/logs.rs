//! The session's log.

use ratatui::layout::Rect;

use super::super::canvas::Canvas;
use crate::dashboard::app::State;
use crate::dashboard::app::action::Action;
use crate::dashboard::app::log::{Level, Log, LogLine};
use crate::dashboard::text;
use crate::dashboard::theme::Role;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, note: Rect, body: Rect) {
    let log = &state.detail.log;
    if let Some(failure) = log.failure.as_ref().filter(|_| log.lines.is_empty()) {
        super::failed(canvas, body, failure);
        return;
    }
    if note.height > 0 {
        head(canvas, state, note);
    }
    if log.lines.is_empty() {
        let words = if log.ended { "it wrote nothing" } else { "nothing was written yet" };
        canvas.put(body.x + 1, body.y, body.width.saturating_sub(1), words, Role::Muted);
        return;
    }
    let needle = Some(log.search.text().to_lowercase()).filter(|needle| !needle.is_empty());
    let mut y = body.top();
    for line in log.lines.iter().skip(first(log, body)) {
        if y >= body.bottom() {
            break;
        }
        y += one(canvas, log, line, Rect { y, height: body.bottom() - y, ..body }, needle.as_deref());
    }
}

/// What stands above the lines: whether it follows, what was dropped, what is searched.
fn head(canvas: &mut Canvas<'_>, state: &State, line: Rect) {
    let log = &state.detail.log;
    let mut pieces = Vec::new();
    let signs = canvas.signs;
    match (log.held, log.ended) {
        (Some(_), _) => pieces.push((format!("{} held: {} follows", signs.paused, state.keymap.shown(Action::Follow)), Role::Warning)),
        (None, true) => pieces.push((format!("{} ended", signs.stopped), Role::Muted)),
        (None, false) => pieces.push((format!("{} following", signs.running), Role::Good)),
    }
    pieces.push((format!("  {} lines", log.lines.len()), Role::Muted));
    if log.dropped > 0 {
        pieces.push((format!("  {} older ones were dropped", log.dropped), Role::Warning));
    }
    if !log.search.text().is_empty() {
        pieces.push((format!("  search: {}", log.search.text()), Role::Match));
    }
    if let Some(failure) = &log.failure {
        pieces.push((format!("  {} {}", signs.bad, failure.message), Role::Danger));
    }
    canvas.line(line.x + 1, line.y, line.width.saturating_sub(1), &pieces);
}

/// The first line that is shown.
fn first(log: &Log, area: Rect) -> usize {
    // From the end up, as many as fit: nothing is shown past that.
    let mut room = usize::from(area.height);
    let mut last = log.lines.len();
    for line in log.lines.iter().rev() {
        let needed = rows(log, line, area);
        if needed > room {
            break;
        }
        room -= needed;
        last -= 1;
    }
    let last = last.min(log.lines.len().saturating_sub(1));
    let held = log.held.map(|held| usize::try_from(held.saturating_sub(log.dropped)).unwrap_or(usize::MAX));
    held.map_or(last, |held| held.min(last))
}

/// Columns before a line's text.
fn margin(log: &Log) -> u16 {
    if log.timestamps { 2 + 13 } else { 2 }
}

/// Lines of the screen that a line takes.
fn rows(log: &Log, line: &LogLine, area: Rect) -> usize {
    if !log.wrap {
        return 1;
    }
    let room = usize::from(area.width.saturating_sub(margin(log) + 1)).max(1);
    text::folded_lines(line.text.raw(), room, usize::from(area.height))
}

/// Draws one line of the log, and tells how many of the screen it took.
fn one(canvas: &mut Canvas<'_>, log: &Log, line: &LogLine, area: Rect, needle: Option<&str>) -> u16 {
    let mut x = area.x + 1;
    if line.level == Level::Ours {
        // A sign that no line of the session's has.
        canvas.put(x, area.y, 1, canvas.signs.paused, Role::Warning);
    } else if line.is_error_stream {
        canvas.put(x, area.y, 1, canvas.signs.stderr, Role::Warning);
    }
    x += 2;
    if log.timestamps {
        let at = line.at.map_or_else(|| "-".to_owned(), |at| at.strftime("%H:%M:%S.%3f").to_string());
        canvas.put(x, area.y, 12, &at, Role::Muted);
        x += 13;
    }
    let role = match line.level {
        Level::Plain => Role::Text,
        Level::Debug => Role::Muted,
        Level::Warning | Level::Ours => Role::Warning,
        Level::Error => Role::Danger,
    };
    let room = area.right().saturating_sub(x);
    let lines = if log.wrap { area.height } else { 1 };
    canvas.block(Rect { x, y: area.y, width: room, height: lines }, line.text.raw(), role, needle)
}
