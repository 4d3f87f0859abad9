//! The plan: policy and request resolved to exactly what the engine will be asked.
//!
//! [`plan`] is the only maker of a [`CreateRequest`], for every kind of session. The result is plain data with
//! one canonical JSON form: equal inputs give equal bytes.

mod create_request;

use std::collections::BTreeMap;

use serde::Serialize;

use super::Policy;
use super::image_volumes;
use sha2::{Digest, Sha256};

use super::audit::Requested;
use super::request::{ImageFacts, Request, WorkspaceMode, WorkspaceMount};
use super::{Network, Seccomp, Timeout};
use crate::failure::{Code, Failure, Result};
use crate::session::{Kind, labels};
use crate::units::{SessionId, SessionName};
pub use create_request::{CreateRequest, PlanMount, PlanMountKind, Ulimit};

/// Where the home volume stands in every sandbox.
pub const HOME: &str = "/home/sandbox";
/// Where the workspace stands.
pub const WORKSPACE: &str = "/workspace";
/// Where the supervisor's volume stands. Engines mount by depth, and an image can make any of our targets a link: were
/// another mount to come after this one, an image could lay the workspace over it. So it is deeper than every other.
pub const SUPERVISOR_DIR: &str = "/palisade/0/0/0/0/0/0";
/// The supervisor binary.
pub const SUPERVISOR: &str = "/palisade/0/0/0/0/0/0/palisade";
/// Where secrets arrive as files, in the tmpfs at `/run`.
pub const SECRETS_DIR: &str = "/run/secrets";

/// Everything that will be asked of the engine for one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Version of this document.
    pub schema: u32,
    /// The session.
    pub id: SessionId,
    /// What it is called.
    pub name: SessionName,
    /// How long it stays.
    pub kind: Kind,
    /// The policy that it follows.
    pub policy: Policy,
    /// The image as found.
    pub image: ImageFacts,
    /// The workspace that was judged, to be proved again once it is mounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceMount>,
    /// The request to the engine.
    pub create: CreateRequest,
}

/// The shipped strict seccomp profile.
const STRICT_SECCOMP: &str = include_str!("../../assets/seccomp/strict.json");

impl Plan {
    /// The canonical form: one line of JSON, fields in declaration order, maps sorted. Equal plans, equal bytes.
    pub fn canonical_json(&self) -> String {
        // Infallible by construction: string keys, no floats but CPUs, no custom serialiser that fails.
        serde_json::to_string(self).unwrap_or_else(|_| unreachable!("a plan is plain data"))
    }

    /// SHA-256 of the canonical form, in hexadecimal; the label that will hold it is left out.
    pub fn hash(&self) -> String {
        let mut bare = self.clone();
        bare.create.labels.remove(labels::PLAN);
        Sha256::digest(bare.canonical_json()).iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
    }
}

/// The name of a persistent session's home volume.
pub fn home_volume(id: SessionId) -> String {
    format!("palisade-home-{id}")
}

/// Resolves a policy and a request to what the engine will be asked, for either kind.
///
/// The kinds differ in four fields and no other: the kind itself (with its label), `auto_remove`, `stdin_once`, and
/// whether the home volume has a name of its own.
pub fn plan(policy: &Policy, request: &Request) -> Result<Plan> {
    let volumes = image_volumes::judge(&request.image.reference, &request.image.volumes)?;
    let request = &Request { image: ImageFacts { volumes, ..request.image.clone() }, ..request.clone() };
    let create = CreateRequest {
        name: format!("{}{}", labels::CONTAINER_PREFIX, request.name),
        image: if request.image.id.is_empty() { request.image.reference.clone() } else { request.image.id.clone() },
        entrypoint: entrypoint(policy, request)?,
        env: environment(policy, request)?,
        user: request.run_as.to_string(),
        working_dir: working_dir(request),
        hostname: request.name.to_string(),
        labels: session_labels(policy, request)?,
        open_stdin: true,
        stdin_once: request.kind == Kind::Ephemeral,
        // The supervisor passes the grace on to the command and needs a moment of its own.
        stop_timeout_s: policy.stop_grace.get(),
        auto_remove: request.kind == Kind::Ephemeral,
        init: true,
        privileged: false,
        cap_drop: vec!["ALL".to_owned()],
        cap_add: policy.cap_add.iter().map(ToString::to_string).collect(),
        security_opt: security_opt(policy),
        pids_limit: policy.pids_limit.get(),
        memory: policy.memory.get(),
        memory_swap: policy.memory.get(),
        nano_cpus: policy.cpus.as_nano(),
        cpuset_cpus: policy.cpuset.clone(),
        ulimits: vec![Ulimit { name: "core".to_owned(), limit: 0 }, Ulimit { name: "nofile".to_owned(), limit: u64::from(policy.nofile) }],
        read_only_rootfs: policy.read_only_rootfs,
        tmpfs: tmpfs(policy, request),
        shm_size: policy.shm_size.get(),
        mounts: mounts(policy, request),
        network_mode: match policy.network {
            Network::None => "none",
            Network::Open => "bridge",
        }
        .to_owned(),
        ipc_mode: "private".to_owned(),
        cgroupns_mode: "private".to_owned(),
        log_driver: "json-file".to_owned(),
        log_options: BTreeMap::from([
            ("max-file".to_owned(), policy.log.max_file.to_string()),
            ("max-size".to_owned(), policy.log.max_size.get().to_string()),
        ]),
        restart_policy: "no".to_owned(),
    };
    let mut plan = Plan {
        schema: 1,
        id: request.id,
        name: request.name.clone(),
        kind: request.kind,
        policy: policy.clone(),
        image: request.image.clone(),
        workspace: workspace(policy, request),
        create,
    };
    let hash = plan.hash();
    plan.create.labels.insert(labels::PLAN.to_owned(), hash);
    Ok(plan)
}

