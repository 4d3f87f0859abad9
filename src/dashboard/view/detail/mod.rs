//! The detail pane: its tabs, and what is below them.

mod cache;
mod events;
mod files;
mod logs;
mod processes;

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::dashboard::app::State;
use crate::dashboard::app::detail::Tab;
use crate::dashboard::app::layout::Layout;
use crate::dashboard::app::link::Link;
use crate::dashboard::app::page::{hardening, overview};
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
    let (note, body, scroll) = (layout.note, layout.body, state.detail.scroll);
    match state.detail.tab {
        Tab::Overview => canvas.page(body, &overview::lines(state, row, body.width), scroll),
        Tab::Hardening => canvas.page(body, &hardening::lines(state, row, body.width), scroll),
        Tab::Cache => cache::draw(canvas, state, row, note, body),
        Tab::Logs => logs::draw(canvas, state, note, body),
        Tab::Processes => processes::draw(canvas, state, note, body),
        Tab::Events => events::draw(canvas, state, row, body),
        Tab::Files => files::draw(canvas, state, note, body),
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

/// What was fetched; or why it is not there. An old picture says so in the last line above it.
fn fetched<'r, T>(canvas: &mut Canvas<'_>, remote: &'r Remote<T>, note: Rect, body: Rect, what: &str) -> Option<&'r T> {
    match remote {
        Remote::Unknown | Remote::Loading => {
            let words = format!("{} reading {what}", canvas.signs.waiting);
            canvas.put(body.x + 1, body.y, body.width.saturating_sub(1), &words, Role::Info);
            None
        }
        Remote::Ready(value, _) => Some(value),
        Remote::Failed(failure, None) => {
            failed(canvas, body, failure);
            None
        }
        Remote::Failed(failure, Some(last)) => {
            let line = if note.height > 0 { Rect { y: note.bottom() - 1, height: 1, ..note } } else { body };
            canvas.clear(Rect { height: 1, ..line });
            let words = format!("{} {} old: {}", canvas.signs.bad, brief_age(canvas.now, last.1), failure.message);
            canvas.put(line.x + 1, line.y, line.width.saturating_sub(1), &words, Role::Danger);
            Some(&last.0)
        }
    }
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
