//! A request's streamed body, which remembers why it broke: the transport would report our own failing
//! reader as a broken connection.

use std::sync::{Arc, Mutex};

use futures_util::StreamExt;

use super::ByteStream;
use crate::failure::{Code, Failure};

/// What the reader behind a body said when it failed.
#[derive(Clone, Default)]
pub(super) struct ReaderFault(Arc<Mutex<Option<Failure>>>);

impl ReaderFault {
    /// The reader's own failure where it was that, and not the engine, that broke the request.
    pub(super) fn or(&self, otherwise: Failure) -> Failure {
        let mut slot = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        slot.take().unwrap_or(otherwise)
    }
}

/// The stream as bollard takes it, and the place to look when the request fails.
pub(super) fn watched(
    stream: ByteStream,
) -> (impl futures_util::Stream<Item = std::io::Result<bytes::Bytes>> + Send + 'static, ReaderFault) {
    let fault = ReaderFault::default();
    let slot = fault.clone();
    let watched = stream.inspect(move |chunk| {
        if let Err(error) = chunk {
            let failure = super::failure_in(error)
                .cloned()
                .unwrap_or_else(|| Failure::new(Code::Io, format!("what was being sent to the engine could not be read: {error}")));
            *slot.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(failure);
        }
    });
    (watched, fault)
}
