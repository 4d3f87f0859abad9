use std::time::{Duration, Instant};

/// What a session may write for ever, each second.
const RATE: u64 = 4 << 20;
/// What it may write at once.
const BURST: u64 = 16 << 20;
/// What a line costs besides its bytes: an engine stamps each with the time, and writes it by itself.
const LINE: u64 = 48;

/// How fast what nobody waits for is passed on to the engine, which writes it down in its own time: no limit of the sandbox counts that. A
/// flood of lines costs an engine more than a CPU, and the sandbox a twentieth of one (Docker Engine 20.10).
#[derive(Debug)]
pub struct Pace {
    /// Passed on, less what time has worn off.
    level: u64,
    at: Instant,
}

impl Pace {
    /// With all of a burst to come.
    pub const fn new(now: Instant) -> Self {
        Self { level: 0, at: now }
    }

    /// How long to wait after these have been passed on.
    pub fn after(&mut self, bytes: &[u8], now: Instant) -> Duration {
        let worn_off = now.saturating_duration_since(self.at).as_nanos() * u128::from(RATE) / 1_000_000_000;
        let lines = memchr::memchr_iter(b'\n', bytes).count();
        let cost = (bytes.len() as u64).saturating_add(LINE * lines as u64);
        self.level = self.level.saturating_sub(u64::try_from(worn_off).unwrap_or(u64::MAX)).saturating_add(cost);
        self.at = now;
        Duration::from_nanos(self.level.saturating_sub(BURST).saturating_mul(1_000_000_000) / RATE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much of such pieces passes in this time, for who waits as told.
    fn passed(piece: &[u8], time: Duration) -> usize {
        let began = Instant::now();
        let (mut now, mut pace, mut passed) = (began, Pace::new(began), 0);
        while now - began < time {
            passed += piece.len();
            now += pace.after(piece, now) + Duration::from_micros(1);
        }
        passed
    }

    #[test]
    fn a_burst_passes_at_once_and_what_comes_after_it_at_the_rate() {
        let mut pace = Pace::new(Instant::now());
        assert_eq!(pace.after(&vec![0; 16 << 20], pace.at), Duration::ZERO);
        assert_eq!(pace.after(&vec![0; 4 << 20], pace.at), Duration::from_secs(1));
        assert_eq!(pace.after(b"", pace.at + Duration::from_secs(1)), Duration::ZERO);
        assert_eq!(pace.after(b"", pace.at + Duration::from_hours(1)), Duration::ZERO);
        assert_eq!(pace.after(&vec![0; 16 << 20], pace.at), Duration::ZERO, "rested, it has its burst again and no more");
        assert!(pace.after(b"x", pace.at) > Duration::ZERO);
        let of_ten_seconds = passed(&[0; 16 << 10], Duration::from_secs(10)) >> 20;
        assert!((55..=57).contains(&of_ten_seconds), "{of_ten_seconds}");
    }

    #[test]
    fn lines_cost_more_than_their_bytes() {
        let lines = passed(&b"y\n".repeat(8 << 10), Duration::from_secs(10)) / 2;
        assert!((1_100_000..1_250_000).contains(&lines), "{lines}");
    }
}
