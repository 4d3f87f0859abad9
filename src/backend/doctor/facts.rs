use jiff::Timestamp;

use crate::backend::engine::{Endpoint, EngineInfo, EngineVersion};
use crate::backend::image::State;
use crate::failure::Failure;
use crate::units::Bytes;

/// Everything that is judged.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The engine's, or why it does not answer.
    pub engine: Result<EngineSide, Failure>,
    /// This machine's.
    pub host: HostSide,
    /// The present moment.
    pub now: Timestamp,
}

/// What the engine says.
#[derive(Debug, Clone)]
pub struct EngineSide {
    /// Where it is.
    pub endpoint: Endpoint,
    /// Its version.
    pub version: EngineVersion,
    /// What it says of its host.
    pub info: EngineInfo,
    /// The sandbox image's tag, and what has it.
    pub image: (String, Result<ImageSide, Failure>),
    /// The supervisor's volume.
    pub supervisor: (String, Result<SupervisorSide, Failure>),
    /// The depot's container.
    pub depot: (String, Result<DepotSide, Failure>),
}

/// The package depot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DepotSide {
    /// It will be made by the first launch that needs it.
    Absent,
    /// Someone else's container has its name.
    Foreign,
    /// It will be started by the next launch that needs it.
    Stopped,
    /// It runs.
    Running {
        /// Registries that it could not reach when it last asked, and why.
        away: Vec<String>,
    },
}

/// The sandbox image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSide {
    /// Whether it is there, and fit.
    pub state: State,
    /// When it was made and how large it is, where it is ours.
    pub made: Option<(Timestamp, Bytes)>,
}

/// The volume with the supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SupervisorSide {
    /// It will be made by the first launch.
    Absent,
    /// It is ours.
    Ours,
    /// Someone else's volume has its name.
    Foreign,
}

/// What this machine shows.
#[derive(Debug, Clone)]
pub struct HostSide {
    /// What this binary is made for, in the engine's words.
    pub architecture: &'static str,
    /// Kernel release.
    pub kernel: String,
    /// Whether this process is root.
    pub is_root: bool,
    /// Whether its settings let a session's supervisor be reached past the engine.
    pub direct_terminals: bool,
    /// Whether this kernel has `AppArmor` on; `None` where it does not say.
    pub apparmor: Option<bool>,
    /// Free space where a local engine keeps its data; `None` where it cannot be seen from here.
    pub disk_free: Option<Bytes>,
    /// How many certificate authorities there are to build images with.
    pub authorities: Result<usize, Failure>,
    /// The proxy to the registries, where all that the settings say of them can be read.
    pub proxy: Result<String, Failure>,
}

impl Facts {
    /// Whether the engine's containers are processes of this very kernel.
    pub fn is_local(&self) -> bool {
        self.engine.as_ref().is_ok_and(|engine| engine.endpoint.socket.is_some() && engine.version.kernel == self.host.kernel)
    }
}
