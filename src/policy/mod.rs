//! Policy: pure functions from what users write to exactly what the engine is asked, and from what is
//! observed to a verdict. No clock, environment, file, socket or await.
//!
//! ```text
//! profiles (layers) ─▶ resolve ─▶ Policy ─┐
//! request (flags)   ─────────────────────┴▶ plan ─▶ Plan ─▶ (backend) ─▶ engine
//! Requested + ContainerFacts + KernelFacts ─▶ audit ─▶ Posture
//! Terms + Terms of today + facts ─▶ drift ─▶ Standing
//! ```

mod asked;
pub mod audit;
pub mod controls;
mod cpuset;
pub mod drift;
pub mod env;
mod fault;
mod image_volumes;
mod narrow;
pub mod package;
mod places;
pub mod plan;
mod policy_type;
pub mod posture;
pub mod profile;
mod range;
pub mod request;
pub mod resolve;
pub mod workspace;

pub use asked::Asked;
pub use plan::Plan;
pub use policy_type::{DiskCap, LogCap, Network, PidsLimit, Policy, Seccomp, Terminal, Timeout};
pub use posture::{ControlPosture, Posture, Verdict};
pub use request::{ImageFacts, Request, RunAs, SecretSource, WorkspaceMode, WorkspaceMount};
