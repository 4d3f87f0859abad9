//! [`Engine`] over bollard: which request, with which patience. What it sends and receives is `convert`'s to know.
//! Long because a trait is implemented in one piece; each method is one request.

mod changes;
mod exec;
mod images;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bollard::Docker;
use bollard::models::{EventMessage, NetworkDisconnectRequest, VolumeCreateRequest};
use bollard::query_parameters::{
    AttachContainerOptions, CreateContainerOptions, DownloadFromContainerOptions, EventsOptions, InspectContainerOptions,
    KillContainerOptions, ListContainersOptions, ListVolumesOptions, LogsOptions, RemoveContainerOptions, RemoveVolumeOptions,
    RenameContainerOptions, ResizeExecOptions, StartContainerOptions, StatsOptions, StopContainerOptions, UploadToContainerOptions,
    WaitContainerOptions,
};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use tokio::sync::OnceCell;

use super::body::watched;
use super::call::{Call, Noun};
use super::connect::{self, Agreed};
use super::streams;
use super::{
    AttachOptions, Attached, ByteStream, ContainerSummary, Created, DiskUse, Endpoint, Engine, EngineInfo, EngineVersion, EventStream,
    ExecRequest, ExecState, Images, Limits, LogOptions, OneShot, OutputStream, TerminalSize, VolumeFacts, WaitFor, convert, reference,
    usage,
};
use crate::failure::{Code, Failure, Result};
use crate::policy::plan::CreateRequest;
use crate::session::{ContainerFacts, FileChanges, Usage, labels};
use crate::units::sanitise;

/// For an answer to begin. A start under load takes tens of seconds; an engine that is stuck takes for ever.
/// The longest grace that a policy can give: what a container was created with is not asked for.
const LONGEST_GRACE_S: u64 = 3600;
const ORDINARY_S: u64 = 120;
/// For requests whose answer begins when the work is done, or whose body is ours to feed: a year.
const PATIENT_S: u64 = 365 * 24 * 60 * 60;

/// What a Podman that refuses a session is asked in vain, by the fields of a plan.
const PODMAN_LACKS: &str = "Podman's API lacks what these fields of a session need: 'tmpfs' with an owner (uid=, gid=), 'log_options' that are \
     reported, 'security_opt' with a seccomp profile of one's own, 'cgroupns_mode' on cgroup version 1";
const NOT_PODMAN: &str = "sessions need a Docker Engine: docs/engines.md says what was tried";

/// A Docker Engine, or a compatible one.
pub struct DockerEngine {
    endpoint: Arc<Endpoint>,
    docker: Docker,
    /// The API version that every request names.
    api: (u32, u32),
    /// What the engine says of itself, once somebody wants to know.
    version: OnceCell<EngineVersion>,
}

impl DockerEngine {
    /// Connects and agrees on an API version: one request. Later requests each take a connection of their own.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self> {
        let Agreed { docker, api, version } = connect::open(endpoint, Duration::from_secs(ORDINARY_S)).await?;
        Ok(Self { endpoint: Arc::new(endpoint.clone()), docker, api, version: OnceCell::new_with(version) })
    }

    fn call(&self, doing: &'static str, noun: Noun, on: &str) -> Call {
        Call::new(&self.endpoint, doing, noun, on, ORDINARY_S)
    }

    /// Where sizes are asked for.
    fn counting_socket(&self) -> Result<&std::path::Path> {
        let here = self.endpoint.socket.as_deref();
        here.ok_or_else(|| Failure::new(Code::EngineError, "it is asked of an engine at a socket of this machine alone"))
    }

    fn patient(&self) -> Docker {
        self.docker.clone().with_timeout(Duration::from_secs(PATIENT_S))
    }
}

/// Gone, or on its way out, is what a removal wants.
fn gone(error: &bollard::errors::Error) -> bool {
    matches!(error, bollard::errors::Error::DockerResponseServerError { status_code: 404, .. })
}

fn in_progress(error: &bollard::errors::Error) -> bool {
    matches!(error, bollard::errors::Error::DockerResponseServerError { status_code: 409, .. })
}

/// Whether a container was to get the name that it has. The engine has no code of its own for that.
fn is_its_own_name(error: &bollard::errors::Error) -> bool {
    matches!(error, bollard::errors::Error::DockerResponseServerError { message, .. } if message.contains("same name as its current name"))
}

