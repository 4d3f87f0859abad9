//! The seam to Docker: what the backend asks of an engine, in our own types. bollard's types end in `convert`.

mod architecture;
mod body;
mod build;
mod call;
mod connect;
mod convert;
mod docker;
mod error;
mod ping;
mod plain;
mod reference;
mod streams;
mod terminal;
mod types;
mod usage;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes as Chunk;
use futures_util::stream::BoxStream;
use tokio::io::AsyncWrite;

use crate::failure::Result;
use crate::policy::ImageFacts;
use crate::policy::plan::CreateRequest;
use crate::session::{ContainerFacts, EngineEvent, FileChanges, Usage};

pub use crate::config::Endpoint;
pub use architecture::{architecture, own_architecture};
pub use docker::DockerEngine;
pub use error::failure_in;
pub use types::{
    AttachOptions, Attached, BuildRequest, ContainerSummary, Created, DiskUse, EngineInfo, EngineVersion, ExecRequest, ExecState,
    ImageSummary, Limits, LogOptions, OneShot, Output, OutputKind, Progress, TerminalSize, VolumeFacts, VolumeUse, WaitFor,
};

/// A stream of bytes: a tar archive on its way in or out.
pub type ByteStream = BoxStream<'static, std::io::Result<Chunk>>;
/// What a process prints, in order.
pub type OutputStream = BoxStream<'static, Result<Output>>;
/// What a process reads.
pub type Input = Pin<Box<dyn AsyncWrite + Send>>;
/// Steps of long work in the engine.
pub type ProgressStream = BoxStream<'static, Result<Progress>>;

/// What happens to our containers. A failure is its last item; without one, its end is the engine's own doing.
pub type EventStream = BoxStream<'static, Result<EngineEvent>>;

/// The images of an engine: all that building one needs. Failures are as [`Engine`]'s.
#[async_trait]
pub trait Images: Send + Sync {
    /// Version and API version in use, and the architecture that images are made for.
    async fn version(&self) -> Result<EngineVersion>;
    /// An image that is present.
    async fn image(&self, reference: &str) -> Result<ImageFacts>;
    /// Images with our labels.
    async fn our_images(&self) -> Result<Vec<ImageSummary>>;
    /// As [`Images::our_images`], with those that have no name and that others stand on.
    async fn our_images_and_steps(&self) -> Result<Vec<ImageSummary>>;
    /// Pulls an image from its registry.
    fn pull(&self, reference: &str) -> ProgressStream;
    /// Makes an image of a root file system in a tar archive; `changes` are Dockerfile instructions.
    fn import(&self, reference: &str, changes: &[String], tar: ByteStream) -> ProgressStream;
    /// Takes an image as another engine saved it, tagged with this reference. Equal content has one id.
    fn load(&self, reference: &str, tar: ByteStream) -> ProgressStream;
    /// Builds an image from a context in a tar archive that holds a `Dockerfile`.
    fn build(&self, request: &BuildRequest, context: ByteStream) -> ProgressStream;
    /// Removes an image by reference or id; one that is gone is no failure.
    async fn remove_image(&self, reference: &str) -> Result<()>;
}

/// A container engine. Every failure has its [`crate::failure::Code`]: `NotFound`, `Conflict`,
/// `EngineUnreachable` are told apart by the engine's status and the transport's error, never by text.
#[async_trait]
pub trait Engine: Images {
    /// Where it is.
    fn endpoint(&self) -> &Endpoint;
    /// What the engine says of itself and its host.
    async fn info(&self) -> Result<EngineInfo>;

