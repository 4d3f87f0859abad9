//! Who keeps the deadlines while the command runs, and says so.

use std::io;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigEvent, SigevNotify, Signal};
use nix::sys::timer::{Expiration, Timer, TimerSetTimeFlags};
use nix::time::ClockId;

use super::disk::{self, Disk};
use super::life::{Due, Life};
use super::signals::Signals;
use super::supervise::{EXIT_DISK, EXIT_TIMEOUT, name_this_process, say};
use crate::kernel::name_over;
use crate::session::Limit;
use crate::units::{Bytes, Seconds};

/// What the kernel's own timer allows beyond deadline and grace.
const KERNEL_MARGIN: Duration = Duration::from_secs(2);

/// A moment by which this process must have ended, kept by a timer of the kernel's that kills it, and with it the container. The command runs
/// as the same user and could stop this process with SIGSTOP; it cannot stop the kernel.
struct KernelTimer(Timer);

impl KernelTimer {
    fn new() -> io::Result<Self> {
        let event = SigEvent::new(SigevNotify::SigevSignal { signal: Signal::SIGKILL, si_value: 0 });
        Ok(Self(Timer::new(ClockId::CLOCK_MONOTONIC, event)?))
    }

    fn set(&mut self, limit: Duration, grace: Duration) -> io::Result<()> {
        Ok(self.0.set(Expiration::OneShot((limit + grace + KERNEL_MARGIN).into()), TimerSetTimeFlags::empty())?)
    }
}

/// When the command must have ended, kept twice: by this process's own clock and by the kernel's.
pub struct Deadline {
    at: Instant,
    limit: Duration,
    _kernel: KernelTimer,
}

impl Deadline {
    /// So long from now.
    pub fn set(limit: Duration, grace: Duration) -> io::Result<Self> {
        let mut kernel = KernelTimer::new()?;
        kernel.set(limit, grace)?;
        Ok(Self { at: Instant::now() + limit, limit, _kernel: kernel })
    }
}

/// The command's deadline, the session's life, and what its files may take.
pub struct Keeper {
    life: Life,
    disk: Disk,
    timeout: Option<Deadline>,
    grace: Duration,
    /// For the session's own deadline, which moves.
    kernel: Option<(KernelTimer, Instant)>,
}

impl Keeper {
    /// Of all.
    pub fn new(life: Life, disk: Disk, timeout: Option<Deadline>, grace: Duration) -> io::Result<Self> {
        let mut keeper = Self { life, disk, timeout, grace, kernel: None };
        keeper.arm()?;
        Ok(keeper)
    }

    /// The session's.
    pub fn life(&self) -> &Life {
        &self.life
    }

    /// When to look again.
    pub fn next(&self) -> Option<Instant> {
        self.timeout.as_ref().map(|timeout| timeout.at).into_iter().chain(self.life.next()).min()
    }

    /// By which exit code it is over, where it is; that is said, as what is to come is.
    pub fn over(&mut self, signals: &Signals) -> io::Result<Option<u8>> {
        self.arm()?;
        for due in self.disk.due() {
            if Self::told_of_disk(due, signals) {
                return Ok(Some(EXIT_DISK));
            }
        }
        if let Some(timeout) = self.timeout.as_ref().filter(|timeout| timeout.at <= Instant::now()) {
            say(&format!("timeout: the command ran for {} s and is ended; --timeout sets the limit", timeout.limit.as_secs()));
            return Ok(Some(EXIT_TIMEOUT));
        }
        let shown = |span: Duration| Seconds::new(span.as_secs());
        let (text, is_over) = match self.life.look() {
            Due::Nothing => return Ok(None),
            Due::WarnEnd(left) => {
                let left = Seconds::new((left + Duration::from_millis(999)).as_secs());
                (format!("ttl: this session is stopped in {left}; palisade renew moves its deadline"), false)
            }
            Due::WarnIdle(unused, left) => {
                let left = Seconds::new((left + Duration::from_millis(999)).as_secs());
                (format!("idle: nobody has used this session for {}, it is stopped in {left} unless somebody does", shown(unused)), false)
            }
            Due::End(ttl) => {
                (format!("ttl: the {} of this session are over and it is stopped; palisade start begins it anew", shown(ttl)), true)
            }
            Due::Idle(idle) => {
                (format!("idle: nobody has used this session for {} and it is stopped; palisade start begins it anew", shown(idle)), true)
            }
        };
        say(&text);
        signals.say(&format!("palisade: {text}"));
        Ok(is_over.then_some(EXIT_TIMEOUT))
    }

    /// Says it, here and by this process's name; whether the session is over by it.
    fn told_of_disk(due: disk::Due, signals: &Signals) -> bool {
        let shown = Bytes::new;
        let (text, name, is_over) = match due {
            disk::Due::Below => (None, "palisade".to_owned(), false),
            disk::Due::Warn(bytes, cap) => {
                let text = format!("its files take {}, more than {}; --disk-soft sets the limit", shown(bytes), shown(cap));
                (Some(text), name_over(Limit::DiskSoft, shown(cap)), false)
            }
            disk::Due::Spared(bytes, above) => {
                let text = format!(
                    "its files take {}, more than --disk-hard allows; it is stopped above {}: make room",
                    shown(bytes),
                    shown(above)
                );
                (Some(text), name_over(Limit::DiskHard, shown(above)), false)
            }
            disk::Due::Stop(bytes, cap) => {
                let text =
                    format!("its files take {}, more than {}, and it is stopped; --disk-hard sets the limit", shown(bytes), shown(cap));
                (Some(text), name_over(Limit::DiskHard, shown(cap)), true)
            }
        };
        // Best effort: the log and the terminals tell it too.
        let _ = name_this_process(&name);
        if let Some(text) = text {
            say(&format!("disk: {text}"));
            signals.say(&format!("palisade: disk: {text}"));
        }
        is_over
    }

    /// Has the kernel keep the deadline as it is now.
    fn arm(&mut self) -> io::Result<()> {
        let Some(ends) = self.life.ends() else { return Ok(()) };
        if self.kernel.as_ref().is_some_and(|(_, armed)| *armed == ends) {
            return Ok(());
        }
        let mut timer = match self.kernel.take() {
            Some((timer, _)) => timer,
            None => KernelTimer::new()?,
        };
        timer.set(ends.saturating_duration_since(Instant::now()), self.grace)?;
        self.kernel = Some((timer, ends));
        Ok(())
    }
}