/// Everything with our labels, whatever their value.
fn ours() -> HashMap<String, Vec<String>> {
    [("label".to_owned(), vec![labels::SCHEMA.to_owned()])].into()
}

/// The engine's seconds are 32 bits in bollard; a later moment means "no end" or "nothing".
fn moment(seconds: i64) -> i32 {
    i32::try_from(seconds.max(0)).unwrap_or(i32::MAX)
}

fn told_size<T>(
    counted: std::result::Result<std::result::Result<T, String>, tokio::time::error::Elapsed>,
    within: Duration,
    refusal: &str,
) -> Result<T> {
    let unknown = |why: &str| Failure::new(Code::EngineError, format!("the engine did not tell: {}", sanitise(why)));
    match counted {
        Ok(size) => size.map_err(|why| unknown(&why)),
        Err(_) if refusal.is_empty() => {
            Err(Failure::new(Code::EngineError, format!("the engine had not counted its files within {} s", within.as_secs())))
        }
        Err(_) => Err(unknown(refusal)),
    }
}

#[async_trait]
impl Engine for DockerEngine {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    async fn info(&self) -> Result<EngineInfo> {
        let call = self.call("ask the engine about itself", Noun::Engine, "");
        self.docker.info().await.map(convert::system::engine_info).map_err(|error| call.failure(&error))
    }

    async fn create(&self, request: &CreateRequest) -> Result<Created> {
        let options = CreateContainerOptions { name: Some(request.name.clone()), ..Default::default() };
        let body = convert::create::session(request, self.api);
        let answer = self.docker.create_container(Some(options), body).await;
        let call = |noun, on| self.call("create the container", noun, on);
        let failure = match answer {
            Ok(answer) => return Ok(convert::container::created(answer)),
            // Only the image can be missing, and only the name be in conflict.
            Err(error) if gone(&error) => return Err(call(Noun::NewContainer, &request.image).failure(&error)),
            Err(error) => call(Noun::NewContainer, &request.name).failure(&error),
        };
        // Asked only now: an engine that does what it is asked need not say what it is.
        match Images::version(self).await {
            Ok(version) if failure.code == Code::EngineError && version.is_podman() => Err(failure.detail(PODMAN_LACKS).hint(NOT_PODMAN)),
            _ => Err(failure),
        }
    }

    async fn create_one_shot(&self, request: &OneShot) -> Result<Created> {
        let options = CreateContainerOptions { name: Some(request.name.clone()), ..Default::default() };
        let body = convert::one_shot::helper(request, self.api);
        let answer = self.docker.create_container(Some(options), body).await;
        let call = |noun, on| self.call("create the helper container", noun, on);
        answer.map(convert::container::created).map_err(|error| match request.pid_mode.strip_prefix("container:") {
            Some(other) if gone(&error) => {
                call(Noun::NewContainer, &request.image).failure(&error).detail(format!("or the container {other} is gone"))
            }
            _ if gone(&error) => call(Noun::NewContainer, &request.image).failure(&error),
            _ => call(Noun::NewContainer, &request.name).failure(&error),
        })
    }

    async fn inspect(&self, container: &str) -> Result<ContainerFacts> {
        let name = reference::name("container", container)?;
        let call = self.call("inspect the container", Noun::Container, name);
        let answer = self.docker.inspect_container(name, None::<InspectContainerOptions>).await;
        answer.map(convert::container::facts).map_err(|error| call.failure(&error))
    }

    async fn our_containers(&self) -> Result<Vec<ContainerSummary>> {
        let options = ListContainersOptions { all: true, filters: Some(ours()), ..Default::default() };
        let call = self.call("list the containers", Noun::Engine, "");
        let containers = self.docker.list_containers(Some(options)).await.map_err(|error| call.failure(&error))?;
        Ok(containers.into_iter().map(convert::container::summary).collect())
    }

    async fn start(&self, container: &str) -> Result<()> {
        let name = reference::name("container", container)?;
        let call = self.call("start the container", Noun::Container, name);
        self.docker.start_container(name, None::<StartContainerOptions>).await.map_err(|error| call.failure(&error))
    }

