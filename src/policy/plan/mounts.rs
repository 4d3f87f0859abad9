//! Everything that is mounted into a session, and its volumes' names.

use std::collections::BTreeMap;

use super::{CACHE, DEPOT_DIR, HOME, PlanMount, PlanMountKind, SUPERVISOR_DIR, WORKSPACE, reaches_depot};
use crate::policy::{Policy, Request, WorkspaceMode, WorkspaceMount};
use crate::session::{Kind, labels};
use crate::units::SessionId;

/// The name of a persistent session's home volume.
pub fn home_volume(id: SessionId) -> String {
    format!("palisade-home-{id}")
}

/// The name of a persistent session's cache volume.
pub fn cache_volume(id: SessionId) -> String {
    format!("palisade-cache-{id}")
}

/// By target.
pub(super) fn mounts(policy: &Policy, request: &Request) -> Vec<PlanMount> {
    let ours = volume_labels(request);
    // A volume without a name goes with the container.
    let named = |name: fn(SessionId) -> String| match request.kind {
        Kind::Persistent => name(request.id),
        Kind::Ephemeral => String::new(),
    };
    let mut mounts = vec![
        volume(&named(home_volume), HOME, false, ours.clone()),
        volume(&named(cache_volume), CACHE, false, ours.clone()),
        volume(&request.supervisor_volume, SUPERVISOR_DIR, true, BTreeMap::new()),
    ];
    if let Some(socket) = request.depot_socket_volume.as_ref().filter(|_| reaches_depot(policy, request)) {
        mounts.push(volume(socket, DEPOT_DIR, true, BTreeMap::new()));
    }
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
            mounts.push(volume("", target, false, ours.clone()));
        }
    }
    mounts.sort_by(|a, b| a.target.cmp(&b.target));
    mounts
}

/// The workspace in the mode that holds.
pub(super) fn workspace(policy: &Policy, request: &Request) -> Option<WorkspaceMount> {
    request.workspace.clone().map(|mut workspace| {
        if policy.workspace_read_only {
            workspace.mode = WorkspaceMode::ReadOnly;
        }
        workspace
    })
}

/// Labels of the session's volumes: enough to know whose they are.
pub(super) fn volume_labels(request: &Request) -> BTreeMap<String, String> {
    BTreeMap::from([
        (labels::SCHEMA.to_owned(), labels::SCHEMA_VALUE.to_owned()),
        (labels::ROLE.to_owned(), labels::ROLE_SESSION.to_owned()),
        (labels::ID.to_owned(), request.id.to_string()),
        (labels::NAME.to_owned(), request.name.to_string()),
    ])
}

pub(super) fn volume(source: &str, target: &str, read_only: bool, labels: BTreeMap<String, String>) -> PlanMount {
    PlanMount { kind: PlanMountKind::Volume, source: source.to_owned(), target: target.to_owned(), read_only, labels }
}
