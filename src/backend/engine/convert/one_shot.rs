//! Helper containers of our own: what they may do is decided here, once, and is no more than a session may.

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, RestartPolicy, RestartPolicyNameEnum};

use super::create::{bind, cgroupns, no_healthcheck, ulimit, volume};
use super::signed;
use crate::backend::engine::OneShot;
use crate::units::Bytes;

/// Processes and threads: a probe has one, a copy has few.
const PIDS: i64 = 32;
/// Memory and swap together, so no swap.
const MEMORY: u64 = 256 * Bytes::MIB;

/// The body of `POST /containers/create`.
pub(in crate::backend::engine) fn helper(request: &OneShot, api: (u32, u32)) -> ContainerCreateBody {
    let OneShot { name: _, image, entrypoint, user, labels, cap_add, pid_mode, volumes_from, volumes, binds } = request;
    let volumes = volumes.iter().map(|(name, target, read_only)| volume(name, target, *read_only, [].into()));
    let binds = binds.iter().map(|(path, target)| everything_below(bind(path, target, true, api)));
    let host_config = HostConfig {
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(cap_add.clone()),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        privileged: Some(false),
        pids_limit: Some(PIDS),
        memory: Some(signed(MEMORY)),
        memory_swap: Some(signed(MEMORY)),
        ulimits: Some(vec![ulimit("nofile", 1024), ulimit("core", 0)]),
        readonly_rootfs: Some(volumes_from.is_none()),
        volumes_from: volumes_from.clone().map(|container| vec![container]),
        network_mode: Some("none".to_owned()),
        ipc_mode: Some("private".to_owned()),
        pid_mode: Some(pid_mode.clone()).filter(|mode| !mode.is_empty()),
        cgroupns_mode: cgroupns("private"),
        mounts: Some(volumes.chain(binds).collect()),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some([("max-size".to_owned(), "16m".to_owned()), ("max-file".to_owned(), "1".to_owned())].into()),
        }),
        restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::NO), maximum_retry_count: None }),
        ..HostConfig::default()
    };
    ContainerCreateBody {
        image: Some(image.clone()),
        entrypoint: Some(entrypoint.clone()),
        cmd: Some(Vec::new()),
        user: Some(user.clone()),
        working_dir: Some("/".to_owned()),
        labels: Some(labels.clone().into_iter().collect()),
        tty: Some(false),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        healthcheck: Some(no_healthcheck()),
        host_config: Some(host_config),
        ..ContainerCreateBody::default()
    }
}

/// With what is mounted below it: cgroup version 1 is a mount for each controller. Engines before API 1.44 leave those
/// writable, and what writes there is this program alone.
fn everything_below(mut bind: Mount) -> Mount {
    if let Some(options) = &mut bind.bind_options {
        options.non_recursive = None;
    }
    bind
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_helper_is_as_hardened_as_a_session() {
        let request = OneShot {
            name: "palisade-probe-x".into(),
            image: "sha256:00".into(),
            entrypoint: vec!["/palisade/palisade".into()],
            user: "65534:65534".into(),
            labels: [].into(),
            cap_add: vec!["SYS_PTRACE".into()],
            pid_mode: "container:abc".into(),
            volumes_from: None,
            volumes: vec![("palisade-supervisor".into(), "/palisade".into(), true)],
            binds: vec![("/sys/fs/cgroup".into(), "/cgroup".into())],
        };
        let body = serde_json::to_value(helper(&request, (1, 41))).unwrap();
        let host = &body["HostConfig"];
        for (field, value) in [
            ("CapDrop", json!(["ALL"])),
            ("CapAdd", json!(["SYS_PTRACE"])),
            ("SecurityOpt", json!(["no-new-privileges"])),
            ("Privileged", json!(false)),
            ("PidsLimit", json!(32)),
            ("Memory", json!(256 << 20)),
            ("MemorySwap", json!(256 << 20)),
            ("ReadonlyRootfs", json!(true)),
            ("NetworkMode", json!("none")),
            ("IpcMode", json!("private")),
            ("CgroupnsMode", json!("private")),
            ("PidMode", json!("container:abc")),
            ("RestartPolicy", json!({"Name": "no"})),
        ] {
            assert_eq!(host[field], value, "{field}");
        }
        assert_eq!(host["LogConfig"]["Config"]["max-size"], "16m");
        assert!(host["Mounts"].as_array().unwrap().iter().all(|mount| mount["ReadOnly"] == true));
        assert!(body.get("OpenStdin").is_none());
        assert_eq!(body["Healthcheck"], json!({"Test": ["NONE"]}), "the image's own would run with the probe's rights");
    }
}
