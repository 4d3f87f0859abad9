mod files;
mod processes;

use super::samples::{bind, engine, kernel, mount, process, requested};
use super::{Control, KernelFacts, Posture, Requested, audit, audit_depot};
use crate::policy::{ControlPosture, Network, Seccomp, Verdict};
use crate::session::{ContainerFacts, IdMap, KernelSource, LimitFact, Membership, ProcessFacts, SeccompMode};
use crate::units::CapSet;

const ALL_CAPS: CapSet = CapSet(0x1ff_ffff_ffff);

fn of(posture: &Posture, control: Control) -> &ControlPosture {
    posture.controls.iter().find(|posture| posture.control == control).unwrap()
}

/// Spoils one thing and expects that control, and no other, to say so.
#[track_caller]
fn spoiled(control: Control, verdict: Verdict, reason: &str, spoil: impl FnOnce(&mut Requested, &mut ContainerFacts, &mut KernelFacts)) {
    let (mut requested, mut engine, mut kernel) = (requested(), engine(), kernel());
    spoil(&mut requested, &mut engine, &mut kernel);
    let posture = audit(Some(&requested), &engine, Ok(&kernel));
    let found = of(&posture, control);
    let why = found.reason.clone().unwrap_or_default();
    assert_eq!(found.verdict, verdict, "{control}: {why}");
    assert!(why.raw().contains(reason), "{control}: '{why}' does not say '{reason}'");
    let others: Vec<_> = posture.controls.iter().filter(|other| other.control != control && other.verdict != Verdict::Enforced).collect();
    assert!(others.is_empty(), "{others:#?}");
}

/// What is as strong or stronger in other words.
#[track_caller]
fn holds(spoil: impl FnOnce(&mut Requested, &mut ContainerFacts, &mut KernelFacts)) {
    let (mut requested, mut engine, mut kernel) = (requested(), engine(), kernel());
    spoil(&mut requested, &mut engine, &mut kernel);
    let posture = audit(Some(&requested), &engine, Ok(&kernel));
    let failing: Vec<_> = posture.controls.iter().filter(|control| control.verdict != Verdict::Enforced).collect();
    assert!(failing.is_empty() && posture.deviants.is_empty(), "{failing:#?} {:#?}", posture.deviants);
}

#[test]
fn a_hardened_session_is_enforced_in_every_control_and_in_their_order() {
    holds(|_, _, _| {});
    let posture = audit(Some(&requested()), &engine(), Ok(&kernel()));
    assert_eq!(posture.controls.iter().map(|control| control.control).collect::<Vec<_>>(), Control::ALL);
    assert_eq!(posture.enforced(), Control::ALL.len());
    assert!(posture.controls.iter().all(|control| !control.requested.is_empty() && !control.kernel.raw().is_empty()));
}

#[test]
fn before_the_start_nothing_is_refused_and_nothing_the_kernel_shows_is_called_enforced() {
    let posture = audit(Some(&requested()), &engine(), Err("not started yet"));
    assert!(!posture.is_weaker() && posture.deviants.is_empty());
    let enforced: Vec<_> =
        posture.controls.iter().filter(|control| control.verdict == Verdict::Enforced).map(|control| control.control).collect();
    assert_eq!(enforced, [Control::LogCap, Control::RestartPolicy]);
    assert_eq!(of(&posture, Control::CapDrop).reason.as_ref().unwrap().raw(), "not started yet");
    // What the engine did not take over costs the launch already now.
    let posture = audit(Some(&requested()), &ContainerFacts { pids_limit: None, ..engine() }, Err("not started yet"));
    assert_eq!(of(&posture, Control::PidsLimit).verdict, Verdict::Missing);
}

