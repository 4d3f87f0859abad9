//! What the session asked of the depot: figures, the hit rate over time, the requests.

use ratatui::layout::Rect;

use super::super::canvas::{Canvas, first_line};
use crate::dashboard::app::State;
use crate::dashboard::app::page::{Line, column};
use crate::dashboard::app::row::Row;
use crate::dashboard::theme::Role;
use crate::depot::ledger::{Counters, Event, Outcome};
use crate::units::{Bytes, brief_age, percent};

/// Columns of the curve's labels.
const LABEL: u16 = 9;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, row: &Row, note: Rect, body: Rect) {
    let lines = match row.cache {
        Some(counters) => figures(&counters).to_vec(),
        None => {
            let why = match row.network() {
                Some(network) if !network.has_depot() => "its network is 'none': it has no way to the depot",
                _ => "it has asked the depot for nothing",
            };
            vec![vec![(why.to_owned(), Role::Muted)]]
        }
    };
    for (line, y) in lines.iter().zip(note.top()..note.bottom()) {
        canvas.line(note.x + 1, y, note.width.saturating_sub(1), line);
    }
    if let Some((fetches, _)) = state.detail.fetches.last().filter(|(fetches, _)| !fetches.rate.is_empty() && note.height > 2) {
        curve(canvas, &fetches.rate, Rect { y: note.y + 2, height: note.height - 2, ..note });
    }
    let Some(fetches) = super::fetched(canvas, &state.detail.fetches, note, body, "its requests") else { return };
    let from = first_line(fetches.events.len(), body, state.detail.scroll);
    for (event, y) in fetches.events.iter().skip(from).zip(body.top()..body.bottom()) {
        request(canvas, event, Rect { y, height: 1, ..body });
    }
    canvas.more(body, from, fetches.events.len());
}

/// The share of hits up to each moment, a column for each, from the last line up.
fn curve(canvas: &mut Canvas<'_>, rate: &[(jiff::Timestamp, f64)], area: Rect) {
    let room = usize::from(area.width.saturating_sub(LABEL + 18));
    let points = &rate[rate.len().saturating_sub(room)..];
    let last = area.bottom() - 1;
    canvas.put(area.x + 1, last, LABEL, if area.height > 1 { "0%" } else { "hit rate" }, Role::Muted);
    if area.height > 1 {
        canvas.put(area.x + 1, area.y, LABEL, "100%", Role::Muted);
        canvas.put(area.x + 1, area.y + area.height / 2, LABEL, "hit rate", Role::Muted);
    }
    for y in area.top()..area.bottom() {
        let levels: String = points.iter().map(|(_, share)| level(canvas, *share, area, y)).collect();
        canvas.put(area.x + 1 + LABEL, y, area.width, &levels, Role::Chart);
    }
    if let Some((first, _)) = points.first() {
        let x = area.x + 2 + LABEL + u16::try_from(points.len()).unwrap_or(0);
        let words = format!("{} ago to now", brief_age(canvas.now, *first));
        canvas.put(x, last, area.right().saturating_sub(x), &words, Role::Muted);
    }
}

/// What of a column stands on this line.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index from 0 to 8")]
fn level(canvas: &Canvas<'_>, share: f64, area: Rect, y: u16) -> &'static str {
    let below = f64::from(area.bottom() - 1 - y);
    let here = (share.clamp(0.0, 1.0) * f64::from(area.height) - below).clamp(0.0, 1.0);
    let eighths = (here * 8.0).ceil() as usize;
    // The lowest line is never empty: there is a reading, and it is nothing.
    canvas.signs.levels[if y + 1 == area.bottom() { eighths.max(1) } else { eighths }.min(8)]
}

fn figures(counters: &Counters) -> [Line; 2] {
    let strong = |words: String| (words, Role::Strong);
    let plain = |words: &str| (words.to_owned(), Role::Muted);
    let counted = |count: u64, word: &str, role| (format!("{count} {word}  "), if count > 0 { role } else { Role::Muted });
    [
        vec![
            strong(counters.hit_rate().map_or_else(|| "-".to_owned(), percent)),
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
            counted(counters.rejected, "rejected", Role::Danger),
            counted(counters.denied, "denied", Role::Warning),
            counted(counters.failed, "failed", Role::Warning),
            counted(counters.not_found, "not found", Role::Text),
            plain(&format!("{} requests", counters.requests)),
        ],
    ]
}

fn request(canvas: &mut Canvas<'_>, event: &Event, line: Rect) {
    let (word, sign, role) = outcome(canvas, event.outcome);
    let what = if event.file.is_empty() { format!("{} (index)", event.project) } else { event.file.clone() };
    let bytes = Bytes::new(event.store_bytes.saturating_add(event.upstream_bytes)).brief();
    let pieces = [
        (format!("{:>5} ", brief_age(canvas.now, event.at)), Role::Muted),
        (column(&format!("{sign} {word}"), 13, canvas.signs.ellipsis), role),
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
