//! What both front ends call. Knows the engine through a trait and the kernel through its files; prints nothing.

pub mod copy;
pub mod engine;
pub mod kernel;
mod order;

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::failure::{Code, Failure, Result};
use crate::policy::{Plan, Posture};
use crate::session::{ContainerFacts, Session};
use engine::{Attached, Engine, ExecRequest, Input, LogOptions, OutputStream, Progress};

pub use order::{Order, Pull};

/// Hears of long work as it goes: a progress bar, a notice line, or nobody.
pub trait Reporter: Send + Sync {
    /// A new step began.
    fn step(&self, text: &str);
    /// The engine's own progress within the step.
    fn progress(&self, progress: &Progress);
    /// Something the operator should know that is no failure.
    fn warning(&self, text: &str);
}

/// The backend: one engine, and this machine's settings.
pub struct Backend {
    engine: Arc<dyn Engine>,
}

/// A session that was launched, with the posture that was measured before its command began.
#[derive(Debug, Clone)]
pub struct Launched {
    /// The session.
    pub session: Session,
    /// Its posture.
    pub posture: Posture,
}

/// A foreground session: its streams and its end.
pub struct Running {
    /// The session and its posture.
    pub launched: Launched,
    /// Its standard input.
    pub input: Input,
    /// Its output.
    pub output: OutputStream,
    /// Resolves with the exit code when the container is gone (ephemeral) or has ended.
    pub exit: BoxFuture<'static, Result<i64>>,
}

/// A session in full.
#[derive(Debug, Clone)]
pub struct Details {
    /// The session.
    pub session: Session,
    /// What the engine reports.
    pub container: ContainerFacts,
    /// Its posture, measured now.
    pub posture: Posture,
}

/// A command running in a session.
pub struct Exec {
    /// The engine's id.
    pub id: String,
    /// Its streams.
    pub attached: Attached,
}

fn placeholder<T>() -> Result<T> {
    Err(Failure::new(Code::Internal, "placeholder"))
}

#[expect(clippy::unused_async, unused_variables, reason = "placeholder")]
impl Backend {
    /// Over an engine that answers.
    pub fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine }
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// Every session, by name.
    pub async fn sessions(&self) -> Result<Vec<Session>> {
        placeholder()
    }

    /// One session by its name, its id, or an unambiguous beginning of its id.
    pub async fn find(&self, who: &str) -> Result<Session> {
        placeholder()
    }

    /// Everything about one session.
    pub async fn details(&self, who: &str) -> Result<Details> {
        placeholder()
    }

    /// What a launch would ask of the engine.
    pub async fn plan(&self, order: &Order) -> Result<Plan> {
        placeholder()
    }

    /// Launches in the background.
    pub async fn launch(&self, order: &Order, reporter: &dyn Reporter) -> Result<Launched> {
        placeholder()
    }

    /// Launches in the foreground.
    pub async fn run(&self, order: &Order, reporter: &dyn Reporter) -> Result<Running> {
        placeholder()
    }

    /// Measures the posture of a session now.
    pub async fn verify(&self, who: &str) -> Result<(Session, Posture)> {
        placeholder()
    }

    /// Runs a command in a live session.
    pub async fn exec(&self, who: &str, request: &ExecRequest) -> Result<Exec> {
        placeholder()
    }

    /// The exit code of an exec whose output has ended.
    pub async fn exec_exit(&self, exec: &str) -> Result<i64> {
        placeholder()
    }

    /// The session's log.
    pub async fn logs(&self, who: &str, options: &LogOptions) -> Result<OutputStream> {
        placeholder()
    }

    /// Sends a signal to the session's command, by its name (`SIGINT`).
    pub async fn signal(&self, who: &str, signal: &str) -> Result<()> {
        placeholder()
    }

    /// Stops it: SIGTERM, its grace, SIGKILL. `None` takes the grace it was launched with.
    pub async fn stop(&self, who: &str, grace_s: Option<u64>) -> Result<Session> {
        placeholder()
    }

    /// Starts a stopped session again and measures it as at launch. `secrets` as at launch (`NAME[=ENV]`), where other than then.
    pub async fn start(&self, who: &str, secrets: &[String]) -> Result<Launched> {
        placeholder()
    }

    /// Removes a session and its volumes. A live one only with `force`.
    pub async fn remove(&self, who: &str, force: bool) -> Result<Session> {
        placeholder()
    }

    /// Copies a local file or folder into a session's folder.
    pub async fn copy_in(&self, who: &str, local: &std::path::Path, inside: &str) -> Result<CopyReport> {
        placeholder()
    }

    /// Copies a path out of a session, to a local file or folder; never more than `max_size` bytes.
    pub async fn copy_out(&self, who: &str, inside: &str, local: &std::path::Path, max_size: u64) -> Result<CopyReport> {
        placeholder()
    }
}

/// What a copy did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CopyReport {
    /// Files and folders written.
    pub entries: u64,
    /// Bytes of file content.
    pub bytes: u64,
    /// Entries left out (devices, sockets, links that lead outside), with the reason.
    pub skipped: Vec<crate::units::Untrusted>,
}