#[test]
fn what_is_stronger_or_spelled_otherwise_holds() {
    use Control::CapDrop;
    holds(|_, engine, kernel| {
        engine.pids_limit = Some(50);
        kernel.cgroup.pids_max = LimitFact::Limited(50);
        engine.memory = Some(1 << 30);
        engine.memory_swap = Some(1 << 30);
        kernel.cgroup.memory_max = LimitFact::Limited(1 << 30);
        kernel.cgroup.memory_swap_max = LimitFact::Limited(1 << 30);
        engine.security_opt = vec!["no-new-privileges:true".to_owned()];
        engine.log.driver = "none".to_owned();
    });
    let docker_default =
        "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT";
    holds(|_, engine, _| engine.cap_drop = docker_default.split(' ').map(str::to_owned).collect());
    // Podman does not list what it would not have given; the kernel shows that it did not.
    let podman = docker_default.replace("AUDIT_WRITE ", "").replace("MKNOD ", "").replace("NET_RAW ", "");
    holds(|_, engine, _| engine.cap_drop = podman.split(' ').map(str::to_owned).collect());
    let podman = ContainerFacts { cap_drop: podman.split(' ').map(str::to_owned).collect(), ..engine() };
    assert_eq!(of(&audit(Some(&requested()), &podman, Err("not started")), CapDrop).verdict, Verdict::Unknown);
    holds(|requested, engine, kernel| {
        requested.cap_add = vec!["NET_RAW".to_owned()];
        engine.cap_add = ["NET_RAW".to_owned()].into();
        kernel.processes[2].cap_bnd = CapSet(1 << 13);
    });
    holds(|_, _, kernel| kernel.processes.iter_mut().for_each(|process| process.seccomp_filters = None));
    holds(|_, _, kernel| kernel.processes[2].seccomp_filters = Some(3));
    holds(|requested, _, _| requested.network = Network::Packages);
    holds(|requested, _, _| requested.network = Network::Open);
    holds(|_, _, kernel| kernel.interfaces.extend(["sit0".into(), "tunl0".into()]));
    // Below a user namespace, ids are told as the container has them.
    holds(|_, _, kernel| {
        let map = vec![IdMap { inside: 0, outside: 100_000, count: 65536 }];
        (kernel.uid_map, kernel.gid_map) = (map.clone(), map);
        for process in &mut kernel.processes {
            (process.uids, process.gids, process.groups) = ([101_000; 4], [101_000; 4], vec![101_000]);
        }
    });
    holds(|_, _, kernel| kernel.processes.iter_mut().for_each(|process| process.apparmor = Some("docker-default (enforce)".into())));
}

#[test]
fn each_limit_is_compared_in_both_sources() {
    use Control::{CoreDumps, Cpus, Memory, MemorySwap, Nofile, PidsLimit};
    use Verdict::{Missing, Unknown, Weaker};
    spoiled(PidsLimit, Weaker, "pids.max is 500 where 100", |_, _, kernel| kernel.cgroup.pids_max = LimitFact::Limited(500));
    spoiled(PidsLimit, Weaker, "the engine has 500", |_, engine, _| engine.pids_limit = Some(500));
    spoiled(PidsLimit, Missing, "unlimited", |_, _, kernel| kernel.cgroup.pids_max = LimitFact::Unlimited);
    spoiled(PidsLimit, Unknown, "cannot be read", |_, _, kernel| kernel.cgroup.pids_max = LimitFact::Unreadable);
    spoiled(Memory, Weaker, "8 GiB where 4 GiB", |_, _, kernel| {
        kernel.cgroup.memory_max = LimitFact::Limited(8 << 30);
        kernel.cgroup.memory_swap_max = LimitFact::Limited(8 << 30);
    });
    spoiled(Memory, Missing, "sets no limit", |_, engine, _| engine.memory = None);
    spoiled(Memory, Weaker, "not to kill", |_, engine, _| engine.oom_kill_disable = true);
    spoiled(MemorySwap, Weaker, "memory and swap together is 8 GiB", |_, engine, kernel| {
        engine.memory_swap = None;
        kernel.cgroup.memory_swap_max = LimitFact::Limited(8 << 30);
    });
    spoiled(MemorySwap, Unknown, "does not count swap", |_, engine, kernel| {
        engine.memory_swap = None;
        kernel.cgroup.memory_swap_max = LimitFact::Unreadable;
    });
    spoiled(Cpus, Missing, "unlimited", |_, _, kernel| kernel.cgroup.nano_cpus = LimitFact::Unlimited);
    spoiled(Cpus, Weaker, "4 CPUs where 2 CPUs", |_, engine, _| engine.nano_cpus = Some(4_000_000_000));
    for (given, shown) in [("0-1", "CPUs 0-1 where 0"), ("", "CPUs all where 0")] {
        spoiled(Cpus, Weaker, shown, |requested, engine, _| {
            (requested.cpuset, engine.cpuset_cpus) = ("0".to_owned(), given.to_owned());
        });
    }
    holds(|requested, engine, _| (requested.cpuset, engine.cpuset_cpus) = ("0-1".to_owned(), "1".to_owned()));
    spoiled(Nofile, Missing, "unlimited", |_, _, kernel| kernel.limits.nofile = LimitFact::Unlimited);
    spoiled(Nofile, Missing, "sets no limit", |_, engine, _| engine.ulimits.retain(|limit| limit.name != "nofile"));
    spoiled(CoreDumps, Weaker, "1 MiB where off", |_, _, kernel| kernel.limits.core = LimitFact::Limited(1 << 20));
    spoiled(CoreDumps, Missing, "sets no limit", |_, engine, _| engine.ulimits[0].hard = -1);
}

