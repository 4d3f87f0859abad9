//! The detail pane: its tabs, and what is below them.

mod cache;
mod events;
mod files;
mod hardening;
mod logs;
mod overview;
mod processes;

use ratatui::layout::Rect;

use super::canvas::{Canvas, Piece};
use crate::dashboard::app::State;
use crate::dashboard::app::detail::Tab;
use crate::dashboard::app::layout::Layout;
use crate::dashboard::app::link::Link;
use crate::dashboard::app::remote::Remote;
use crate::dashboard::app::row::Row;
use crate::dashboard::app::state::Focus;
use crate::dashboard::theme::Role;
use crate::failure::Failure;
use crate::units::brief_age;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    if layout.detail.height == 0 {
        return;
    }
    let row = state.list.selected();
    heads(canvas, state, layout, row);
    let Some(row) = row else {
        if !state.list.rows.is_empty() || state.totals.listed.is_some() {
            canvas.put(layout.body.x + 2, layout.body.y, layout.body.width.saturating_sub(2), "no session is selected", Role::Muted);
        }
        return;
    };
    let body = layout.body;
    match state.detail.tab {
        Tab::Overview => page(canvas, body, &overview::lines(canvas, state, row, body.width), state.detail.scroll),
        Tab::Hardening => page(canvas, body, &hardening::lines(canvas, row, body.width), state.detail.scroll),
        Tab::Cache => cache::draw(canvas, state, row, body),
        Tab::Logs => logs::draw(canvas, state, body),
        Tab::Processes => processes::draw(canvas, state, body),
        Tab::Events => events::draw(canvas, state, row, body),
        Tab::Files => files::draw(canvas, state, body),
    }
}

/// The line between the panes: the tabs, and whose they are.
fn heads(canvas: &mut Canvas<'_>, state: &State, layout: &Layout, row: Option<&Row>) {
    let line = Rect { height: 1, ..layout.detail };
    canvas.paint(line, Role::Header);
    if state.focus == Focus::Detail {
        canvas.put(line.x, line.y, 1, canvas.signs.cursor, Role::BorderFocused);
    }
    let mut end = line.x + 1;
    for (tab, place) in &layout.tabs {
        let open = *tab == state.detail.tab;
        let title = tab.title();
        // Brackets tell the open one where there is no colour.
        let words = if open { format!("[{title}") } else { format!(" {title}") };
        let role = if open { Role::Selected } else { Role::Header };
        canvas.put_cut(place.x, place.y, place.width.saturating_sub(1), &words, role);
        canvas.put(place.right() - 1, place.y, 1, if open { "]" } else { " " }, role);
        end = place.right();
    }
    if let Some(row) = row {
        let mut words = row.session.name.to_string();
        if let Link::Away { since, .. } = &state.link {
            words.push_str(&format!(" ({} old)", brief_age(state.now, state.totals.listed.unwrap_or(*since))));
        }
        canvas.put_right(end + 1, line.y, line.right().saturating_sub(end + 1), &words, Role::Title);
    }
}

/// What fits of a page's lines.
fn page(canvas: &mut Canvas<'_>, body: Rect, lines: &[Vec<Piece>], scroll: usize) {
    let from = top(lines.len(), body, scroll);
    for (line, y) in lines.iter().skip(from).zip(body.top()..body.bottom()) {
        canvas.line(body.x + 1, y, body.width.saturating_sub(1), line);
    }
    more(canvas, body, from, lines.len());
}

/// The first line that is shown of so many.
fn top(lines: usize, body: Rect, scroll: usize) -> usize {
    scroll.min(lines.saturating_sub(usize::from(body.height)))
}

/// Tells at the right edge that there is more above or below.
fn more(canvas: &mut Canvas<'_>, body: Rect, from: usize, lines: usize) {
    let x = body.right().saturating_sub(1);
    if from > 0 && body.height > 0 {
        canvas.put(x, body.y, 1, canvas.signs.up, Role::Muted);
    }
    if from + usize::from(body.height) < lines {
        canvas.put(x, body.bottom() - 1, 1, canvas.signs.down, Role::Muted);
    }
}

/// What is fetched, or why it is not there; one line tells of a failure or of its age, and what is below that comes back.
fn fetched<'r, T>(canvas: &mut Canvas<'_>, remote: &'r Remote<T>, body: Rect, what: &str) -> Option<(&'r T, Rect)> {
    let width = body.width.saturating_sub(1);
    if let Remote::Unknown | Remote::Loading = remote {
        canvas.put(body.x + 1, body.y, width, &format!("{} reading {what}", canvas.signs.waiting), Role::Info);
    }
    let mut below = body;
    if let Some(failure) = remote.failure() {
        let age = remote.last().map(|(_, at)| format!("; what is below is {} old", brief_age(canvas.now, at))).unwrap_or_default();
        let words = format!("{} {}{age}", canvas.signs.bad, failure.message);
        canvas.put(body.x + 1, body.y, width, &words, Role::Danger);
        let mut used = 1;
        if let Some(hint) = &failure.hint
            && remote.last().is_none()
        {
            canvas.put(body.x + 1, body.y + 1, width, hint, Role::Muted);
            used += 1;
        }
        below.y += used.min(body.height);
        below.height = body.height.saturating_sub(used);
    }
    remote.last().map(|(value, _)| (value, below))
}

/// A failure in the pane's first lines.
fn failed(canvas: &mut Canvas<'_>, body: Rect, failure: &Failure) {
    let sign = canvas.signs.bad;
    let lines = std::iter::once((format!("{sign} {}", failure.message), Role::Danger))
        .chain(failure.details.iter().map(|line| (format!("  {line}"), Role::Muted)))
        .chain(failure.hint.iter().map(|hint| (format!("  {hint}"), Role::Muted)));
    for ((words, role), y) in lines.zip(body.top()..body.bottom()) {
        canvas.put(body.x + 1, y, body.width.saturating_sub(1), &words, role);
    }
}
