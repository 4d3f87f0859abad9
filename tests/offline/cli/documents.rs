//! Every document as the program serialises it, held against `docs/json.md`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use palisade::audit_log::{AuditLog, Subject};
use palisade::backend::depot::{DepotState, DepotStatus};
use palisade::backend::disk::{SessionDisk, Superfluous, Taken, What};
use palisade::backend::doctor::{Check, CheckState};
use palisade::backend::engine::ImageSummary;
use palisade::backend::image::{OurImage, Purpose};
use palisade::backend::{Became, CopyReport, Fate, Life, Reaped};
use palisade::config::profiles::ProfileSummary;
use palisade::depot::control::ControlReport;
use palisade::depot::ledger::{self, Counters, FetchedArtifact, Log, Outcome, Requested, StoreFacts, Summary, UpstreamFacts};
use palisade::depot::promise::{Algorithm, Digest, Ecosystem};
use palisade::evidence::{End, Evidence, Image, Run, Shelf};
use palisade::failure::{Code, Failure};
use palisade::headless::cache::document::{CacheControl, CacheFigures, CacheLog, CacheShare, CacheStatus, DepotShown, SessionLog, Warmed};
use palisade::headless::diff::Changes;
use palisade::headless::disk::Pruning;
use palisade::headless::document::{
    ActionResult, Actions, CacheVolume, Checks, CompletionScript, Copied, Document, Drift, ErrorBody, Event, Help, ImageBuilt, Images,
    Inspected, LaunchedBody, ManPage, ManPages, Piece, PostureSummary, ProfileShown, Profiles, SessionRow, Sessions, UpdateResult, Updates,
    Verification, Verified, Version, error,
};
use palisade::headless::line;
use palisade::headless::reap::Reaping;
use palisade::headless::stats::{Stats, StatsRow, Used};
use palisade::headless::terminals::Terminals;
use palisade::headless::top::Processes;
use palisade::policy::controls::Control;
use palisade::policy::drift::{Change, Difference, Needs, Standing};
use palisade::policy::plan::{CreateRequest, PlanMount, PlanMountKind, Ulimit};
use palisade::policy::posture::Deviant;
use palisade::policy::{
    ControlPosture, DiskCap, ImageFacts, LogCap, Network, PidsLimit, Plan, Policy, Posture, Seccomp, Terminal, Timeout, Verdict,
    WorkspaceMode, WorkspaceMount,
};
use palisade::session::{
    ChangeKind, ContainerFacts, ExitFacts, FileChange, FileChanges, KernelSource, Kind, Limit, LimitHit, Limits, LogFacts, Membership,
    MountFacts, Process, ProcessList, SeccompMode, Session, Status, UlimitFacts, Usage,
};
use palisade::terminal::Size;
use palisade::terminal::wire::Held;
use palisade::units::{Bytes, CapSet, Cpus, Seconds, SessionId, Untrusted};
use serde::Serialize;

use crate::common::schema;

fn check(name: &str, document: &impl Serialize) {
    schema::document(name, &line(document));
}

fn session() -> Session {
    Session {
        id: SessionId::NIL,
        name: "web".parse().unwrap(),
        kind: Kind::Persistent,
        profile: "default".into(),
        status: Status::Running,
        status_text: "Up 5 minutes".into(),
        created: Timestamp::UNIX_EPOCH,
        image: "evil\u{1b}[2J\u{202e}".into(),
        command: "sleep 1".into(),
        container_id: "0123".into(),
    }
}

fn posture() -> Posture {
    let controls = Control::ALL
        .into_iter()
        .map(|control| ControlPosture {
            control,
            requested: "100".into(),
            engine: "100".into(),
            kernel: "500".into(),
            verdict: if control == Control::PidsLimit { Verdict::Weaker } else { Verdict::Enforced },
            reason: (control == Control::PidsLimit).then(|| "500 is more than 100".into()),
        })
        .collect();
    let deviant = |container_pid| Deviant { control: Control::User, pid: 4, container_pid, name: "sh".into(), reason: "uid 0".into() };
    Posture { controls, deviants: vec![deviant(None), deviant(Some(7))] }
}

fn failure() -> ErrorBody {
    ErrorBody::from(&Failure::new(Code::NotFound, "no session 'x'").detail("a").hint("b"))
}

