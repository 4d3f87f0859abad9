//! States for tests: some sessions with everything that can be known of them.

mod detail;

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::State;
use super::form::Ground;
use super::keymap::Keymap;
use super::link::{EngineFacts, Link};
use super::remote::Remote;
use super::row::{Happening, Measured, Row, Sample, Weight};
use super::state::Kept;
use crate::backend::Life;
use crate::dashboard::theme::Theme;
use crate::depot::ledger::Counters;
use crate::policy::controls::Control;
use crate::policy::posture::Deviant;
use crate::policy::{ControlPosture, Network, Posture, Verdict};
use crate::session::{ContainerFacts, Kind, MountFacts, Session, Status, labels};
use crate::units::{Bytes, SessionId};

/// The moment at which every sample is looked at.
pub fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// So many seconds before it.
pub fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

/// A running session, launched five minutes ago. Its container's id is its name and zeros.
pub fn session(name: &str) -> Session {
    Session {
        id: SessionId::NIL,
        name: name.parse().unwrap(),
        kind: Kind::Persistent,
        profile: "default".into(),
        status: Status::Running,
        status_text: "Up 5 minutes".into(),
        created: ago(300),
        image: "palisade-sandbox:latest".into(),
        command: "sleep infinity".into(),
        container_id: id(name),
    }
}

/// The id of the container of a session of that name.
pub fn id(name: &str) -> String {
    format!("{name:0<64}")
}

/// A state with these sessions, just listed; nothing else is known of them.
pub fn listed(names: &[&str]) -> State {
    let mut state = nothing();
    state.link = Link::Up;
    state.engine = EngineFacts {
        product: "Docker Engine".into(),
        version: "20.10.24".into(),
        endpoint: "unix:///var/run/docker.sock".into(),
        cpus: 2,
    };
    state.totals.listed = Some(now());
    state.list.observe(names.iter().map(|name| session(name)).collect());
    state.detail.of.clone_from(&state.list.selected);
    state
}

/// A state before anything has come, on a terminal of 80 columns and 24 lines.
pub fn nothing() -> State {
    let themes = vec![Arc::new(Theme::builtin().unwrap().remove(0))];
    State::new(now(), Keymap::default(), themes, Ground::default(), Kept::default())
}

/// A state with these sessions, of which everything is known: measured, metered, with logs, requests, processes.
pub fn state(names: &[&str]) -> State {
    let mut state = listed(names);
    for (at, row) in state.list.rows.iter_mut().enumerate() {
        know(row, u32::try_from(at).unwrap());
    }
    state.totals.cache = Remote::Ready(Some(counters(83)), now());
    state.totals.disk = Remote::Ready(Bytes::mib(1_234), now());
    state.list.arrange();
    detail::fill(&mut state);
    state
}

/// A running posture: every control holds.
pub fn posture() -> Posture {
    let control = |control: Control| ControlPosture {
        control,
        requested: "as asked".into(),
        engine: "as asked".into(),
        kernel: "as asked".into(),
        verdict: Verdict::Enforced,
        reason: None,
    };
    Posture { controls: Control::ALL.map(control).into(), deviants: Vec::new() }
}

/// A posture in which two controls do not hold, one for a process that came from outside.
pub fn weaker() -> Posture {
    let mut posture = posture();
    for control in &mut posture.controls {
        let (requested, kernel, verdict, reason) = match control.control {
            Control::PidsLimit => ("100", "500", Verdict::Weaker, "500 is more than 100"),
            Control::User => ("1000:1000", "uid 0", Verdict::Missing, "a process runs as root"),
            Control::Apparmor => ("where there is one", "not shown", Verdict::Unknown, "this host has no AppArmor"),
            _ => continue,
        };
        control.requested = requested.into();
        control.kernel = kernel.into();
        control.verdict = verdict;
        control.reason = Some(reason.into());
    }
    posture.deviants =
        vec![Deviant { control: Control::User, pid: 4321, container_pid: Some(17), name: "sh".into(), reason: "uid 0".into() }];
    posture
}

/// What a session's measuring found.
pub fn measured(posture: Posture) -> Measured {
    let mount = |kind: &str, name: &str, source: &str, destination: &str, read_write| MountFacts {
        kind: kind.into(),
        name: name.into(),
        source: source.into(),
        destination: destination.into(),
        read_write,
    };
    let facts = ContainerFacts {
        status: Some(Status::Running),
        started: Some(ago(299)),
        image_id: "sha256:0123456789abcdef0123456789abcdef".into(),
        user: "1000:1000".into(),
        runtime: "runc".into(),
        working_dir: "/workspace".into(),
        pids_limit: Some(100),
        memory: Some(4 << 30),
        memory_swap: Some(4 << 30),
        nano_cpus: Some(2_000_000_000),
        mounts: vec![
            mount("bind", "", "/home/alice/project", "/workspace", true),
            mount("volume", "palisade-depot-socket", "/var/lib/docker/volumes/palisade-depot-socket/_data", "/run/palisade", false),
        ],
        labels: [(labels::DISK_SOFT.to_owned(), (20_u64 << 30).to_string().as_str().into())].into(),
        tmpfs: [("/tmp".to_owned(), "rw,nosuid,nodev,size=64m".to_owned())].into(),
        ..ContainerFacts::default()
    };
    Measured {
        facts: Arc::new(facts),
        posture: Arc::new(posture),
        network: Some(Network::Packages),
        drifted: Arc::default(),
        life: Life::default(),
    }
}

/// Figures of a depot with so many hits of a hundred.
pub fn counters(hits: u64) -> Counters {
    Counters {
        requests: 130,
        hits,
        misses: 100 - hits,
        index_hits: 20,
        index_misses: 10,
        saved_bytes: hits << 20,
        upstream_bytes: 17 << 20,
        ..Counters::default()
    }
}

fn know(row: &mut Row, at: u32) {
    row.measured = Remote::Ready(measured(posture()), now());
    row.cache = Some(counters(83));
    row.disk = Some((Bytes::mib(312), ago(120)));
    for step in 0..40_u32 {
        let wave = f64::from((step * 7 + at * 3) % 20) / 20.0;
        row.usage.push_back(Sample {
            at: ago(i64::from(40 - step)),
            cpu_ns: u64::from(step) * 1_000_000_000,
            cpu: Some(wave),
            memory: Bytes::mib(100 + u64::from(step) * 4),
            memory_limit: Some(Bytes::gib(4)),
            pids: 12,
            pids_limit: Some(100),
        });
    }
    let happening = |seconds, text: &str, weight| Happening { at: ago(seconds), text: text.into(), weight };
    row.happenings = VecDeque::from([
        happening(300, "created", Weight::Plain),
        happening(299, "started", Weight::Plain),
        happening(60, "its processes reached their limit of 100", Weight::Warning),
        happening(30, "out of memory: the kernel ended a process of it", Weight::Danger),
    ]);
}
