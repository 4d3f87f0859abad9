//! Today's plans: when what they are made of changes, and how sessions stand to them. Files are looked at every other second, images
//! with the sweep: no event tells of either.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Link;
use crate::backend::Today;
use crate::config::stamp::Stamp;
use crate::dashboard::app::Message;
use crate::dashboard::app::row::Measured;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How often it is asked which images the names lead to.
const SWEEP: Duration = Duration::from_secs(30);

/// Tells when plans may have changed, until nobody hears.
pub async fn watch(link: Link) {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut known = stamp(&link).await;
    let mut told = Instant::now();
    loop {
        ticks.tick().await;
        let now = stamp(&link).await;
        if now == known && told.elapsed() < SWEEP {
            continue;
        }
        (known, told) = (now, Instant::now());
        if link.inbox.send(Message::PlansChanged).await.is_err() {
            return;
        }
    }
}

async fn stamp(link: &Link) -> Option<Stamp> {
    let paths = link.backend.paths().clone();
    tokio::task::spawn_blocking(move || Stamp::of(&paths)).await.ok()
}

/// Compares each with its plan and with today's.
pub async fn compare(link: Link, measured: Vec<Measured>) {
    let today = Today::default();
    let mut found = Vec::with_capacity(measured.len());
    for one in measured {
        let standing = link.backend.standing_again(&one.facts, one.drifted.as_ref().clone(), &today).await;
        link.backend.noticed(&one.facts, &one.posture, &standing).await;
        found.push((one.facts.id.clone(), standing));
    }
    link.tell(Message::Compared(found)).await;
}