fn policy(timeout: Timeout) -> Policy {
    Policy {
        profile: "default".into(),
        image: "palisade/sandbox:latest".into(),
        cap_add: BTreeSet::from(["NET_RAW".parse().unwrap()]),
        seccomp: Seccomp::Strict,
        pids_limit: PidsLimit::new(100).unwrap(),
        memory: Bytes::gib(4),
        cpus: Cpus::milli(1500),
        cpuset: "0-1".into(),
        nofile: 4096,
        read_only_rootfs: true,
        tmp_size: Bytes::mib(512),
        run_size: Bytes::mib(64),
        shm_size: Bytes::mib(64),
        network: Network::None,
        min_age: Seconds::new(0),
        min_age_allow: BTreeSet::from(["pypi:requests".into()]),
        log: LogCap { max_size: Bytes::mib(10), max_file: 3 },
        timeout,
        stop_grace: Seconds::new(10),
        ttl: Seconds::new(3600),
        idle: Seconds::new(0),
        disk: DiskCap { soft: Bytes::gib(1), hard: Bytes::new(0) },
        terminal: Terminal { title: false, clipboard: true, idle: Seconds::new(3600) },
        env: BTreeMap::from([("CI".into(), "1".into())]),
        workspace_read_only: false,
    }
}

fn plan(workspace: Option<WorkspaceMount>, timeout: Timeout) -> Plan {
    let mount = |labels: BTreeMap<String, String>| PlanMount {
        kind: PlanMountKind::Volume,
        source: "v".into(),
        target: "/home/sandbox".into(),
        read_only: false,
        labels,
    };
    Plan {
        schema: 1,
        id: SessionId::NIL,
        name: "web".parse().unwrap(),
        kind: Kind::Ephemeral,
        policy: policy(timeout),
        image: ImageFacts { reference: "i".into(), ..ImageFacts::default() },
        workspace,
        create: CreateRequest {
            name: "palisade-web".into(),
            image: "sha256:0".into(),
            entrypoint: vec!["/palisade/palisade".into()],
            env: vec!["A=b".into()],
            user: "1000:1000".into(),
            working_dir: "/workspace".into(),
            hostname: "web".into(),
            labels: BTreeMap::from([("palisade.schema".into(), "1".into())]),
            open_stdin: true,
            stdin_once: true,
            stop_timeout_s: 10,
            auto_remove: true,
            init: true,
            privileged: false,
            cap_drop: vec!["ALL".into()],
            cap_add: vec![],
            security_opt: vec!["no-new-privileges".into()],
            pids_limit: 100,
            memory: 1,
            memory_swap: 1,
            nano_cpus: 1,
            cpuset_cpus: String::new(),
            ulimits: vec![Ulimit { name: "core".into(), limit: 0 }],
            read_only_rootfs: true,
            tmpfs: BTreeMap::from([("/tmp".into(), "size=1".into())]),
            shm_size: 1,
            mounts: vec![mount(BTreeMap::new()), mount(BTreeMap::from([("a".into(), "b".into())]))],
            network_mode: "none".into(),
            ipc_mode: "private".into(),
            cgroupns_mode: "private".into(),
            log_driver: "json-file".into(),
            log_options: BTreeMap::new(),
            restart_policy: "no".into(),
        },
    }
}

fn container() -> ContainerFacts {
    ContainerFacts {
        status: Some(Status::Exited),
        pid: Some(1),
        exit: Some(ExitFacts { finished: Some(Timestamp::UNIX_EPOCH), ..ExitFacts::default() }),
        created: Some(Timestamp::UNIX_EPOCH),
        started: Some(Timestamp::UNIX_EPOCH),
        labels: BTreeMap::from([("a".into(), Untrusted::from("b"))]),
        pids_limit: Some(100),
        memory: Some(1),
        memory_swap: Some(1),
        nano_cpus: Some(1),
        ulimits: vec![UlimitFacts { name: "nofile".into(), soft: -1, hard: 5 }],
        mounts: vec![MountFacts {
            kind: "bind".into(),
            name: String::new(),
            source: "/a".into(),
            destination: "/b".into(),
            read_write: true,
        }],
        log: LogFacts { driver: "json-file".into(), options: BTreeMap::from([("max-size".into(), "10m".into())]) },
        masked_paths: Some(vec!["/proc/kcore".into()]),
        readonly_paths: Some(Vec::new()),
        ..ContainerFacts::default()
    }
}

