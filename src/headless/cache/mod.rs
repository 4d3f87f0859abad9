//! `cache`: what the depot counted and what its store is told to do.

mod control;
pub mod document;
mod log;
mod share;
mod status;
mod warm;

pub use control::control;
pub use log::{log, sbom};
pub(super) use share::{share, summary_in_time};
pub use status::status;
pub use warm::{Wanted, warm, warm_quietly};

use std::time::Duration;

use crate::depot::ledger::Counters;
use crate::units::{Bytes, SessionId};

/// `83%`, or nothing before the first file was served.
fn percent(counters: &Counters) -> String {
    counters.hit_rate().map_or_else(String::new, crate::units::percent)
}

/// `12.3 MiB`.
fn saved(counters: &Counters) -> String {
    Bytes::new(counters.saved_bytes).to_string()
}

/// `est. 1m 20s`: no measurement, and never shown without saying so.
fn saved_time(counters: &Counters) -> String {
    format!("est. {}", time(counters))
}

/// `1m 20s`, for below a heading that says that it is an estimate.
fn time(counters: &Counters) -> String {
    let ms = counters.saved_ms_estimated;
    let shown = if ms < 1_000 { Duration::from_millis(ms) } else { Duration::from_secs(ms / 1_000) };
    humantime::format_duration(shown).to_string()
}

/// What stands for a session in our texts: a name that is known, or its id.
fn called(name: Option<&str>, id: SessionId) -> String {
    name.map_or_else(|| id.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_a_person_says_them() {
        let counters = Counters { hits: 5, misses: 1, saved_bytes: 3 << 19, saved_ms_estimated: 83_400, ..Counters::default() };
        assert_eq!((percent(&counters), saved(&counters), saved_time(&counters)), ("83%".into(), "1.5 MiB".into(), "est. 1m 23s".into()));
        assert_eq!(percent(&Counters::default()), "");
        assert_eq!(saved_time(&Counters { saved_ms_estimated: 40, ..Counters::default() }), "est. 40ms");
    }
}
