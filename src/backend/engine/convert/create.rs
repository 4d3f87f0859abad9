//! The plan's create request in bollard's words. Every field of [`CreateRequest`] is named, so a new one cannot be forgotten.

use bollard::models::{
    ContainerCreateBody, ContainerUpdateBody, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig, Mount,
    MountBindOptions, MountBindOptionsPropagationEnum, MountType, MountVolumeOptions, ResourcesUlimits, RestartPolicy,
    RestartPolicyNameEnum,
};

use super::signed;
use crate::backend::engine::Limits;
use crate::policy::plan::{CreateRequest, PlanMount, PlanMountKind};

/// From here on a read-only bind is read-only all the way down.
const RECURSIVE_READ_ONLY: (u32, u32) = (1, 44);

/// The body of `POST /containers/create`.
pub(in crate::backend::engine) fn session(request: &CreateRequest, api: (u32, u32)) -> ContainerCreateBody {
    let CreateRequest {
        name: _, // A query parameter.
        image,
        entrypoint,
        env,
        user,
        working_dir,
        hostname,
        labels,
        open_stdin,
        stdin_once,
        stop_timeout_s,
        auto_remove,
        init,
        privileged,
        cap_drop,
        cap_add,
        security_opt,
        pids_limit,
        memory,
        memory_swap,
        nano_cpus,
        cpuset_cpus,
        ulimits,
        read_only_rootfs,
        tmpfs,
        shm_size,
        mounts,
        network_mode,
        ipc_mode,
        cgroupns_mode,
        log_driver,
        log_options,
        restart_policy,
    } = request;
    let host_config = HostConfig {
        auto_remove: Some(*auto_remove),
        init: Some(*init),
        privileged: Some(*privileged),
        cap_drop: Some(cap_drop.clone()),
        cap_add: Some(cap_add.clone()),
        security_opt: Some(security_opt.clone()),
        pids_limit: Some(i64::from(*pids_limit)),
        memory: Some(signed(*memory)),
        memory_swap: Some(signed(*memory_swap)),
        nano_cpus: Some(*nano_cpus),
        cpuset_cpus: Some(cpuset_cpus.clone()).filter(|list| !list.is_empty()),
        ulimits: Some(ulimits.iter().map(|limit| ulimit(&limit.name, limit.limit)).collect()),
        readonly_rootfs: Some(*read_only_rootfs),
        tmpfs: Some(tmpfs.clone().into_iter().collect()),
        shm_size: Some(signed(*shm_size)),
        mounts: Some(mounts.iter().map(|planned| mount(planned, api)).collect()),
        network_mode: Some(network_mode.clone()),
        ipc_mode: Some(ipc_mode.clone()),
        cgroupns_mode: cgroupns(cgroupns_mode),
        log_config: Some(HostConfigLogConfig { typ: Some(log_driver.clone()), config: Some(log_options.clone().into_iter().collect()) }),
        restart_policy: Some(RestartPolicy { name: restart(restart_policy), maximum_retry_count: None }),
        ..HostConfig::default()
    };
    ContainerCreateBody {
        image: Some(image.clone()),
        entrypoint: Some(entrypoint.clone()),
        // Empty, not absent: the image's own arguments must not be appended to a vector that is whole.
        cmd: Some(Vec::new()),
        env: Some(env.clone()),
        user: Some(user.clone()),
        working_dir: Some(working_dir.clone()),
        hostname: Some(hostname.clone()),
        labels: Some(labels.clone().into_iter().collect()),
        tty: Some(false),
        open_stdin: Some(*open_stdin),
        stdin_once: Some(*stdin_once),
        attach_stdin: Some(*open_stdin),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        // Not the image's: its command may ignore that one, and would be killed instead of stopped.
        stop_signal: Some("SIGTERM".to_owned()),
        stop_timeout: Some(signed(*stop_timeout_s)),
        healthcheck: Some(no_healthcheck()),
        host_config: Some(host_config),
        ..ContainerCreateBody::default()
    }
}

/// The body of `POST /containers/ID/update`.
pub(in crate::backend::engine) fn update(limits: &Limits) -> ContainerUpdateBody {
    let Limits { pids_limit, memory, nano_cpus, cpuset_cpus, restart_policy } = limits;
    ContainerUpdateBody {
        pids_limit: pids_limit.map(signed),
        memory: memory.map(signed),
        memory_swap: memory.map(signed),
        nano_cpus: nano_cpus.map(signed),
        cpuset_cpus: cpuset_cpus.clone(),
        restart_policy: restart_policy.as_ref().map(|policy| RestartPolicy { name: restart(policy), maximum_retry_count: None }),
        ..ContainerUpdateBody::default()
    }
}