fn share() -> CacheShare {
    CacheShare::Counted { hits: 3, misses: 1, hit_rate: Some(0.75), saved_bytes: 1, saved_ms_estimated: 2 }
}

fn drift() -> Drift {
    let difference = |needs| Difference { field: "pids_limit".into(), then: "100".into(), now: "200".into(), needs };
    let standing = Standing {
        drifted: vec![difference(Needs::Live), difference(Needs::Restart)],
        outdated: vec![difference(Needs::Recreate)],
        another_palisade: true,
        unknown: Some("the image is gone".into()),
    };
    standing.into()
}

#[test]
fn lists_and_postures() {
    let measured = SessionRow {
        session: session(),
        posture: Some(PostureSummary::of(&posture())),
        cache: share(),
        drift: drift(),
        limits: limits(),
        life: Life::default(),
    };
    let unmeasured = SessionRow {
        session: session(),
        posture: Some(PostureSummary::Unmeasured { error: failure() }),
        cache: CacheShare::Nothing,
        drift: Standing::untold("why").into(),
        limits: limits(),
        life: Life::default(),
    };
    let plain = SessionRow {
        session: session(),
        posture: None,
        cache: CacheShare::Unknown { error: failure() },
        drift: Standing::default().into(),
        limits: Limits::default(),
        life: Life::default(),
    };
    check("sessions", &Document::new(Sessions { sessions: vec![measured, unmeasured, plain] }));
    let sized = CacheVolume { name: "palisade-web-cache".into(), bytes: Some(1 << 40), error: None };
    let unsized_volume = CacheVolume { name: "palisade-web-cache".into(), bytes: None, error: Some(failure()) };
    for (container, cache_volume) in [(container(), Some(sized)), (container(), Some(unsized_volume)), (ContainerFacts::default(), None)] {
        check(
            "inspected",
            &Document::new(Inspected {
                session: session(),
                container,
                posture: posture(),
                drift: drift(),
                cache: share(),
                limits: limits(),
                cache_volume,
                life: Life::default(),
            }),
        );
    }
    check("launched", &Document::new(LaunchedBody { session: session(), posture: posture() }));
    let held = Verification {
        name: "web".into(),
        session: Some(session()),
        posture: Some(posture()),
        weaker: Some(true),
        drift: Some(drift()),
        error: None,
    };
    let gone = Verification { name: "x".into(), session: None, posture: None, weaker: None, drift: None, error: Some(failure()) };
    check("verified", &Document::with_error(Verified { verified: vec![held, gone] }, Some(failure())));
    check("verified", &Document::new(Verified { verified: vec![] }));
}

#[test]
fn evidence() {
    let at = Timestamp::UNIX_EPOCH;
    let subject = || Subject { id: "01k2m3n4p5q6r7s8t9v0w1x2y3".to_owned(), name: "web".to_owned() };
    let run = Run {
        schema: 1,
        session: subject(),
        kind: "persistent".to_owned(),
        profile: "default".to_owned(),
        engine: "unix:///run/docker.sock".to_owned(),
        container: "c0ffee".to_owned(),
        image: Image { name: "debian".to_owned(), digest: "sha256:00".to_owned() },
        started: at,
        plan: serde_json::to_value(plan(None, Timeout::Never)).unwrap(),
        posture: serde_json::to_value(posture()).unwrap(),
        measured: Some(at),
    };
    let end = |exit_code, packages_unlisted| End {
        ended: at,
        exit_code,
        out_of_memory: false,
        seen_by: "run".to_owned(),
        by: "1000@here".to_owned(),
        limits: serde_json::to_value(limits().hits).unwrap(),
        packages: serde_json::json!([]),
        packages_unlisted,
    };
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().join("palisade");
    let shelf = Shelf::new(&folder, AuditLog::new(&folder, "1000@here"));
    for (nth, end) in [end(Some(0), Some(0)), end(None, None)].into_iter().enumerate() {
        let started = Timestamp::from_second(i64::try_from(nth).unwrap()).unwrap();
        shelf.end(&Evidence { run: Run { started, ..run.clone() }, end }, at).unwrap();
    }
    let print = |args: &[&str]| super::palisade(&[&["--json"], args].concat()).env("XDG_STATE_HOME", state.path()).output().unwrap().stdout;
    assert_eq!(schema::document("evidence", &print(&["evidence"]))["evidence"].as_array().unwrap().len(), 2);
    assert_eq!(schema::document("evidence_verified", &print(&["evidence", "verify"]))["proof"]["sound"], 2);
    std::fs::write(shelf.folder().join("x.json"), "{}").unwrap();
    schema::document("evidence_verified", &print(&["evidence", "verify"]));
    schema::document("audit", &print(&["audit"]));
    schema::document("error", &print(&["evidence", "api"]));
}

