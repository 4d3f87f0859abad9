use super::*;

type Spoil = fn(&mut ProcessFacts);

#[test]
fn every_process_counts_not_only_the_first() {
    use Control::{Apparmor, CapDrop, NoNewPrivileges, Seccomp as SeccompControl, User};
    use Verdict::{Missing, Unknown, Weaker};
    let cases: [(Control, &str, Spoil); 13] = [
        (CapDrop, "CapEff holds 41 capabilities", |process| process.cap_eff = ALL_CAPS),
        (CapDrop, "CapBnd holds SYS_ADMIN", |process| process.cap_bnd = CapSet(1 << 21)),
        (CapDrop, "CapInh holds bit 60", |process| process.cap_inh = CapSet(1 << 60)),
        (CapDrop, "CapPrm holds CHOWN", |process| process.cap_prm = CapSet(1)),
        (CapDrop, "CapAmb holds CHOWN", |process| process.cap_amb = CapSet(1)),
        (NoNewPrivileges, "NoNewPrivs is 0", |process| process.no_new_privs = Some(false)),
        (SeccompControl, "Seccomp is 0", |process| process.seccomp = Some(SeccompMode::Disabled)),
        (SeccompControl, "it has no filter", |process| process.seccomp_filters = Some(0)),
        (User, "it runs as uid 0", |process| process.uids = [0; 4]),
        (User, "it runs as uid 0", |process| process.uids = [1000, 1000, 0, 1000]),
        (User, "it runs as gid 5", |process| process.gids = [5; 4]),
        (User, "it is in group 0", |process| process.groups.push(0)),
        (User, "it is in group 999", |process| process.groups.push(999)),
    ];
    for (control, reason, spoil) in cases {
        spoiled(control, Weaker, reason, |_, _, kernel| spoil(&mut kernel.processes[2]));
        spoiled(control, Weaker, "process 4003 'python3', 8 inside", |_, _, kernel| spoil(&mut kernel.processes[2]));
        let mut kernel = kernel();
        spoil(&mut kernel.processes[2]);
        let posture = audit(Some(&requested()), &engine(), Ok(&kernel));
        let [deviant] = posture.deviants.as_slice() else { panic!("{:?}", posture.deviants) };
        assert_eq!((deviant.control, deviant.pid, deviant.container_pid), (control, 4003, Some(8)));
        assert!(deviant.reason.raw().contains(reason));
    }
    spoiled(CapDrop, Missing, "process 4001", |_, _, kernel| {
        kernel.processes.iter_mut().for_each(|process| process.cap_bnd = CapSet(0xa804_25fb));
    });
    spoiled(User, Missing, "uid 0", |_, _, kernel| kernel.processes[0].uids = [0; 4]);
    spoiled(Apparmor, Weaker, "no profile confines it", |_, _, kernel| {
        kernel.processes.iter_mut().for_each(|process| process.apparmor = Some("docker-default (enforce)".into()));
        kernel.processes[1].apparmor = Some("unconfined".into());
    });
    spoiled(Apparmor, Missing, "told to confine nothing", |_, engine, _| engine.security_opt.push("apparmor=unconfined".to_owned()));
    spoiled(Apparmor, Unknown, "shows no label", |_, engine, _| engine.apparmor = "docker-default".to_owned());
    // A thread may hold what its process has given up: the reader reports it under its own number.
    spoiled(CapDrop, Weaker, "process 4010", |_, _, kernel| {
        kernel.processes.push(ProcessFacts { cap_eff: ALL_CAPS, ..process(4010, 12, "worker") });
    });
    // Fewer filters than PID 1 has: it did not come through the engine.
    spoiled(SeccompControl, Weaker, "1 filters where PID 1 has 2", |_, _, kernel| {
        kernel.processes[0].seccomp_filters = Some(2);
        kernel.processes[1].seccomp_filters = Some(2);
    });
}

#[test]
fn a_process_put_in_from_outside_is_named_for_what_it_escapes() {
    let mut kernel = kernel();
    let entered =
        Membership { cgroup: Some(false), pid_namespace: Some(false), mount_namespace: Some(true), network_namespace: Some(false) };
    kernel.processes.push(ProcessFacts {
        container_pid: None,
        membership: entered,
        cap_eff: ALL_CAPS,
        uids: [0; 4],
        ..process(9000, 0, "nsenter")
    });
    let posture = audit(Some(&requested()), &engine(), Ok(&kernel));
    let controls: Vec<Control> = posture.deviants.iter().filter(|deviant| deviant.pid == 9000).map(|deviant| deviant.control).collect();
    assert_eq!(controls, [Control::CapDrop, Control::User, Control::PidsLimit, Control::Network, Control::Namespaces]);
    assert!(of(&posture, Control::Namespaces).reason.as_ref().unwrap().raw().contains("cgroup, PID namespace, network namespace"));
    assert!(posture.deviants.iter().all(|deviant| deviant.container_pid.is_none()));
    spoiled(Control::Namespaces, Verdict::Weaker, "2 processes in the session's cgroup", |_, _, kernel| {
        kernel.source = KernelSource::Probe;
        kernel.hidden_processes = 2;
    });
    // Where the reader may not look, nothing is made up.
    holds(|_, _, kernel| kernel.processes[2].membership = Membership::default());
}

#[test]
fn init_is_proved_by_its_mount_and_not_by_a_name() {
    use Control::Init;
    use Verdict::{Missing, Unknown};
    spoiled(Init, Missing, "not asked", |_, engine, _| engine.init = false);
    spoiled(Init, Missing, "/usr/bin/sleep", |_, _, kernel| {
        kernel.init.exe = "/usr/bin/sleep".into();
        kernel.init.mounted_from_host = false;
        kernel.mounts.retain(|mount| mount.target.raw() != "/usr/sbin/docker-init");
    });
    spoiled(Init, Unknown, "may not see", |_, _, kernel| {
        kernel.init.exe = "".into();
        kernel.init.mounted_from_host = false;
        kernel.mounts.retain(|mount| mount.target.raw() != "/usr/sbin/docker-init");
    });
    let mut engine = engine();
    engine.mounts.push(bind("bind", "/srv/evil", "/sbin/docker-init", false));
    assert_eq!(of(&audit(Some(&requested()), &engine, Ok(&kernel())), Init).verdict, Missing);
}

#[test]
fn seccomp_profiles_are_judged_by_what_they_allow() {
    use Verdict::{Missing, Unknown, Weaker};
    let with = |option: &str| {
        let option = option.to_owned();
        move |_: &mut Requested, engine: &mut ContainerFacts, _: &mut KernelFacts| engine.security_opt.push(option)
    };
    spoiled(Control::Seccomp, Missing, "filter nothing", with("seccomp=unconfined"));
    spoiled(Control::Seccomp, Weaker, "what it does not name is allowed", with(r#"seccomp={"defaultAction":"SCMP_ACT_ALLOW"}"#));
    spoiled(Control::Seccomp, Unknown, "not in Docker's JSON", with("seccomp=/etc/profile.json"));
    spoiled(Control::Seccomp, Weaker, "strict profile was requested", |requested, _, _| requested.seccomp = Seccomp::Strict);
    holds(|requested, engine, _| {
        requested.seccomp = Seccomp::Strict;
        engine.security_opt.push(r#"seccomp={"defaultAction":"SCMP_ACT_ERRNO","syscalls":[]}"#.to_owned());
    });
    holds(with("seccomp=builtin"));
}
