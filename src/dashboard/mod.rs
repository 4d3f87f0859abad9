//! The dashboard: an interactive terminal interface over the same backend as the headless commands.
//!
//! `app` is the state and the one function that changes it, `view` draws it, both pure; `runtime` owns the
//! terminal, the tasks and the loop. Nothing here decides what a policy is or speaks to an engine by itself.

pub mod app;
pub mod runtime;
#[cfg(test)]
mod snapshot;
mod start;
mod text;
pub mod theme;
pub mod view;
