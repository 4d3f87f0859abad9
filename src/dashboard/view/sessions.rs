//! The list of sessions.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::dashboard::app::State;
use crate::dashboard::app::action::Action;
use crate::dashboard::app::layout::Layout;
use crate::dashboard::app::link::Link;
use crate::dashboard::app::list::{Column, Group, Line};
use crate::dashboard::app::page::Piece;
use crate::dashboard::app::page::words::{cpus, list_badge, load, share, status};
use crate::dashboard::app::row::Row;
use crate::dashboard::app::state::Focus;
use crate::dashboard::app::terminals::Sign;
use crate::dashboard::theme::Role;
use crate::units::{Bytes, brief_age, percent};

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    if layout.list.height == 0 {
        return;
    }
    heads(canvas, state, layout);
    let rows = layout.rows;
    if state.list.lines.is_empty() {
        nothing(canvas, state, rows);
        return;
    }
    for (line, y) in state.list.lines.iter().skip(state.list.offset).zip(rows.top()..rows.bottom()) {
        match line {
            Line::Head(head, count) => group(canvas, state, Rect { y, height: 1, ..rows }, head, *count),
            Line::Row(at) => {
                if let Some(row) = state.list.rows.get(*at) {
                    session(canvas, state, layout, row, y);
                }
            }
        }
    }
}

fn heads(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let line = Rect { height: 1, ..layout.list };
    canvas.paint(line, Role::Header);
    if state.focus == Focus::List && layout.detail.height > 0 {
        canvas.put(line.x, line.y, 1, canvas.signs.cursor, Role::BorderFocused);
    }
    for (column, head) in &layout.heads {
        let sorted = state.list.sort.column == *column;
        let mark = match (sorted, state.list.sort.reverse) {
            (false, _) => "",
            (true, false) => canvas.signs.up,
            (true, true) => canvas.signs.down,
        };
        let role = if sorted { Role::Strong } else { Role::Header };
        let words = format!("{}{mark}", column.title());
        if is_number(*column) {
            canvas.put_right(head.x, head.y, head.width, &words, role);
        } else {
            canvas.put(head.x, head.y, head.width, &words, role);
        }
    }
}

/// Numbers stand at the right, so that their digits are below each other.
const fn is_number(column: Column) -> bool {
    match column {
        Column::Hits | Column::Saved | Column::Cpu | Column::Memory | Column::Pids | Column::Uptime => true,
        Column::Name | Column::Kind | Column::Status | Column::Profile | Column::Posture | Column::Network => false,
    }
}

fn group(canvas: &mut Canvas<'_>, state: &State, line: Rect, head: &str, count: usize) {
    let by = match state.list.group {
        Group::Profile => "profile ",
        Group::None | Group::Status => "",
    };
    let words = format!("{0}{0} {by}{head} ({count}) ", canvas.signs.line);
    let used = canvas.put(line.x, line.y, line.width, &words, Role::Title);
    let rest = canvas.signs.line.repeat(usize::from(line.width - used));
    canvas.put(line.x + used, line.y, line.width - used, &rest, Role::Border);
}

fn session(canvas: &mut Canvas<'_>, state: &State, layout: &Layout, row: &Row, y: u16) {
    let line = Rect { y, height: 1, ..layout.rows };
    let selected = state.list.selected.as_ref() == Some(row.id());
    if state.list.marked.contains(row.id()) {
        canvas.put(line.x + 1, y, 1, canvas.signs.mark, Role::Marked);
    }
    for (column, head) in &layout.heads {
        let (words, role) = cell(state, row, *column);
        if let (Column::Name, Some((open, its))) = (column, terminals(canvas, state, row)) {
            // How many terminals are open in it, whatever becomes of a long name.
            let wide = u16::try_from(open.chars().count()).unwrap_or(0).min(head.width / 2);
            canvas.put(head.x, y, head.width - wide, &words, role);
            canvas.put_right(head.right() - wide, y, wide, &open, its);
        } else if is_number(*column) {
            canvas.put_right(head.x, y, head.width, &words, role);
        } else {
            canvas.put(head.x, y, head.width, &words, role);
        }
    }
    if selected {
        canvas.put(line.x, y, 1, canvas.signs.cursor, Role::Title);
        canvas.paint(line, Role::Selected);
    }
}

