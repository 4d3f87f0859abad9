//! Containers and volumes from their making to their end.

use palisade::backend::engine::{AttachOptions, Engine, ExecRequest, Images, OneShot, WaitFor};
use palisade::failure::Code;
use palisade::session::Status;

use super::bench::{collect, endpoint, on_an_engine};

#[test]
fn a_container_is_reported_as_it_was_asked_for() {
    on_an_engine(|bench| async move {
        let engine = &bench.engine;
        let request = bench.request("web", "exec sleep 600");
        let created = engine.create(&request).await.unwrap();
        let facts = engine.inspect(&created.id).await.unwrap();
        assert_eq!((facts.status, facts.pid, facts.started), (Some(Status::Created), None, None));
        assert_eq!((facts.name.raw(), facts.user.raw(), facts.init), (request.name.as_str(), "1000:1000", true));
        assert_eq!(facts.command.iter().map(palisade::units::Untrusted::raw).collect::<Vec<_>>(), request.entrypoint);
        assert_eq!(facts.cap_drop.iter().collect::<Vec<_>>(), ["ALL"]);
        assert_eq!((facts.pids_limit, facts.memory, facts.memory_swap), (Some(100), Some(256 << 20), Some(256 << 20)));
        assert_eq!((facts.nano_cpus, facts.read_only_rootfs, facts.privileged), (Some(2_000_000_000), true, false));
        assert_eq!((facts.network_mode.as_str(), facts.ipc_mode.as_str(), facts.cgroupns_mode.as_str()), ("none", "private", "private"));
        assert_eq!(facts.tmpfs, request.tmpfs);
        assert_eq!(facts.log.options, request.log_options);
        assert!(facts.devices.is_empty() && facts.ports.is_empty() && facts.networks.is_empty());
        assert!(facts.mounts.iter().any(|mount| mount.destination.raw() == "/home/sandbox" && mount.read_write));

        engine.start(&created.id).await.unwrap();
        let facts = engine.inspect(&request.name).await.unwrap();
        assert_eq!((facts.status, facts.pid.is_some(), facts.exit), (Some(Status::Running), true, None));
        let listed = engine.our_containers().await.unwrap();
        let ours = listed.iter().find(|container| container.id == created.id).unwrap();
        assert_eq!((ours.name.raw(), ours.status), (request.name.as_str(), Status::Running));

        engine.stop(&created.id, Some(3)).await.unwrap();
        let exit = engine.inspect(&created.id).await.unwrap().exit.unwrap();
        assert!(exit.code == 143 || exit.code == 137, "{exit:?}");
        let volume = facts.mounts.iter().find(|mount| mount.kind == "volume").unwrap().name.clone();
        engine.remove(&created.id).await.unwrap();
        engine.remove(&created.id).await.unwrap();
        assert_eq!(engine.inspect(&created.id).await.unwrap_err().code, Code::NotFound);
        assert_eq!(engine.volume(&volume).await.unwrap_err().code, Code::NotFound);
    });
}

#[test]
fn waiting_gives_every_exit_code() {
    on_an_engine(|bench| async move {
        let engine = &bench.engine;
        for (number, code) in [0, 1, 3, 255].into_iter().enumerate() {
            let created = engine.create(&bench.request(&format!("code-{number}"), &format!("exit {code}"))).await.unwrap();
            let (waited, started) = tokio::join!(engine.wait(&created.id, WaitFor::NextExit), engine.start(&created.id));
            started.unwrap();
            assert_eq!(waited.unwrap(), code);
            assert_eq!(engine.wait(&created.id, WaitFor::NotRunning).await.unwrap(), code);
        }
        let killed = bench.running("killed", "exec sleep 600").await;
        let (waited, sent) = tokio::join!(engine.wait(&killed, WaitFor::NextExit), engine.kill(&killed, "SIGKILL"));
        sent.unwrap();
        assert_eq!(waited.unwrap(), 137);

        let mut request = bench.request("removed", "cat > /dev/null; exit 7");
        request.auto_remove = true;
        let created = engine.create(&request).await.unwrap();
        let attached = engine.attach(&created.id, AttachOptions { stdin: true, output: true }).await.unwrap();
        let waiting = async {
            engine.start(&created.id).await.unwrap();
            let mut input = attached.input;
            tokio::io::AsyncWriteExt::shutdown(&mut input).await.unwrap();
            collect(attached.output).await
        };
        let (waited, _) = tokio::join!(engine.wait(&created.id, WaitFor::Removed), waiting);
        assert_eq!(waited.unwrap(), 7);
        assert_eq!(engine.inspect(&created.id).await.unwrap_err().code, Code::NotFound);
    });
}

