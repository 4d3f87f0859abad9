//! Single questions: what a tab shows, what a plan would be, how a path goes on.

#![expect(clippy::disallowed_methods, reason = "a path's completion is what the folder holds")]

use std::path::{Path, PathBuf};

use super::Link;
use crate::dashboard::app::Message;
use crate::dashboard::app::cache::{Fetches, LISTED, POINTS};
use crate::dashboard::app::effect::Part;
use crate::dashboard::app::row::ContainerId;
use crate::depot::ledger::{Event, Outcome, Requested, requests};
use crate::failure::Result;
use crate::units::SessionId;

/// Completions that are offered.
const OFFERED: usize = 50;
/// Entries of a folder that are looked at.
const LOOKED_AT: usize = 10_000;

/// Reads a part of a session's detail.
pub async fn part(link: Link, id: ContainerId, session: SessionId, part: Part) {
    let message = match part {
        Part::Fetches => {
            let fetches = link.backend.cache_journal(session).await.map(|journal| fetches(&journal.unwrap_or_default()));
            Message::FetchesRead(id, fetches)
        }
        Part::Processes => {
            let processes = link.backend.processes(&id).await;
            Message::ProcessesRead(id, processes)
        }
        Part::Files => {
            let files = link.backend.changes(&id).await;
            Message::FilesRead(id, files)
        }
    };
    link.tell(message).await;
}

/// The newest requests of a journal, and how the hit rate went.
fn fetches(journal: &[u8]) -> Fetches {
    let events = requests(journal);
    let served: Vec<&Event> = events
        .iter()
        .filter(|event| event.requested == Requested::Artifact && matches!(event.outcome, Outcome::Hit | Outcome::Miss))
        .collect();
    let (mut hits, mut rate) = (0_u32, Vec::new());
    let every = served.len().div_ceil(POINTS).max(1);
    for (at, event) in served.iter().enumerate() {
        hits += u32::from(event.outcome == Outcome::Hit);
        if (at + 1) % every == 0 || at + 1 == served.len() {
            let all = u32::try_from(at + 1).unwrap_or(u32::MAX);
            rate.push((event.at, f64::from(hits) / f64::from(all)));
        }
    }
    let newest = events.into_iter().rev().take(LISTED).collect();
    Fetches { events: newest, rate }
}

/// How a path could go on: folders of this machine, each with a slash at its end.
pub async fn complete(link: Link, number: u64, text: String) {
    let home = link.backend.environment().home.clone();
    let found = tokio::task::spawn_blocking(move || completions(&text, home.as_deref())).await.unwrap_or_default();
    link.tell(Message::PathCompleted(number, found)).await;
}

fn completions(text: &str, home: Option<&Path>) -> Vec<String> {
    let (folder, beginning) = text.rfind('/').map_or(("", text), |at| text.split_at(at + 1));
    let real: PathBuf = match (folder.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ if folder.is_empty() => PathBuf::from("."),
        _ => PathBuf::from(folder),
    };
    let Ok(entries) = std::fs::read_dir(real) else { return Vec::new() };
    let folders = entries.take(LOOKED_AT).flatten().filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(beginning) && (beginning.starts_with('.') || !name.starts_with('.')))
        .map(|name| format!("{folder}{name}/"))
        .collect();
    names.sort_unstable();
    names.truncate(OFFERED);
    names
}

/// Works out the plan of an order.
pub async fn preview(link: Link, number: u64, order: Box<crate::backend::Order>) {
    let plan: Result<_> = link.backend.plan(&order).await;
    link.tell(Message::Previewed(number, plan.map(Box::new))).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_goes_on_as_the_folder_says() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["api", "app", ".git"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("apple"), "").unwrap();
        let base = folder.path().to_str().unwrap();
        assert_eq!(completions(&format!("{base}/ap"), None), [format!("{base}/api/"), format!("{base}/app/")]);
        assert_eq!(completions("~/", Some(folder.path())), ["~/api/", "~/app/"]);
        assert_eq!(completions(&format!("{base}/nowhere/x"), None), [""; 0]);
    }

    #[test]
    fn the_rate_is_of_all_files_so_far_and_ends_with_the_last() {
        let line = |outcome: &str| {
            format!(
                "{{\"request\":{{\"saved_ms\":0,\"event\":{{\"at\":\"2026-01-31T08:00:00Z\",\"session\":\"01arz3ndektsv4rrffq69g5fav\",\"ecosystem\":\"pypi\",\"requested\":\"artifact\",\"outcome\":\"{outcome}\"}}}}}}\n"
            )
        };
        let fetches = fetches(format!("{}{}{}{{\"at\":", line("miss"), line("hit"), line("hit")).as_bytes());
        assert_eq!(fetches.events.len(), 3);
        let rates: Vec<f64> = fetches.rate.iter().map(|(_, rate)| *rate).collect();
        assert_eq!(rates, [0.0, 0.5, 2.0 / 3.0]);
    }
}
