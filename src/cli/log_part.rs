//! Which part of a log: the same options for a session's and for the depot's.

use clap::Args;
use jiff::Timestamp;

use super::when::When;
use crate::backend::engine::LogOptions;

#[derive(Debug, Args)]
pub(super) struct LogPart {
    /// Stay and show what comes
    #[arg(short, long)]
    follow: bool,

    /// From this time: RFC 3339, a date, seconds since 1970, or a span ago such as 10m
    #[arg(long, value_name = "TIME")]
    since: Option<When>,

    /// Up to this time
    #[arg(long, value_name = "TIME")]
    until: Option<When>,

    /// The last so many lines, or 'all'
    #[arg(short = 'n', long, value_name = "LINES", default_value = "all", value_parser = tail)]
    tail: Tail,

    /// The engine's time before each line
    #[arg(short, long)]
    timestamps: bool,
}

impl LogPart {
    /// What the engine is asked for; spans count back from `now`.
    pub(super) fn options(self, now: Timestamp) -> LogOptions {
        let seconds = |when: Option<When>| when.map_or(0, |when| when.unix_seconds(now));
        LogOptions {
            follow: self.follow,
            since: seconds(self.since),
            until: seconds(self.until),
            tail: self.tail.0,
            timestamps: self.timestamps,
        }
    }
}

/// `--tail`: a number, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tail(Option<u64>);

fn tail(text: &str) -> Result<Tail, String> {
    if text == "all" {
        return Ok(Tail(None));
    }
    text.parse().map(|lines| Tail(Some(lines))).map_err(|_| "give a number of lines, or 'all'".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tail_is_a_number_or_all() {
        assert_eq!(tail("all"), Ok(Tail(None)));
        assert_eq!(tail("5"), Ok(Tail(Some(5))));
        assert!(tail("-1").is_err() && tail("many").is_err());
    }
}
