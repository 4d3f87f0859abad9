use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::called;
use super::document::{CacheLog, SessionLog};
use crate::backend::Backend;
use crate::depot::ledger::{Event, FetchedArtifact, Log, Outcome, fetched, sbom};
use crate::failure::{Code, Failure, Result};
use crate::headless::document::Document;
use crate::headless::paint::Role;
use crate::headless::table::{Grid, Page, cell, meaning};
use crate::headless::{Context, Done};
use crate::units::{Bytes, SessionId, age, sanitise};

/// Fewer characters of an id are as likely a mistyped name.
const LEAST: usize = 4;

/// Shows what a session fetched, and what was refused it.
pub async fn log(context: &Context, backend: &Backend, who: &str) -> Done {
    let (name, session) = find(backend, who).await?;
    let journal = backend.cache_journal(session).await?.unwrap_or_default();
    backend.note_refusals(session, name.as_deref(), &journal).await;
    let log = fetched(&journal);
    if context.output.is_json() {
        context.output.document(&Document::new(CacheLog { cache_log: SessionLog { session, name, log } }));
    } else if log.artifacts.is_empty() && log.events.is_empty() {
        context.output.note(&format!("'{}' has fetched nothing through the depot", called(name.as_deref(), session)));
    } else {
        context.output.text(&page(context.output.page(), context.now, &log));
    }
    Ok(0)
}

/// Prints what a session fetched as a bill of materials: a document of its own standard, with or without `--json`.
pub async fn sbom(context: &Context, backend: &Backend, who: &str) -> Done {
    let (name, session) = find(backend, who).await?;
    let log = read(backend, session).await?.unwrap_or_default();
    if log.unlisted > 0 {
        context.output.note("this session fetched more files than the depot lists: the bill says that it is incomplete");
    }
    context.output.document(&sbom::cyclonedx(&called(name.as_deref(), session), session, context.now, &log));
    Ok(0)
}

async fn read(backend: &Backend, session: SessionId) -> Result<Option<Log>> {
    Ok(backend.cache_journal(session).await?.map(|journal| fetched(&journal)))
}

/// A session that is there by its name or id, one that is gone by its id or an unambiguous beginning of it.
async fn find(backend: &Backend, who: &str) -> Result<(Option<String>, SessionId)> {
    let missing = match backend.find(who).await {
        Ok(session) if session.id == SessionId::NIL => {
            return Err(Failure::new(Code::NotFound, format!("'{}' carries no id that the depot could know it by", session.name)));
        }
        Ok(session) => return Ok((Some(session.name.to_string()), session.id)),
        Err(failure) if failure.code == Code::NotFound => failure,
        Err(failure) => return Err(failure),
    };
    let known = backend.cache_summary().await?.map(|summary| summary.sessions.into_keys().collect::<Vec<_>>()).unwrap_or_default();
    match gone(&known, who).as_slice() {
        [one] => Ok((None, *one)),
        [] => Err(missing.hint("a session that is gone is named by its id: palisade cache status --all")),
        several => Err(several
            .iter()
            .fold(Failure::new(Code::Conflict, format!("'{}' begins more than one id", sanitise(who))), |failure, id| {
                failure.detail(id.to_string())
            })
            .hint("give more of the id")),
    }
}

fn gone(known: &[SessionId], who: &str) -> Vec<SessionId> {
    let who = who.to_ascii_lowercase();
    if who.len() < LEAST {
        return Vec::new();
    }
    known.iter().copied().filter(|id| id.to_string().starts_with(&who)).collect()
}

fn page(page: Page, now: Timestamp, log: &Log) -> String {
    let mut text = String::new();
    if !log.artifacts.is_empty() {
        text.push_str(&artifacts(page, now, &log.artifacts));
    }
    if log.unlisted > 0 {
        let _ = writeln!(text, "and {} answers with files that are beyond what is listed", log.unlisted);
    }
    if !log.events.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&events(page, now, &log.events));
    }
    text
}

/// What a terminal has no room for is left out: the JSON has it all.
fn artifacts(page: Page, now: Timestamp, all: &[FetchedArtifact]) -> String {
    let (is_wide, is_widest) = (page.columns.is_none_or(|columns| columns >= 120), page.columns.is_none_or(|columns| columns >= 200));
    let mut headings = vec!["PACKAGE", "VERSION", "HITS", "MISSES", "BYTES", "LAST"];
    headings.extend(is_wide.then_some("DIGEST"));
    headings.extend(is_widest.then_some("FILE"));
    let mut grid = Grid::new(&headings, page).whole(&[1, 2, 3, 4, 5]);
    let mut all: Vec<&FetchedArtifact> = all.iter().collect();
    all.sort_by_key(|artifact| artifact.last);
    for artifact in all {
        let mut row = vec![
            cell(format!("{}:{}", artifact.ecosystem, artifact.project)),
            cell(&artifact.version),
            cell(artifact.hits),
            cell(artifact.misses),
            cell(Bytes::new(artifact.bytes)),
            cell(age(now, artifact.last)),
        ];
        if is_wide {
            // Enough to tell two apart.
            let digest = artifact.digest.as_ref();
            row.push(cell(digest.map_or_else(|| "none".to_owned(), |digest| digest.to_string().chars().take(19).collect::<String>())));
        }
        if is_widest {
            row.push(cell(&artifact.file));
        }
        grid.row(row);
    }
    grid.render()
}

