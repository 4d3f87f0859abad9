//! When a session is to be warned and stopped. Time comes in.

use std::time::{Duration, Instant};

use crate::terminal::wire;

/// Warned of so long before the end, or a quarter of the span where that is less.
const WARNING: Duration = Duration::from_mins(5);
/// How often it is looked whether somebody uses it: 32 times in the span that is allowed, and within these.
const LOOKS: u32 = 32;
const SELDOM: Duration = Duration::from_secs(15);
const OFTEN: Duration = Duration::from_millis(250);
/// A look that comes later than this comes after a pause.
const FROZEN: Duration = Duration::from_mins(1);

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// Its deadline comes, in so long.
    WarnEnd(Duration),
    /// Nobody has used it for the first, and it is stopped in the second.
    WarnIdle(Duration, Duration),
    /// Its deadline has come: so long it ran, or was renewed for.
    End(Duration),
    /// Nobody has used it for too long.
    Idle(Duration),
}

/// The spans of one run, and where they stand.
#[derive(Debug)]
pub struct Span {
    /// As asked for at the start.
    ttl: Option<Duration>,
    /// As asked for last, and when that is over.
    runs: Option<(Duration, Instant)>,
    idle: Option<Duration>,
    used: Instant,
    looked: Instant,
    warned_of_end: bool,
    warned_of_idle: bool,
}

impl Span {
    /// Begins now.
    pub fn new(ttl: Option<Duration>, idle: Option<Duration>, now: Instant) -> Self {
        let runs = ttl.map(|ttl| (ttl, now + ttl));
        Self { ttl, runs, idle, used: now, looked: now, warned_of_end: false, warned_of_idle: false }
    }

    /// The deadline.
    pub fn ends(&self) -> Option<Instant> {
        self.runs.map(|(_, ends)| ends)
    }

    /// Moves the deadline, to so long from now or as long as at the start. Who asks for it uses the session.
    pub fn renew(&mut self, ttl: Option<Duration>, now: Instant) -> Result<(), &'static str> {
        let ttl = ttl.or(self.ttl);
        if ttl.is_none() && self.idle.is_none() {
            return Err("it has no deadline to move, and none was given");
        }
        if let Some(ttl) = ttl {
            let ends = now.checked_add(ttl).ok_or("the deadline is too far away")?;
            self.runs = Some((ttl, ends));
            self.warned_of_end = false;
        }
        self.used = now;
        self.warned_of_idle = false;
        Ok(())
    }

    /// What is due now; `is_quiet` says whether nobody has used it since it was asked last.
    pub fn look(&mut self, now: Instant, is_quiet: impl FnOnce() -> bool) -> Due {
        if let Some((ttl, ends)) = self.runs {
            if now >= ends {
                return Due::End(ttl);
            }
            if now + before(ttl) >= ends && !self.warned_of_end {
                self.warned_of_end = true;
                return Due::WarnEnd(ends - now);
            }
        }
        let Some(idle) = self.idle else { return Due::Nothing };
        if now < self.looked + pause(idle) {
            return Due::Nothing;
        }
        // Nobody looked for long: it was frozen, and that is not its own idleness.
        let was_frozen = now > self.looked + pause(idle) * 2 + FROZEN;
        self.looked = now;
        if !is_quiet() || was_frozen {
            self.used = now;
            self.warned_of_idle = false;
            return Due::Nothing;
        }
        let unused = now - self.used;
        if unused >= idle {
            return Due::Idle(idle);
        }
        if unused + before(idle) >= idle && !self.warned_of_idle {
            self.warned_of_idle = true;
            return Due::WarnIdle(unused, idle.saturating_sub(unused));
        }
        Due::Nothing
    }

    /// When to look again.
    pub fn next(&self) -> Option<Instant> {
        let ends = self.runs.map(|(ttl, ends)| if self.warned_of_end { ends } else { ends.checked_sub(before(ttl)).unwrap_or(ends) });
        let look = self.idle.map(|idle| self.looked + pause(idle));
        ends.into_iter().chain(look).min()
    }

    /// Where it stands.
    pub fn told(&self, now: Instant) -> wire::Life {
        wire::Life {
            // Of a second that has begun, all: nobody is told 0 who has time left.
            left_s: self.ends().map(|ends| (ends.saturating_duration_since(now) + Duration::from_millis(999)).as_secs()),
            idle_for_s: self.idle.map(|_| (now - self.used).as_secs()),
            idle_s: self.idle.map(|idle| idle.as_secs()),
            challenge: String::new(),
        }
    }
}

fn before(span: Duration) -> Duration {
    (span / 4).min(WARNING)
}

fn pause(idle: Duration) -> Duration {
    (idle / LOOKS).clamp(OFTEN, SELDOM)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn a_deadline_is_warned_of_once_comes_and_is_moved() {
        let start = Instant::now();
        let mut span = Span::new(Some(S(100)), None, start);
        assert_eq!((span.look(start, || false), span.next()), (Due::Nothing, Some(start + S(75))));
        assert_eq!(span.look(start + S(75), || false), Due::WarnEnd(S(25)));
        assert_eq!((span.look(start + S(76), || false), span.next()), (Due::Nothing, Some(start + S(100))));
        span.renew(None, start + S(90)).unwrap();
        assert_eq!((span.look(start + S(100), || false), span.ends()), (Due::Nothing, Some(start + S(190))));
        assert_eq!(span.told(start + S(101)).left_s, Some(89));
        span.renew(Some(S(5)), start + S(102)).unwrap();
        assert_eq!(span.look(start + S(107), || false), Due::End(S(5)));
        assert!(Span::new(None, None, start).renew(None, start).is_err());
    }

    #[test]
    fn what_nobody_uses_is_warned_and_stopped_and_any_use_begins_anew() {
        let start = Instant::now();
        let mut span = Span::new(None, Some(S(80)), start);
        let mut at = |second, quiet| span.look(start + S(second), || quiet);
        assert_eq!(at(50, true), Due::Nothing);
        assert_eq!(at(61, true), Due::WarnIdle(S(61), S(19)));
        assert_eq!([at(64, true), at(70, false), at(120, true)], [Due::Nothing; 3]);
        assert_eq!(at(131, true), Due::WarnIdle(S(61), S(19)));
        assert_eq!(at(150, true), Due::Idle(S(80)));
    }
}
