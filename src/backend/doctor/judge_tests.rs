use super::super::{DepotSide, HostSide};
use super::*;
use crate::backend::engine::{Endpoint, EngineInfo, EngineVersion};
use crate::failure::Code;
use crate::policy::ImageFacts;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn good_engine() -> EngineSide {
    let facts = ImageFacts { home_uid: Some(1000), ..ImageFacts::default() };
    EngineSide {
        endpoint: Endpoint {
            uri: "unix:///var/run/docker.sock".into(),
            found_by: "default socket".into(),
            socket: Some("/var/run/docker.sock".into()),
            tls_dir: None,
        },
        version: EngineVersion {
            version: "20.10.24".into(),
            api: (1, 41),
            os: "linux".into(),
            architecture: "amd64".into(),
            kernel: "6.1".into(),
            product: "Docker Engine".into(),
        },
        info: EngineInfo {
            cgroup_version: "1".into(),
            cgroup_driver: "cgroupfs".into(),
            security_options: vec!["name=seccomp,profile=default".into()],
            storage_driver: "overlay2".into(),
            init_binary: "docker-init".into(),
            supports_pids_limit: true,
            supports_memory_limit: true,
            supports_swap_limit: true,
            supports_cpu_quota: true,
            ..EngineInfo::default()
        },
        image: (
            "palisade-sandbox:latest".into(),
            Ok(ImageSide { state: State::Current(facts), made: Some((at("2026-01-01T00:00:00Z"), Bytes::mib(390))) }),
        ),
        supervisor: ("palisade-supervisor-1".into(), Ok(SupervisorSide::Absent)),
        depot: ("palisade-depot".into(), Ok(DepotSide::Absent)),
    }
}

pub fn facts(engine: EngineSide) -> Facts {
    Facts {
        engine: Ok(engine),
        host: HostSide {
            architecture: "amd64",
            kernel: "6.1".into(),
            is_root: true,
            direct_terminals: true,
            apparmor: None,
            disk_free: Some(Bytes::gib(50)),
            authorities: Ok(150),
            proxy: Ok(String::new()),
        },
        now: at("2026-01-11T00:00:00Z"),
    }
}

fn check(facts: &Facts, name: &str) -> Check {
    judge(facts).into_iter().find(|check| check.name == name).unwrap()
}

/// The state of one check after one thing was changed.
fn after(name: &str, change: impl FnOnce(&mut EngineSide)) -> CheckState {
    let mut engine = good_engine();
    change(&mut engine);
    let check = check(&facts(engine), name);
    assert!(check.state == CheckState::Ok || check.advice.is_some(), "no way out: {check:?}");
    check.state
}

#[test]
fn a_sound_machine_has_nothing_to_do() {
    let checks = judge(&facts(good_engine()));
    assert_eq!(checks.iter().filter(|check| check.state != CheckState::Ok).collect::<Vec<_>>(), Vec::<&Check>::new());
    assert_eq!(check(&facts(good_engine()), "image").found, "palisade-sandbox:latest, 390 MiB, 10 days old, home of uid 1000");
    let mut names: Vec<&str> = checks.iter().map(|check| check.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), checks.len(), "a check's name is its own");
}

#[test]
fn how_terminals_are_reached_is_told_with_what_would_change_it() {
    let told = |change: &dyn Fn(&mut Facts)| {
        let mut facts = facts(good_engine());
        change(&mut facts);
        let check = check(&facts, "terminals");
        assert_eq!(check.state, CheckState::Ok);
        (check.found, check.advice.is_some())
    };
    assert_eq!(told(&|_| {}), ("reached past the engine, which may restart meanwhile".to_owned(), false));
    assert_eq!(told(&|facts| facts.host.is_root = false), ("each by an exec of the engine's".to_owned(), true));
    assert!(told(&|facts| facts.host.direct_terminals = false).0.contains("'direct_terminals' is false"));
    assert!(told(&|facts| facts.host.kernel = "5.0".to_owned()).0.contains("on another kernel"));
}

