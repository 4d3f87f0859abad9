//! Palisade: hardened Docker sandboxes for AI agents and other untrusted code, launched and watched.
//!
//! See `ARCHITECTURE.md` for the layers; imports only point down it.

pub mod audit_log;
pub mod backend;
pub mod cli;
pub mod config;
pub mod dashboard;
pub mod depot;
pub mod evidence;
pub mod failure;
pub mod headless;
pub mod kernel;
pub mod policy;
pub mod session;
pub mod state;
pub mod supervisor;
pub mod terminal;
pub mod units;
