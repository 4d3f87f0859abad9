//! Containers as the engine reports them.

use std::collections::{BTreeMap, BTreeSet};

use bollard::errors::Error;
use bollard::models::{
    ContainerCreateResponse, ContainerInspectResponse, ContainerState, ContainerStateStatusEnum, ContainerSummary as Listed,
    ContainerSummaryStateEnum, ContainerWaitResponse, HostConfig, MountPoint, ResourcesUlimits,
};

use super::{from_seconds, labels, limit, moment, sorted, untrusted};
use crate::backend::engine::call::Call;
use crate::backend::engine::{ContainerSummary, Created};
use crate::failure::Result;
use crate::session::{ContainerFacts, ExitFacts, LogFacts, MountFacts, Status, UlimitFacts};

/// The scheduler's period where a quota names none, in microseconds.
const DEFAULT_PERIOD: u64 = 100_000;

/// A container that was created.
pub(in crate::backend::engine) fn created(answer: ContainerCreateResponse) -> Created {
    Created { id: answer.id, warnings: untrusted(Some(answer.warnings)) }
}

/// The exit code, zero or not: bollard makes an error of every other than zero.
pub(in crate::backend::engine) fn exit_code(answer: Result<ContainerWaitResponse, Error>, call: &Call) -> Result<i64> {
    match answer {
        Ok(ContainerWaitResponse { status_code, .. }) if status_code >= 0 => Ok(status_code),
        Ok(ContainerWaitResponse { error, .. }) => {
            Err(call.refused_with(&error.and_then(|error| error.message).unwrap_or_else(|| "the exit code is not known".to_owned())))
        }
        Err(Error::DockerContainerWaitError { code, .. }) => Ok(code),
        Err(error) => Err(call.failure(&error)),
    }
}

/// A container in the list.
pub(in crate::backend::engine) fn summary(listed: Listed) -> ContainerSummary {
    let names = listed.names.unwrap_or_default();
    // A linked container is listed under the names that others have for it too: `/other/alias`.
    let own = names.iter().map(|name| name.trim_start_matches('/')).find(|name| !name.contains('/')).unwrap_or_default();
    ContainerSummary {
        id: listed.id.unwrap_or_default(),
        name: own.into(),
        image: listed.image.unwrap_or_default().into(),
        command: listed.command.unwrap_or_default().into(),
        created: from_seconds(listed.created.unwrap_or(0)),
        status: match listed.state {
            // Podman's word for one that has processes still.
            Some(ContainerSummaryStateEnum::STOPPING) => Status::Running,
            Some(state) => Status::from_engine(state.as_ref()),
            None => Status::Unknown,
        },
        status_text: listed.status.unwrap_or_default().into(),
        labels: labels(listed.labels),
    }
}

/// Everything about one container.
pub(in crate::backend::engine) fn facts(answer: ContainerInspectResponse) -> ContainerFacts {
    let state = answer.state.unwrap_or_default();
    let config = answer.config.unwrap_or_default();
    let host = answer.host_config.unwrap_or_default();
    let networks = answer.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
    let status = status(&state);
    let command = answer.path.into_iter().chain(answer.args.unwrap_or_default());
    ContainerFacts {
        id: answer.id.unwrap_or_default(),
        name: answer.name.unwrap_or_default().trim_start_matches('/').into(),
        labels: labels(config.labels),
        status,
        pid: state.pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0),
        exit: exit(&state, status),
        created: moment(answer.created.as_deref()),
        started: moment(state.started_at.as_deref()),
        image: config.image.unwrap_or_default().into(),
        image_id: answer.image.unwrap_or_default(),
        command: command.filter(|part| !part.is_empty()).map(Into::into).collect(),
        user: config.user.unwrap_or_default().into(),
        env: untrusted(config.env),
        working_dir: config.working_dir.unwrap_or_default().into(),
        tty: config.tty.unwrap_or(false),
        runtime: host.runtime.clone().unwrap_or_default(),
        cap_add: capabilities(host.cap_add.as_deref()),
        cap_drop: capabilities(host.cap_drop.as_deref()),
        privileged: host.privileged.unwrap_or(false),
        security_opt: host.security_opt.clone().unwrap_or_default(),
        init: host.init.unwrap_or(false),
        auto_remove: host.auto_remove.unwrap_or(false),
        pids_limit: limit(host.pids_limit),
        memory: limit(host.memory),
        memory_swap: limit(host.memory_swap),
        nano_cpus: nano_cpus(&host),
        cpuset_cpus: host.cpuset_cpus.clone().unwrap_or_default(),
        other_limits: other_limits(&host),
        oom_kill_disable: host.oom_kill_disable.unwrap_or(false),
        ulimits: host.ulimits.as_deref().unwrap_or_default().iter().map(ulimit).collect(),
        read_only_rootfs: host.readonly_rootfs.unwrap_or(false),
        tmpfs: host.tmpfs.clone().unwrap_or_default().into_iter().collect(),
        mounts: answer.mounts.unwrap_or_default().into_iter().map(mount).collect(),
        devices: devices(&host),
        network_mode: host.network_mode.clone().unwrap_or_default(),
        networks: sorted(networks.into_keys().filter(|name| name != "none").collect()).into_iter().map(Into::into).collect(),
        ports: ports(&host),
        ipc_mode: host.ipc_mode.clone().unwrap_or_default(),
        pid_mode: host.pid_mode.clone().unwrap_or_default(),
        uts_mode: host.uts_mode.clone().unwrap_or_default(),
        userns_mode: host.userns_mode.clone().unwrap_or_default(),
        cgroupns_mode: host.cgroupns_mode.map(|mode| mode.to_string()).unwrap_or_default(),
        log: host.log_config.map_or_else(LogFacts::default, |log| LogFacts {
            driver: log.typ.unwrap_or_default(),
            options: log.config.unwrap_or_default().into_iter().collect(),
        }),
        restart_policy: host
            .restart_policy
            .and_then(|policy| policy.name)
            .map(|name| name.to_string())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "no".to_owned()),
        restarts: answer.restart_count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0),
        masked_paths: host.masked_paths,
        readonly_paths: host.readonly_paths,
        apparmor: answer.app_armor_profile.unwrap_or_default(),
    }
}