#[test]
fn the_engines_word_alone_is_enough_to_fail() {
    use Control::{CapDrop, NoNewPrivileges, User};
    use Verdict::{Missing, Weaker};
    spoiled(CapDrop, Weaker, "SYS_ADMIN", |_, engine, _| engine.cap_add = ["SYS_ADMIN".to_owned()].into());
    spoiled(CapDrop, Missing, "every capability", |_, engine, _| engine.cap_add = ["ALL".to_owned()].into());
    spoiled(CapDrop, Missing, "nothing was dropped", |_, engine, _| engine.cap_drop.clear());
    spoiled(CapDrop, Weaker, "not dropped", |_, engine, _| engine.cap_drop = ["NET_RAW".to_owned()].into());
    spoiled(NoNewPrivileges, Missing, "not told", |_, engine, _| engine.security_opt = vec!["no-new-privileges=false".to_owned()]);
    for user in ["", "root", "0", "0:0", "root:1000"] {
        spoiled(User, Missing, "root", |_, engine, _| engine.user = user.into());
    }
    spoiled(User, Weaker, "group is root's", |_, engine, _| engine.user = "1000:0".into());
    spoiled(User, Weaker, "another user", |_, engine, _| engine.user = "1001:1000".into());
    holds(|_, engine, _| engine.user = "sandbox".into());
}

#[test]
fn a_label_cannot_excuse_what_is_below_the_floor() {
    let weak = Requested { cap_add: vec!["SYS_ADMIN".to_owned(), "ALL".to_owned()], user: (0, 0), pids_limit: u32::MAX, ..requested() };
    let engine = ContainerFacts { cap_add: ["SYS_ADMIN".to_owned()].into(), user: "0:0".into(), pids_limit: Some(1_000_000), ..engine() };
    let posture = audit(Some(&weak), &engine, Err("not started"));
    let failing: Vec<Control> = posture.failing().map(|control| control.control).collect();
    assert_eq!(failing, [Control::CapDrop, Control::User, Control::PidsLimit]);

    let endless = Requested {
        memory: u64::MAX,
        nano_cpus: u64::MAX,
        nofile: u64::MAX,
        tmpfs: [("/tmp".to_owned(), u64::MAX)].into(),
        log: (u64::MAX, u32::MAX),
        ..requested()
    };
    let mut engine = super::samples::engine();
    (engine.memory, engine.memory_swap, engine.nano_cpus) = (Some(1 << 60), Some(1 << 60), Some(1 << 60));
    engine.ulimits[1].hard = 1 << 40;
    engine.tmpfs.insert("/tmp".to_owned(), format!("size={}", 1u64 << 50));
    engine.log.options.insert("max-size".to_owned(), (1u64 << 50).to_string());
    let posture = audit(Some(&endless), &engine, Err("not started"));
    let failing: Vec<Control> = posture.failing().map(|control| control.control).collect();
    assert_eq!(failing, [Control::Memory, Control::Cpus, Control::Nofile, Control::Tmpfs, Control::LogCap]);
}

#[test]
fn a_container_by_hand_without_flags_fails_in_every_control_it_lacks() {
    let by_hand = ContainerFacts {
        runtime: "runc".to_owned(),
        network_mode: "default".to_owned(),
        networks: vec!["bridge".into()],
        ipc_mode: "private".to_owned(),
        log: crate::session::LogFacts { driver: "json-file".to_owned(), ..Default::default() },
        masked_paths: engine().masked_paths,
        readonly_paths: engine().readonly_paths,
        restart_policy: "no".to_owned(),
        ..ContainerFacts::default()
    };
    let posture = audit(None, &by_hand, Err("not started"));
    let held: Vec<Control> =
        posture.controls.iter().filter(|control| control.verdict < Verdict::Weaker).map(|control| control.control).collect();
    assert_eq!(
        held,
        [
            Control::Seccomp,
            Control::Tmpfs,
            Control::Mounts,
            Control::Devices,
            Control::Namespaces,
            Control::SystemPaths,
            Control::RestartPolicy,
            Control::Apparmor
        ]
    );
}

