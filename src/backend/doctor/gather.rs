//! Asks the engine and looks at this machine. Whatever does not answer becomes a fact, never an early end.
#![expect(clippy::disallowed_methods, reason = "looks at this machine's kernel and file systems")]

use std::fs;
use std::path::Path;

use super::{DepotSide, DoctorInputs, EngineSide, Facts, HostSide, ImageSide, SupervisorSide};
use crate::backend::engine::{Engine, own_architecture};
use crate::backend::{depot, image};
use crate::failure::{Code, Failure, Result};
use crate::session::{Status, labels};
use crate::units::Bytes;

pub async fn facts(engine: Result<&dyn Engine, &Failure>, inputs: &DoctorInputs) -> Facts {
    let engine = match engine {
        Ok(engine) => engine_side(engine, inputs).await,
        Err(failure) => Err(failure.clone()),
    };
    let root_dir = engine.as_ref().ok().filter(|engine| engine.endpoint.socket.is_some()).map(|engine| engine.info.root_dir.clone());
    Facts { host: host_side(root_dir.as_deref(), inputs), engine, now: inputs.now }
}

async fn engine_side(engine: &dyn Engine, inputs: &DoctorInputs) -> Result<EngineSide> {
    Ok(EngineSide {
        endpoint: engine.endpoint().clone(),
        version: engine.version().await?,
        info: engine.info().await?,
        image: (inputs.image_tag.clone(), image_side(engine, &inputs.image_tag).await),
        supervisor: (inputs.supervisor_volume.clone(), supervisor_side(engine, &inputs.supervisor_volume).await),
        depot: (inputs.depot.clone(), depot_side(engine, &inputs.depot).await),
    })
}

async fn image_side(engine: &dyn Engine, tag: &str) -> Result<ImageSide> {
    let state = image::state(engine, tag).await?;
    let made = match &state {
        image::State::Current(facts) | image::State::Outdated(facts) => {
            engine.our_images().await?.into_iter().find(|image| image.id == facts.id).map(|image| (image.created, image.size))
        }
        image::State::Missing | image::State::Foreign(_) => None,
    };
    Ok(ImageSide { state, made })
}

async fn supervisor_side(engine: &dyn Engine, volume: &str) -> Result<SupervisorSide> {
    match engine.volume(volume).await {
        Ok(found) if found.labels.get(labels::ROLE).is_some_and(|role| role.raw() == labels::ROLE_SUPERVISOR) => Ok(SupervisorSide::Ours),
        Ok(_) => Ok(SupervisorSide::Foreign),
        Err(failure) if failure.code == Code::NotFound => Ok(SupervisorSide::Absent),
        Err(failure) => Err(failure),
    }
}

async fn depot_side(engine: &dyn Engine, name: &str) -> Result<DepotSide> {
    let found = match engine.inspect(name).await {
        Ok(found) => found,
        Err(failure) if failure.code == Code::NotFound => return Ok(DepotSide::Absent),
        Err(failure) => return Err(failure),
    };
    if !depot::is_ours(&found) {
        return Ok(DepotSide::Foreign);
    }
    if found.status != Some(Status::Running) {
        return Ok(DepotSide::Stopped);
    }
    let upstreams = depot::summary(engine, &found.id).await?.map(|summary| summary.upstreams).unwrap_or_default();
    let away = upstreams.into_iter().filter_map(|registry| registry.away.map(|(_, why)| format!("{}: {why}", registry.url)));
    Ok(DepotSide::Running { away: away.collect() })
}

fn host_side(engine_root: Option<&str>, inputs: &DoctorInputs) -> HostSide {
    HostSide {
        architecture: own_architecture(),
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()).unwrap_or_default(),
        is_root: nix::unistd::geteuid().is_root(),
        direct_terminals: inputs.direct_terminals,
        apparmor: fs::read_to_string("/sys/module/apparmor/parameters/enabled").ok().map(|text| text.starts_with('Y')),
        disk_free: engine_root.and_then(free_space),
        authorities: image::count_authorities(inputs.ca_bundle.as_deref()),
        proxy: inputs.proxy.clone(),
    }
}

/// `None` where the engine's folder is not on this machine (an engine in a virtual machine behind a local socket).
fn free_space(folder: &str) -> Option<Bytes> {
    let folder = Path::new(folder);
    if !folder.is_absolute() || !folder.exists() {
        return None;
    }
    let found = nix::sys::statvfs::statvfs(folder).ok()?;
    Some(Bytes::new(found.blocks_available().saturating_mul(found.fragment_size())))
}
