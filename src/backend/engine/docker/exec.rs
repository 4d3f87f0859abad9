//! A command in a running container: three requests, or four.

use std::time::Duration;

use bollard::errors::Error;
use bollard::exec::{StartExecOptions, StartExecResults};

use super::super::call::Noun;
use super::super::{Attached, Engine, ExecRequest, convert, reference, streams, terminal};
use super::{DockerEngine, ORDINARY_S};
use crate::failure::Result;

/// A piece of its output at most.
const PIECE: usize = 64 * 1024;

impl DockerEngine {
    /// Creates it, starts it, attaches to it, and gives its terminal a size.
    pub(super) async fn start_exec(&self, container: &str, request: &ExecRequest) -> Result<(String, Attached)> {
        let name = reference::name("container", container)?;
        let call = self.call("run a command in the container", Noun::Container, name);
        let config = convert::exec::request(request, self.api);
        let id = self.docker.create_exec(name, config).await.map_err(|error| call.failure(&error))?.id;
        let attached = match request.terminal {
            Some(_) if terminal::is_reached(&self.endpoint) => {
                let start = terminal::start(&self.endpoint, self.api, &id, call.clone());
                let started = tokio::time::timeout(Duration::from_secs(ORDINARY_S), start).await;
                started.unwrap_or(Err(Error::RequestTimeoutError)).map_err(|error| call.failure(&error))?
            }
            terminal => {
                let options = StartExecOptions { detach: false, tty: terminal.is_some(), output_capacity: Some(PIECE) };
                match self.docker.start_exec(&id, Some(options)).await.map_err(|error| call.failure(&error))? {
                    StartExecResults::Attached { output, input } => Attached { output: streams::output(output, call), input },
                    StartExecResults::Detached => return Err(call.broken("the engine detached from a command that was to be attached")),
                }
            }
        };
        if let Some(size) = request.terminal {
            // A command that has ended already has no size to be told, and whatever else is wrong shows in its streams.
            let _ = self.resize_exec(&id, size).await;
        }
        Ok((id, attached))
    }
}
