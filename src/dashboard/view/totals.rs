//! The top line: what the sessions come to, and how it stands with the engine.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Piece};
use crate::dashboard::app::State;
use crate::dashboard::app::link::Link;
use crate::dashboard::app::remote::Remote;
use crate::dashboard::app::row::Badge;
use crate::dashboard::theme::Role;
use crate::session::Status;
use crate::units::{Bytes, brief_age, percent};

/// In this order; those that no session is in are left out.
const STATUSES: [Status; 8] =
    [Status::Running, Status::Paused, Status::Restarting, Status::Created, Status::Exited, Status::Removing, Status::Dead, Status::Unknown];

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    if area.height == 0 {
        return;
    }
    canvas.paint(area, Role::Header);
    let mut x = area.x;
    let end = area.right();
    for section in [link(canvas, state), weaker(canvas, state), sessions(canvas, state), cache(state), disk(state), engine(state)] {
        if section.is_empty() || x >= end {
            continue;
        }
        if x > area.x {
            x += canvas.put(x, area.y, end - x, "  ", Role::Header);
        }
        x += canvas.line(x, area.y, end.saturating_sub(x), &section);
    }
}

/// Whether the picture is an old one: since when, and why.
fn link(canvas: &Canvas<'_>, state: &State) -> Vec<Piece> {
    match &state.link {
        Link::Up => Vec::new(),
        Link::Connecting => vec![(format!("{} connecting", canvas.signs.waiting), Role::Info)],
        Link::Away { since, failure } => {
            let age = brief_age(state.now, state.totals.listed.unwrap_or(*since));
            vec![(format!("{} STALE {age}", canvas.signs.bad), Role::Danger), (format!(" {}", failure.message), Role::Warning)]
        }
    }
}

fn weaker(canvas: &Canvas<'_>, state: &State) -> Vec<Piece> {
    let count = state.list.rows.iter().filter(|row| matches!(row.badge(), Badge::Weaker(_))).count();
    if count == 0 { Vec::new() } else { vec![(format!("{} {count} WEAKER", canvas.signs.bad), Role::Danger)] }
}

fn sessions(canvas: &Canvas<'_>, state: &State) -> Vec<Piece> {
    let rows = &state.list.rows;
    let mut pieces = vec![(format!("{} sessions", rows.len()), Role::Strong)];
    if rows.len() == 1 {
        pieces[0].0.pop();
    }
    for status in STATUSES {
        let count = rows.iter().filter(|row| row.session.status == status).count();
        if count > 0 {
            pieces.push((format!(" {}{count} {status}", canvas.signs.status(status)), super::sessions::status_role(status)));
        }
    }
    pieces
}

fn cache(state: &State) -> Vec<Piece> {
    let role = if state.totals.cache.failure().is_some() { Role::Muted } else { Role::Text };
    match state.totals.cache.last() {
        Some((Some(counters), _)) => {
            let rate = counters.hit_rate().map_or_else(|| "-".to_owned(), percent);
            vec![("depot ".to_owned(), Role::Muted), (format!("{rate} hits {} saved", Bytes::new(counters.saved_bytes)), role)]
        }
        Some((None, _)) => vec![("no depot yet".to_owned(), Role::Muted)],
        None if state.totals.cache.failure().is_some() => vec![("depot ?".to_owned(), Role::Warning)],
        None => Vec::new(),
    }
}

fn disk(state: &State) -> Vec<Piece> {
    let label = ("disk ".to_owned(), Role::Muted);
    match &state.totals.disk {
        Remote::Ready(bytes, _) => vec![label, (bytes.to_string(), Role::Text)],
        Remote::Failed(_, Some(last)) => vec![label, (format!("{} ({} old)", last.0, brief_age(state.now, last.1)), Role::Warning)],
        Remote::Failed(_, None) => vec![label, ("?".to_owned(), Role::Warning)],
        Remote::Unknown | Remote::Loading => Vec::new(),
    }
}

fn engine(state: &State) -> Vec<Piece> {
    let facts = &state.engine;
    if facts.product.is_empty() { Vec::new() } else { vec![(format!("{} {}", facts.product, facts.version), Role::Muted)] }
}