#[test]
fn updates() {
    let change = Change { field: "memory".into(), from: "4 GiB".into(), to: "2 GiB".into(), needs: Needs::Live };
    let done = UpdateResult {
        name: "web".into(),
        session: Some(session()),
        changes: vec![change],
        needs: Some(Needs::Live),
        posture: Some(posture()),
        error: None,
    };
    let failed = UpdateResult { name: "x".into(), session: None, changes: Vec::new(), needs: None, posture: None, error: Some(failure()) };
    check("updates", &Document::with_error(Updates { dry_run: true, updates: vec![done, failed] }, Some(failure())));
}

#[test]
fn plans() {
    let workspace = WorkspaceMount { source: "/w".into(), device: 1, inode: 2, mode: WorkspaceMode::ReadOnly };
    check("plan", &plan(Some(workspace), Timeout::After(Seconds::new(9))));
    check("plan", &plan(None, Timeout::Never));
}

#[test]
fn actions_and_failures() {
    let done = ActionResult { name: "web".into(), session: Some(session()), posture: Some(posture()), error: None };
    let failed = ActionResult { name: "x".into(), session: None, posture: None, error: Some(failure()) };
    check("actions", &Document::with_error(Actions { action: "restart", results: vec![done, failed] }, Some(failure())));
    check("error", &error(failure()));
    for code in [
        Code::Usage,
        Code::InvalidConfig,
        Code::Refused,
        Code::AuditFailed,
        Code::PostureWeaker,
        Code::EngineUnreachable,
        Code::EngineError,
        Code::NotFound,
        Code::Conflict,
        Code::Io,
        Code::Interrupted,
        Code::Internal,
    ] {
        check("error", &error(ErrorBody::from(&Failure::new(code, "message"))));
    }
    check("copied", &Document::new(Copied { copied: CopyReport { entries: 1, bytes: 2, skipped: vec!["dev\u{7}".into()] } }));
}

#[test]
fn what_sessions_do_and_use() {
    let rights = |known: bool| Process {
        pid: 4711,
        container_pid: known.then_some(7),
        name: "sh\u{1b}[2J".into(),
        exe: known.then(|| "/bin/sh".into()),
        command: known.then(|| "sh -c x".into()),
        uid: 1000,
        capabilities: CapSet(if known { 1 << 21 } else { 0 }),
        no_new_privs: known.then_some(true),
        seccomp: known.then_some(SeccompMode::Filter),
        membership: Membership { cgroup: known.then_some(true), ..Membership::default() },
    };
    for source in [KernelSource::Host, KernelSource::Probe] {
        let list = ProcessList { source, processes: vec![rights(true), rights(false)], hidden: 2 };
        check("processes", &Document::new(Processes { session: session(), list }));
    }
    let held = Held { id: 1, pid: 40, command: vec!["vim\u{1b}[2J".into()], size: Size::new(80, 24), age_s: 61, idle_s: 0, clients: 1 };
    let reaped = vec![Reaped { name: "web".to_owned(), done: "stopped", why: "its deadline passed".to_owned() }];
    let superfluous = |kept: Option<&str>| {
        let why = "its session has no container any more";
        let mut one = Superfluous::new(What::Volume, "palisade-home-x".into(), why, kept.map(|_| 7));
        one.kept = kept.map(Into::into);
        one
    };
    check("pruned", &Document::new(Pruning { dry_run: true, pruned: vec![superfluous(None), superfluous(Some("volume is in use"))] }));
    let session_disk = |volumes| SessionDisk { name: "web".into(), id: SessionId::NIL, volumes, layer: volumes, soft: 5, hard: 0 };
    let taken = |counted: Option<u64>| Taken {
        sessions: vec![session_disk(counted)],
        other_volumes: counted,
        depot: counted,
        images: 9,
        reclaimable: 0,
        unknown: counted.is_none().then(|| "the engine did not tell".into()),
    };
    check("taken", &Document::new(taken(Some(3))));
    check("taken", &Document::new(taken(None)));
    check("reaped", &Document::new(Reaping { dry_run: true, reaped }));
    check("terminals", &Document::new(Terminals { session: session(), terminals: vec![held] }));
    let used = |limited: bool| Used {
        cpu_percent: 12.5,
        usage: Usage {
            cpu_ns: 1,
            memory: Bytes::mib(2),
            memory_limit: limited.then_some(Bytes::gib(4)),
            pids: 3,
            pids_limit: limited.then_some(100),
        },
    };
    let row = |limited| StatsRow { name: "web".into(), session: Some(session()), usage: Some(used(limited)), error: None };
    let failed = StatsRow { name: "x".into(), session: None, usage: None, error: Some(failure()) };
    check("stats", &Document::with_error(Stats { stats: vec![row(true), row(false), failed] }, Some(failure())));
    let change = |kind| FileChange { kind, path: "/x\u{202e}".into() };
    let files = [ChangeKind::Added, ChangeKind::Changed, ChangeKind::Deleted].map(change).into();
    check("changes", &Document::new(Changes { session: session(), changes: FileChanges { files, cut: true } }));
}