/// An image's health check is a command that the engine runs in the container from the start on, at any interval the
/// image likes: before it is measured, and beside the supervisor. No container of ours has one.
pub(super) fn no_healthcheck() -> HealthConfig {
    HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }
}

pub(super) fn ulimit(name: &str, limit: u64) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(name.to_owned()), soft: Some(signed(limit)), hard: Some(signed(limit)) }
}

pub(super) fn cgroupns(mode: &str) -> Option<HostConfigCgroupnsModeEnum> {
    match mode {
        "" => None,
        "host" => Some(HostConfigCgroupnsModeEnum::HOST),
        // Whatever else: the narrow one. An unknown word must not mean the engine's default.
        _ => Some(HostConfigCgroupnsModeEnum::PRIVATE),
    }
}

fn restart(policy: &str) -> Option<RestartPolicyNameEnum> {
    policy.parse().ok().or(Some(RestartPolicyNameEnum::NO))
}

fn mount(planned: &PlanMount, api: (u32, u32)) -> Mount {
    let PlanMount { kind, source, target, read_only, labels } = planned;
    match kind {
        PlanMountKind::Volume => volume(source, target, *read_only, labels.clone().into_iter().collect()),
        PlanMountKind::Bind => bind(source, target, *read_only, api),
    }
}

pub(super) fn volume(source: &str, target: &str, read_only: bool, labels: std::collections::HashMap<String, String>) -> Mount {
    Mount {
        typ: Some(MountType::VOLUME),
        source: Some(source.to_owned()).filter(|name| !name.is_empty()),
        target: Some(target.to_owned()),
        read_only: Some(read_only),
        volume_options: Some(MountVolumeOptions {
            // An engine fills an empty volume from the image's folder, also one that the container may only read:
            // an image could plant files where our own are expected.
            no_copy: Some(read_only),
            labels: Some(labels).filter(|labels| !labels.is_empty()),
            ..MountVolumeOptions::default()
        }),
        ..Mount::default()
    }
}

