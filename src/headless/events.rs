//! `events`: what happens to sessions, as it happens.

use futures_util::StreamExt;
use serde::Serialize;

use super::document::Document;
use super::foreground::Signals;
use super::{Context, Done};
use crate::backend::Backend;
use crate::failure::{Code, Failure};
use crate::session::{EngineEvent, labels};
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
    context.output.note(&format!("{note}; ctrl-c ends this"));
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = signals.next() => return Ok(0),
        };
        match event {
            Some(Ok(event)) if wanted.is_empty() || wanted.contains(&event.container) => show(context, event),
            Some(Ok(_)) => {}
            Some(Err(failure)) => return Err(failure.into()),
            None => return Err(Failure::new(Code::EngineUnreachable, "the engine ended its stream of events").into()),
        }
        if context.output.reader_gone() {
            return Ok(0);
        }
    }
}

fn show(context: &Context, event: EngineEvent) {
    if context.output.is_json() {
        context.output.document(&Document::new(Happening { event }));
        return;
    }
    let name = event.name.raw().strip_prefix(labels::CONTAINER_PREFIX).unwrap_or(event.name.raw());
    context.output.text(&format!("{:.3}  {}  {}\n", event.at, sanitise(name), event.what.words()));
}