/// Each limit, with and without a bound.
fn limits() -> Limits {
    let hit = |(at, limit)| LimitHit { limit, place: "/tmp\u{1b}".into(), count: 2, bound: (at % 2 == 0).then_some(1 << 40) };
    Limits { hits: Limit::ALL.into_iter().enumerate().map(hit).collect(), unknown: Some("it is elsewhere".into()) }
}

#[test]
fn what_the_cache_counted() {
    check("cache", &Document::new(CacheStatus { cache: None }));
    let of = || BTreeMap::from([(Ecosystem::Pypi, Counters { hits: 1, ..Counters::default() }), (Ecosystem::Npm, Counters::default())]);
    let upstream = |away| UpstreamFacts { ecosystem: Ecosystem::Npm, url: "https://registry.example/".into(), away };
    let summary = Summary {
        schema: 1,
        started: Timestamp::UNIX_EPOCH,
        updated: Timestamp::UNIX_EPOCH,
        totals: of(),
        sessions: BTreeMap::from([(session().id, of()), (SessionId::from_parts(1, 1), BTreeMap::new())]),
        store: StoreFacts::default(),
        upstreams: vec![upstream(None), upstream(Some((Timestamp::UNIX_EPOCH, "refused".into())))],
        strangers: 1,
    };
    let figures = CacheFigures::of(summary, &[session()]);
    assert_eq!(figures.sessions.iter().map(|row| row.name.as_deref()).collect::<Vec<_>>(), [Some("web"), None]);
    check("cache", &Document::new(CacheStatus { cache: Some(figures) }));
    let event = |note: &str, digest| ledger::Event {
        at: Timestamp::UNIX_EPOCH,
        session: SessionId::NIL,
        ecosystem: Ecosystem::Pypi,
        requested: Requested::Artifact,
        project: "six".into(),
        file: "six.whl".into(),
        version: String::new(),
        digest,
        outcome: Outcome::Denied,
        store_bytes: 0,
        upstream_bytes: 0,
        elapsed_ms: 0,
        complete: true,
        hidden: note.len() as u64,
        note: note.into(),
    };
    let artifact = |digest| FetchedArtifact {
        ecosystem: Ecosystem::Npm,
        project: "@a/b".into(),
        version: "1".into(),
        file: "b-1.tgz".into(),
        digest,
        hits: 1,
        misses: 1,
        complete: 2,
        bytes: 3,
        first: Timestamp::UNIX_EPOCH,
        last: Timestamp::UNIX_EPOCH,
    };
    let sha512 = || Digest::new(Algorithm::Sha512, [7; 64]);
    let log =
        || Log { artifacts: vec![artifact(sha512()), artifact(None)], events: vec![event("x", sha512()), event("", None)], unlisted: 1 };
    for name in [Some("web".to_owned()), None] {
        check("cache_log", &Document::new(CacheLog { cache_log: SessionLog { session: SessionId::NIL, name, log: log() } }));
    }
    check("warmed", &Document::with_error(Warmed { session: SessionId::NIL, warmed: log().artifacts }, Some(failure())));
    for action in ["verify", "prune", "clear"] {
        let report = ControlReport { blobs: 1, bytes: 2, damaged: vec!["sha256:0".into()] };
        check("cache_control", &Document::with_error(CacheControl { action, report }, Some(failure())));
    }
}

