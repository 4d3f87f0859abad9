//! What sessions use: from cgroup files where the engine's are this machine's, which asks the engine nothing, else by its stats.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};

use super::Backend;
use crate::failure::{Code, Failure, Result};
use crate::kernel::Unreadable;
use crate::session::Usage;

/// How many stats an engine is asked for at once: each costs it work in proportion.
const AT_ONCE: usize = 8;

impl Backend {
    /// What these containers use now, by full id, in the order given. Ask for those that run.
    pub async fn usage(&self, containers: &[String]) -> Vec<(String, Result<Usage>)> {
        let read = self.usage_from_files(containers).await;
        let is_here = self.usage.is_here();
        let found = containers.iter().zip(read).map(|(id, read)| async move {
            let usage = match read {
                Ok(usage) => Ok(usage),
                // One that is not here while others are does not run; the engine would say no more.
                Err(Unreadable::NotLocal) if is_here => Err(not_running(id)),
                Err(Unreadable::Gone) => Err(not_running(id)),
                Err(_) => self.engine.stats(id).await,
            };
            (id.clone(), usage)
        });
        // Boxed, so that whoever asks may do so in a task of its own.
        let found: Vec<BoxFuture<'_, _>> = found.map(FutureExt::boxed).collect();
        stream::iter(found).buffered(AT_ONCE).collect().await
    }

    async fn usage_from_files(&self, containers: &[String]) -> Vec<std::result::Result<Usage, Unreadable>> {
        if self.engine.endpoint().socket.is_none() {
            return vec![Err(Unreadable::NotLocal); containers.len()];
        }
        let (reader, ids) = (Arc::clone(&self.usage), containers.to_vec());
        let read = tokio::task::spawn_blocking(move || reader.read(&ids)).await;
        read.unwrap_or_else(|error| vec![Err(Unreadable::Other(error.to_string())); containers.len()])
    }
}

fn not_running(id: &str) -> Failure {
    let short: String = id.chars().take(12).collect();
    Failure::new(Code::Conflict, format!("the container {short} is not running"))
}
