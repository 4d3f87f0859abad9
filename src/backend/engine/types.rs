use std::collections::BTreeMap;

use bytes::Bytes as Chunk;
use jiff::Timestamp;
use serde::Serialize;

use super::{Input, OutputStream};
use crate::session::{ExitFacts, Status};
use crate::units::{Bytes, Untrusted};

/// What `GET /version` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EngineVersion {
    /// `20.10.24`.
    pub version: String,
    /// API version negotiated: the lower of the engine's and ours.
    pub api: (u32, u32),
    /// `linux`.
    pub os: String,
    /// `amd64`.
    pub architecture: String,
    /// Kernel release.
    pub kernel: String,
    /// `Docker Engine`, `Podman Engine`.
    pub product: String,
}

impl EngineVersion {
    /// Whether it is Podman's service, which lacks some of what a session needs.
    pub fn is_podman(&self) -> bool {
        self.product.contains("Podman")
    }
}

/// What `GET /info` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
#[expect(clippy::struct_excessive_bools, reason = "the engine's own fields")]
pub struct EngineInfo {
    /// The engine's own id.
    pub id: String,
    /// Host name.
    pub name: String,
    /// `1` or `2`; empty where it does not say.
    pub cgroup_version: String,
    /// `cgroupfs` or `systemd`.
    pub cgroup_driver: String,
    /// `name=seccomp,profile=default`, `name=apparmor`, `name=userns`, `name=rootless`.
    pub security_options: Vec<String>,
    /// `overlay2`, ….
    pub storage_driver: String,
    /// Where the engine keeps its data, on its host.
    pub root_dir: String,
    /// CPUs of the host.
    pub cpus: u32,
    /// Memory of the host.
    pub memory: Bytes,
    /// Runtimes by name.
    pub runtimes: Vec<String>,
    /// The one used where none is named.
    pub default_runtime: String,
    /// The init binary's name.
    pub init_binary: String,
    /// Whether the engine can limit these; false is a warning of doctor's.
    pub supports_pids_limit: bool,
    /// See `supports_pids_limit`.
    pub supports_memory_limit: bool,
    /// See `supports_pids_limit`.
    pub supports_swap_limit: bool,
    /// See `supports_pids_limit`.
    pub supports_cpu_quota: bool,
    /// What the engine itself warns of.
    pub warnings: Vec<Untrusted>,
}

/// A container in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSummary {
    /// Full id.
    pub id: String,
    /// Name without the slash.
    pub name: Untrusted,
    /// As named.
    pub image: Untrusted,
    /// The engine's rendering.
    pub command: Untrusted,
    /// When created.
    pub created: Timestamp,
    /// State.
    pub status: Status,
    /// The engine's sentence.
    pub status_text: Untrusted,
    /// Labels.
    pub labels: BTreeMap<String, Untrusted>,
}

/// An image in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageSummary {
    /// `sha256:…`.
    pub id: String,
    /// What it was built on, if the engine itself made that; not every engine says.
    #[serde(skip)]
    pub parent: String,
    /// `name:tag`s.
    pub tags: Vec<Untrusted>,
    /// When made.
    pub created: Timestamp,
    /// Size with shared layers.
    pub size: Bytes,
    /// Labels.
    pub labels: BTreeMap<String, Untrusted>,
}

/// A container that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Full id.
    pub id: String,
    /// What the engine did not apply: a limit that it discarded, say.
    pub warnings: Vec<Untrusted>,
}

/// What an engine changes of a container that is there; `None` leaves it as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// Processes and threads.
    pub pids_limit: Option<u64>,
    /// Bytes; swap beyond it is none.
    pub memory: Option<u64>,
    /// Billionths of a CPU.
    pub nano_cpus: Option<u64>,
    /// cpuset(7) list.
    pub cpuset_cpus: Option<String>,
    /// The engine's word.
    pub restart_policy: Option<String>,
}

/// What an engine has counted on its disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DiskUse {
    /// Volumes by name.
    pub volumes: BTreeMap<String, VolumeUse>,
    /// What containers wrote over their images, by full id.
    pub layers: BTreeMap<String, u64>,
}