/// Clients ask for one page several times: what is said of it is said once.
fn events(page: Page, now: Timestamp, all: &[Event]) -> String {
    let mut rows: Vec<(&Event, String, u64)> = Vec::new();
    let mut seen = BTreeMap::new();
    for event in all.iter().rev() {
        let subject = subject(event);
        match seen.entry((word(event).0, subject.clone(), event.note.as_str())) {
            Entry::Occupied(at) => {
                if let Some((_, _, count)) = rows.get_mut(*at.get()) {
                    *count += 1;
                }
            }
            Entry::Vacant(place) => {
                place.insert(rows.len());
                rows.push((event, subject, 1));
            }
        }
    }
    let mut grid = Grid::new(&["WHEN", "WHAT", "OF", "WHY"], page).whole(&[0, 1]);
    for (event, subject, count) in rows.into_iter().rev() {
        let (word, role) = word(event);
        let what = role.map_or_else(|| cell(word), |role| meaning(word, role));
        let why = if count > 1 { format!("{} ({count} times)", event.note) } else { event.note.clone() };
        grid.row([cell(age(now, event.at)), what, cell(subject), cell(why)]);
    }
    grid.render()
}

fn subject(event: &Event) -> String {
    let name = if event.file.is_empty() { &event.project } else { &event.file };
    if name.is_empty() { event.ecosystem.to_string() } else { format!("{}:{name}", event.ecosystem) }
}

const fn word(event: &Event) -> (&'static str, Option<Role>) {
    match event.outcome {
        Outcome::Hit | Outcome::Miss | Outcome::Revalidated if event.hidden > 0 => ("hidden", Some(Role::Caution)),
        Outcome::Hit | Outcome::Miss | Outcome::Revalidated => ("noted", None),
        Outcome::Stale => ("stale", Some(Role::Caution)),
        Outcome::Rejected => ("rejected", Some(Role::Danger)),
        Outcome::Denied => ("denied", Some(Role::Caution)),
        Outcome::NotFound => ("not found", None),
        Outcome::Failed => ("failed", Some(Role::Danger)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::depot::ledger::Requested;
    use crate::depot::promise::Ecosystem;

    #[test]
    fn a_log_is_a_line_for_each_file_and_event_whatever_they_are_called() {
        let log = Log {
            artifacts: vec![FetchedArtifact {
                ecosystem: Ecosystem::Pypi,
                project: "six".to_owned(),
                version: "1.17.0".to_owned(),
                file: "six\u{1b}[2J.whl\nFAKE".to_owned(),
                digest: None,
                hits: 2,
                misses: 1,
                complete: 3,
                bytes: 3 << 20,
                first: Timestamp::from_second(1).unwrap(),
                last: Timestamp::from_second(1).unwrap(),
            }],
            events: vec![Event {
                at: Timestamp::from_second(1).unwrap(),
                session: SessionId::NIL,
                ecosystem: Ecosystem::Npm,
                requested: Requested::Index,
                project: "left-pad".to_owned(),
                file: String::new(),
                version: String::new(),
                digest: None,
                outcome: Outcome::Denied,
                store_bytes: 0,
                upstream_bytes: 0,
                elapsed_ms: 0,
                complete: true,
                hidden: 0,
                note: "not a\u{202e} read".to_owned(),
            }],
            unlisted: 0,
        };
        let text = page(Page { colour: false, columns: None }, Timestamp::from_second(7_201).unwrap(), &log);
        assert_eq!(text.lines().count(), 5, "{text}");
        for shown in ["pypi:six", "1.17.0", "3 MiB", "2 hours ago", "denied", "npm:left-pad", "not a\\u{202e} read"] {
            assert!(text.contains(shown), "{shown}:\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn versions_that_were_hidden_show_as_that_and_once() {
        let hidden = |at| Event {
            at: Timestamp::from_second(at).unwrap(),
            session: SessionId::NIL,
            ecosystem: Ecosystem::Pypi,
            requested: Requested::Index,
            project: "requests".to_owned(),
            file: String::new(),
            version: String::new(),
            digest: None,
            outcome: Outcome::Hit,
            store_bytes: 0,
            upstream_bytes: 0,
            elapsed_ms: 0,
            complete: true,
            hidden: 2,
            note: "min_age 3days hides 2.33.1, 2.33.0".to_owned(),
        };
        let log = Log { events: vec![Event { outcome: Outcome::Miss, ..hidden(1) }, hidden(2), hidden(60)], ..Log::default() };
        let text = page(Page { colour: false, columns: Some(80) }, Timestamp::from_second(61).unwrap(), &log);
        let line: Vec<_> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(line[..5], ["1", "second", "ago", "hidden", "pypi:requests"], "{text}");
        assert!(text.lines().count() == 3 && text.contains("(3"), "{text}");
    }

    #[test]
    fn a_session_that_is_gone_is_named_by_its_id() {
        let ids = [SessionId::from_parts(1 << 40, 1), SessionId::from_parts(1 << 41, 1)];
        let first = ids[0].to_string();
        assert_eq!(gone(&ids, &first.to_ascii_uppercase()), [ids[0]]);
        assert_eq!(gone(&ids, &first[..6]), [ids[0]]);
        assert_eq!(gone(&ids, &first[..1]), []);
        assert_eq!(gone(&ids, "web-1"), []);
    }
}
