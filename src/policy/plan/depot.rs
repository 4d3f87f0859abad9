//! The depot's container: a sandbox's hardening, with a way out and two volumes of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::base::{Limits, hardened};
use super::mounts::volume;
use super::{CreateRequest, DEPOT_DIR, SUPERVISOR};
use crate::failure::{Code, Failure, Result};
use crate::policy::audit::{DEPOT_RESTARTS, Requested};
use crate::policy::{LogCap, Network, PidsLimit, Seccomp};
use crate::session::labels;
use crate::terminal::Grants;
use crate::units::{Bytes, Cpus, Seconds};

/// Where the depot keeps everything.
const STORE: &str = "/depot";
/// Uid and gid: no user of any image of ours, so that nothing that it owns is a sandbox's.
const USER: u32 = 65532;
/// A connection is a task and not a thread: this is far above what it starts.
const PIDS: u64 = 100;
/// Each connection of each session is a file, and so is each that leaves.
const NOFILE: u32 = 16384;
const TMP: Bytes = Bytes::mib(16);
const SHM: Bytes = Bytes::mib(1);
const LOG: LogCap = LogCap { max_size: Bytes::mib(10), max_file: 3 };

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
    /// Labels of the caller's, such as what a newer manager recognises an older depot by.
    pub labels: BTreeMap<String, String>,
}

/// The request, ready for the engine.
pub fn depot(request: &DepotRequest) -> Result<CreateRequest> {
    let mut all = request.labels.clone();
    let requested = serde_json::to_string(&depot_requested(request)?)
        .map_err(|error| Failure::new(Code::Internal, format!("cannot write the depot's policy down: {error}")))?;
    all.extend(volume_labels());
    all.extend([(labels::IMAGE.to_owned(), request.image_reference.clone()), (labels::REQUESTED.to_owned(), requested)]);
    Ok(CreateRequest {
        name: request.name.clone(),
        image: request.image.clone(),
        entrypoint: [SUPERVISOR, "depot", "serve"].map(str::to_owned).into(),
        // One arena: memory that one task freed is the next one's.
        env: vec!["MALLOC_ARENA_MAX=2".to_owned()],
        user: format!("{USER}:{USER}"),
        working_dir: "/".to_owned(),
        hostname: request.name.clone(),
        labels: all,
        stop_timeout_s: 10,
        tmpfs: BTreeMap::from([("/tmp".to_owned(), format!("rw,noexec,nosuid,nodev,size={},mode=1777", TMP.get()))]),
        mounts: vec![
            volume(&request.store_volume, STORE, false, volume_labels()),
            volume(&request.socket_volume, DEPOT_DIR, false, volume_labels()),
        ],
        network_mode: request.network.clone(),
        restart_policy: DEPOT_RESTARTS.to_owned(),
        ..hardened(&limits(request, &BTreeSet::new())?)
    })
}

/// What an audit of the depot holds it to.
pub fn depot_requested(request: &DepotRequest) -> Result<Requested> {
    let none = BTreeSet::new();
    let limits = limits(request, &none)?;
    Ok(Requested {
        cap_add: Vec::new(),
        seccomp: limits.seccomp,
        user: (USER, USER),
        pids_limit: limits.pids_limit.get(),
        memory: limits.memory.get(),
        nano_cpus: limits.cpus.as_nano().unsigned_abs(),
        cpuset: String::new(),
        nofile: u64::from(limits.nofile),
        read_only_rootfs: true,
        tmpfs: BTreeMap::from([("/tmp".to_owned(), TMP.get())]),
        mounts: BTreeMap::from([(STORE.to_owned(), false), (DEPOT_DIR.to_owned(), false)]),
        workspace: None,
        network: Network::Open,
        min_age: Seconds::new(0),
        min_age_allow: BTreeSet::new(),
        terminal: Grants::default(),
        log: (limits.log.max_size.get(), limits.log.max_file),
    })
}

fn limits<'a>(request: &DepotRequest, cap_add: &'a BTreeSet<crate::units::Capability>) -> Result<Limits<'a>> {
    Ok(Limits {
        cap_add,
        seccomp: Seccomp::Strict,
        pids_limit: PidsLimit::new(PIDS).map_err(|error| Failure::new(Code::Internal, error.to_string()))?,
        memory: request.memory,
        cpus: request.cpus,
        cpuset: "",
        nofile: NOFILE,
        shm_size: SHM,
        log: LOG,
    })
}

