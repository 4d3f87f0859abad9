//! Documents about sessions: what they are, do and use, and what became of a word to them.

use palisade::backend::disk::{SessionDisk, Superfluous, Taken, What};
use palisade::backend::{CopyReport, Life, Reaped};
use palisade::failure::{Code, Failure};
use palisade::headless::cache::document::CacheShare;
use palisade::headless::diff::Changes;
use palisade::headless::disk::Pruning;
use palisade::headless::document::{
    ActionResult, Actions, CacheVolume, Copied, Document, ErrorBody, Inspected, LaunchedBody, PostureSummary, SessionRow, Sessions,
    UpdateResult, Updates, Verification, Verified, error,
};
use palisade::headless::reap::Reaping;
use palisade::headless::stats::{Stats, StatsRow, Used};
use palisade::headless::terminals::Terminals;
use palisade::headless::top::Processes;
use palisade::policy::drift::{Change, Needs, Standing};
use palisade::policy::{Timeout, WorkspaceMode, WorkspaceMount};
use palisade::session::{
    ChangeKind, ContainerFacts, FileChange, FileChanges, KernelSource, Limits, Membership, Process, ProcessList, SeccompMode, Usage,
};
use palisade::terminal::Size;
use palisade::terminal::wire::Held;
use palisade::units::{Bytes, CapSet, Seconds, SessionId};

use super::check;
use super::samples::{container, drift, failure, limits, plan, posture, session, share};

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
