//! What the session asked of the depot: figures, the hit rate over time, the requests.

use ratatui::layout::Rect;

use super::super::canvas::Canvas;
use super::overview::{column, rate, spark};
use crate::dashboard::app::State;
use crate::dashboard::app::row::Row;
use crate::dashboard::theme::Role;
use crate::depot::ledger::{Counters, Event, Outcome};
use crate::units::{Bytes, brief_age};

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, row: &Row, body: Rect) {
    let width = body.width.saturating_sub(1);
    let mut below = body;
    let mut line = |canvas: &mut Canvas<'_>, pieces: &[(String, Role)]| {
        if below.height > 0 {
            canvas.line(below.x + 1, below.y, width, pieces);
            below.y += 1;
            below.height -= 1;
        }
    };
    match row.cache {
        Some(counters) => {
            for pieces in figures(&counters) {
                line(canvas, &pieces);
            }
        }
        None => {
            let why = match row.network() {
                Some(network) if !network.has_depot() => "its network is 'none': it has no way to the depot",
                _ => "it has asked the depot for nothing",
            };
            line(canvas, &[(why.to_owned(), Role::Muted)]);
        }
    }
    let Some((fetches, below)) = super::fetched(canvas, &state.detail.fetches, below, "its requests") else { return };
    let mut below = below;
    if !fetches.rate.is_empty() && below.height >= 4 {
        let curve = spark(canvas, fetches.rate.iter().map(|(_, rate)| *rate), usize::from(width).saturating_sub(20).min(60));
        let first = fetches.rate.first().map_or(canvas.now, |(at, _)| *at);
        let label = format!(" {} ago to now", brief_age(canvas.now, first));
        canvas.line(below.x + 1, below.y, width, &[("hit rate ".to_owned(), Role::Muted), (curve, Role::Chart), (label, Role::Muted)]);
        below.y += 1;
        below.height -= 1;
    }
    let from = super::top(fetches.events.len(), below, state.detail.scroll);
    for (event, y) in fetches.events.iter().skip(from).zip(below.top()..below.bottom()) {
        request(canvas, event, Rect { y, height: 1, ..below });
    }
    super::more(canvas, below, from, fetches.events.len());
}

fn figures(counters: &Counters) -> [Vec<(String, Role)>; 2] {
    let strong = |words: String| (words, Role::Strong);
    let plain = |words: &str| (words.to_owned(), Role::Muted);
    let bad = |count: u64| if count > 0 { Role::Danger } else { Role::Muted };
    [
        vec![
            strong(rate(counters.hit_rate())),
            plain(" hits  "),
            strong(counters.hits.to_string()),
            plain(" from the store, "),
            strong(counters.misses.to_string()),
            plain(" fetched  "),
            strong(Bytes::new(counters.saved_bytes).to_string()),
            plain(" saved  "),
            strong(Bytes::new(counters.upstream_bytes).to_string()),
            plain(" from upstream"),
        ],
        vec![
            (format!("{} rejected  ", counters.rejected), bad(counters.rejected)),
            (format!("{} denied  ", counters.denied), if counters.denied > 0 { Role::Warning } else { Role::Muted }),
            plain(&format!("{} not found  ", counters.not_found)),
            (format!("{} failed  ", counters.failed), if counters.failed > 0 { Role::Warning } else { Role::Muted }),
            plain(&format!("{} requests", counters.requests)),
        ],
    ]
}

fn request(canvas: &mut Canvas<'_>, event: &Event, line: Rect) {
    let (word, sign, role) = outcome(canvas, event.outcome);
    let ellipsis = canvas.signs.ellipsis;
    let what = if event.file.is_empty() { format!("{} (index)", event.project) } else { event.file.clone() };
    let bytes = Bytes::new(event.store_bytes.saturating_add(event.upstream_bytes)).brief();
    let pieces = [
        (format!("{:>5} ", brief_age(canvas.now, event.at)), Role::Muted),
        (column(&format!("{sign} {word}"), 13, ellipsis), role),
        (format!("{:<5} {bytes:>6} {:>6}ms ", event.ecosystem.name(), event.elapsed_ms), Role::Muted),
        (what, Role::Text),
        (if event.note.is_empty() { String::new() } else { format!("  {}", event.note) }, role),
    ];
    canvas.line(line.x + 1, line.y, line.width.saturating_sub(2), &pieces);
}

fn outcome(canvas: &Canvas<'_>, outcome: Outcome) -> (&'static str, &'static str, Role) {
    let signs = canvas.signs;
    match outcome {
        Outcome::Hit => ("hit", signs.good, Role::Good),
        Outcome::Miss => ("miss", signs.dot, Role::Text),
        Outcome::Revalidated => ("unchanged", signs.good, Role::Good),
        Outcome::Stale => ("stale", signs.unsure, Role::Warning),
        Outcome::Rejected => ("rejected", signs.bad, Role::Danger),
        Outcome::Denied => ("denied", signs.bad, Role::Warning),
        Outcome::NotFound => ("not found", signs.unsure, Role::Muted),
        Outcome::Failed => ("failed", signs.bad, Role::Warning),
    }
}
