//! The top line: what the sessions come to, and how it stands with the engine.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::dashboard::app::State;
use crate::dashboard::app::link::Link;
use crate::dashboard::app::page::Line;
use crate::dashboard::app::page::words::status_role;
use crate::dashboard::app::remote::Remote;
use crate::dashboard::app::row::Badge;
use crate::dashboard::text;
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
    let mut sections = [link(canvas, state), weaker(canvas, state), sessions(canvas, state), cache(state), engine(state), disk(state)];
    // What is longer than the line is said shorter, the last first; then it is cut.
    for at in (0..sections.len()).rev() {
        if wide(&sections) <= usize::from(area.width) {
            break;
        }
        let brief = std::mem::take(&mut sections[at].brief);
        sections[at].said = brief;
    }
    let mut x = area.x;
    for section in sections.iter().filter(|section| !section.said.is_empty()) {
        if x > area.x {
            x += canvas.put(x, area.y, area.right().saturating_sub(x), "  ", Role::Header);
        }
        x += canvas.line(x, area.y, area.right().saturating_sub(x), &section.said);
    }
}

/// A part of the line, in full and in brief.
#[derive(Default)]
struct Section {
    said: Line,
    brief: Line,
}

impl Section {
    /// What has no shorter form.
    fn always(said: Line) -> Self {
        Self { brief: said.clone(), said }
    }
}

fn wide(sections: &[Section]) -> usize {
    let each = sections.iter().map(|section| &section.said).filter(|line| !line.is_empty());
    let each = each.map(|line| 2 + line.iter().map(|(words, _)| text::width(words)).sum::<usize>());
    each.sum::<usize>().saturating_sub(2)
}

/// Whether the picture is an old one: since when, and why.
fn link(canvas: &Canvas<'_>, state: &State) -> Section {
    match &state.link {
        Link::Up => Section::default(),
        Link::Connecting => Section::always(vec![(format!("{} connecting", canvas.signs.waiting), Role::Info)]),
        Link::Away { since, failure } => {
            let word = if state.totals.listed.is_some() { "STALE" } else { "NO ENGINE" };
            let age = brief_age(state.now, state.totals.listed.unwrap_or(*since));
            let mark = (format!("{} {word} {age}", canvas.signs.bad), Role::Danger);
            Section { said: vec![mark.clone(), (format!(" {}", failure.message), Role::Warning)], brief: vec![mark] }
        }
    }
}

fn weaker(canvas: &Canvas<'_>, state: &State) -> Section {
    let count = state.list.rows.iter().filter(|row| matches!(row.badge(), Badge::Weaker(_))).count();
    if count == 0 { Section::default() } else { Section::always(vec![(format!("{} {count} WEAKER", canvas.signs.bad), Role::Danger)]) }
}

fn sessions(canvas: &Canvas<'_>, state: &State) -> Section {
    let rows = &state.list.rows;
    let noun = if rows.len() == 1 { "session" } else { "sessions" };
    let mut said = vec![(format!("{} {noun}", rows.len()), Role::Strong)];
    let mut brief = vec![(rows.len().to_string(), Role::Strong)];
    for status in STATUSES {
        let count = rows.iter().filter(|row| row.session.status == status).count();
        if count > 0 {
            let sign = canvas.signs.status(status);
            said.push((format!(" {sign}{count} {status}"), status_role(status)));
            brief.push((format!(" {sign}{count}"), status_role(status)));
        }
    }
    Section { said, brief }
}

fn cache(state: &State) -> Section {
    let failed = state.totals.cache.failure().is_some();
    let role = if failed { Role::Muted } else { Role::Text };
    match state.totals.cache.last() {
        Some((Some(counters), _)) => {
            let rate = counters.hit_rate().map_or_else(|| "-".to_owned(), percent);
            let saved = Bytes::new(counters.saved_bytes);
            let label = ("depot ".to_owned(), Role::Muted);
            Section {
                said: vec![label.clone(), (format!("{rate} hits {saved} saved"), role)],
                brief: vec![label, (format!("{rate} {}", saved.brief()), role)],
            }
        }
        Some((None, _)) => Section { said: vec![("no depot yet".to_owned(), Role::Muted)], brief: Line::new() },
        None if failed => Section::always(vec![("depot ?".to_owned(), Role::Warning)]),
        None => Section::default(),
    }
}

fn disk(state: &State) -> Section {
    let label = ("disk ".to_owned(), Role::Muted);
    let (words, brief, role) = match &state.totals.disk {
        Remote::Ready(bytes, _) => (bytes.to_string(), bytes.brief(), Role::Text),
        Remote::Failed(_, Some(last)) => {
            (format!("{} ({} old)", last.0, brief_age(state.now, last.1)), format!("{}?", last.0.brief()), Role::Warning)
        }
        Remote::Failed(_, None) => ("?".to_owned(), "?".to_owned(), Role::Warning),
        Remote::Unknown | Remote::Loading => return Section::default(),
    };
    match state.list.rows.iter().filter(|row| row.over().is_some()).count() {
        0 => Section { said: vec![label.clone(), (words, role)], brief: vec![label, (brief, role)] },
        over => {
            let role = Role::Warning;
            Section {
                said: vec![label.clone(), (format!("{words} ({over} above {} cap)", if over == 1 { "its" } else { "their" }), role)],
                brief: vec![label, (format!("{brief}!"), role)],
            }
        }
    }
}

fn engine(state: &State) -> Section {
    let facts = &state.engine;
    if facts.product.is_empty() {
        return Section::default();
    }
    // `Docker Engine` is Docker, where there is little room.
    let first = facts.product.split(' ').next().unwrap_or_default();
    let said = |product: &str| vec![(format!("{product} {}", facts.version), Role::Muted)];
    Section { said: said(&facts.product), brief: said(first) }
}
