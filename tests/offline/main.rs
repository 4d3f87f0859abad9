//! What can be shown without an engine, as one program.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that cannot go on says so by failing, and reads what it checks"
)]

mod cli;
#[path = "../common/mod.rs"]
mod common;
mod corpus;
mod fuzzed;
mod layers;
mod plan;
mod readme;
mod supervisor;
mod terminals;
