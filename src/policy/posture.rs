//! The result of comparing what was requested with what the engine reports and the kernel shows.

use std::fmt;

use serde::Serialize;

use crate::units::Untrusted;

/// Every control of one session, measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Posture {
    /// In the fixed order of [`super::controls::Control::ALL`].
    pub controls: Vec<ControlPosture>,
    /// Every process that differs from what was requested, once per control it differs in.
    pub deviants: Vec<Deviant>,
}

/// One control: three sources and a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ControlPosture {
    /// `cap_drop`, `pids_limit`, ….
    pub control: super::controls::Control,
    /// What was asked, in words.
    pub requested: String,
    /// What the engine reports (inspect).
    pub engine: Untrusted,
    /// What the kernel shows; where it shows nothing, why.
    pub kernel: Untrusted,
    /// What follows.
    pub verdict: Verdict,
    /// Why, where the verdict is not `enforced`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Untrusted>,
}

/// What three sources say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// At least as strong as requested, by every source that can show it.
    Enforced,
    /// A source cannot be read, and none contradicts.
    Unknown,
    /// There, but weaker than requested.
    Weaker,
    /// Not there.
    Missing,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Enforced => "enforced",
            Self::Unknown => "unknown",
            Self::Weaker => "weaker",
            Self::Missing => "missing",
        })
    }
}

/// A process that does not hold to what was requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deviant {
    /// The control that it escapes.
    pub control: super::controls::Control,
    /// PID as the reader sees it (the host's, where the host was read).
    pub pid: u32,
    /// PID in the container; absent for one that is not in its PID namespace.
    pub container_pid: Option<u32>,
    /// Its name, which it chose itself.
    pub name: Untrusted,
    /// What differs, in words.
    pub reason: Untrusted,
}

impl Posture {
    /// Whether any control is weaker than requested or missing.
    pub fn is_weaker(&self) -> bool {
        self.controls.iter().any(|control| control.verdict >= Verdict::Weaker)
    }

    /// How many controls are enforced.
    pub fn enforced(&self) -> usize {
        self.controls.iter().filter(|control| control.verdict == Verdict::Enforced).count()
    }

    /// The controls that are weaker or missing.
    pub fn failing(&self) -> impl Iterator<Item = &ControlPosture> {
        self.controls.iter().filter(|control| control.verdict >= Verdict::Weaker)
    }
}
