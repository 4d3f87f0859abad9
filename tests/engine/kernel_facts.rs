//! What the kernel shows of real containers, and what the audit makes of it. Needs root and a Docker Engine on
//! this machine; without them these tests fail, they do not pass by skipping.
mod sandbox;

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::Command;
use std::time::{Duration, Instant};

use palisade::kernel::{GATE_NAME, HostReader, ProbeReport, Unreadable};
use palisade::policy::controls::Control;
use palisade::policy::{Posture, Verdict};
use palisade::session::{CgroupVersion, LimitFact};
use sandbox::{Sandbox, docker, gone, hardened, intruder, requested};

fn control(posture: &Posture, control: Control) -> (Verdict, String) {
    let found = posture.controls.iter().find(|found| found.control == control).unwrap();
    (found.verdict, found.reason.clone().unwrap_or_default().raw().to_owned())
}

fn failing(posture: &Posture) -> Vec<Control> {
    posture.failing().map(|failing| failing.control).collect()
}

fn deviating(posture: &Posture, pid: u32) -> Vec<Control> {
    posture.deviants.iter().filter(|deviant| deviant.pid == pid).map(|deviant| deviant.control).collect()
}

#[test]
fn a_hardened_container_is_enforced_in_every_control() {
    let sandbox = Sandbox::run("hardened", &hardened(), &["sleep", "1000"]);
    let facts = sandbox.facts();
    assert_eq!(facts.processes.len(), 2, "{:#?}", facts.processes);
    assert!(facts.processes.iter().all(|process| process.cap_bnd.0 == 0 && process.membership.cgroup == Some(true)));
    assert_eq!(facts.processes[0].container_pid, Some(1));
    assert_eq!(facts.cgroup.pids_max, LimitFact::Limited(100));
    let posture = sandbox.posture();
    let others: Vec<_> = posture.controls.iter().filter(|control| control.verdict != Verdict::Enforced).collect();
    let counts_swap = facts.cgroup.version == CgroupVersion::V2 || facts.cgroup.memory_swap_max != LimitFact::Unreadable;
    assert!(others.is_empty() || !counts_swap && others.iter().all(|other| other.control == Control::MemorySwap), "{others:#?}");
    assert!(posture.deviants.is_empty(), "{:#?}", posture.deviants);
}

#[test]
fn the_probe_sees_what_the_host_sees() {
    let sandbox = Sandbox::run("probed", &hardened(), &["sleep", "1000"]);
    let report = sandbox.probe(&[]);
    let from_host = sandbox.facts();
    assert_eq!(report.facts.init, from_host.init);
    assert_eq!(report.facts.cgroup, from_host.cgroup);
    // A group's path is told as the reader's own namespace has it: `/docker/ID`, `/../ID`.
    let mounts = |facts: &palisade::session::KernelFacts| {
        let mut mounts = facts.mounts.clone();
        for mount in mounts.iter_mut().filter(|mount| mount.fs_type.starts_with("cgroup")) {
            mount.root = mount.root.raw().rsplit('/').next().unwrap_or_default().into();
        }
        mounts
    };
    assert_eq!(mounts(&report.facts), mounts(&from_host));
    assert_eq!(report.facts.workspace, from_host.workspace);
    assert_eq!(report.facts.processes.len(), from_host.processes.len(), "the probe leaves itself out");
    let posture = sandbox.audit(&report.facts);
    assert!(failing(&posture).is_empty() && posture.deviants.is_empty(), "{posture:#?}");

    // A root process beside the command is seen from inside, too.
    docker(&["exec", "-d", "-u", "0", &sandbox.name, "sleep", "999"]);
    sandbox.wait_for_processes(3);
    let posture = sandbox.audit(&sandbox.probe(&[]).facts);
    assert_eq!(failing(&posture), [Control::User]);
    assert!(posture.deviants.iter().all(|deviant| deviant.container_pid == Some(deviant.pid)));
}

