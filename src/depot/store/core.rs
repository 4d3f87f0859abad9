//! What all parts of a store share: one value behind an `Arc`, whose locks are held for moments only.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::check::Check;
use super::flight::Flight;
use super::pace::Pace;
use super::places::Places;
use super::stock::Stock;
use super::{Limits, scan, usage};
use crate::depot::promise::Digest;

/// Blobs that are proved at once: enough for every core of a small machine, few enough to leave threads for streams.
const CHECKS: usize = 4;

pub(super) struct Core {
    pub(super) places: Places,
    pub(super) limits: Limits,
    pub(super) pace: Arc<Pace>,
    pub(super) stock: Mutex<Stock>,
    /// Held, by blocking threads alone, while a file gets or loses its name, so that stock and disk agree. Taken before `stock`.
    pub(super) names: Mutex<()>,
    /// Fetches under way.
    pub(super) flights: Mutex<HashMap<Digest, Arc<Flight>>>,
    /// Proofs under way.
    pub(super) checks: Mutex<HashMap<Digest, Check>>,
    pub(super) permits: Semaphore,
    /// Aliases at which those that lead nowhere are looked for.
    pub(super) sweep_at: Mutex<usize>,
    /// When the last uses were written down.
    pub(super) saved: Mutex<Instant>,
}

impl Core {
    pub(super) fn open(root: &Path, limits: Limits) -> io::Result<Self> {
        let places = Places::open(root)?;
        let mut stock = scan::scan(&places)?;
        let now = millisecond();
        usage::load(&places, &mut stock, now);
        let sweep_at = stock.len() + super::sweep::SLACK;
        let core = Self {
            places,
            limits,
            pace: Arc::default(),
            stock: Mutex::new(stock),
            names: Mutex::default(),
            flights: Mutex::default(),
            checks: Mutex::default(),
            permits: Semaphore::new(CHECKS),
            sweep_at: Mutex::new(sweep_at),
            saved: Mutex::new(Instant::now()),
        };
        // The limits may be narrower than they were.
        core.evict(|stock| stock.taken() <= limits.size && stock.len() <= super::room::MOST_BLOBS);
        lock(&core.stock).evicted = 0;
        Ok(core)
    }

    /// Milliseconds since 1970.
    #[expect(clippy::unused_self, reason = "the store's clock is asked for in one place")]
    pub(super) fn now(&self) -> u64 {
        millisecond()
    }

    /// Runs a short step where blocking is allowed.
    pub(super) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        step: impl FnOnce(&Arc<Self>) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let core = Arc::clone(self);
        tokio::task::spawn_blocking(move || step(&core)).await.map_err(io::Error::other)?
    }
}

/// A lock whose holder panicked is as good as any: what it guards is changed in single steps.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "the store orders its blobs by the time of their last use")]
fn millisecond() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0)
}
