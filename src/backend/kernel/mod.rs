//! The kernel's facts of sessions: from this machine's `/proc` where the engine is local, by a one-shot container
//! of ours where it is not. The reading itself is [`crate::kernel`]'s; what follows from it is `policy::audit`'s.

pub mod probe;

use std::sync::Arc;

use crate::failure::{Code, Failure, Result};
use crate::session::KernelFacts;

use super::engine::Engine;
pub use crate::kernel::{GATE_NAME, GateProof, HostReader, ProbeReport, Unreadable, hex};

/// Whom to look at, and with what the probe is made where it comes to that.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Full id of the session's container.
    pub container_id: &'a str,
    /// Its first process, as the engine numbers it.
    pub pid: u32,
    /// An image that is present, by id: the session's own will do.
    pub image_id: &'a str,
    /// The volume with this program.
    pub supervisor_volume: &'a str,
}

/// From the host where that is possible, else by a probe.
pub async fn read(reader: &Arc<HostReader>, engine: &dyn Engine, target: Target<'_>) -> Result<KernelFacts> {
    let (here, id, pid) = (Arc::clone(reader), target.container_id.to_owned(), target.pid);
    let from_host = tokio::task::spawn_blocking(move || here.read(&id, pid)).await;
    match from_host {
        Ok(Ok(facts)) => Ok(facts),
        Ok(Err(Unreadable::Gone)) => Err(Failure::new(Code::Conflict, "the session ended while it was measured")),
        Ok(Err(_)) => probe::read(engine, target.container_id, target.image_id, target.supervisor_volume).await,
        Err(fault) => Err(Failure::new(Code::Internal, format!("the kernel's facts could not be read: {fault}"))),
    }
}
