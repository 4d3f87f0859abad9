//! The create request of the depot's container: a sandbox's hardening, with a way out and two volumes of its own.

use std::collections::BTreeMap;

use crate::depot::{ROOT, SOCKET_DIR};
use crate::failure::{Code, Failure, Result};
use crate::policy::audit::Requested;
use crate::policy::plan::{CreateRequest, PlanMount, PlanMountKind, Ulimit, strict_seccomp};
use crate::policy::{Network, Seccomp};
use crate::session::labels;
use crate::units::{Bytes, Cpus};

const USER: u32 = 65532;
const PIDS: u32 = 100;
const NOFILE: u64 = 16384;
const TMP: Bytes = Bytes::mib(16);
const LOG: (Bytes, u32) = (Bytes::mib(10), 3);

/// What the engine is to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepotRequest {
    /// The container's name, which is also its host name.
    pub name: String,
    /// The image by its content id.
    pub image: String,
    /// The image as it is called.
    pub image_reference: String,
    /// The engine's network by which it reaches registries.
    pub network: String,
    /// The volume that it alone mounts.
    pub store_volume: String,
    /// The volume that sandboxes mount read-only.
    pub socket_volume: String,
    /// Memory; swap beyond it is none.
    pub memory: Bytes,
    /// CPU time: engines refuse more than they have.
    pub cpus: Cpus,
    /// Labels of the caller's.
    pub labels: BTreeMap<String, String>,
}

/// The request, ready for the engine.
pub fn create_request(request: &DepotRequest) -> Result<CreateRequest> {
    let ours = || {
        BTreeMap::from(
            [(labels::SCHEMA, labels::SCHEMA_VALUE), (labels::ROLE, labels::ROLE_DEPOT)]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        )
    };
    let volume = |source: &str, target: &str| PlanMount {
        kind: PlanMountKind::Volume,
        source: source.to_owned(),
        target: target.to_owned(),
        read_only: false,
        labels: ours(),
    };
    let requested = serde_json::to_string(&requested(request))
        .map_err(|error| Failure::new(Code::Internal, format!("cannot write the depot's policy down: {error}")))?;
    let mut all = request.labels.clone();
    all.extend(ours());
    all.extend([(labels::IMAGE.to_owned(), request.image_reference.clone()), (labels::REQUESTED.to_owned(), requested)]);
    Ok(CreateRequest {
        name: request.name.clone(),
        image: request.image.clone(),
        entrypoint: ["/palisade", "depot", "serve"].map(str::to_owned).into(),
        env: Vec::new(),
        user: format!("{USER}:{USER}"),
        working_dir: "/".to_owned(),
        hostname: request.name.clone(),
        labels: all,
        open_stdin: false,
        stdin_once: false,
        stop_timeout_s: 10,
        auto_remove: false,
        init: true,
        privileged: false,
        cap_drop: vec!["ALL".to_owned()],
        cap_add: Vec::new(),
        security_opt: vec!["no-new-privileges".to_owned(), format!("seccomp={}", strict_seccomp())],
        pids_limit: PIDS,
        memory: request.memory.get(),
        memory_swap: request.memory.get(),
        nano_cpus: request.cpus.as_nano(),
        cpuset_cpus: String::new(),
        ulimits: vec![Ulimit { name: "core".to_owned(), limit: 0 }, Ulimit { name: "nofile".to_owned(), limit: NOFILE }],
        read_only_rootfs: true,
        tmpfs: BTreeMap::from([("/tmp".to_owned(), format!("rw,noexec,nosuid,nodev,size={},mode=1777", TMP.get()))]),
        shm_size: Bytes::mib(1).get(),
        mounts: vec![volume(&request.store_volume, ROOT), volume(&request.socket_volume, SOCKET_DIR)],
        network_mode: request.network.clone(),
        ipc_mode: "private".to_owned(),
        cgroupns_mode: "private".to_owned(),
        log_driver: "json-file".to_owned(),
        log_options: BTreeMap::from([("max-file".to_owned(), LOG.1.to_string()), ("max-size".to_owned(), LOG.0.get().to_string())]),
        restart_policy: "unless-stopped".to_owned(),
    })
}

fn requested(request: &DepotRequest) -> Requested {
    Requested {
        cap_add: Vec::new(),
        seccomp: Seccomp::Strict,
        user: (USER, USER),
        pids_limit: PIDS,
        memory: request.memory.get(),
        nano_cpus: request.cpus.as_nano().unsigned_abs(),
        cpuset: String::new(),
        nofile: NOFILE,
        read_only_rootfs: true,
        tmpfs: BTreeMap::from([("/tmp".to_owned(), TMP.get())]),
        mounts: BTreeMap::from([(ROOT.to_owned(), false), (SOCKET_DIR.to_owned(), false)]),
        workspace: None,
        network: Network::Open,
        log: (LOG.0.get(), LOG.1),
    }
}
