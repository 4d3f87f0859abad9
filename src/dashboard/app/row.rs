//! One session with everything known of it.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use super::remote::Remote;
use crate::backend::Life;
use crate::depot::ledger::Counters;
use crate::failure::Failure;
use crate::policy::drift::{Difference, Standing};
use crate::policy::{Network, Posture};
use crate::session::{ContainerFacts, Limits, Session, Status, labels};
use crate::units::{Bytes, Untrusted};

/// The engine's full id of a container: what a row is known by.
pub type ContainerId = String;

/// Samples of usage that are kept for the curves.
pub const SAMPLES: usize = 120;
/// What happened to a session, kept so long.
pub const HAPPENINGS: usize = 200;

/// One session with everything known of it.
#[derive(Debug, Clone)]
pub struct Row {
    /// As listed.
    pub session: Session,
    /// As inspected and measured.
    pub measured: Remote<Measured>,
    /// Whether it was asked for again since.
    pub measuring: bool,
    /// What it uses, newest last.
    pub usage: VecDeque<Sample>,
    /// Why its usage cannot be told, where it cannot.
    pub usage_failure: Option<Failure>,
    /// What its packages came to; `None` where the depot knows nothing of it.
    pub cache: Option<Counters>,
    /// How it stands to its plan and to today's; `None` before it was compared.
    pub standing: Option<Standing>,
    /// What happened to it since this dashboard began, newest last.
    pub happenings: VecDeque<Happening>,
    /// The limits that it ran into, as far as anybody saw.
    pub limits: Limits,
    /// What its volumes took when they were counted last, and when that was.
    pub disk: Option<(Bytes, Timestamp)>,
    /// What is being done to it: `stopping`.
    pub busy: Option<&'static str>,
    /// How often the operator was told that its deadline is near.
    pub told_near: u8,
}

/// What was found by inspecting and measuring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// What the engine reports.
    pub facts: Arc<ContainerFacts>,
    /// Control by control.
    pub posture: Arc<Posture>,
    /// What it was launched with, as its label says.
    pub network: Option<Network>,
    /// In what it differs from the plan that it was made from.
    pub drifted: Arc<Vec<Difference>>,
    /// How long it lives.
    pub life: Life,
}

/// One reading of usage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// CPU time since the container began, in nanoseconds.
    pub cpu_ns: u64,
    /// Of one CPU, since the sample before: 1.5 is one and a half CPUs; `None` for the first.
    pub cpu: Option<f64>,
    /// Memory without what the kernel could give back.
    pub memory: Bytes,
    /// Its limit.
    pub memory_limit: Option<Bytes>,
    /// Processes and threads.
    pub pids: u64,
    /// Their limit.
    pub pids_limit: Option<u64>,
}

/// How heavy a happening weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Ordinary.
    Plain,
    /// Worth a look.
    Warning,
    /// A limit was hit, or something ended badly.
    Danger,
}

/// Something that happened to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When, by the engine's clock.
    pub at: Timestamp,
    /// In words; may hold what a sandbox wrote.
    pub text: Untrusted,
    /// How heavy.
    pub weight: Weight,
}

/// A cap on disk that a session is above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The one that warns.
    Soft,
    /// The one that stops it.
    Hard,
}

/// How a session's hardening stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Badge {
    /// So many controls are weaker or missing.
    Weaker(usize),
    /// It cannot be told.
    Failed,
    /// Not measured yet.
    Unmeasured,
    /// So many of so many hold; the others cannot be told.
    Partly(usize, usize),
    /// All of so many hold.
    Holds(usize),
}

impl Row {
    /// A session that was just listed.
    pub fn new(session: Session) -> Self {
        Self {
            session,
            measured: Remote::Unknown,
            measuring: false,
            usage: VecDeque::new(),
            usage_failure: None,
            cache: None,
            standing: None,
            happenings: VecDeque::new(),
            limits: Limits::default(),
            disk: None,
            busy: None,
            told_near: 0,
        }
    }

    /// What it is known by.
    pub fn id(&self) -> &ContainerId {
        &self.session.container_id
    }

