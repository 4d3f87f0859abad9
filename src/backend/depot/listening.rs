//! Waiting until a depot that was started takes connections: it says so in its log.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;

use crate::backend::Backend;
use crate::backend::engine::{LogOptions, OutputStream};
use crate::backend::prepare::interrupted;
use crate::depot::LISTENING;
use crate::failure::{Code, Failure, Result};

/// A depot listens within a second of its start; a store of many files is read first, on a slow disk.
const PATIENCE: Duration = Duration::from_secs(30);
/// Lines of the log that tell why it ended, and how much of one.
const TOLD_LINES: usize = 8;
const TOLD_LENGTH: usize = 500;

impl Backend {
    /// Follows the depot's log until it says that it listens. What it wrote up to `after` was an earlier run's.
    pub(super) async fn depot_listens(&self, container: &str, after: Option<Timestamp>) -> Result<()> {
        let since = after.map_or(0, Timestamp::as_second);
        // A second's fraction is the log's own to tell: the engine counts in whole ones.
        let options = LogOptions { follow: true, since, timestamps: true, ..LogOptions::default() };
        let mut heard = Heard::new(after);
        let said = tokio::select! {
            said = tokio::time::timeout(PATIENCE, follow(self.engine.logs(container, &options), &mut heard)) => said,
            () = self.interrupt.cancelled() => return Err(interrupted()),
        };
        match said {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(heard.told(Failure::new(Code::EngineError, "the depot ended instead of listening"))),
            Ok(Err(failure)) => Err(failure),
            Err(_) => {
                let message = format!("the depot was started and does not listen after {} s", PATIENCE.as_secs());
                Err(heard.told(Failure::new(Code::EngineError, message)))
            }
        }
    }
}

/// Whether the line came; false where the log ended without it.
async fn follow(mut log: OutputStream, heard: &mut Heard) -> Result<bool> {
    while let Some(piece) = log.next().await {
        if heard.take(&piece?.bytes) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a log said.
struct Heard {
    after: Option<Timestamp>,
    line: Vec<u8>,
    lines: VecDeque<String>,
}

impl Heard {
    fn new(after: Option<Timestamp>) -> Self {
        Self { after, line: Vec::new(), lines: VecDeque::new() }
    }

    /// Whether the line is among what came now.
    fn take(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            match byte {
                b'\n' => {
                    let line = String::from_utf8_lossy(&self.line).into_owned();
                    self.line.clear();
                    if self.end(&line) {
                        return true;
                    }
                }
                // The rest of a line that is longer than any of ours is nobody's need.
                byte if self.line.len() < TOLD_LENGTH => self.line.push(*byte),
                _ => {}
            }
        }
        false
    }

    fn end(&mut self, line: &str) -> bool {
        let (moment, text) = line.split_once(' ').unwrap_or(("", line));
        let is_earlier = moment.parse::<Timestamp>().is_ok_and(|moment| self.after.is_some_and(|after| moment <= after));
        if is_earlier {
            return false;
        }
        let text = text.trim_end();
        if self.lines.len() == TOLD_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(text.to_owned());
        text == LISTENING
    }

    fn told(self, failure: Failure) -> Failure {
        let failure = self.lines.into_iter().fold(failure, Failure::detail);
        failure.hint("palisade depot logs tells more; palisade doctor says what the engine lacks")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_heard_in_any_pieces_and_an_earlier_runs_is_not() {
        let after: Timestamp = "2026-01-01T00:00:00.5Z".parse().unwrap();
        let mut heard = Heard::new(Some(after));
        assert!(!heard.take(format!("2026-01-01T00:00:00.4Z {LISTENING}\n").as_bytes()), "of the run before");
        assert!(!heard.take(b"2026-01-01T00:00:00.6Z palisade depot: lis"));
        assert!(heard.take(b"tening\r\n"));
        assert!(Heard::new(None).take(format!("2026-01-01T00:00:00.4Z {LISTENING}\n").as_bytes()));
        assert!(!Heard::new(None).take(format!("2026-01-01T00:00:00.4Z not {LISTENING}\n").as_bytes()));
    }

    #[test]
    fn what_it_said_last_is_told_in_bounds_and_without_a_terminals_sequences() {
        let mut heard = Heard::new(None);
        for at in 0..100 {
            assert!(!heard.take(format!("2026-01-01T00:00:00Z line {at} \u{1b}[2J{}\n", "x".repeat(10_000)).as_bytes()));
        }
        let failure = heard.told(Failure::new(Code::EngineError, "ended"));
        assert_eq!(failure.details.len(), TOLD_LINES);
        assert!(failure.details.iter().all(|line| line.len() <= TOLD_LENGTH) && failure.details[7].starts_with("line 99"));
        assert!(!failure.to_string().contains('\u{1b}'));
    }
}