    async fn stop(&self, container: &str, grace_s: Option<u64>) -> Result<()> {
        let name = reference::name("container", container)?;
        let options = StopContainerOptions { t: grace_s.map(|grace_s| i32::try_from(grace_s).unwrap_or(i32::MAX)), signal: None };
        let within_s = grace_s.unwrap_or(LONGEST_GRACE_S).saturating_add(ORDINARY_S);
        let docker = self.docker.clone().with_timeout(Duration::from_secs(within_s));
        let call = Call::new(&self.endpoint, "stop the container", Noun::Container, name, within_s);
        docker.stop_container(name, Some(options)).await.map_err(|error| call.failure(&error))
    }

    async fn kill(&self, container: &str, signal: &str) -> Result<()> {
        let name = reference::name("container", container)?;
        let call = self.call("send a signal to the container", Noun::Container, name);
        let options = KillContainerOptions { signal: signal.to_owned() };
        self.docker.kill_container(name, Some(options)).await.map_err(|error| call.failure(&error))
    }

    async fn remove(&self, container: &str) -> Result<()> {
        let name = reference::name("container", container)?;
        let options = RemoveContainerOptions { v: true, force: true, link: false };
        match self.docker.remove_container(name, Some(options)).await {
            Ok(()) => Ok(()),
            // By force, the one conflict left is a removal that is already under way.
            Err(error) if gone(&error) || in_progress(&error) => Ok(()),
            Err(error) => Err(self.call("remove the container", Noun::Container, name).failure(&error)),
        }
    }

    async fn wait(&self, container: &str, until: WaitFor) -> Result<i64> {
        let name = reference::name("container", container)?;
        let call = self.call("wait for the container", Noun::Container, name);
        let condition = match until {
            WaitFor::NotRunning => "not-running",
            WaitFor::NextExit => "next-exit",
            WaitFor::Removed => "removed",
        };
        let options = WaitContainerOptions { condition: condition.to_owned() };
        // Docker answers with headers at once; an engine that does not may keep them until the end.
        let mut answers = Box::pin(self.patient().wait_container(name, Some(options)));
        match answers.next().await {
            None => Err(call.broken("the engine ended its answer without an exit code")),
            Some(answer) => convert::container::exit_code(answer, &call),
        }
    }

    async fn attach(&self, container: &str, options: AttachOptions) -> Result<Attached> {
        let name = reference::name("container", container)?;
        let call = self.call("attach to the container", Noun::Container, name);
        let options = AttachContainerOptions {
            stream: true,
            logs: false,
            stdin: options.stdin,
            stdout: options.output,
            stderr: options.output,
            detach_keys: None,
        };
        let attached = self.docker.attach_container(name, Some(options)).await.map_err(|error| call.failure(&error))?;
        Ok(Attached { output: streams::output(attached.output, call), input: attached.input })
    }