/// A volume, as counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VolumeUse {
    /// On disk, where its driver tells.
    pub bytes: Option<u64>,
    /// Containers that it is mounted into, running or not.
    pub containers: Option<u64>,
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VolumeFacts {
    /// Its name.
    pub name: String,
    /// Its folder on the engine's host.
    pub mountpoint: String,
    /// The engine's own text for when it was made.
    pub created: String,
    /// Labels.
    pub labels: BTreeMap<String, Untrusted>,
}

/// A helper container: hardened like a session, run once or never, never attached to a sandbox's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneShot {
    /// Container name.
    pub name: String,
    /// Image by id; only its presence matters where the binary comes from a volume.
    pub image: String,
    /// Full argument vector.
    pub entrypoint: Vec<String>,
    /// `uid:gid`.
    pub user: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Given back after `cap_drop ALL`.
    pub cap_add: Vec<String>,
    /// `container:ID`, or empty for its own.
    pub pid_mode: String,
    /// A container whose volumes it mounts where they stand there. Such a helper is never started, and its own root
    /// file system is writable: an engine unpacks nothing beside a volume otherwise.
    pub volumes_from: Option<String>,
    /// `(volume, target, read_only)`.
    pub volumes: Vec<(String, String, bool)>,
    /// `(host path, target)`, read-only.
    pub binds: Vec<(String, String)>,
}

/// Which streams to attach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttachOptions {
    /// Send input.
    pub stdin: bool,
    /// Receive output and errors.
    pub output: bool,
}

/// An open attachment.
pub struct Attached {
    /// Output in order of arrival; ends when the process has closed both streams.
    pub output: OutputStream,
    /// Input; shutting it down closes the process's standard input where the container was made so.
    pub input: Input,
}

/// One piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Which stream.
    pub kind: OutputKind,
    /// The bytes as they came.
    pub bytes: Chunk,
}

/// Which of a process's output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What of a log to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogOptions {
    /// Stay and follow.
    pub follow: bool,
    /// Seconds since 1970; 0 for the beginning.
    pub since: i64,
    /// Seconds since 1970; 0 for no end.
    pub until: i64,
    /// Last so many lines; `None` for all.
    pub tail: Option<u64>,
    /// Put the engine's RFC 3339 time and a space before each line.
    pub timestamps: bool,
}

/// A command to run in a running container. Its user and rights are the container's: there is no field for more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExecRequest {
    /// Command and arguments.
    pub command: Vec<String>,
    /// `KEY=VALUE`.
    pub env: Vec<String>,
    /// Working directory; empty for the container's.
    pub working_dir: String,
    /// Attach standard input.
    pub stdin: bool,
    /// Give it a terminal of this size, on which output and errors are one; what kind of terminal is for `env` to say (`TERM`).
    pub terminal: Option<TerminalSize>,
}

/// How large a terminal is, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

/// State of an exec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecState {
    /// Whether it still runs.
    pub running: bool,
    /// Its exit code once it has ended.
    pub exit_code: Option<i64>,
}

/// Until when [`super::Engine::wait`] waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitFor {
    /// It does not run (true at once if it never did).
    NotRunning,
    /// It ends after being started.
    NextExit,
    /// It has been removed.
    Removed,
}

/// An image to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildRequest {
    /// `name:tag`.
    pub tag: String,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
    /// Labels of the image.
    pub labels: BTreeMap<String, String>,
    /// Build even what is cached.
    pub no_cache: bool,
}

/// One step of long work, as the engine tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Layer or step that this is about; empty for the whole.
    pub item: Untrusted,
    /// What is happening.
    pub text: Untrusted,
    /// Done and total, where the engine counts.
    pub amount: Option<(u64, Option<u64>)>,
}

impl ExitFacts {
    /// Whether the command ended well.
    pub fn is_success(&self) -> bool {
        self.code == 0 && !self.oom_killed
    }
}