/// The terminals that are open in a session: how many, and whether one rang or has something new.
fn terminals(canvas: &Canvas<'_>, state: &State, row: &Row) -> Option<Piece> {
    let count = state.terminals.of(row.id()).count();
    let any = |sign| state.terminals.of(row.id()).any(|pane| Sign::of(pane) == sign);
    let (mark, role) = if any(Sign::Rang) {
        ("!", Role::Warning)
    } else if any(Sign::Failed) {
        (canvas.signs.bad, Role::Danger)
    } else if any(Sign::Active) {
        (canvas.signs.mark, Role::Info)
    } else {
        ("", Role::Muted)
    };
    (count > 0).then(|| (format!(" {}{count}{mark}", canvas.signs.terminal), role))
}

/// What a session has in a column.
fn cell(state: &State, row: &Row, column: Column) -> Piece {
    let unknown = || ("-".to_owned(), Role::Muted);
    let sample = row.sample();
    let cache = row.cache.filter(|counters| counters.requests > 0);
    match column {
        Column::Name => (row.session.name.to_string(), Role::Text),
        Column::Kind => (row.session.kind.to_string(), Role::Muted),
        Column::Status => status(state, row),
        Column::Profile => (row.session.profile.raw().to_owned(), Role::Text),
        Column::Posture => list_badge(state, row),
        Column::Hits => cache.and_then(|counters| counters.hit_rate()).map_or_else(unknown, |rate| (percent(rate), Role::Text)),
        Column::Saved => cache.map_or_else(unknown, |counters| (Bytes::new(counters.saved_bytes).brief(), Role::Text)),
        Column::Cpu => match sample.and_then(|sample| sample.cpu) {
            Some(cpu) => (format!("{:.1}%", cpu * 100.0), load(cpu / cpus(state, row))),
            None => unknown(),
        },
        Column::Memory => {
            sample.map_or_else(unknown, |sample| (sample.memory.brief(), near(sample.memory.get(), sample.memory_limit.map(Bytes::get))))
        }
        Column::Pids => sample.map_or_else(unknown, |sample| {
            let limit = sample.pids_limit.map_or_else(|| "max".to_owned(), |limit| limit.to_string());
            (format!("{}/{limit}", sample.pids), near(sample.pids, sample.pids_limit))
        }),
        Column::Network => row.network().map_or_else(unknown, |network| (network.to_string(), Role::Text)),
        Column::Uptime if row.session.status.is_live() => (brief_age(state.now, row.since()), Role::Text),
        Column::Uptime => unknown(),
    }
}

fn near(used: u64, limit: Option<u64>) -> Role {
    limit.map_or(Role::Text, |limit| load(share(used, limit)))
}

/// The list without a line in it: why, and what to do.
fn nothing(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let key = |action| state.keymap.shown(action);
    let (first, second, role) = match &state.link {
        _ if !state.list.rows.is_empty() => {
            let words = format!("no session matches '{}'", state.list.filter.text());
            (words, format!("{} clears the filter", key(Action::Back)), Role::Warning)
        }
        Link::Away { failure, .. } if state.totals.listed.is_none() => {
            let hint = failure.hint.as_deref().unwrap_or("it is tried again by itself");
            (format!("{} {}", canvas.signs.bad, failure.message), hint.to_owned(), Role::Danger)
        }
        _ if state.totals.listed.is_none() => {
            (format!("{} asking the engine for its sessions", canvas.signs.waiting), String::new(), Role::Info)
        }
        Link::Up | Link::Connecting | Link::Away { .. } => {
            let words = format!("{} launches one; so does: palisade launch NAME", key(Action::Launch));
            ("no session is there yet".to_owned(), words, Role::Text)
        }
    };
    let top = area.y + area.height.saturating_sub(2) / 3;
    for (y, words, role) in [(top, first, role), (top + 1, second, Role::Muted)] {
        if y < area.bottom() {
            canvas.put(area.x + 2, y, area.width.saturating_sub(2), &words, role);
        }
    }
}
