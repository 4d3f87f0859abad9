//! The engine watched: its events first, a list on every change, and a sweep, because events get lost. One task owns this.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use super::Link;
use crate::backend::limits::{LOOK_EVERY, Since};
use crate::dashboard::app::Message;
use crate::dashboard::app::link::EngineFacts;
use crate::failure::{Code, Failure};
use crate::session::EventKind;
use crate::units::sanitise;

/// After an event so long is waited for others before the list is asked for.
const SETTLE: Duration = Duration::from_millis(100);
/// Lists that events ask for are so far apart: a sandbox can make events without end, and each list is work for the engine.
const APART: Duration = Duration::from_millis(500);
/// Events get lost: the list is asked for at least this often.
const SWEEP: Duration = Duration::from_secs(30);
/// An engine that went away is tried again after this, then after twice as long, up to the longest.
const FIRST_TRY: Duration = Duration::from_millis(250);
const LONGEST_TRY: Duration = Duration::from_secs(4);

/// Watches until the inbox is closed. A wish to list now comes by `wishes`.
pub async fn watch(link: Link, mut wishes: mpsc::Receiver<()>) {
    let mut pause = FIRST_TRY;
    loop {
        let ended = session(&link, &mut wishes, &mut pause).await;
        if link.inbox.send(Message::WatchEnded(ended)).await.is_err() {
            return;
        }
        tokio::select! {
            () = sleep(pause) => {}
            _ = wishes.recv() => {}
        }
        pause = (pause * 2).min(LONGEST_TRY);
    }
}

/// From a stream's beginning to its end.
async fn session(link: &Link, wishes: &mut mpsc::Receiver<()>, pause: &mut Duration) -> Failure {
    // Nothing is missed between the list and the first event: the stream counts from here.
    let mut events = link.backend.events();
    let mut list_at = Some(Instant::now());
    let mut greeted = false;
    let mut listed = Instant::now() - APART;
    let mut limits = link.backend.limit_watch();
    let mut networks = link.backend.engine().network_changes();
    // What has ended, with its exit code; the first list tells what ended before.
    let (mut died, mut is_first) = (BTreeMap::new(), true);
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let due = list_at.unwrap_or(listed + SWEEP);
        tokio::select! {
            biased;
            event = events.next() => match event {
                Some(Ok(event)) => {
                    limits.hear(&event);
                    if let EventKind::Died { exit_code } = event.what {
                        died.insert(event.container.clone(), exit_code);
                    }
                    list_at.get_or_insert_with(|| (Instant::now() + SETTLE).max(listed + APART));
                    if link.inbox.send(Message::Happened(event)).await.is_err() {
                        return gone();
                    }
                }
                Some(Err(failure)) => return failure,
                None => return Failure::new(Code::EngineUnreachable, "the engine ended its stream of events"),
            },
            wish = wishes.recv() => match wish {
                Some(()) => list_at = Some(Instant::now()),
                None => return gone(),
            },
            // Where the engine tells of none, its networks are seen when the container is looked at.
            Some(container) = networks.next() => link.tell(Message::Rewired(container)).await,
            // No event tells of a limit that was run into: the kernel's files do, at the price of a look.
            _ = look.tick() => {
                for event in limits.look(now()).await {
                    link.tell(Message::Happened(event)).await;
                }
            }
            () = sleep_until(due) => {
                list_at = None;
                listed = Instant::now();
                match link.backend.survey().await {
                    Ok(survey) => {
                        *pause = FIRST_TRY;
                        limits.follow_all(&survey.sessions, Since::Start);
                        if is_first || !died.is_empty() {
                            let (link, sessions) = (link.clone(), survey.sessions.clone());
                            let heard = std::mem::take(&mut died).into_iter().filter_map(|(id, code): (_, Option<i64>)| Some((id, code?))).collect();
                            tokio::spawn(async move { link.backend.note_ends("dashboard", &sessions, &heard).await });
                            is_first = false;
                        }
                        link.tell(Message::Observed(Ok(survey))).await;
                        if !greeted {
                            greeted = true;
                            greet(link).await;
                        }
                    }
                    Err(failure) => return failure,
                }
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "what is seen now is told with its time")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Who the engine is, after the list: nobody waits for that.
async fn greet(link: &Link) {
    let version = link.backend.engine().version().await;
    let info = link.backend.engine().info().await;
    if let (Ok(version), Ok(info)) = (version, info) {
        let endpoint = sanitise(&link.backend.engine().endpoint().uri);
        let facts = EngineFacts { product: version.product, version: version.version, endpoint, cpus: info.cpus };
        link.tell(Message::Connected(facts)).await;
    }
}

fn gone() -> Failure {
    Failure::new(Code::Interrupted, "the dashboard ends")
}