#[test]
fn how_the_depot_stands() {
    for (state, outdated_because, posture) in [
        (DepotState::Missing, None, None),
        (DepotState::Stopped, Some("made by another version"), None),
        (DepotState::Running, None, Some(posture())),
    ] {
        let depot = DepotStatus {
            stranded: vec!["web".parse().unwrap()],
            name: "palisade-depot".into(),
            state,
            image: "palisade-depot:1".into(),
            outdated: outdated_because.is_some(),
            outdated_because,
            started: posture.is_some().then_some(Timestamp::UNIX_EPOCH),
            store_volume: "s".into(),
            socket_volume: "v".into(),
            posture,
        };
        check("depot", &Document::new(DepotShown { depot }));
    }
}

#[test]
fn profiles_images_and_checks() {
    let row =
        || ProfileSummary { name: "default".into(), description: "d".into(), origin: "built in".into(), policy: policy(Timeout::Never) };
    check("profiles", &Document::new(Profiles { profiles: vec![row()] }));
    check("profile", &Document::new(ProfileShown { profile: row() }));
    let image = ImageSummary {
        parent: String::new(),
        id: "sha256:0".into(),
        tags: vec!["a:b".into()],
        created: Timestamp::UNIX_EPOCH,
        size: Bytes::mib(3),
        labels: BTreeMap::from([("a".into(), "b".into())]),
    };
    for purpose in [Purpose::Sandbox, Purpose::Base, Purpose::Leftover] {
        check("images", &Document::new(Images { images: vec![OurImage { summary: image.clone(), purpose, outdated: true }] }));
    }
    check("image_built", &Document::new(ImageBuilt { image: "a:b".into(), id: "sha256:0".into(), built: true }));
    let found = |state, advice| Check { name: "engine", state, found: "20.10".into(), advice };
    let all = vec![found(CheckState::Ok, None), found(CheckState::Warning, Some("x".into())), found(CheckState::Failed, None)];
    check("checks", &Document::with_error(Checks { checks: all }, Some(failure())));
}

#[test]
fn streams_and_pages() {
    check("event", &Document::new(Event::Started { session: Box::new(session()), posture: Some(Box::new(posture())) }));
    check("event", &Document::new(Event::Started { session: Box::new(session()), posture: None }));
    let piece = |text: Option<&str>, base64: Option<&str>| Piece {
        time: Some("1970-01-01T00:00:00Z".into()),
        text: text.map(Into::into),
        base64: base64.map(Into::into),
    };
    check("event", &Document::new(Event::Stdout(piece(Some("x"), None))));
    check("event", &Document::new(Event::Stderr(piece(None, Some("//4A")))));
    check("event", &Document::new(Event::Exit { code: 255, fate: None }));
    for (state, exit_code) in [(Became::Ended, Some(122)), (Became::Running, None), (Became::Restarted, None), (Became::Removed, None)] {
        let fate = Fate { state, exit_code, limits: Limits::default(), said: vec!["x".into()] };
        check("event", &Document::new(Event::Exit { code: 137, fate: Some(Box::new(fate)) }));
    }
    check("completions", &Document::new(CompletionScript { shell: "bash".into(), script: "x".into() }));
    let page =
        |path: Option<&str>, roff: Option<&str>| ManPage { name: "a.1".into(), path: path.map(Into::into), roff: roff.map(Into::into) };
    check("man", &Document::new(ManPages { pages: vec![page(Some("/a"), None), page(None, Some(".TH"))] }));
    check("help", &Document::new(Help { help: "x".into() }));
    check("version", &Document::new(Version { version: "1" }));
}

#[test]
fn a_field_that_the_page_does_not_know_is_noticed() {
    let unknown = serde_json::json!({ "schema": 1, "version": "1", "surprise": true });
    assert!(std::panic::catch_unwind(|| schema::validate("version", &unknown)).is_err());
    let future = serde_json::json!({ "schema": 2, "version": "1" });
    assert!(std::panic::catch_unwind(|| schema::validate("version", &future)).is_err());
}
