//! What the session's volumes take on disk, held to its caps.
//!
//! Counted here, inside, because here alone it holds for every operator and every engine, with nobody watching: volumes have no quota that an
//! engine could be asked for, and their folders on its host are for its root alone. It is done on the supervisor's one thread, a millisecond
//! in ten at most, and not at all while nothing in the session has run. What the session closes to its own user cannot be seen from here.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use tokio::time::sleep;

use super::life::{Life, cpu};
use crate::kernel::{Tree, identity_of};

/// Between two countings, at least.
const OFTEN: Duration = Duration::from_millis(500);
/// And at most, of what takes long to count.
const SELDOM: Duration = Duration::from_mins(1);
/// A pause is so many times what the counting took.
const PAUSE: u32 = 20;
/// At a stretch: a key that is typed meanwhile waits no longer.
const SLICE: Duration = Duration::from_millis(1);
/// Between two stretches.
const BREATH: Duration = Duration::from_millis(9);
/// Before the command begins.
const FIRST: Duration = Duration::from_millis(20);
/// So much CPU time writes little.
const LITTLE: Duration = Duration::from_millis(5);

/// The caps, and where the volumes stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caps {
    /// Above this it is warned of.
    pub soft: Option<u64>,
    /// Above this the session is stopped.
    pub hard: Option<u64>,
    /// Its volumes.
    pub places: Vec<PathBuf>,
}

/// What is to be said or done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// So many bytes, above this cap.
    Warn(u64, u64),
    /// It was warned of, and takes less again.
    Below,
    /// It began with so many bytes, above the cap: it is stopped above the second number.
    Spared(u64, u64),
    /// So many bytes, above this cap: the session is stopped.
    Stop(u64, u64),
}

/// Counting, among the supervisor's duties.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    due: Arc<Mutex<Vec<Due>>>,
}

impl Disk {
    /// Counts from now on, and wakes who keeps the session's life when something is due. What is there before the command begins is
    /// told from what it writes, unless that is very much.
    pub fn keep(caps: Caps, life: Life) -> Self {
        let disk = Self::default();
        if !caps.places.is_empty() && (caps.soft.is_some() || caps.hard.is_some()) {
            let mut first = Counting::of(&caps.places);
            first.go(Instant::now() + FIRST);
            tokio::spawn(disk.clone().count_on(caps, life, first));
        }
        disk
    }

    /// What has become due.
    pub fn due(&self) -> Vec<Due> {
        std::mem::take(&mut *self.due.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn count_on(self, caps: Caps, life: Life, first: Counting) {
        let mut judge = Judge::new(&caps);
        let mut first = Some(first);
        let mut then: Option<Duration> = None;
        loop {
            let own = own_cpu();
            let now = cpu(Path::new("/sys/fs/cgroup"));
            let used = now.zip(then).and_then(|(now, then)| now.checked_sub(then));
            if used.is_none_or(|used| used > LITTLE) {
                let mut counting = first.take().unwrap_or_else(|| Counting::of(&caps.places));
                while !counting.go(Instant::now() + SLICE) && judge.stops_above().is_none_or(|enough| counting.bytes() <= enough) {
                    sleep(BREATH).await;
                }
                // What this cost is not what the session did.
                then = now.map(|now| now + own_cpu().saturating_sub(own));
                let due = judge.judge(counting.bytes());
                if !due.is_empty() {
                    self.due.lock().unwrap_or_else(PoisonError::into_inner).extend(due);
                    life.wake();
                }
            }
            sleep((own_cpu().saturating_sub(own) * PAUSE).clamp(OFTEN, SELDOM)).await;
        }
    }
}

/// Volumes that are being counted, one after the other.
struct Counting {
    left: Vec<Tree>,
    bytes: u64,
}

impl Counting {
    fn of(places: &[PathBuf]) -> Self {
        let others: Vec<_> = places.iter().filter_map(|place| identity_of(place)).collect();
        Self { left: places.iter().filter_map(|place| Tree::open(place, &others).ok()).collect(), bytes: 0 }
    }

    /// What was counted so far.
    fn bytes(&self) -> u64 {
        self.left.last().map_or(0, |tree| tree.so_far().bytes).saturating_add(self.bytes)
    }

    /// Goes on until this moment; whether all of it is counted.
    fn go(&mut self, until: Instant) -> bool {
        while let Some(tree) = self.left.last_mut() {
            if !tree.go(until) {
                return false;
            }
            self.bytes = self.bytes.saturating_add(tree.so_far().bytes);
            self.left.pop();
        }
        true
    }
}

/// CPU time of this thread, which is this process's only one.
fn own_cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// What was said of the caps so far.
#[derive(Debug)]
struct Judge {
    soft: Option<u64>,
    hard: Option<u64>,
    is_first: bool,
    is_warned: bool,
}

impl Judge {
    fn new(caps: &Caps) -> Self {
        Self { soft: caps.soft, hard: caps.hard, is_first: true, is_warned: false }
    }

    fn stops_above(&self) -> Option<u64> {
        self.hard.filter(|_| !self.is_first)
    }

    fn judge(&mut self, bytes: u64) -> Vec<Due> {
        let mut due = Vec::new();
        let is_first = std::mem::replace(&mut self.is_first, false);
        if let Some(hard) = self.hard.filter(|hard| bytes > *hard) {
            if !is_first {
                return vec![Due::Stop(bytes, hard)];
            }
            // It was stopped for it before, and is started to be cleared up: that needs a little room.
            let above = bytes.saturating_add(hard / 16);
            self.hard = Some(above);
            due.push(Due::Spared(bytes, above));
        }
        if let Some(soft) = self.soft {
            if bytes > soft && !self.is_warned {
                self.is_warned = true;
                due.push(Due::Warn(bytes, soft));
            } else if self.is_warned && bytes <= soft - soft / 10 {
                self.is_warned = false;
                due.push(Due::Below);
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cap_warns_once_until_there_is_room_again_and_the_second_stops() {
        let mut judge = Judge::new(&Caps { soft: Some(100), hard: Some(200), places: Vec::new() });
        let mut at = |bytes| judge.judge(bytes);
        assert_eq!(at(100), []);
        assert_eq!(at(101), [Due::Warn(101, 100)]);
        assert_eq!(at(150), []);
        assert_eq!(at(95), []);
        assert_eq!(at(90), [Due::Below]);
        assert_eq!(at(120), [Due::Warn(120, 100)]);
        assert_eq!(at(201), [Due::Stop(201, 200)]);
    }

    #[test]
    fn what_begins_above_its_cap_may_be_cleared_up() {
        let mut judge = Judge::new(&Caps { soft: None, hard: Some(160), places: Vec::new() });
        assert_eq!(judge.judge(300), [Due::Spared(300, 310)]);
        assert_eq!((judge.judge(310), judge.stops_above()), (vec![], Some(310)));
        assert_eq!(judge.judge(311), [Due::Stop(311, 310)]);
    }
}
