use std::collections::VecDeque;

use super::{ago, now};
use crate::dashboard::app::State;
use crate::dashboard::app::cache::Fetches;
use crate::dashboard::app::log::{Level, LogLine};
use crate::dashboard::app::remote::Remote;
use crate::depot::ledger::{Event, Outcome, Requested};
use crate::depot::promise::Ecosystem;
use crate::session::{ChangeKind, FileChange, FileChanges, KernelSource, Membership, Process, ProcessList, SeccompMode};
use crate::units::SessionId;

/// What the tabs read of the selected session.
pub(super) fn fill(state: &mut State) {
    let event = |seconds, outcome, file: &str, note: &str| Event {
        at: ago(seconds),
        session: SessionId::NIL,
        ecosystem: Ecosystem::Pypi,
        requested: if file.is_empty() { Requested::Index } else { Requested::Artifact },
        project: "numpy".into(),
        file: file.into(),
        version: String::new(),
        digest: None,
        outcome,
        store_bytes: if outcome == Outcome::Hit { 17 << 20 } else { 0 },
        upstream_bytes: if outcome == Outcome::Miss { 17 << 20 } else { 0 },
        elapsed_ms: 41,
        complete: true,
        hidden: 0,
        note: note.into(),
    };
    let fetches = Fetches {
        events: vec![
            event(20, Outcome::Hit, "numpy-2.3.1-cp313-manylinux_2_28_x86_64.whl", ""),
            event(21, Outcome::Revalidated, "", ""),
            event(50, Outcome::Rejected, "numpy-2.3.0.tar.gz", "its sha256 is not what the index promised"),
            event(90, Outcome::Miss, "numpy-2.3.1-cp313-manylinux_2_28_x86_64.whl", ""),
        ],
        rate: (0..30_u32).map(|step| (ago(i64::from(90 - step * 3)), f64::from(step) / 36.0)).collect(),
    };
    let process = |pid, inside, name: &str, command: &str, uid| Process {
        pid,
        container_pid: Some(inside),
        name: name.into(),
        exe: None,
        command: Some(command.into()),
        uid,
        capabilities: if uid == 0 {
            serde_json::from_value(serde_json::json!(["CHOWN", "SYS_ADMIN"])).unwrap()
        } else {
            crate::units::CapSet::default()
        },
        no_new_privs: Some(uid != 0),
        seccomp: Some(if uid == 0 { SeccompMode::Disabled } else { SeccompMode::Filter }),
        membership: Membership::default(),
    };
    let line = |seconds, text: &str, level, is_error_stream| LogLine { at: Some(ago(seconds)), is_error_stream, text: text.into(), level };
    let detail = &mut state.detail;
    detail.fetches = Remote::Ready(fetches, now());
    detail.processes = Remote::Ready(
        ProcessList {
            source: KernelSource::Host,
            processes: vec![
                process(4300, 1, "docker-init", "/sbin/docker-init -- sleep infinity", 1000),
                process(4301, 7, "sleep", "sleep infinity", 1000),
                process(4321, 17, "sh", "sh -c 'id; sleep 60'", 0),
            ],
            hidden: 0,
        },
        now(),
    );
    let change = |kind, path: &str| FileChange { kind, path: path.into() };
    detail.files = Remote::Ready(
        FileChanges {
            files: vec![
                change(ChangeKind::Changed, "/home"),
                change(ChangeKind::Added, "/home/agent/.cache/pip/selfcheck.json"),
                change(ChangeKind::Deleted, "/etc/motd"),
            ],
            cut: false,
        },
        now(),
    );
    detail.log.lines = VecDeque::from([
        line(40, "collecting numpy", Level::Plain, false),
        line(39, "DEBUG cache lookup: 17 entries", Level::Debug, false),
        line(30, "WARNING: a newer pip is there", Level::Warning, true),
        line(20, "ERROR: no space left on device", Level::Error, true),
        line(10, &format!("progress {}", "0123456789".repeat(12)), Level::Plain, false),
    ]);
    detail.log.bytes = detail.log.lines.iter().map(|line| line.text.raw().len()).sum();
}