#[test]
fn under_a_runtime_with_its_own_kernel_nothing_is_called_missing_or_enforced_by_the_hosts_proc() {
    let gvisor = ContainerFacts { runtime: "runsc".to_owned(), ..engine() };
    let mut sentry = kernel();
    sentry.init.mounted_from_host = false;
    sentry.processes[0] = ProcessFacts { cap_eff: ALL_CAPS, uids: [0; 4], no_new_privs: None, ..process(4001, 1, "exe") };
    sentry.mounts.clear();
    let posture = audit(Some(&requested()), &gvisor, Ok(&sentry));
    assert!(!posture.is_weaker(), "{:#?}", posture.failing().collect::<Vec<_>>());
    assert!(posture.deviants.is_empty());
    let cap_drop = of(&posture, Control::CapDrop);
    assert_eq!(cap_drop.verdict, Verdict::Unknown);
    assert!(cap_drop.reason.as_ref().unwrap().raw().contains("gVisor"));
    assert_eq!(of(&posture, Control::Memory).verdict, Verdict::Enforced, "cgroups are the host's");
    // The same kernel under a name that nobody knows: `Seccomp: 0` and no NoNewPrivs.
    let mut inside = kernel();
    for process in &mut inside.processes {
        (process.no_new_privs, process.seccomp, process.seccomp_filters) = (None, Some(SeccompMode::Disabled), None);
    }
    let posture = audit(Some(&requested()), &engine(), Ok(&inside));
    assert_eq!(
        (of(&posture, Control::Seccomp).verdict, of(&posture, Control::NoNewPrivileges).verdict),
        (Verdict::Unknown, Verdict::Unknown)
    );
    assert!(posture.deviants.is_empty());
}

#[test]
fn a_hostile_name_reaches_no_terminal() {
    let mut kernel = kernel();
    kernel.processes[1].name = "\u{1b}[2Jpwned".into();
    kernel.processes[1].uids = [0; 4];
    kernel.interfaces.push("\u{202e}0hte".into());
    let posture = audit(Some(&requested()), &engine(), Ok(&kernel));
    for control in &posture.controls {
        let shown = format!("{} {} {}", control.engine, control.kernel, control.reason.clone().unwrap_or_default());
        assert!(!shown.chars().any(|c| c.is_control() || c == '\u{202e}'), "{shown:?}");
    }
    assert!(!posture.deviants[0].reason.to_string().contains('\u{1b}') && !posture.deviants[0].name.to_string().contains('\u{1b}'));
}

#[test]
fn the_depot_may_be_started_again_and_a_session_may_not() {
    let restarting = ContainerFacts { restart_policy: "unless-stopped".to_owned(), ..engine() };
    let verdict = |posture: &Posture| of(posture, Control::RestartPolicy).verdict;
    assert_eq!(verdict(&audit(Some(&requested()), &restarting, Ok(&kernel()))), Verdict::Missing);
    assert_eq!(verdict(&audit_depot(&requested(), &restarting, Ok(&kernel()))), Verdict::Enforced);
    assert!(!audit_depot(&requested(), &engine(), Ok(&kernel())).is_weaker(), "and need not be");
    let always = ContainerFacts { restart_policy: "always".to_owned(), ..engine() };
    assert_eq!(verdict(&audit_depot(&requested(), &always, Ok(&kernel()))), Verdict::Missing);
}

#[test]
fn labels_from_before_there_was_a_depot_still_read() {
    let mut label = serde_json::to_value(requested()).unwrap();
    for (network, expected) in [("none", Network::None), ("packages", Network::Packages), ("open", Network::Open)] {
        label["network"] = network.into();
        label.as_object_mut().unwrap().retain(|key, _| !key.starts_with("min_age"));
        let read: Requested = serde_json::from_value(label.clone()).unwrap();
        assert_eq!((read.network, read.min_age.get(), read.min_age_allow.len()), (expected, 0, 0));
    }
}
