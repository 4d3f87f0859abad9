use std::sync::Arc;

use bollard::models::ContainerWaitExitError;

use super::*;
use crate::backend::engine::Endpoint;
use crate::backend::engine::call::Noun;
use crate::failure::Code;
use crate::units::Untrusted;

fn read(text: &str) -> ContainerFacts {
    facts(serde_json::from_str(text).unwrap())
}

#[test]
fn a_hardened_container_of_docker_20_10_is_read_whole() {
    let facts = read(include_str!("../../fixtures/inspect-docker-20.10-hardened.json"));
    assert_eq!((facts.name.raw(), facts.status, facts.tty), ("palisade-web", Some(Status::Running), false));
    assert!(facts.pid.is_some() && facts.exit.is_none() && facts.started.is_some() && facts.created <= facts.started);
    assert_eq!(facts.labels["palisade.schema"].raw(), "1");
    assert_eq!((facts.image.raw(), facts.user.raw(), facts.working_dir.raw()), ("test-base:1", "1000:1000", "/home/sandbox"));
    assert_eq!(facts.command.iter().map(Untrusted::raw).collect::<Vec<_>>(), ["sleep", "600"]);
    assert!(facts.env.iter().any(|line| line.raw() == "A=b"));
    assert!(facts.image_id.starts_with("sha256:"));
    assert_eq!((facts.cap_drop.iter().cloned().collect::<Vec<_>>(), facts.cap_add.len()), (vec!["ALL".to_owned()], 0));
    assert!(facts.init && facts.read_only_rootfs && !facts.privileged && !facts.auto_remove && !facts.oom_kill_disable);
    assert_eq!(facts.security_opt, ["no-new-privileges"]);
    assert_eq!(
        (facts.pids_limit, facts.memory, facts.memory_swap, facts.nano_cpus),
        (Some(100), Some(256 << 20), Some(256 << 20), Some(1_500_000_000))
    );
    let nofile = UlimitFacts { name: "nofile".into(), soft: 4096, hard: 4096 };
    assert!(facts.ulimits.contains(&nofile) && facts.ulimits.len() == 2);
    assert_eq!(facts.tmpfs["/tmp"], "rw,size=64m,nosuid,nodev");
    let home = facts.mounts.iter().find(|mount| mount.destination.raw() == "/home/sandbox").unwrap();
    assert_eq!((home.kind.as_str(), home.name.as_str(), home.read_write), ("volume", "home", true));
    let data = facts.mounts.iter().find(|mount| mount.destination.raw() == "/ro").unwrap();
    assert_eq!((data.kind.as_str(), data.source.raw(), data.read_write), ("bind", "/srv/data", false));
    assert!(facts.devices.is_empty() && facts.ports.is_empty() && facts.networks.is_empty());
    assert_eq!((facts.network_mode.as_str(), facts.ipc_mode.as_str(), facts.cgroupns_mode.as_str()), ("none", "private", "private"));
    assert_eq!((facts.log.driver.as_str(), facts.log.options["max-size"].as_str()), ("json-file", "10m"));
    assert_eq!((facts.restart_policy.as_str(), facts.runtime.as_str()), ("no", "runc"));
    assert!(facts.masked_paths.unwrap().contains(&"/proc/kcore".to_owned()) && facts.readonly_paths.is_some());
}

#[test]
fn what_a_weak_container_was_given_shows() {
    let facts = read(include_str!("../../fixtures/inspect-docker-20.10-weak.json"));
    assert_eq!(facts.status, Some(Status::Exited));
    assert!(facts.pid.is_none());
    let exit = facts.exit.unwrap();
    assert_eq!((exit.code, exit.oom_killed, exit.finished.is_some()), (3, false, true));
    assert!(facts.cap_add.contains("NET_ADMIN") && facts.cap_drop.is_empty());
    assert_eq!((facts.pids_limit, facts.memory, facts.memory_swap, facts.nano_cpus), (None, None, None, Some(2_000_000_000)));
    assert_eq!(facts.devices, ["/dev/null:/dev/xnull:r", "cgroup rule c 1:3 mr"]);
    assert_eq!(facts.ports, ["80/tcp -> 127.0.0.1:18080"]);
    assert_eq!((facts.pid_mode.as_str(), facts.cgroupns_mode.as_str()), ("host", "host"));
    assert_eq!(facts.networks.iter().map(Untrusted::raw).collect::<Vec<_>>(), ["bridge"]);
    assert!(!facts.init && !facts.read_only_rootfs);
}

