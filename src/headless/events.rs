//! `events`: what happens to sessions, as it happens.

use futures_util::StreamExt;
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval};

use super::document::Document;
use super::foreground::Signals;
use super::{Context, Done};
use crate::backend::Backend;
use crate::backend::limits::{LOOK_EVERY, Since};
use crate::failure::{Code, Failure};
use crate::session::{EngineEvent, EventKind, labels};
use crate::units::sanitise;

/// A line of `events --json`.
#[derive(Debug, Serialize)]
pub struct Happening {
    #[serde(flatten)]
    event: EngineEvent,
}

/// Prints what happens to sessions, all of them where none is named, until it is told to end or the engine goes away.
pub async fn events(context: &Context, backend: &Backend, names: &[String]) -> Done {
    let mut signals = Signals::listen()?;
    let mut events = backend.events();
    let mut wanted = Vec::new();
    for who in names {
        wanted.push(backend.find(who).await?.container_id);
    }
    let note = if names.is_empty() { "watching every session".to_owned() } else { format!("watching {}", names.join(", ")) };
    let mut limits = backend.limit_watch();
    limits.follow_all(&backend.sessions().await?, Since::Now);
    // Said once it is so: what is run into from here on is told.
    let reached = limits.look(now()).await;
    context.output.note(&format!("{note}; ctrl-c ends this"));
    let is_wanted = |event: &EngineEvent| wanted.is_empty() || wanted.contains(&event.container);
    reached.into_iter().filter(is_wanted).for_each(|event| show(context, event));
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let happened = tokio::select! {
            event = events.next() => match event {
                Some(Ok(event)) => {
                    limits.hear(&event);
                    if event.what == EventKind::Started {
                        limits.follow(&event.container, &event.name, Since::Start);
                    }
                    vec![event]
                }
                Some(Err(failure)) => return Err(failure.into()),
                None => return Err(Failure::new(Code::EngineUnreachable, "the engine ended its stream of events").into()),
            },
            _ = look.tick() => limits.look(now()).await,
            _ = signals.next() => return Ok(0),
        };
        happened.into_iter().filter(is_wanted).for_each(|event| show(context, event));
        if context.output.reader_gone() {
            return Ok(0);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "what is seen now is told with its time")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn show(context: &Context, event: EngineEvent) {
    if context.output.is_json() {
        context.output.document(&Document::new(Happening { event }));
        return;
    }
    let name = event.name.raw().strip_prefix(labels::CONTAINER_PREFIX).unwrap_or(event.name.raw());
    context.output.text(&format!("{:.3}  {}  {}\n", event.at, sanitise(name), event.what.words()));
}
