//! `cache warm`: packages fetched into the store before they are needed, by pip and npm in a sandbox of their own.

mod basket;
mod read;
mod requirements;
mod session;

use std::path::PathBuf;

use super::document::Warmed;
use crate::backend::{Backend, Reporter};
use crate::depot::ledger::{Log, fetched};
use crate::failure::{Code, Failure, Result};
use crate::headless::document::{Document, ErrorBody};
use crate::headless::{Context, Done, Stop};
use crate::units::Bytes;

/// What to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// `pandas`, `pypi:pandas==2.2`, `npm:express@4`.
    pub names: Vec<String>,
    /// Requirements files.
    pub requirements: Vec<PathBuf>,
    /// An npm lock file.
    pub package_lock: Option<PathBuf>,
}

/// Fetches, and tells what the depot fetched for it.
pub async fn warm(context: &Context, backend: &Backend, wanted: &Wanted) -> Done {
    let basket = read::basket(wanted).await?;
    let ended = session::fetch(context, backend, &basket).await?;
    let log = backend.cache_journal(ended.session).await?.map(|journal| fetched(&journal)).unwrap_or_default();
    let failure = (ended.code != 0).then(|| failure(ended.code, ended.last_lines));
    let exit = failure.as_ref().map_or(0, |failure| failure.code.exit_code());
    if context.output.is_json() {
        let body = Warmed { session: ended.session, warmed: log.artifacts };
        context.output.document(&Document::with_error(body, failure.as_ref().map(ErrorBody::from)));
        return Ok(exit);
    }
    if failure.is_none() || !log.artifacts.is_empty() {
        context.output.text(&sentence(&log));
    }
    failure.map_or(Ok(0), |failure| Err(Stop { failure, exit }))
}

/// Fetches packages by name for whoever hears of it by a reporter, and says in a sentence what came of it. Ends early where the
/// backend's work is interrupted.
pub async fn warm_quietly(backend: &Backend, names: Vec<String>, reporter: &dyn Reporter) -> Result<String> {
    let basket = read::basket(&Wanted { names, ..Wanted::default() }).await?;
    let ended = session::fetch_quietly(backend, &basket, reporter).await?;
    let log = backend.cache_journal(ended.session).await?.map(|journal| fetched(&journal)).unwrap_or_default();
    if ended.code == 0 { Ok(sentence(&log).trim_end().to_owned()) } else { Err(failure(ended.code, ended.last_lines)) }
}

fn failure(code: i64, last_lines: Vec<String>) -> Failure {
    let failure = Failure::new(Code::EngineError, format!("pip or npm could not fetch everything (exit code {code})"));
    last_lines.into_iter().fold(failure, Failure::detail).hint("what was fetched before stays in the store")
}

fn sentence(log: &Log) -> String {
    let files = log.artifacts.len();
    let new: Vec<_> = log.artifacts.iter().filter(|artifact| artifact.misses > 0).collect();
    let bytes = |all: &mut dyn Iterator<Item = u64>| Bytes::new(all.fold(0, u64::saturating_add));
    let fetched = bytes(&mut new.iter().map(|artifact| artifact.bytes));
    let noun = if files == 1 { "file" } else { "files" };
    format!("{files} {noun}: {} fetched ({fetched}), {} from the store\n", new.len(), files - new.len())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::depot::ledger::FetchedArtifact;
    use crate::depot::promise::Ecosystem;

    #[test]
    fn what_was_fetched_is_told_apart_from_what_was_there() {
        let artifact = |file: &str, misses| FetchedArtifact {
            ecosystem: Ecosystem::Pypi,
            project: "six".to_owned(),
            version: String::new(),
            file: file.to_owned(),
            digest: None,
            hits: 1 - misses,
            misses,
            complete: 1,
            bytes: 1 << 20,
            first: Timestamp::UNIX_EPOCH,
            last: Timestamp::UNIX_EPOCH,
        };
        let log = Log { artifacts: vec![artifact("a", 1), artifact("b", 0), artifact("c", 1)], ..Log::default() };
        assert_eq!(sentence(&log), "3 files: 2 fetched (2 MiB), 1 from the store\n");
        let log = Log { artifacts: vec![artifact("b", 0)], ..Log::default() };
        assert_eq!(sentence(&log), "1 file: 0 fetched (0 B), 1 from the store\n");
    }
}
