use serde::{Deserialize, Serialize};

use crate::session::KernelFacts;

/// What the probe prints: one JSON document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// The facts.
    pub facts: KernelFacts,
    /// The supervisor that holds the command back, where the probe was told to wait for it.
    pub gate: Option<GateProof>,
}

/// Who holds the command back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateProof {
    /// PID as the probe sees it.
    pub pid: u32,
    /// SHA-256 of its executable in hexadecimal: a name can be forged.
    pub exe_sha256: String,
}
