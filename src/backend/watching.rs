//! Many sessions measured at once, for whoever keeps watching them.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};

use super::Backend;
use super::drift::Made;
use super::measure::{Moment, requested_of};
use crate::failure::Result;
use crate::kernel::Unreadable;
use crate::policy::drift::Difference;
use crate::policy::{Network, Posture, audit};
use crate::session::{ContainerFacts, KernelFacts, Status};

/// Inspected and measured at once: the engine answers in a millisecond, a probe takes longer.
const AT_ONCE: usize = 8;

impl Backend {
    /// What the engine reports of each of these containers.
    pub async fn inspect_all(&self, containers: &[String]) -> Vec<(String, Result<ContainerFacts>)> {
        let inspected = containers.iter().map(|id| async move { (id.clone(), self.engine.inspect(id).await) });
        // Boxed, so that whoever asks may do so in a task of its own.
        let inspected: Vec<BoxFuture<'_, _>> = inspected.map(FutureExt::boxed).collect();
        stream::iter(inspected).buffered(AT_ONCE).collect().await
    }

    /// The posture of each of these containers and in what it drifted from its plan, in the order given. Where the engine's host is this machine its processes are
    /// looked through once for all of them, and the engine is asked nothing.
    pub async fn postures(&self, containers: &[Arc<ContainerFacts>]) -> Vec<(Posture, Vec<Difference>)> {
        let is_live = |facts: &ContainerFacts| matches!(facts.status, Some(Status::Running | Status::Paused)) && facts.pid.is_some();
        let live: Vec<Arc<ContainerFacts>> = containers.iter().filter(|facts| is_live(facts)).cloned().collect();
        let (reader, count) = (Arc::clone(&self.kernel), live.len());
        let read = tokio::task::spawn_blocking(move || {
            let pids: Vec<(&str, u32)> = live.iter().filter_map(|facts| Some((facts.id.as_str(), facts.pid?))).collect();
            reader.read_many(&pids)
        });
        let read = read.await.unwrap_or_else(|error| vec![Err(Unreadable::Other(error.to_string())); count]);
        let mut read = read.into_iter();
        let pairs = containers.iter().map(|facts| (facts, if is_live(facts) { read.next() } else { None }));
        let postures = pairs.map(|(facts, read)| async move {
            let kernel: std::result::Result<KernelFacts, String> = match read {
                Some(read) => self.or_by_probe(facts, Moment::Later, read).await,
                None => Err("the session is not running".to_owned()),
            };
            let posture = audit::audit(requested_of(facts).as_ref(), facts, kernel.as_ref().map_err(String::as_str));
            let made = Made::read(&facts.labels);
            let drifted = match made {
                Ok(made) => self.drifted_from(&made, facts, kernel.as_ref().ok()).await,
                Err(_) => Vec::new(),
            };
            (posture, drifted)
        });
        let postures: Vec<BoxFuture<'_, _>> = postures.map(FutureExt::boxed).collect();
        stream::iter(postures).buffered(AT_ONCE).collect().await
    }

    /// With which network a container was launched, as its label says.
    pub fn network_of(container: &ContainerFacts) -> Option<Network> {
        requested_of(container).map(|requested| requested.network)
    }
}