/// The supervisor with the command behind it.
fn entrypoint(policy: &Policy, request: &Request) -> Result<Vec<String>> {
    let mut argv = vec![SUPERVISOR.to_owned(), "supervise".to_owned(), "--grace".to_owned(), policy.stop_grace.get().to_string()];
    if let Timeout::After(limit) = policy.timeout {
        argv.extend(["--timeout".to_owned(), limit.get().to_string()]);
    }
    let command = if request.command.is_empty() { &request.image.command } else { &request.command };
    match (command.is_empty(), request.kind) {
        (false, _) => {
            argv.push("--".to_owned());
            argv.extend(command.iter().cloned());
        }
        (true, Kind::Persistent) => argv.push("--idle".to_owned()),
        (true, Kind::Ephemeral) => {
            return Err(Failure::new(Code::Refused, "there is no command to run")
                .detail(format!("'image' {} has none of its own", request.image.reference))
                .hint("give one after --, as in: palisade run -- python3 --version"));
        }
    }
    if argv.iter().any(|argument| argument.contains('\0')) {
        return Err(Failure::new(Code::Refused, "the command holds a NUL character, which no program can be given"));
    }
    Ok(argv)
}

fn environment(policy: &Policy, request: &Request) -> Result<Vec<String>> {
    let mut all = BTreeMap::from([("HOME", HOME), ("LOGNAME", "sandbox"), ("USER", "sandbox")]);
    all.extend(policy.env.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    all.extend(request.env.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    if let Some((key, _)) = all.iter().find(|(key, value)| key.is_empty() || key.contains(['=', '\0']) || value.contains('\0')) {
        return Err(Failure::new(Code::Refused, "an environment variable cannot be passed on").detail(format!("'env': {key}")));
    }
    Ok(all.into_iter().map(|(key, value)| format!("{key}={value}")).collect())
}

fn working_dir(request: &Request) -> String {
    match (&request.workspace, request.working_dir.as_str()) {
        (Some(_), "") => WORKSPACE.to_owned(),
        (None, "") => HOME.to_owned(),
        (_, dir) => dir.to_owned(),
    }
}

fn security_opt(policy: &Policy) -> Vec<String> {
    let mut options = vec!["no-new-privileges".to_owned()];
    match policy.seccomp {
        Seccomp::Default => {}
        Seccomp::Strict => options.push(format!("seccomp={}", strict_seccomp())),
    }
    options
}

/// The strict profile without its white space: it travels in every create request and inspect answer.
pub fn strict_seccomp() -> String {
    let parsed: serde_json::Value =
        serde_json::from_str(STRICT_SECCOMP).unwrap_or_else(|_| unreachable!("a test parses the embedded profile"));
    parsed.to_string()
}

fn tmpfs(policy: &Policy, request: &Request) -> BTreeMap<String, String> {
    let (uid, gid) = (request.run_as.uid(), request.run_as.gid());
    BTreeMap::from([
        // Not noexec: compilers and package installers run what they unpack in /tmp.
        ("/tmp".to_owned(), format!("rw,exec,nosuid,nodev,size={},mode=1777", policy.tmp_size.get())),
        ("/run".to_owned(), format!("rw,noexec,nosuid,nodev,size={},mode=0755,uid={uid},gid={gid}", policy.run_size.get())),
    ])
}

fn workspace(policy: &Policy, request: &Request) -> Option<WorkspaceMount> {
    request.workspace.clone().map(|mut workspace| {
        if policy.workspace_read_only {
            workspace.mode = WorkspaceMode::ReadOnly;
        }
        workspace
    })
}

fn mounts(policy: &Policy, request: &Request) -> Vec<PlanMount> {
    let ours = volume_labels(request);
    let home = match request.kind {
        Kind::Persistent => home_volume(request.id),
        Kind::Ephemeral => String::new(),
    };
    let volume = |source: String, target: &str, read_only: bool, labels: BTreeMap<String, String>| PlanMount {
        kind: PlanMountKind::Volume,
        source,
        target: target.to_owned(),
        read_only,
        labels,
    };
    let mut mounts =
        vec![volume(home, HOME, false, ours.clone()), volume(request.supervisor_volume.clone(), SUPERVISOR_DIR, true, BTreeMap::new())];
    if let Some(workspace) = workspace(policy, request) {
        mounts.push(PlanMount {
            kind: PlanMountKind::Bind,
            source: workspace.source,
            target: WORKSPACE.to_owned(),
            read_only: workspace.mode == WorkspaceMode::ReadOnly,
            labels: BTreeMap::new(),
        });
    }
    // A VOLUME of the image becomes one of ours: labelled, and gone with the container.
    for target in &request.image.volumes {
        if !mounts.iter().any(|mount| mount.target == *target) {
            mounts.push(volume(String::new(), target, false, ours.clone()));
        }
    }
    mounts.sort_by(|a, b| a.target.cmp(&b.target));
    mounts
}

/// Labels of the session's volumes: enough to know whose they are.
fn volume_labels(request: &Request) -> BTreeMap<String, String> {
    BTreeMap::from([
        (labels::SCHEMA.to_owned(), labels::SCHEMA_VALUE.to_owned()),
        (labels::ROLE.to_owned(), labels::ROLE_SESSION.to_owned()),
        (labels::ID.to_owned(), request.id.to_string()),
        (labels::NAME.to_owned(), request.name.to_string()),
    ])
}

fn session_labels(policy: &Policy, request: &Request) -> Result<BTreeMap<String, String>> {
    let requested = serde_json::to_string(&requested(policy, request))
        .map_err(|error| Failure::new(Code::Internal, format!("cannot write the policy down: {error}")))?;
    let secrets: Vec<String> = request.secrets.iter().map(|(name, source)| format!("{name}={}", source.env)).collect();
    let mut all = volume_labels(request);
    // Every label that is read back later is written here, even where it is empty: one that is absent could come from the image.
    all.extend([
        (labels::KIND.to_owned(), request.kind.to_string()),
        (labels::PROFILE.to_owned(), policy.profile.clone()),
        (labels::IMAGE.to_owned(), request.image.reference.clone()),
        (labels::REQUESTED.to_owned(), requested),
        (labels::CREATOR.to_owned(), request.creator.clone()),
        (labels::SECRETS.to_owned(), secrets.join(",")),
    ]);
    Ok(all)
}

/// What `verify` will hold the session to.
pub fn requested(policy: &Policy, request: &Request) -> Requested {
    Requested {
        cap_add: policy.cap_add.iter().map(ToString::to_string).collect(),
        seccomp: policy.seccomp,
        user: (request.run_as.uid(), request.run_as.gid()),
        pids_limit: policy.pids_limit.get(),
        memory: policy.memory.get(),
        nano_cpus: policy.cpus.as_nano().unsigned_abs(),
        cpuset: policy.cpuset.clone(),
        nofile: u64::from(policy.nofile),
        read_only_rootfs: policy.read_only_rootfs,
        tmpfs: BTreeMap::from([("/run".to_owned(), policy.run_size.get()), ("/tmp".to_owned(), policy.tmp_size.get())]),
        mounts: mounts(policy, request).into_iter().map(|mount| (mount.target, mount.read_only)).collect(),
        workspace: request.workspace.as_ref().map(|workspace| (workspace.device, workspace.inode)),
        network: policy.network,
        log: (policy.log.max_size.get(), policy.log.max_file),
    }
}