#[test]
fn what_a_launch_would_be_refused_for_fails() {
    use CheckState::Failed;
    assert_eq!(after("api version", |engine| engine.version.api = (1, 40)), Failed);
    assert_eq!(after("architecture", |engine| engine.version.architecture = "arm64".into()), Failed);
    assert_eq!(after("cgroup", |engine| engine.info.cgroup_driver = "none".into()), Failed);
    assert_eq!(after("limits", |engine| engine.info.supports_pids_limit = false), Failed);
    assert_eq!(after("limits", |engine| engine.info.supports_memory_limit = false), Failed);
    assert_eq!(after("seccomp", |engine| engine.info.security_options.clear()), Failed);
    assert_eq!(after("engine", |engine| engine.version.os = "windows".into()), Failed);
    assert_eq!(after("engine", |engine| engine.version.product = "Podman Engine".into()), Failed);
    assert_eq!(after("supervisor", |engine| engine.supervisor.1 = Ok(SupervisorSide::Foreign)), Failed);
}

#[test]
fn what_makes_sandboxes_weaker_or_slower_warns() {
    use CheckState::Warning;
    assert_eq!(after("swap limit", |engine| engine.info.supports_swap_limit = false), Warning);
    assert_eq!(after("seccomp", |engine| engine.info.security_options = vec!["name=seccomp,profile=unconfined".into()]), Warning);
    assert_eq!(after("storage driver", |engine| engine.info.storage_driver = "vfs".into()), Warning);
    assert_eq!(after("storage driver", |engine| engine.info.storage_driver = "overlay".into()), Warning);
    assert_eq!(after("init", |engine| engine.info.init_binary.clear()), Warning);
    assert_eq!(after("image", |engine| engine.image.1 = Ok(ImageSide { state: State::Missing, made: None })), Warning);
    assert_eq!(after("engine warnings", |engine| engine.info.warnings = vec!["No swap limit support".into()]), Warning);
    let mut old = facts(good_engine());
    old.now = at("2026-06-01T00:00:00Z");
    assert_eq!(check(&old, "image").state, Warning);
}

#[test]
fn newer_engines_words_for_the_same_are_understood() {
    assert_eq!(
        after("seccomp", |engine| engine.info.security_options = vec!["name=seccomp,profile=builtin".into(), "name=cgroupns".into()]),
        CheckState::Ok
    );
    assert_eq!(after("architecture", |engine| engine.version.architecture = "x86_64".into()), CheckState::Ok);
    let mut podman = good_engine();
    (podman.version.product, podman.info.storage_driver) = ("Podman Engine".into(), "overlay".into());
    assert_eq!(check(&facts(podman), "storage driver").state, CheckState::Ok);
    let mut rootless = good_engine();
    rootless.info.security_options.push("name=rootless".into());
    assert_eq!(check(&facts(rootless), "user namespaces").found, "rootless engine");
}

#[test]
fn apparmor_is_missed_only_where_the_kernel_has_it() {
    let mut facts = facts(good_engine());
    facts.host.apparmor = Some(true);
    assert_eq!(check(&facts, "apparmor").state, CheckState::Warning);
    if let Ok(engine) = &mut facts.engine {
        engine.version.kernel = "another".into();
    }
    assert_eq!(check(&facts, "apparmor").state, CheckState::Ok);
}

#[test]
fn a_full_disk_fails_and_a_fuller_one_warns() {
    let mut facts = facts(good_engine());
    for (free, state) in [(Bytes::mib(200), CheckState::Failed), (Bytes::gib(3), CheckState::Warning), (Bytes::gib(5), CheckState::Ok)] {
        facts.host.disk_free = Some(free);
        assert_eq!(check(&facts, "disk").state, state, "{free}");
    }
    facts.host.disk_free = None;
    assert_eq!(check(&facts, "disk").state, CheckState::Ok);
}

#[test]
fn without_an_engine_the_machine_is_examined_all_the_same() {
    let mut facts = facts(good_engine());
    facts.engine = Err(Failure::new(Code::EngineUnreachable, "no engine answers at \u{1b}[2J"));
    facts.host.authorities = Err(Failure::new(Code::InvalidConfig, "not a bundle").detail("'ca_bundle': /x").hint("name another"));
    let checks = judge(&facts);
    assert_eq!(
        checks.iter().map(|check| (check.name, check.state)).collect::<Vec<_>>(),
        [("engine", CheckState::Failed), ("ca bundle", CheckState::Failed), ("registries", CheckState::Ok)]
    );
    assert!(checks[0].advice.as_ref().unwrap().contains("scripts/quickstart"));
    assert!(checks.iter().all(|check| !check.found.contains('\u{1b}')));
    assert_eq!(checks[1].found, "not a bundle, 'ca_bundle': /x");
}
