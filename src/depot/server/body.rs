use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use futures_util::Stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use tokio::sync::OwnedSemaphorePermit;

use super::{Depot, now};
use crate::depot::ledger::{Event, Outcome};
use crate::depot::store::ByteStream;

/// Of a request that was neither refused nor answered.
const LEFT: &str = "the client left before there was an answer";

/// Every answer's body.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A short body.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// What becomes an event when the answer ends, however it ends.
pub struct Record {
    depot: Arc<Depot>,
    /// What is known of it so far.
    pub event: Event,
    began: Instant,
    /// Something else writes the event down.
    handed_on: bool,
}

impl Record {
    /// Begins to count time.
    pub fn new(depot: &Arc<Depot>, event: Event) -> Self {
        Self { depot: Arc::clone(depot), event, began: Instant::now(), handed_on: false }
    }

    /// Whole as it is: the answer is a short one.
    pub fn complete(mut self) {
        self.event.complete = true;
    }

    /// The event, for whoever knows more of it later.
    fn hand_on(&mut self) -> (Arc<Depot>, Event) {
        self.handed_on = true;
        self.stamp();
        (Arc::clone(&self.depot), self.event.clone())
    }

    fn stamp(&mut self) {
        self.event.at = now();
        self.event.elapsed_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.handed_on {
            self.stamp();
            // What failed says why.
            if self.event.outcome == Outcome::Failed && self.event.note.is_empty() {
                LEFT.clone_into(&mut self.event.note);
            }
            self.depot.ledger.record(self.event.clone());
        }
    }
}

/// What finds out, after the body's end, how the fetch ended.
type Afterwards = Box<dyn FnOnce(Arc<Depot>, Event) + Send>;

/// A body that counts what is taken of it.
pub struct Counted {
    stream: ByteStream,
    record: Record,
    from_store: bool,
    /// Bytes still to come, where the head says how many.
    left: Option<u64>,
    afterwards: Option<Afterwards>,
    _permits: Vec<OwnedSemaphorePermit>,
}

impl Counted {
    /// Bytes from the store.
    pub fn stored(stream: ByteStream, size: Option<u64>, record: Record, permits: Vec<OwnedSemaphorePermit>) -> Self {
        Self { stream, record, from_store: true, left: size, afterwards: None, _permits: permits }
    }

    /// Bytes as they are fetched for this request; `afterwards` writes the event down.
    pub fn fetched(
        stream: ByteStream,
        size: Option<u64>,
        record: Record,
        permits: Vec<OwnedSemaphorePermit>,
        afterwards: Afterwards,
    ) -> Self {
        Self { stream, record, from_store: false, left: size, afterwards: Some(afterwards), _permits: permits }
    }

    /// As a body.
    pub fn body(self) -> Body {
        use futures_util::TryStreamExt;
        StreamBody::new(self.map_ok(Frame::data)).boxed_unsync()
    }
}

impl Counted {
    /// Of a body whose length the head told, nobody asks for the end once that much was taken.
    fn took(&mut self, bytes: u64) {
        if self.from_store {
            self.record.event.store_bytes += bytes;
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(bytes);
            self.record.event.complete |= *left == 0;
        }
    }
}

impl Stream for Counted {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.stream.as_mut().poll_next(cx);
        match &next {
            Poll::Ready(Some(Ok(chunk))) => self.took(chunk.len() as u64),
            Poll::Ready(None) => self.record.event.complete = true,
            Poll::Ready(Some(Err(error))) => self.record.event.note = crate::units::sanitise(&error.to_string()),
            Poll::Pending => {}
        }
        next
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(afterwards) = self.afterwards.take() {
            let (depot, event) = self.record.hand_on();
            afterwards(depot, event);
        }
    }
}