#[test]
fn what_is_missing_or_taken_is_told_by_its_kind() {
    on_an_engine(|bench| async move {
        let engine = &bench.engine;
        let request = bench.request("one", "exit 0");
        engine.create(&request).await.unwrap();
        let taken = engine.create(&request).await.unwrap_err();
        assert_eq!(taken.code, Code::Conflict, "{taken}");
        assert!(taken.to_string().contains("the name is taken"), "{taken}");

        let mut other = bench.request("two", "exit 0");
        other.image = format!("{}-nosuch:1", bench.prefix);
        let missing = engine.create(&other).await.unwrap_err();
        assert_eq!((missing.code, missing.message), (Code::NotFound, format!("the engine has no image '{}'", other.image)));
        assert_eq!(engine.image(&other.image).await.unwrap_err().code, Code::NotFound);

        let nosuch = bench.name("nosuch");
        let failures = [
            engine.start(&nosuch).await.unwrap_err(),
            engine.stop(&nosuch, Some(1)).await.unwrap_err(),
            engine.kill(&nosuch, "SIGINT").await.unwrap_err(),
            engine.wait(&nosuch, WaitFor::NextExit).await.unwrap_err(),
            engine.attach(&nosuch, AttachOptions { stdin: true, output: true }).await.err().unwrap(),
            engine.exec(&nosuch, &ExecRequest { command: vec!["true".into()], ..ExecRequest::default() }).await.err().unwrap(),
            engine.inspect("../version?x=").await.unwrap_err(),
        ];
        for failure in failures {
            assert_eq!(failure.code, Code::NotFound, "{failure}");
            assert!(failure.message.starts_with("there is no container"), "{failure}");
        }
        assert_eq!(engine.kill(&bench.name("one"), "SIGINT").await.unwrap_err().code, Code::Conflict);
        engine.remove(&nosuch).await.unwrap();
        engine.remove_volume(&nosuch).await.unwrap();
        engine.remove_image(&format!("{nosuch}:1")).await.unwrap();
    });
}

#[test]
fn a_command_that_the_image_lacks_fails_the_start_and_says_so() {
    on_an_engine(|bench| async move {
        let mut request = bench.request("lacks", "");
        request.entrypoint = vec!["/no/such/command".into()];
        request.init = false;
        let created = bench.engine.create(&request).await.unwrap();
        let failure = bench.engine.start(&created.id).await.unwrap_err();
        assert!(failure.to_string().contains("no such file"), "{failure}");
        let exit = bench.engine.inspect(&created.id).await.unwrap().exit.unwrap();
        assert!(exit.code == 127 && !exit.error.raw().is_empty(), "{exit:?}");
    });
}

#[test]
fn a_missing_host_folder_is_never_made() {
    on_an_engine(|bench| async move {
        let folder = std::env::temp_dir().join(bench.name("folder"));
        let mut request = bench.request("bind", "exit 0");
        request.mounts.push(palisade::policy::plan::PlanMount {
            kind: palisade::policy::plan::PlanMountKind::Bind,
            source: folder.display().to_string(),
            target: "/workspace".into(),
            read_only: false,
            labels: std::collections::BTreeMap::new(),
        });
        let failure = bench.engine.create(&request).await.unwrap_err();
        assert!(failure.to_string().contains(&folder.display().to_string()), "{failure}");
        assert!(!folder.exists());
    });
}

#[test]
fn a_volume_is_made_once_and_removed_when_nothing_uses_it() {
    on_an_engine(|bench| async move {
        let engine = &bench.engine;
        let name = bench.name("volume");
        let labels: Vec<_> = bench.labels().into_iter().collect();
        let made = engine.create_volume(&name, &labels).await.unwrap();
        assert_eq!(made.labels["palisade.test"].raw(), bench.prefix);
        let again = engine.create_volume(&name, &[("other".into(), "label".into())]).await.unwrap();
        assert_eq!((again.labels, again.created), (made.labels, made.created));
        assert!(engine.our_volumes().await.unwrap().iter().any(|volume| volume.name == name));

        let mut request = bench.request("user", "exit 0");
        request.mounts[0].source.clone_from(&name);
        let created = engine.create(&request).await.unwrap();
        let in_use = engine.remove_volume(&name).await.unwrap_err();
        assert_eq!(in_use.code, Code::Conflict, "{in_use}");
        engine.remove(&created.id).await.unwrap();
        engine.remove_volume(&name).await.unwrap();
        assert_eq!(engine.volume(&name).await.unwrap_err().code, Code::NotFound);
    });
}

#[test]
fn a_helper_sees_the_session_it_probes_and_has_no_right_of_its_own() {
    on_an_engine(|bench| async move {
        let engine = &bench.engine;
        let session = bench.running("session", "exec sleep 600").await;
        let helper = OneShot {
            name: bench.name("probe"),
            image: bench.image.clone(),
            entrypoint: ["/bin/busybox", "cat", "/proc/1/comm", "/proc/self/status"].map(str::to_owned).to_vec(),
            user: "65534:65534".into(),
            labels: bench.labels(),
            cap_add: Vec::new(),
            pid_mode: format!("container:{session}"),
            volumes_from: None,
            volumes: Vec::new(),
            binds: vec![("/sys/fs/cgroup".into(), "/cgroup".into())],
        };
        let created = engine.create_one_shot(&helper).await.unwrap();
        let attached = engine.attach(&created.id, AttachOptions { stdin: false, output: true }).await.unwrap();
        engine.start(&created.id).await.unwrap();
        let (out, _) = collect(attached.output).await;
        let out = String::from_utf8(out).unwrap();
        assert!(out.starts_with("docker-init\n") || out.starts_with("tini\n"), "{out}");
        assert!(out.contains("CapBnd:\t0000000000000000") && out.contains("NoNewPrivs:\t1"), "{out}");
        let facts = engine.inspect(&created.id).await.unwrap();
        assert_eq!((facts.pids_limit, facts.network_mode.as_str(), facts.read_only_rootfs), (Some(32), "none", true));
        assert!(facts.mounts.iter().all(|mount| !mount.read_write));
    });
}

#[test]
fn the_engine_describes_itself() {
    on_an_engine(|bench| async move {
        let version = bench.engine.version().await.unwrap();
        assert!(version.api >= (1, 41) && version.os == "linux", "{version:?}");
        let info = bench.engine.info().await.unwrap();
        assert!(info.cpus > 0 && info.memory.get() > 0 && ["1", "2"].contains(&info.cgroup_version.as_str()), "{info:?}");
        assert_eq!(bench.engine.endpoint(), &endpoint());
    });
}