    /// Its badge.
    pub fn badge(&self) -> Badge {
        let Some((measured, _)) = self.measured.last() else {
            return if self.measured.failure().is_some() { Badge::Failed } else { Badge::Unmeasured };
        };
        let posture = &measured.posture;
        let weaker = posture.failing().count();
        let (held, all) = (posture.enforced(), posture.controls.len());
        match weaker {
            0 if held == all => Badge::Holds(all),
            0 => Badge::Partly(held, all),
            weaker => Badge::Weaker(weaker),
        }
    }

    /// What the engine reported last.
    pub fn facts(&self) -> Option<&ContainerFacts> {
        self.measured.last().map(|(measured, _)| measured.facts.as_ref())
    }

    /// How it reaches the world; `None` before it was inspected, or where its label is none.
    pub fn network(&self) -> Option<Network> {
        self.measured.last().and_then(|(measured, _)| measured.network)
    }

    /// The caps on its disk, the one that warns and the one that stops it; 0 for none.
    pub fn disk_caps(&self) -> (Bytes, Bytes) {
        let label = |name| self.facts().and_then(|facts| facts.labels.get(name)?.raw().parse().ok()).map_or(Bytes::new(0), Bytes::new);
        (label(labels::DISK_SOFT), label(labels::DISK_HARD))
    }

    /// Which of them it is above, as far as it was counted.
    pub fn over(&self) -> Option<Over> {
        let ((soft, hard), (bytes, _)) = (self.disk_caps(), self.disk?);
        let is_over = |cap: Bytes| cap.get() > 0 && bytes > cap;
        is_over(hard).then_some(Over::Hard).or_else(|| is_over(soft).then_some(Over::Soft))
    }

    /// Seconds until it is stopped, where it is to be.
    pub fn left_s(&self, now: Timestamp) -> Option<i64> {
        let life = &self.measured.last()?.0.life;
        life.deadline.filter(|_| self.session.status.is_live()).map(|at| at.duration_since(now).as_secs().max(0))
    }

    /// How near its deadline is: 0 for not yet, 1 from five minutes before it, 2 from one; of a short life a tenth, if that is less.
    pub fn near(&self, now: Timestamp) -> u8 {
        let Some(left) = self.left_s(now) else { return 0 };
        let ttl = self.measured.last().map_or(0, |(measured, _)| measured.life.ttl.get());
        let tenth = if ttl == 0 { i64::MAX } else { i64::try_from(ttl / 10).unwrap_or(i64::MAX) };
        u8::from(left <= tenth.min(300)) + u8::from(left <= tenth.min(60))
    }

    /// The latest reading.
    pub fn sample(&self) -> Option<&Sample> {
        self.usage.back().filter(|_| self.session.status.is_live())
    }

    /// Since when it has been what it is: running since its start, ended since its end.
    pub fn since(&self) -> Timestamp {
        let facts = self.facts();
        let ended = facts.and_then(|facts| facts.exit.as_ref()?.finished);
        let started = facts.and_then(|facts| facts.started);
        match self.session.status {
            Status::Running | Status::Paused | Status::Restarting => started,
            Status::Exited | Status::Dead | Status::Removing => ended.or(started),
            Status::Created | Status::Unknown => None,
        }
        .unwrap_or(self.session.created)
    }

    /// Adds a reading; the rate follows from the one before.
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown with three digits")]
    pub fn sampled(&mut self, mut sample: Sample) {
        sample.cpu = self.usage.back().and_then(|last| {
            let elapsed = sample.at.duration_since(last.at).as_nanos();
            (elapsed > 0 && sample.cpu_ns >= last.cpu_ns).then(|| (sample.cpu_ns - last.cpu_ns) as f64 / elapsed as f64)
        });
        if self.usage.len() == SAMPLES {
            self.usage.pop_front();
        }
        self.usage.push_back(sample);
        self.usage_failure = None;
    }

    /// Adds what happened.
    pub fn happened(&mut self, happening: Happening) {
        if self.happenings.len() == HAPPENINGS {
            self.happenings.pop_front();
        }
        self.happenings.push_back(happening);
    }
}