    /// Creates a session's container.
    async fn create(&self, request: &CreateRequest) -> Result<Created>;
    /// Creates a helper container of ours: never a session.
    async fn create_one_shot(&self, request: &OneShot) -> Result<Created>;
    /// Everything about one container, by id or name.
    async fn inspect(&self, container: &str) -> Result<ContainerFacts>;
    /// Containers with our labels, running or not.
    async fn our_containers(&self) -> Result<Vec<ContainerSummary>>;
    /// Starts it.
    async fn start(&self, container: &str) -> Result<()>;
    /// SIGTERM, then SIGKILL after so many seconds; `None` takes what the container was created with.
    async fn stop(&self, container: &str, grace_s: Option<u64>) -> Result<()>;
    /// Sends a signal by name (`SIGINT`).
    async fn kill(&self, container: &str, signal: &str) -> Result<()>;
    /// Removes it by force with its anonymous volumes; one that is gone is no failure.
    async fn remove(&self, container: &str) -> Result<()>;
    /// Waits and gives the exit code. The request is on its way when the future is first polled, not before.
    async fn wait(&self, container: &str, until: WaitFor) -> Result<i64>;
    /// Standard streams of the main process.
    async fn attach(&self, container: &str, options: AttachOptions) -> Result<Attached>;
    /// Freezes every process of it.
    async fn pause(&self, container: &str) -> Result<()>;
    /// Lets them go on.
    async fn unpause(&self, container: &str) -> Result<()>;
    /// Gives it another name.
    async fn rename(&self, container: &str, new_name: &str) -> Result<()>;
    /// Changes its limits, running or not.
    async fn update(&self, container: &str, limits: &Limits) -> Result<()>;
    /// Takes it off a network.
    async fn disconnect(&self, container: &str, network: &str) -> Result<()>;
    /// What it changed against its image: more than a few thousand are cut.
    async fn changes(&self, container: &str) -> Result<FileChanges>;
    /// What it uses now, by the engine's stats: an engine takes a second for it, or more, where it is older than 23.
    async fn stats(&self, container: &str) -> Result<Usage>;
    /// What happens from now on to containers with our labels. Now is when this is called; the request is on its way when
    /// the stream is first polled, and an engine on this machine then tells what happened in between.
    fn events(&self) -> EventStream;

    /// Containers, ours or not, that are connected to a network or disconnected from one, by their ids, as it happens. It ends with the
    /// connection, and without a word where the engine cannot tell.
    fn network_changes(&self) -> BoxStream<'static, String>;
    /// The log.
    fn logs(&self, container: &str, options: &LogOptions) -> OutputStream;

    /// Starts a command in a running container and attaches to it.
    async fn exec(&self, container: &str, request: &ExecRequest) -> Result<(String, Attached)>;
    /// Tells the terminal of an exec how large it is now.
    async fn resize_exec(&self, exec: &str, size: TerminalSize) -> Result<()>;
    /// State of an exec by its id.
    async fn exec_state(&self, exec: &str) -> Result<ExecState>;

    /// Unpacks an archive into a folder of a container.
    async fn upload(&self, container: &str, folder: &str, tar: ByteStream) -> Result<()>;
    /// Packs a path of a container.
    fn download(&self, container: &str, path: &str) -> ByteStream;

    /// Creates a volume with labels; one of that name that exists is returned as it is.
    async fn create_volume(&self, name: &str, labels: &[(String, String)]) -> Result<VolumeFacts>;
    /// A volume by name.
    async fn volume(&self, name: &str) -> Result<VolumeFacts>;
    /// Volumes with our labels.
    async fn our_volumes(&self) -> Result<Vec<VolumeFacts>>;
    /// What a volume takes on disk: the engine counts its files, which takes as long as it takes, and not longer than `within`.
    async fn volume_size(&self, name: &str, within: Duration) -> Result<u64>;
    /// What each of these volumes takes on disk, likewise, where its driver tells.
    async fn volume_sizes(&self, names: &[String], within: Duration) -> Result<BTreeMap<String, u64>>;
    /// What volumes and containers' own layers take on disk, likewise.
    async fn disk_use(&self, within: Duration) -> Result<DiskUse>;
    /// Removes a volume; one that is gone is no failure.
    async fn remove_volume(&self, name: &str) -> Result<()>;
}