#[test]
fn podmans_spellings_are_the_same_facts() {
    let facts = read(include_str!("../../fixtures/inspect-podman-4.3.json"));
    assert_eq!(facts.created.unwrap().to_string(), "2026-11-21T20:57:17.5Z");
    assert!(facts.exit.is_none());
    assert_eq!(facts.cap_drop.iter().cloned().collect::<Vec<_>>(), ["CHOWN", "DAC_OVERRIDE", "SETUID"]);
    assert_eq!(facts.ulimits, [UlimitFacts { name: "nofile".into(), soft: 4096, hard: 4096 }]);
    assert_eq!((facts.nano_cpus, facts.memory_swap), (Some(1_500_000_000), None));
    assert_eq!((facts.restart_policy.as_str(), facts.cgroupns_mode.as_str(), facts.runtime.as_str()), ("no", "", "oci"));
    assert!(facts.masked_paths.is_none() && facts.networks.is_empty());
}

#[test]
fn a_container_of_which_nothing_is_said_has_no_protection_to_show() {
    for text in ["{}", r#"{"State":null,"HostConfig":{"Tmpfs":null,"Mounts":null},"Config":{"Labels":null},"Mounts":null}"#] {
        let facts = read(text);
        assert!(facts.status.is_none() && facts.pid.is_none() && facts.created.is_none() && facts.pids_limit.is_none());
        assert_eq!(facts.restart_policy, "no");
    }
    for unlimited in ["0", "-1", "null"] {
        let text = format!(r#"{{"HostConfig":{{"PidsLimit":{unlimited},"Memory":{unlimited},"MemorySwap":{unlimited}}}}}"#);
        let facts = read(&text);
        assert_eq!((facts.pids_limit, facts.memory, facts.memory_swap), (None, None, None));
    }
}

#[test]
fn a_start_that_failed_says_why() {
    let text = r#"{"State":{"Status":"created","ExitCode":127,"Error":"no such file","StartedAt":"0001-01-01T00:00:00Z",
        "FinishedAt":"0001-01-01T00:00:00Z"}}"#;
    let facts = read(text);
    let exit = facts.exit.unwrap();
    assert_eq!((exit.code, exit.error.raw(), exit.finished, facts.started), (127, "no such file", None, None));
}

#[test]
fn gpus_and_every_other_device_request_show() {
    let text = r#"{"HostConfig":{"DeviceRequests":[{"Driver":"nvidia","Count":-1,"DeviceIDs":null,"Capabilities":[["gpu","compute"]]}],
        "PublishAllPorts":true,"PortBindings":{"53/udp":null}}}"#;
    let facts = read(text);
    assert_eq!(facts.devices, ["request driver=nvidia count=-1 ids= capabilities=gpu+compute"]);
    assert_eq!(facts.ports, ["every exposed port"]);
}

#[test]
fn a_listed_container_goes_by_its_own_name() {
    let text = r#"{"Id":"0a","Names":["/other/alias","/palisade-web"],"Image":"x","Command":"sleep 1","Created":1700000000,
        "State":"running","Status":"Up 5 minutes","Labels":{"palisade.schema":"1"}}"#;
    let summary = summary(serde_json::from_str(text).unwrap());
    assert_eq!((summary.name.raw(), summary.status, summary.created.as_second()), ("palisade-web", Status::Running, 1_700_000_000));
    assert_eq!((summary.status_text.raw(), summary.labels["palisade.schema"].raw()), ("Up 5 minutes", "1"));
}

#[test]
fn every_exit_code_is_an_answer() {
    let endpoint = Endpoint { uri: "unix:///x".into(), found_by: "test".into(), socket: None, tls_dir: None };
    let call = Call::new(&Arc::new(endpoint), "wait for the container", Noun::Container, "web", 1);
    let answer = |status_code, error| ContainerWaitResponse { status_code, error };
    assert_eq!(exit_code(Ok(answer(0, None)), &call).unwrap(), 0);
    for code in [1, 137, 255] {
        assert_eq!(exit_code(Err(Error::DockerContainerWaitError { error: String::new(), code }), &call).unwrap(), code);
    }
    let lost = ContainerWaitExitError { message: Some("driver failed".into()) };
    let failure = exit_code(Ok(answer(-1, Some(lost))), &call).unwrap_err();
    assert_eq!(failure.code, Code::EngineError);
    assert!(failure.to_string().contains("driver failed"));
}
