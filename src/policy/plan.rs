//! The plan: policy and request resolved to exactly what the engine will be asked.
//!
//! [`plan`] is the only maker of a [`CreateRequest`], for every kind of session. The result is plain data with
//! one canonical JSON form: equal inputs give equal bytes.

mod base;
mod create_request;
mod depot;
mod mounts;
#[cfg(test)]
pub(in crate::policy) mod samples;
mod variables;

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::audit::Requested;
use super::drift::Terms;
use super::request::{ImageFacts, Request, WorkspaceMount};
use super::{Network, Policy, Timeout, image_volumes};
use crate::failure::{Code, Failure, Result};
use crate::session::{Kind, labels};
use crate::units::{SessionId, SessionName, hex};
use base::{Limits, hardened};
pub use create_request::{CreateRequest, PlanMount, PlanMountKind, Ulimit};
pub use depot::{DepotRequest, depot, depot_requested};
pub use mounts::{cache_volume, home_volume};
use mounts::{mounts, volume_labels, workspace};
use variables::environment;

/// Where the home volume stands in every sandbox.
pub const HOME: &str = "/home/sandbox";
/// Where the workspace stands.
pub const WORKSPACE: &str = "/workspace";
/// Where the supervisor's volume stands. Engines mount by depth, and an image can make any of our targets a link: were
/// another mount to come after this one, an image could lay the workspace over it. So it is deeper than every other.
pub const SUPERVISOR_DIR: &str = "/palisade/0/0/0/0/0/0";
/// The supervisor binary.
pub const SUPERVISOR: &str = "/palisade/0/0/0/0/0/0/palisade";
/// Where a session's own package caches are: a volume that nobody else mounts.
pub const CACHE: &str = "/cache";
/// Where the depot's socket is, in the depot and, read-only, in every session that may reach it.
pub const DEPOT_DIR: &str = "/run/palisade";
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
        hex(&Sha256::digest(bare.canonical_json()))
    }
}

/// Whether the session is given the way to the depot: its policy allows it, and there is one.
fn reaches_depot(policy: &Policy, request: &Request) -> bool {
    policy.network.has_depot() && request.depot_socket_volume.is_some()
}

/// Resolves a policy and a request to what the engine will be asked, for either kind.
///
/// The kinds differ in five fields and no other: the kind itself (with its label), `auto_remove`, `stdin_once`, and
/// whether the home and cache volumes have names of their own.
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
        read_only_rootfs: policy.read_only_rootfs,
        tmpfs: tmpfs(policy, request),
        mounts: mounts(policy, request),
        network_mode: match policy.network {
            Network::None | Network::Packages => "none",
            Network::Open => "bridge",
        }
        .to_owned(),
        ..hardened(&Limits {
            cap_add: &policy.cap_add,
            seccomp: policy.seccomp,
            pids_limit: policy.pids_limit,
            memory: policy.memory,
            cpus: policy.cpus,
            cpuset: &policy.cpuset,
            nofile: policy.nofile,
            shm_size: policy.shm_size,
            log: policy.log,
        })
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
    for (flag, span) in [("--ttl", policy.ttl), ("--unused", policy.idle)] {
        if span.get() > 0 {
            argv.extend([flag.to_owned(), span.get().to_string()]);
        }
    }
    let caps = [("--disk-soft", policy.disk.soft), ("--disk-hard", policy.disk.hard)];
    for (flag, cap) in caps.iter().filter(|(_, cap)| cap.get() > 0) {
        argv.extend([(*flag).to_owned(), cap.get().to_string()]);
    }
    if caps.iter().any(|(_, cap)| cap.get() > 0) {
        let all = mounts(policy, request);
        let own = all.iter().filter(|mount| mount.kind == PlanMountKind::Volume && !mount.read_only);
        argv.extend(own.flat_map(|mount| ["--disk-at".to_owned(), mount.target.clone()]));
    }
    argv.extend(["--shell-idle".to_owned(), policy.terminal.idle.get().to_string()]);
    let command = if request.command.is_empty() { &request.image.command } else { &request.command };
    match (command.is_empty(), request.kind) {
        (false, _) => {
            if request.tty {
                argv.push("--tty".to_owned());
            }
            argv.push("--".to_owned());
            argv.extend(command.iter().cloned());
        }
        (true, Kind::Persistent) if request.tty => {
            return Err(Failure::new(Code::Refused, "there is no command to give a terminal to")
                .hint("give one after --, or leave -t out: a shell can be opened in any session"));
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

fn working_dir(request: &Request) -> String {
    match (&request.workspace, request.working_dir.as_str()) {
        (Some(_), "") => WORKSPACE.to_owned(),
        (None, "") => HOME.to_owned(),
        (_, dir) => dir.to_owned(),
    }
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
        (labels::ASKED.to_owned(), request.asked.written()),
        (labels::TERMS.to_owned(), Terms::of(policy, request).written()),
        (labels::REPLACES.to_owned(), request.replaces.clone().unwrap_or_default()),
        (labels::SECRETS.to_owned(), secrets.join(",")),
        (labels::TTL.to_owned(), policy.ttl.get().to_string()),
        (labels::IDLE.to_owned(), policy.idle.get().to_string()),
        (labels::DISK_SOFT.to_owned(), policy.disk.soft.get().to_string()),
        (labels::DISK_HARD.to_owned(), policy.disk.hard.get().to_string()),
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
        min_age: policy.min_age,
        min_age_allow: policy.min_age_allow.clone(),
        terminal: policy.terminal.grants(),
        log: (policy.log.max_size.get(), policy.log.max_file),
    }
}