fn status(state: &ContainerState) -> Option<Status> {
    match state.status? {
        ContainerStateStatusEnum::EMPTY => None,
        // Podman's word for one that has processes still.
        ContainerStateStatusEnum::STOPPING => Some(Status::Running),
        known => Some(Status::from_engine(known.as_ref())),
    }
}

/// How it ended: a state that has ended, or one that never began and says why.
fn exit(state: &ContainerState, status: Option<Status>) -> Option<ExitFacts> {
    let error = state.error.clone().unwrap_or_default();
    let ended = matches!(status, Some(Status::Exited | Status::Dead | Status::Removing));
    let never_began = status == Some(Status::Created) && !error.is_empty();
    (ended || never_began).then(|| ExitFacts {
        code: state.exit_code.unwrap_or(0),
        oom_killed: state.oom_killed.unwrap_or(false),
        error: error.into(),
        finished: moment(state.finished_at.as_deref()),
    })
}

fn capabilities(names: Option<&[String]>) -> BTreeSet<String> {
    let bare = |name: &String| {
        let upper = name.to_ascii_uppercase();
        upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned()
    };
    names.unwrap_or_default().iter().map(bare).collect()
}

fn nano_cpus(host: &HostConfig) -> Option<u64> {
    limit(host.nano_cpus).or_else(|| {
        let quota = limit(host.cpu_quota)?;
        let period = limit(host.cpu_period).unwrap_or(DEFAULT_PERIOD);
        u64::try_from(u128::from(quota) * 1_000_000_000 / u128::from(period)).ok()
    })
}

/// Settings that this program never makes: each is somebody else's.
fn other_limits(host: &HostConfig) -> BTreeMap<String, String> {
    let numbers = [
        ("cpu_shares", host.cpu_shares),
        ("memory_reservation", host.memory_reservation),
        ("blkio_weight", host.blkio_weight.map(i64::from)),
        ("cpu_realtime_period", host.cpu_realtime_period),
        ("cpu_realtime_runtime", host.cpu_realtime_runtime),
    ];
    let numbers = numbers.into_iter().filter_map(|(name, number)| Some((name, number.filter(|number| *number > 0)?.to_string())));
    let memory_nodes = host.cpuset_mems.clone().filter(|nodes| !nodes.is_empty()).map(|nodes| ("cpuset_mems", nodes));
    numbers.chain(memory_nodes).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn ulimit(limit: &ResourcesUlimits) -> UlimitFacts {
    // Podman writes `RLIMIT_NOFILE`.
    let name = limit.name.as_deref().unwrap_or_default().to_ascii_lowercase();
    UlimitFacts {
        name: name.strip_prefix("rlimit_").unwrap_or(&name).to_owned(),
        soft: limit.soft.unwrap_or(-1),
        hard: limit.hard.unwrap_or(-1),
    }
}

fn mount(mount: MountPoint) -> MountFacts {
    MountFacts {
        kind: mount.typ.unwrap_or_default(),
        name: mount.name.unwrap_or_default(),
        source: mount.source.unwrap_or_default().into(),
        destination: mount.destination.unwrap_or_default().into(),
        // What is not said to be read-only is taken to be writable.
        read_write: mount.rw.unwrap_or(true),
    }
}

/// Everything that lets a container at the host's devices, one line each.
fn devices(host: &HostConfig) -> Vec<String> {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let mapped =
        host.devices.as_deref().unwrap_or_default().iter().map(|device| {
            format!("{}:{}:{}", text(&device.path_on_host), text(&device.path_in_container), text(&device.cgroup_permissions))
        });
    let requested = host.device_requests.as_deref().unwrap_or_default().iter().map(|request| {
        let ids = request.device_ids.clone().unwrap_or_default().join(",");
        let kinds: Vec<String> = request.capabilities.iter().flatten().map(|all| all.join("+")).collect();
        format!("request driver={} count={} ids={ids} capabilities={}", text(&request.driver), request.count.unwrap_or(0), kinds.join(","))
    });
    let rules = host.device_cgroup_rules.as_deref().unwrap_or_default().iter().map(|rule| format!("cgroup rule {rule}"));
    mapped.chain(requested).chain(rules).collect()
}

fn ports(host: &HostConfig) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (port, bindings) in host.port_bindings.iter().flatten() {
        for binding in bindings.iter().flatten() {
            let ip = binding.host_ip.as_deref().filter(|ip| !ip.is_empty()).unwrap_or("0.0.0.0");
            lines.push(format!("{port} -> {ip}:{}", binding.host_port.as_deref().unwrap_or_default()));
        }
    }
    if host.publish_all_ports == Some(true) {
        lines.push("every exposed port".to_owned());
    }
    sorted(lines)
}

#[cfg(test)]
mod tests;
