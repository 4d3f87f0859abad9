use std::time::Duration;

use super::document::CacheShare;
use super::{percent, saved, saved_time};
use crate::backend::Backend;
use crate::depot::ledger::{Counters, Summary};
use crate::failure::{Code, Failure, Result};
use crate::headless::document::ErrorBody;
use crate::units::SessionId;

/// How long a list of sessions waits for figures that only adorn it.
const PATIENCE: Duration = Duration::from_secs(3);

/// The depot's figures, or why they could not be had in time.
pub async fn summary_in_time(backend: &Backend) -> Result<Option<Summary>> {
    tokio::time::timeout(PATIENCE, backend.cache_summary()).await.unwrap_or_else(|_| {
        Err(Failure::new(Code::EngineError, format!("the depot's figures were not there within {} s", PATIENCE.as_secs())))
    })
}

/// One session's share of them.
pub fn share(summary: &Result<Option<Summary>>, session: SessionId) -> CacheShare {
    let summary = match summary {
        Ok(Some(summary)) => summary,
        Ok(None) => return CacheShare::Nothing,
        Err(failure) => return CacheShare::Unknown { error: ErrorBody::from(failure) },
    };
    let Some(counters) = summary.sessions.get(&session) else { return CacheShare::Nothing };
    let all: Counters = counters.values().sum();
    CacheShare::Counted {
        hits: all.hits,
        misses: all.misses,
        hit_rate: all.hit_rate(),
        saved_bytes: all.saved_bytes,
        saved_ms_estimated: all.saved_ms_estimated,
    }
}

impl CacheShare {
    /// For a column: `83% 12 MiB`.
    pub fn short(&self) -> String {
        match self {
            Self::Counted { hits: 0, misses: 0, .. } | Self::Nothing => "-".to_owned(),
            Self::Counted { .. } => {
                let counters = self.counters();
                format!("{} {}", percent(&counters), saved(&counters))
            }
            Self::Unknown { .. } => "unknown".to_owned(),
        }
    }

    /// For a line of its own.
    pub fn sentence(&self) -> String {
        match self {
            Self::Nothing => "nothing fetched".to_owned(),
            Self::Counted { hits, misses, .. } => {
                let (counters, files) = (self.counters(), hits.saturating_add(*misses));
                if files == 0 {
                    return "no file fetched".to_owned();
                }
                format!("{} of {files} files from the store: {} and {} saved", percent(&counters), saved(&counters), saved_time(&counters))
            }
            Self::Unknown { error } => format!("unknown: {}", error.message),
        }
    }

    fn counters(&self) -> Counters {
        match self {
            Self::Counted { hits, misses, hit_rate: _, saved_bytes, saved_ms_estimated } => Counters {
                hits: *hits,
                misses: *misses,
                saved_bytes: *saved_bytes,
                saved_ms_estimated: *saved_ms_estimated,
                ..Counters::default()
            },
            Self::Nothing | Self::Unknown { .. } => Counters::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;
    use crate::depot::ledger::StoreFacts;
    use crate::depot::promise::Ecosystem;

    #[test]
    fn a_session_shows_its_own_figures_and_no_others() {
        let [mine, other, quiet] = [1, 2, 3].map(|at| SessionId::from_parts(at, 0));
        let counted = |hits, misses| {
            let counters = Counters { hits, misses, saved_bytes: hits << 20, saved_ms_estimated: 1_000, ..Counters::default() };
            BTreeMap::from([(Ecosystem::Pypi, counters), (Ecosystem::Npm, counters)])
        };
        let summary = Ok(Some(Summary {
            schema: 1,
            started: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
            totals: BTreeMap::new(),
            sessions: BTreeMap::from([(mine, counted(3, 1)), (other, counted(0, 0))]),
            store: StoreFacts::default(),
            upstreams: Vec::new(),
            strangers: 0,
        }));
        assert_eq!(share(&summary, mine).short(), "75% 6 MiB");
        assert_eq!(share(&summary, mine).sentence(), "75% of 8 files from the store: 6 MiB and est. 2s saved");
        assert_eq!((share(&summary, other).short(), share(&summary, quiet).short()), ("-".to_owned(), "-".to_owned()));
        assert_eq!(share(&Ok(None), mine), CacheShare::Nothing);
        let failed = share(&Err(Failure::new(Code::EngineError, "no")), mine);
        assert_eq!((failed.short(), failed.sentence()), ("unknown".to_owned(), "unknown: no".to_owned()));
    }
}