/// Labels of the depot's volumes, and of itself.
fn volume_labels() -> BTreeMap<String, String> {
    BTreeMap::from([(labels::SCHEMA.to_owned(), labels::SCHEMA_VALUE.to_owned()), (labels::ROLE.to_owned(), labels::ROLE_DEPOT.to_owned())])
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::policy::plan::samples::{policy, request};
    use crate::policy::plan::{plan, requested};

    fn ours() -> DepotRequest {
        DepotRequest {
            name: "palisade-depot".to_owned(),
            image: "sha256:01".to_owned(),
            image_reference: "palisade-depot:1".to_owned(),
            network: "bridge".to_owned(),
            store_volume: "palisade-depot-store".to_owned(),
            socket_volume: "palisade-depot-socket".to_owned(),
            memory: Bytes::mib(256),
            cpus: Cpus::milli(2000),
            labels: BTreeMap::from([("palisade.depot.image".to_owned(), "abc".to_owned())]),
        }
    }

    /// Keys at the top of two documents that do not have the same value.
    fn differing(a: &Value, b: &Value) -> Vec<String> {
        let (a, b) = (a.as_object().unwrap(), b.as_object().unwrap());
        assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
        a.keys().filter(|key| a[*key] != b[*key]).cloned().collect()
    }

    #[test]
    fn it_differs_from_a_sandbox_in_these_fields_and_in_no_other() {
        let strict = crate::policy::Policy { seccomp: Seccomp::Strict, ..policy() };
        let sandbox = plan(&strict, &request()).unwrap().create;
        let (sandbox, depot) = (serde_json::to_value(&sandbox).unwrap(), serde_json::to_value(depot(&ours()).unwrap()).unwrap());
        let what_it_is = ["entrypoint", "env", "hostname", "image", "labels", "mounts", "name", "user", "working_dir"];
        let how_it_is_run = ["network_mode", "open_stdin", "restart_policy"];
        let how_much = ["memory", "memory_swap", "shm_size", "tmpfs", "ulimits"];
        let mut named = [&what_it_is[..], &how_it_is_run, &how_much].concat();
        named.sort_unstable();
        assert_eq!(differing(&sandbox, &depot), named);
    }

    #[test]
    fn it_is_not_root_has_no_swap_and_no_core_dumps_and_shows_an_engine_nothing_but_two_volumes() {
        let create = depot(&ours()).unwrap();
        assert_eq!(
            (create.user.as_str(), create.memory_swap, create.restart_policy.as_str()),
            ("65532:65532", 256 << 20, "unless-stopped")
        );
        assert!(create.ulimits.iter().any(|limit| limit.name == "core" && limit.limit == 0));
        assert!(create.tmpfs["/tmp"].contains("noexec") && create.read_only_rootfs && create.init && !create.auto_remove);
        let mounts: Vec<_> = create.mounts.iter().map(|mount| (mount.source.as_str(), mount.target.as_str(), mount.read_only)).collect();
        assert_eq!(mounts, [("palisade-depot-store", "/depot", false), ("palisade-depot-socket", "/run/palisade", false)]);
    }

    #[test]
    fn no_label_of_the_callers_makes_it_a_session() {
        let labels = BTreeMap::from([(labels::ROLE.to_owned(), labels::ROLE_SESSION.to_owned())]);
        let create = depot(&DepotRequest { labels, ..ours() }).unwrap();
        assert_eq!(create.labels[labels::ROLE], labels::ROLE_DEPOT);
        let kept: Requested = serde_json::from_str(&create.labels[labels::REQUESTED]).unwrap();
        assert_eq!(kept, depot_requested(&ours()).unwrap());
    }

    #[test]
    fn a_session_and_the_depot_meet_in_one_folder() {
        let session = requested(&policy(), &request());
        assert_eq!((session.mounts.get(DEPOT_DIR), depot_requested(&ours()).unwrap().mounts.get(DEPOT_DIR)), (Some(&true), Some(&false)));
    }
}
