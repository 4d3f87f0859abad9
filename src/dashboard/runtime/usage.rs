//! What the sessions on the screen use, and what the depot counted: read at an interval, from this machine's files
//! where they are here, so that the engine is asked nothing.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::Link;
use crate::backend::Backend;
use crate::dashboard::app::Message;
use crate::dashboard::app::row::{ContainerId, Sample};
use crate::session::{ContainerFacts, Usage};

/// Usage is read this often.
const EVERY: Duration = Duration::from_secs(3);
/// The depot's counters are read this often.
const CACHE_EVERY: Duration = Duration::from_secs(2);
/// Its counters wait so long for the list that they belong to.
const CACHE_AFTER: Duration = Duration::from_millis(100);
/// What volumes take is counted again no sooner than in so many times what it took, nor than this.
const DISK_PAUSE: u32 = 20;
const DISK_SOONEST: Duration = Duration::from_secs(30);
/// Who the depot is, and whether there is one, is asked this often at most.
const DEPOT_EVERY: Duration = Duration::from_secs(30);

/// Reads the usage of whatever stands in `wanted`, at once when that changes.
pub async fn usage(link: Link, mut wanted: watch::Receiver<Vec<ContainerId>>) {
    loop {
        let ids = wanted.borrow_and_update().clone();
        if !ids.is_empty() {
            let read = link.backend.usage(&ids).await;
            let at = now();
            let samples = read.into_iter().map(|(id, usage)| (id, usage.map(|usage| sample(usage, at)))).collect();
            link.tell(Message::UsageRead(samples)).await;
        }
        tokio::select! {
            () = sleep(EVERY), if !ids.is_empty() => {}
            changed = wanted.changed() => if changed.is_err() { return },
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a rate needs the moment of its reading")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn sample(usage: Usage, at: Timestamp) -> Sample {
    let Usage { cpu_ns, memory, memory_limit, pids, pids_limit } = usage;
    Sample { at, cpu_ns, cpu: None, memory, memory_limit, pids, pids_limit }
}

/// Reads the depot's counters; told only when they change.
pub async fn cache(link: Link) {
    let mut depot: Option<Arc<ContainerFacts>> = None;
    let mut asked: Option<Instant> = None;
    let mut last: Option<Vec<u8>> = None;
    // The list comes first.
    sleep_until(Instant::now() + CACHE_AFTER).await;
    loop {
        let here = match &depot {
            Some(facts) => link.backend.cache_summary_here(facts).await.ok(),
            None => None,
        };
        if let Some(text) = here {
            if text != last {
                let summary = text.as_deref().map(Backend::cache_summary_of).transpose();
                if let Ok(Some(summary)) = &summary {
                    // What it refused is written down, once by whoever notices.
                    let _ = link.backend.note_refusals_in(summary, &[]).await;
                }
                link.tell(Message::CacheRead(summary.map(|summary| summary.map(Box::new)))).await;
                last = text;
            }
        } else if asked.is_none_or(|asked| asked.elapsed() >= DEPOT_EVERY) {
            asked = Some(Instant::now());
            let found = link.backend.depot_container().await;
            depot = found.as_ref().ok().cloned().flatten().map(Arc::new);
            let is_here = match &depot {
                Some(facts) => link.backend.cache_summary_here(facts).await.is_ok(),
                None => false,
            };
            if is_here {
                continue;
            }
            // Elsewhere, or not running: the engine hands its files out.
            let summary = match found {
                Ok(Some(_)) => link.backend.cache_summary().await.map(|summary| summary.map(Box::new)),
                Ok(None) => Ok(None),
                Err(failure) => Err(failure),
            };
            link.tell(Message::CacheRead(summary)).await;
        }
        sleep_until(Instant::now() + CACHE_EVERY).await;
    }
}

/// Counts what volumes of ours take, now and then: the engine walks through them, so it is asked seldom, and no sooner again than in
/// so many times what it took. What was not counted yet, or ran into a cap, has it counted sooner.
pub async fn disk(link: Link, after: Duration, every: Duration, mut uncounted: watch::Receiver<Vec<(ContainerId, u64)>>) {
    sleep_until(Instant::now() + after).await;
    loop {
        uncounted.mark_unchanged();
        let began = Instant::now();
        let taken = link.backend.volumes_taken().await;
        let soonest = Instant::now() + (began.elapsed() * DISK_PAUSE).max(DISK_SOONEST);
        let next = if taken.is_ok() { soonest.max(began + every) } else { soonest };
        link.tell(Message::DiskRead(taken)).await;
        tokio::select! {
            () = sleep_until(next) => {}
            there = wished(&mut uncounted) => if there { sleep_until(soonest).await } else { return },
        }
    }
}

/// Whether there will be more wishes, once there is one.
async fn wished(uncounted: &mut watch::Receiver<Vec<(ContainerId, u64)>>) -> bool {
    uncounted.changed().await.is_ok() && uncounted.wait_for(|ids| !ids.is_empty()).await.is_ok()
}