pub(super) fn bind(source: &str, target: &str, read_only: bool, api: (u32, u32)) -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(source.to_owned()),
        target: Some(target.to_owned()),
        read_only: Some(read_only),
        bind_options: Some(MountBindOptions {
            propagation: Some(MountBindOptionsPropagationEnum::RPRIVATE),
            // Older engines leave what is mounted below a read-only bind writable: leave it out instead.
            non_recursive: (read_only && api < RECURSIVE_READ_ONLY).then_some(true),
            create_mountpoint: Some(false),
            ..MountBindOptions::default()
        }),
        ..Mount::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::policy::plan::Ulimit;

    fn request() -> CreateRequest {
        CreateRequest {
            name: "palisade-web".into(),
            image: "sha256:00".into(),
            entrypoint: vec!["/palisade/palisade".into(), "supervise".into()],
            env: vec!["A=b".into()],
            user: "1000:1000".into(),
            working_dir: "/home/sandbox".into(),
            hostname: "web".into(),
            labels: [("palisade.schema".to_owned(), "1".to_owned())].into(),
            open_stdin: true,
            stdin_once: true,
            stop_timeout_s: 10,
            auto_remove: true,
            init: true,
            privileged: false,
            cap_drop: vec!["ALL".into()],
            cap_add: vec!["CHOWN".into()],
            security_opt: vec!["no-new-privileges".into()],
            pids_limit: 100,
            memory: 4 << 30,
            memory_swap: 4 << 30,
            nano_cpus: 2_000_000_000,
            cpuset_cpus: "0-1".into(),
            ulimits: vec![Ulimit { name: "nofile".into(), limit: 4096 }],
            read_only_rootfs: true,
            tmpfs: [("/tmp".to_owned(), "size=64m".to_owned())].into(),
            shm_size: 64 << 20,
            mounts: vec![
                PlanMount {
                    kind: PlanMountKind::Volume,
                    source: String::new(),
                    target: "/home/sandbox".into(),
                    read_only: false,
                    labels: [("palisade.role".to_owned(), "session".to_owned())].into(),
                },
                PlanMount {
                    kind: PlanMountKind::Bind,
                    source: "/srv/project".into(),
                    target: "/workspace".into(),
                    read_only: true,
                    labels: std::collections::BTreeMap::new(),
                },
            ],
            network_mode: "none".into(),
            ipc_mode: "private".into(),
            cgroupns_mode: "private".into(),
            log_driver: "json-file".into(),
            log_options: [("max-size".to_owned(), "10m".to_owned())].into(),
            restart_policy: "no".into(),
        }
    }

    fn sent(api: (u32, u32)) -> Value {
        serde_json::to_value(session(&request(), api)).unwrap()
    }

    #[test]
    fn every_field_arrives_under_the_engines_name() {
        let body = sent((1, 41));
        for (field, value) in [
            ("Image", json!("sha256:00")),
            ("Entrypoint", json!(["/palisade/palisade", "supervise"])),
            ("Cmd", json!([])),
            ("Env", json!(["A=b"])),
            ("User", json!("1000:1000")),
            ("WorkingDir", json!("/home/sandbox")),
            ("Hostname", json!("web")),
            ("Labels", json!({"palisade.schema": "1"})),
            ("OpenStdin", json!(true)),
            ("StdinOnce", json!(true)),
            ("AttachStdin", json!(true)),
            ("AttachStdout", json!(true)),
            ("AttachStderr", json!(true)),
            ("Tty", json!(false)),
            ("StopSignal", json!("SIGTERM")),
            ("StopTimeout", json!(10)),
            ("Healthcheck", json!({"Test": ["NONE"]})),
        ] {
            assert_eq!(body[field], value, "{field}");
        }
        for (field, value) in [
            ("AutoRemove", json!(true)),
            ("Init", json!(true)),
            ("Privileged", json!(false)),
            ("CapDrop", json!(["ALL"])),
            ("CapAdd", json!(["CHOWN"])),
            ("SecurityOpt", json!(["no-new-privileges"])),
            ("PidsLimit", json!(100)),
            ("Memory", json!(4_u64 << 30)),
            ("MemorySwap", json!(4_u64 << 30)),
            ("NanoCpus", json!(2_000_000_000)),
            ("CpusetCpus", json!("0-1")),
            ("Ulimits", json!([{"Name": "nofile", "Soft": 4096, "Hard": 4096}])),
            ("ReadonlyRootfs", json!(true)),
            ("Tmpfs", json!({"/tmp": "size=64m"})),
            ("ShmSize", json!(64 << 20)),
            ("NetworkMode", json!("none")),
            ("IpcMode", json!("private")),
            ("CgroupnsMode", json!("private")),
            ("LogConfig", json!({"Type": "json-file", "Config": {"max-size": "10m"}})),
            ("RestartPolicy", json!({"Name": "no"})),
        ] {
            assert_eq!(body["HostConfig"][field], value, "{field}");
        }
        assert!(body["HostConfig"].get("Binds").is_none() && body["HostConfig"].get("Devices").is_none());
    }

    #[test]
    fn an_anonymous_volume_has_labels_and_no_source() {
        let mount = &sent((1, 41))["HostConfig"]["Mounts"][0];
        assert!(mount.get("Source").is_none(), "{mount}");
        assert_eq!(mount["VolumeOptions"], json!({"NoCopy": false, "Labels": {"palisade.role": "session"}}));
    }

    #[test]
    fn a_read_only_bind_has_no_writable_mount_below_it_and_never_makes_a_host_folder() {
        let options = |api| sent(api)["HostConfig"]["Mounts"][1]["BindOptions"].clone();
        assert_eq!(options((1, 41)), json!({"Propagation": "rprivate", "NonRecursive": true, "CreateMountpoint": false}));
        assert_eq!(options((1, 44)), json!({"Propagation": "rprivate", "CreateMountpoint": false}));
    }

    #[test]
    fn a_read_only_volume_is_never_filled_from_the_image() {
        assert_eq!(volume("v", "/palisade", true, std::collections::HashMap::default()).volume_options.unwrap().no_copy, Some(true));
    }

    #[test]
    fn an_unknown_word_never_means_the_engines_wider_default() {
        assert_eq!(cgroupns("privte"), Some(HostConfigCgroupnsModeEnum::PRIVATE));
        assert_eq!(restart("sometimes"), Some(RestartPolicyNameEnum::NO));
    }
}