    fn logs(&self, container: &str, options: &LogOptions) -> OutputStream {
        let name = match reference::name("container", container) {
            Ok(name) => name,
            Err(failure) => return streams::failed(failure),
        };
        let call = self.call("read the log of the container", Noun::Container, name);
        let options = LogsOptions {
            follow: options.follow,
            stdout: true,
            stderr: true,
            since: moment(options.since),
            until: moment(options.until),
            timestamps: options.timestamps,
            tail: options.tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string()),
        };
        streams::output(self.patient().logs(name, Some(options)), call)
    }

    async fn pause(&self, container: &str) -> Result<()> {
        let name = reference::name("container", container)?;
        let call = self.call("pause the container", Noun::Container, name);
        self.docker.pause_container(name).await.map_err(|error| call.failure(&error))
    }

    async fn unpause(&self, container: &str) -> Result<()> {
        let name = reference::name("container", container)?;
        let call = self.call("unpause the container", Noun::Container, name);
        self.docker.unpause_container(name).await.map_err(|error| call.failure(&error))
    }

    async fn rename(&self, container: &str, new_name: &str) -> Result<()> {
        let name = reference::name("container", container)?;
        let call = self.call("rename the container", Noun::Renamed, name);
        let options = RenameContainerOptions { name: new_name.to_owned() };
        self.docker.rename_container(name, options).await.map_err(|error| {
            let failure = call.failure(&error);
            // It has the name already: to its caller, another's as any that is taken.
            if is_its_own_name(&error) { Failure { code: Code::Conflict, ..failure } } else { failure }
        })
    }

    async fn update(&self, container: &str, limits: &Limits) -> Result<()> {
        let name = reference::name("container", container)?;
        let call = self.call("change the limits of the container", Noun::Container, name);
        self.docker.update_container(name, convert::create::update(limits)).await.map_err(|error| call.failure(&error))
    }

    async fn disconnect(&self, container: &str, network: &str) -> Result<()> {
        let name = reference::name("container", container)?;
        let network = reference::name("network", network)?;
        let call = self.call("take off the network the container", Noun::Container, name);
        let request = NetworkDisconnectRequest { container: name.to_owned(), force: None };
        self.docker.disconnect_network(network, request).await.map_err(|error| call.failure(&error))
    }

    async fn changes(&self, container: &str) -> Result<FileChanges> {
        let name = reference::name("container", container)?;
        let call = self.call("list the changed files of the container", Noun::Container, name);
        if let Some(socket) = &self.endpoint.socket {
            return self.bounded_changes(socket, name, &call).await;
        }
        let changes = self.docker.container_changes(name).await.map_err(|error| call.failure(&error))?;
        Ok(convert::change::changes(changes.unwrap_or_default()))
    }

    async fn stats(&self, container: &str) -> Result<Usage> {
        let name = reference::name("container", container)?;
        let call = self.call("read the usage of the container", Noun::Container, name);
        let options = StatsOptions { stream: false, one_shot: true };
        let mut answers = Box::pin(self.docker.stats(name, Some(options)));
        match answers.next().await {
            None => Err(call.broken("the engine ended its answer without any figures")),
            Some(answer) => convert::usage::usage(answer.map_err(|error| call.failure(&error))?)
                .ok_or_else(|| Failure::new(Code::Conflict, format!("the container '{}' is not running", sanitise(name)))),
        }
    }

    fn events(&self) -> EventStream {
        let call = self.call("follow the engine's events", Noun::Engine, "");
        let mut filters = ours();
        filters.insert("type".to_owned(), vec!["container".to_owned()]);
        #[expect(clippy::disallowed_methods, reason = "the engine's clock is this machine's: it tells what happened until it heard of us")]
        let since = self.endpoint.socket.as_ref().map(|_| Timestamp::now());
        let since = since.map(|now| format!("{}.{:09}", now.as_second(), now.subsec_nanosecond()));
        let options = EventsOptions { since, until: None, filters: Some(filters) };
        streams::events(self.patient().events(Some(options)), call)
    }

    fn network_changes(&self) -> BoxStream<'static, String> {
        let only = |name: &str, values: &[&str]| (name.to_owned(), values.iter().map(|value| (*value).to_owned()).collect());
        let filters = [only("type", &["network"]), only("event", &["connect", "disconnect"])].into();
        let options = EventsOptions { since: None, until: None, filters: Some(filters) };
        let container = |message: EventMessage| message.actor?.attributes?.remove("container").filter(|id| !id.is_empty());
        let told = self.patient().events(Some(options)).take_while(|message| std::future::ready(message.is_ok()));
        told.filter_map(move |message| std::future::ready(message.ok().and_then(container))).boxed()
    }

    async fn exec(&self, container: &str, request: &ExecRequest) -> Result<(String, Attached)> {
        self.start_exec(container, request).await
    }

    async fn resize_exec(&self, exec: &str, size: TerminalSize) -> Result<()> {
        let id = reference::name("running command", exec)?;
        let call = self.call("resize the terminal of the running command", Noun::Exec, id);
        let options = ResizeExecOptions { h: size.rows.into(), w: size.cols.into() };
        self.docker.resize_exec(id, options).await.map_err(|error| call.failure(&error))
    }

    async fn exec_state(&self, exec: &str) -> Result<ExecState> {
        let id = reference::name("running command", exec)?;
        let call = self.call("look at the running command", Noun::Exec, id);
        let answer = self.docker.inspect_exec(id).await.map_err(|error| call.failure(&error))?;
        let running = answer.running.unwrap_or(false);
        Ok(ExecState { running, exit_code: answer.exit_code.filter(|_| !running) })
    }

    async fn upload(&self, container: &str, folder: &str, tar: ByteStream) -> Result<()> {
        let name = reference::name("container", container)?;
        let options = || UploadToContainerOptions {
            path: folder.to_owned(),
            // A file never takes the place of a folder, nor a folder that of a file.
            no_overwrite_dir_non_dir: Some("true".to_owned()),
            copy_uidgid: None,
        };
        let call = self.call("copy into", Noun::Path, &format!("{name}:{folder}"));
        let (body, fault) = watched(tar);
        let docker = self.patient();
        let Err(error) = docker.upload_to_container(name, Some(options()), bollard::body_try_stream(body)).await else { return Ok(()) };
        let failure = fault.or(call.failure(&error));
        if failure.code != crate::failure::Code::EngineUnreachable {
            return Err(failure);
        }
        // An engine that refuses early closes the connection under the archive, and its reason can be lost with
        // it. Nothing is refused for its content, so an archive of nothing gets the same answer whole.
        let nothing = bollard::body_full(vec![0_u8; 1024].into());
        match self.docker.upload_to_container(name, Some(options()), nothing).await {
            Err(reason @ bollard::errors::Error::DockerResponseServerError { .. }) => Err(call.failure(&reason)),
            _ => Err(failure),
        }
    }

    fn download(&self, container: &str, path: &str) -> ByteStream {
        let name = match reference::name("container", container) {
            Ok(name) => name,
            Err(failure) => return futures_util::stream::once(async { Err(std::io::Error::other(failure)) }).boxed(),
        };
        let call = self.call("copy", Noun::Path, &format!("{name}:{path}"));
        let options = DownloadFromContainerOptions { path: path.to_owned() };
        streams::archive(self.docker.download_from_container(name, Some(options)), call)
    }

    async fn create_volume(&self, name: &str, labels: &[(String, String)]) -> Result<VolumeFacts> {
        let name = reference::name("volume", name)?;
        let call = self.call("create the volume", Noun::Volume, name);
        let request =
            VolumeCreateRequest { name: Some(name.to_owned()), labels: Some(labels.iter().cloned().collect()), ..Default::default() };
        self.docker.create_volume(request).await.map(convert::volume::facts).map_err(|error| call.failure(&error))
    }

    async fn volume(&self, name: &str) -> Result<VolumeFacts> {
        let name = reference::name("volume", name)?;
        let call = self.call("look at the volume", Noun::Volume, name);
        self.docker.inspect_volume(name).await.map(convert::volume::facts).map_err(|error| call.failure(&error))
    }

    async fn our_volumes(&self) -> Result<Vec<VolumeFacts>> {
        let options = ListVolumesOptions { filters: Some(ours()) };
        let call = self.call("list the volumes", Noun::Engine, "");
        let list = self.docker.list_volumes(Some(options)).await.map_err(|error| call.failure(&error))?;
        Ok(list.volumes.unwrap_or_default().into_iter().map(convert::volume::facts).collect())
    }

    async fn volume_size(&self, name: &str, within: Duration) -> Result<u64> {
        let name = reference::name("volume", name)?;
        let mut refusal = String::new();
        let counting = usage::volume_bytes(self.counting_socket()?, self.api, name, &mut refusal);
        let counted = tokio::time::timeout(within, counting).await;
        told_size(counted, within, &refusal)
    }

    async fn volume_sizes(&self, names: &[String], within: Duration) -> Result<BTreeMap<String, u64>> {
        let mut refusal = String::new();
        let is_meant = |name: &str| names.iter().any(|meant| meant == name);
        let counting = usage::volumes_bytes(self.counting_socket()?, self.api, &is_meant, &mut refusal);
        let counted = tokio::time::timeout(within, counting).await;
        told_size(counted, within, &refusal)
    }

    async fn disk_use(&self, within: Duration) -> Result<DiskUse> {
        let mut refusal = String::new();
        let counting = usage::everything(self.counting_socket()?, self.api, &mut refusal);
        let counted = tokio::time::timeout(within, counting).await;
        told_size(counted, within, &refusal)
    }

    async fn remove_volume(&self, name: &str) -> Result<()> {
        let name = reference::name("volume", name)?;
        match self.docker.remove_volume(name, None::<RemoveVolumeOptions>).await {
            Ok(()) => Ok(()),
            Err(error) if gone(&error) => Ok(()),
            Err(error) => Err(self.call("remove the volume", Noun::Volume, name).failure(&error)),
        }
    }
}