#[test]
fn only_a_process_of_the_container_is_reached_in_its_own_network() {
    let sandbox = Sandbox::run("reached", &hardened(), &["sleep", "1000"]);
    let reader = HostReader::default();
    let connect = |id: &str, pid, patience| reader.connect(id, pid, "test-listens", Instant::now() + patience);
    let (soon, late) = (Duration::from_millis(20), Duration::from_mins(1));
    assert!(matches!(connect(&sandbox.id, sandbox.pid, soon), Err(Unreadable::Other(why)) if why.contains("refused")));
    assert_eq!(connect(&sandbox.id, std::process::id(), late).unwrap_err(), Unreadable::NotLocal);
    // Somebody else's process in the container's network.
    let namespace = std::fs::File::open(format!("/proc/{}/ns/net", sandbox.pid)).unwrap();
    let stranger = std::thread::spawn(move || {
        nix::sched::setns(namespace, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
        UnixListener::bind_addr(&SocketAddr::from_abstract_name("test-listens").unwrap()).unwrap()
    });
    let listener = stranger.join().unwrap();
    assert_eq!(connect(&sandbox.id, sandbox.pid, late).unwrap_err(), Unreadable::NotLocal);
    drop(listener);

    let flags: Vec<String> = hardened().into_iter().map(|flag| if flag == "none" { "host".to_owned() } else { flag }).collect();
    let shared = Sandbox::run("reached-host", &flags, &["sleep", "1000"]);
    assert!(matches!(connect(&shared.id, shared.pid, late), Err(Unreadable::Other(why)) if why.contains("namespace of its own")));
}

#[test]
fn a_raised_limit_is_named() {
    let sandbox = Sandbox::run("updated", &hardened(), &["sleep", "1000"]);
    docker(&["update", "--pids-limit", "500", &sandbox.name]);
    let posture = sandbox.posture();
    assert_eq!(failing(&posture), [Control::PidsLimit]);
    let (verdict, reason) = control(&posture, Control::PidsLimit);
    assert_eq!(verdict, Verdict::Weaker);
    assert!(reason.contains("the engine has 500") && reason.contains("pids.max is 500"), "{reason}");
}

#[test]
fn a_root_exec_is_named_with_its_process() {
    let sandbox = Sandbox::run("rooted", &hardened(), &["sleep", "1000"]);
    docker(&["exec", "-d", "-u", "0", &sandbox.name, "sleep", "999"]);
    let pid = sandbox.wait_for_processes(3)[2].pid;
    let posture = sandbox.posture();
    assert_eq!(failing(&posture), [Control::User]);
    assert_eq!(deviating(&posture, pid), [Control::User]);
    let deviant = &posture.deviants[0];
    assert_eq!(deviant.name.raw(), "sleep");
    assert!(deviant.container_pid.is_some_and(|inside| inside > 1) && deviant.reason.raw().contains("uid 0"), "{deviant:?}");
}

#[test]
fn a_process_put_in_with_nsenter_is_named_whatever_it_entered() {
    let sandbox = Sandbox::run("entered", &hardened(), &["sleep", "1000"]);
    let rights = [Control::CapDrop, Control::NoNewPrivileges, Control::Seccomp, Control::User, Control::PidsLimit];
    for (flags, more) in [
        (&["-a"][..], &[Control::Namespaces][..]),
        (&["-m"], &[Control::Network, Control::Namespaces]),
        (&["-n"], &[Control::Namespaces]),
        (&["-p"], &[Control::Network, Control::Namespaces]),
    ] {
        let intruder = intruder(&sandbox, flags);
        let posture = sandbox.posture();
        assert_eq!(deviating(&posture, intruder.pid), [&rights[..], more].concat(), "nsenter {flags:?}: {posture:#?}");
        let (verdict, reason) = control(&posture, Control::CapDrop);
        assert!(verdict == Verdict::Weaker && reason.contains(&format!("process {}", intruder.pid)), "{reason}");
        drop(intruder);
        assert!(sandbox.posture().deviants.is_empty(), "nsenter {flags:?} has ended");
    }
}

#[test]
fn a_process_below_a_pid_namespace_of_its_own_is_still_the_containers() {
    let sandbox = Sandbox::run("nested", &hardened(), &["sleep", "1000"]);
    // A child of a member in a PID namespace below: in none of the container's namespaces by number but one.
    let intruder = intruder(&sandbox, &["-p", "unshare", "-p", "-f"]);
    let facts = sandbox.facts();
    let nested = facts.processes.iter().filter(|process| process.membership.pid_namespace == Some(true)).count();
    assert!(nested >= 4, "{:#?}", facts.processes);
    drop(intruder);
}

#[test]
fn a_forged_init_is_no_init() {
    let plain: Vec<String> = hardened().into_iter().filter(|flag| flag != "--init").collect();
    let renamed = Sandbox::run("renamed", &plain, &["perl", "-e", "$0 = 'docker-init'; sleep 1000"]);
    renamed.wait_for_name("docker-init");
    let (verdict, reason) = control(&renamed.posture(), Control::Init);
    assert_eq!(verdict, Verdict::Missing);
    assert!(reason.contains("perl"), "{reason}");

    let image = sandbox::image_with("/usr/sbin/docker-init", "/usr/bin/sleep");
    let planted = Sandbox::run_image("planted", &image.0, &plain, &["/usr/sbin/docker-init", "1000"]);
    assert_eq!(planted.facts().init.exe.raw(), "/usr/sbin/docker-init");
    let posture = planted.posture();
    assert_eq!(failing(&posture), [Control::Init]);
    // Even where the engine says that it gave one.
    let mut engine = planted.engine_facts();
    engine.init = true;
    let posture = palisade::policy::audit::audit(Some(&requested()), &engine, Ok(&planted.facts()));
    assert_eq!(failing(&posture), [Control::Init]);
}

#[test]
fn a_container_by_hand_with_fewer_flags_fails_in_each() {
    let sandbox = Sandbox::run("by-hand", &["--label".to_owned(), "palisade.schema=1".to_owned()], &["sleep", "1000"]);
    let posture = palisade::policy::audit::audit(None, &sandbox.engine_facts(), Ok(&sandbox.facts()));
    let failing = failing(&posture);
    for control in [
        Control::CapDrop,
        Control::NoNewPrivileges,
        Control::User,
        Control::Init,
        Control::PidsLimit,
        Control::Memory,
        Control::Cpus,
        Control::ReadOnlyRootfs,
        Control::Network,
        Control::LogCap,
    ] {
        assert!(failing.contains(&control), "{control}: {posture:#?}");
    }
    for control in [Control::Seccomp, Control::Mounts, Control::Devices, Control::SystemPaths, Control::RestartPolicy] {
        assert!(!failing.contains(&control), "{control}: {posture:#?}");
    }
}

#[test]
fn commands_on_their_way_in_are_no_false_alarm() {
    let sandbox = Sandbox::run("busy", &hardened(), &["sleep", "1000"]);
    let mut execs: Vec<_> = (0..2)
        .map(|_| Command::new("sh").args(["-c", "while docker exec \"$0\" true; do :; done", &sandbox.name]).spawn().unwrap())
        .collect();
    let postures: Vec<Posture> = (0..20).map(|_| sandbox.posture()).collect();
    for exec in &mut execs {
        exec.kill().unwrap();
        exec.wait().unwrap();
    }
    for posture in postures {
        assert!(posture.deviants.is_empty(), "{:#?}", posture.deviants);
    }
}

#[test]
fn the_gate_is_waited_for_and_its_keeper_proved_by_its_executable() {
    let sandbox = Sandbox::run("gated", &hardened(), &["perl", "-e", &format!("$0 = '{GATE_NAME}'; sleep 1000")]);
    let reader = HostReader::default();
    let keeper = reader.wait_for_gate(&sandbox.id, sandbox.pid, Instant::now() + Duration::from_mins(1)).unwrap();
    let cache = tempfile::NamedTempFile::new().unwrap();
    let digest = palisade::units::hex(&reader.exe_digest(keeper, Some(cache.path())).unwrap());
    let expected = docker(&["exec", &sandbox.name, "sha256sum", "/usr/bin/perl"]);
    assert!(expected.starts_with(&digest), "{expected} {digest}");
    let gate = sandbox.probe(&["--gate", "5000"]).gate.unwrap();
    assert_eq!(gate.exe_sha256, digest);

    let open = Sandbox::run("open", &hardened(), &["sleep", "1000"]);
    assert_eq!(reader.wait_for_gate(&open.id, open.pid, Instant::now() + Duration::from_millis(20)), Err(Unreadable::TimedOut));
    let (id, pid) = (open.id.clone(), open.pid);
    drop(open);
    gone(pid);
    assert_eq!(reader.wait_for_gate(&id, pid, Instant::now() + Duration::from_mins(1)), Err(Unreadable::NotLocal));
}

#[test]
fn what_is_not_the_container_is_not_read_as_it() {
    let sandbox = Sandbox::run("other", &hardened(), &["sleep", "1000"]);
    let reader = HostReader::default();
    assert_eq!(reader.read(&sandbox.id, std::process::id()).unwrap_err(), Unreadable::NotLocal);
    assert_eq!(reader.read(&"0".repeat(64), sandbox.pid).unwrap_err(), Unreadable::NotLocal);
    let (id, pid) = (sandbox.id.clone(), sandbox.pid);
    let many = reader.read_many(&[(&id, pid), (&id, std::process::id()), (&id, pid)]);
    assert!(many[0].is_ok() && many[1] == Err(Unreadable::NotLocal) && many[0] == many[2]);
    drop(sandbox);
    gone(pid);
    assert_eq!(reader.read(&id, pid).unwrap_err(), Unreadable::NotLocal);
}

#[test]
fn a_report_reads_back_as_it_was_printed() {
    let sandbox = Sandbox::run("printed", &hardened(), &["sleep", "1000"]);
    let report = ProbeReport { facts: sandbox.facts(), gate: None };
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<ProbeReport>(&json).unwrap(), report);
}
