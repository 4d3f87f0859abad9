use std::fmt::Write as _;

use jiff::Timestamp;

use super::document::{CacheFigures, CacheStatus, Figures};
use super::{called, percent, saved, time};
use crate::backend::Backend;
use crate::depot::ledger::Counters;
use crate::headless::document::Document;
use crate::headless::paint::Role;
use crate::headless::table::{Fields, Grid, Page, cell, meaning};
use crate::headless::{Context, Done};
use crate::units::{Bytes, age};

/// Said where nothing was counted.
const NOTHING_COUNTED: &str = "no package was fetched yet: sessions with network 'packages' or 'open' fetch through the depot";

/// Shows what was counted; sessions that are gone only with `all`.
pub async fn status(context: &Context, backend: &Backend, all: bool) -> Done {
    let (summary, sessions) = tokio::join!(backend.cache_summary(), backend.sessions());
    let sessions = sessions?;
    let figures = summary?.map(|summary| CacheFigures::of(summary, &sessions));
    if context.output.is_json() {
        context.output.document(&Document::new(CacheStatus { cache: figures }));
        return Ok(0);
    }
    match figures {
        None => context.output.note(NOTHING_COUNTED),
        Some(figures) => context.output.text(&page(context.output.page(), context.now, &figures, all)),
    }
    Ok(0)
}

fn page(page: Page, now: Timestamp, figures: &CacheFigures, all: bool) -> String {
    let store = figures.store;
    let mut fields = Fields::new(page);
    fields.add("counted", format!("{}, by a depot that began {}", age(now, figures.updated), age(now, figures.started)));
    fields.add("store", format!("{} of {}, {} files", Bytes::new(store.bytes), Bytes::new(store.capacity), store.blobs));
    fields.add("evicted", figure(store.evicted, "files, to make room"));
    fields.add("damaged", figure(store.damaged, "files, removed before a byte was served"));
    fields.add("strangers", figure(figures.strangers, "connections without a right token"));
    for upstream in &figures.upstreams {
        if let Some(away) = &upstream.away {
            fields.add("away", format!("{} {}, {}: {}", upstream.ecosystem, upstream.url, age(now, away.since), away.reason));
        }
    }
    let mut text = fields.render();

    let mut grid =
        Grid::new(&["PACKAGES", "HITS", "MISSES", "RATE", "SAVED", "EST. TIME", "FETCHED", "TROUBLE"], page).whole(&[0, 1, 2, 3, 4, 5, 6]);
    for (ecosystem, of) in &figures.ecosystems {
        grid.row(row(ecosystem.name(), of));
    }
    grid.row(row("all", &figures.total));
    let _ = write!(text, "\n{}", grid.render());

    let shown: Vec<_> = figures.sessions.iter().filter(|session| all || session.name.is_some()).collect();
    if !shown.is_empty() {
        let mut grid = Grid::new(&["SESSION", "HITS", "MISSES", "RATE", "SAVED", "EST. TIME", "FETCHED", "TROUBLE"], page)
            .whole(&[0, 1, 2, 3, 4, 5, 6]);
        for session in shown {
            grid.row(row(&called(session.name.as_deref(), session.id), &session.total));
        }
        let _ = write!(text, "\n{}", grid.render());
    }
    let gone: Vec<_> = figures.sessions.iter().filter(|session| session.name.is_none()).collect();
    if !all && !gone.is_empty() {
        let counters: Counters = gone.iter().map(|session| &session.total.counters).sum();
        let _ = writeln!(text, "\n{} gone (--all shows them): {} saved", sessions(gone.len()), saved(&counters));
    }
    text
}

fn sessions(count: usize) -> String {
    if count == 1 { "1 session that is".to_owned() } else { format!("{count} sessions that are") }
}

fn figure(count: u64, what: &str) -> String {
    if count == 0 { String::new() } else { format!("{count} {what}") }
}

fn row(name: &str, figures: &Figures) -> Vec<comfy_table::Cell> {
    let counters = &figures.counters;
    let trouble: Vec<_> = [
        ("rejected", counters.rejected),
        ("denied", counters.denied),
        ("failed", counters.failed),
        ("stale", counters.stale),
        ("not found", counters.not_found),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(what, count)| format!("{count} {what}"))
    .collect();
    let trouble = match (counters.rejected > 0, trouble.join(", ")) {
        (true, text) => meaning(text, Role::Danger),
        (false, text) if text.is_empty() => cell("-"),
        (false, text) => meaning(text, Role::Caution),
    };
    let rate = percent(counters);
    vec![
        cell(name),
        cell(counters.hits),
        cell(counters.misses),
        cell(if rate.is_empty() { "-" } else { &rate }),
        cell(saved(counters)),
        cell(time(counters)),
        cell(Bytes::new(counters.upstream_bytes)),
        trouble,
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::depot::ledger::{Counters, StoreFacts, Summary, UpstreamFacts};
    use crate::depot::promise::Ecosystem;
    use crate::session::{Kind, Session, Status};
    use crate::units::SessionId;

    #[test]
    fn a_page_names_sessions_that_are_there_and_counts_those_that_are_gone() {
        let [here, gone] = [1, 2].map(|at| SessionId::from_parts(at, 0));
        let counters = Counters { hits: 3, misses: 1, saved_bytes: 5 << 20, saved_ms_estimated: 61_000, denied: 2, ..Counters::default() };
        let of = || BTreeMap::from([(Ecosystem::Pypi, counters)]);
        let summary = Summary {
            schema: 1,
            started: Timestamp::from_second(1).unwrap(),
            updated: Timestamp::from_second(1).unwrap(),
            totals: of(),
            sessions: BTreeMap::from([(here, of()), (gone, of())]),
            store: StoreFacts { bytes: 1 << 30, capacity: 20 << 30, blobs: 7, ..StoreFacts::default() },
            upstreams: vec![UpstreamFacts {
                ecosystem: Ecosystem::Npm,
                url: "https://registry.example/".to_owned(),
                away: Some((Timestamp::from_second(1).unwrap(), "refused\u{1b}[2J".to_owned())),
            }],
            strangers: 4,
        };
        let session = Session {
            id: here,
            name: "web".parse().unwrap(),
            kind: Kind::Persistent,
            profile: "default".into(),
            status: Status::Running,
            status_text: "Up".into(),
            created: Timestamp::from_second(1).unwrap(),
            image: "i".into(),
            command: "c".into(),
            container_id: String::new(),
        };
        let figures = CacheFigures::of(summary, &[session]);
        let plain = Page { colour: false, columns: None };
        let now = Timestamp::from_second(7_201).unwrap();
        let text = page(plain, now, &figures, false);
        for shown in [
            "1 GiB of 20 GiB",
            "4 connections",
            "75%",
            "5 MiB",
            "1m 1s",
            "EST. TIME",
            "2 denied",
            "web",
            "1 session that is gone",
            "2 hours ago",
        ] {
            assert!(text.contains(shown), "{shown}:\n{text}");
        }
        assert!(!text.contains('\u{1b}') && !text.contains(&gone.to_string()), "{text}");
        assert!(page(plain, now, &figures, true).contains(&gone.to_string()));
    }
}
