//! What both front ends call. Knows the engine through a trait and the kernel through its files; prints nothing.

mod assembly;
mod caps;
mod changes;
pub mod copy;
pub mod depot;
mod direct;
pub mod disk;
pub mod doctor;
mod drift;
pub mod engine;
mod events;
mod evidence;
mod exec;
mod fate;
pub mod image;
mod keep;
pub mod kernel;
mod launch;
mod leftovers;
mod lifecycle;
pub mod limits;
mod listing;
mod measure;
mod observed;
mod order;
mod prepare;
mod processes;
mod reap;
mod record;
mod renew;
mod supervisor_volume;
mod terminals;
mod update;
mod usage;
mod watching;
pub mod workspace;

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::config::{Environment, Paths, Settings};
use crate::failure::Result;
use crate::kernel::{HostReader, UsageReader};
use crate::policy::Posture;
use crate::policy::drift::Standing;
use crate::session::{ContainerFacts, Session};
use crate::state::Database;
use crate::units::Bytes;
use engine::{Attached, Engine, Input, OutputStream, Progress};

pub use assembly::{BuildOrder, Machine};
pub use drift::Today;
pub use fate::{Became, Cut, Fate, Within};
pub use listing::Survey;
pub use order::{Order, Pull};
pub use reap::Reaped;
pub use renew::{Life, Renewed};
pub use terminals::{Terminal, Typing};
pub use update::Update;

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
    environment: Environment,
    paths: Paths,
    settings: Settings,
    kernel: Arc<HostReader>,
    usage: Arc<UsageReader>,
    unrecorded: Arc<record::Unrecorded>,
    noticed: Arc<observed::Noticed>,
    /// The depot as it was looked at last.
    depot_seen: Arc<Mutex<Option<ContainerFacts>>>,
    settled: Arc<leftovers::Settled>,
    state: Database,
    interrupt: CancellationToken,
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
    /// How it stands to its plan and to today's.
    pub standing: Standing,
    /// Its package caches; `None` where it has none.
    pub cache: Option<PrivateCache>,
    /// How long it lives, and who used it last.
    pub life: Life,
}

/// The volume with a session's own package caches.
#[derive(Debug, Clone)]
pub struct PrivateCache {
    /// The volume.
    pub volume: String,
    /// What it takes on disk, or why that is not known.
    pub size: Result<Bytes>,
}

/// A command running in a session.
pub struct Exec {
    /// The engine's id.
    pub id: String,
    /// Its streams.
    pub attached: Attached,
    /// Where it runs.
    pub within: Within,
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

impl Backend {
    /// Over an engine that answers.
    pub fn new(engine: Arc<dyn Engine>, environment: Environment, paths: Paths, settings: Settings) -> Self {
        let state = Database::new(&paths.state);
        Self {
            engine,
            environment,
            paths,
            settings,
            kernel: Arc::new(HostReader::default()),
            usage: Arc::default(),
            unrecorded: Arc::default(),
            noticed: Arc::default(),
            depot_seen: Arc::default(),
            settled: Arc::default(),
            state,
            interrupt: CancellationToken::new(),
        }
    }

    /// The same backend for a piece of work that can be given up by itself.
    #[must_use]
    pub fn for_work(&self, interrupt: CancellationToken) -> Self {
        Self {
            engine: Arc::clone(&self.engine),
            environment: self.environment.clone(),
            paths: self.paths.clone(),
            settings: self.settings.clone(),
            kernel: Arc::clone(&self.kernel),
            usage: Arc::clone(&self.usage),
            unrecorded: Arc::clone(&self.unrecorded),
            noticed: Arc::clone(&self.noticed),
            depot_seen: Arc::clone(&self.depot_seen),
            settled: Arc::clone(&self.settled),
            state: self.state.clone(),
            interrupt,
        }
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// This machine's settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where this machine keeps our files.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// The environment that this program was started with.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Cancelled by a front end when the operator gives up: a launch under way is then undone and fails.
    pub fn interrupt(&self) -> &CancellationToken {
        &self.interrupt
    }
}
