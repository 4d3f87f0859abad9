//! The operator's journeys with the real binary on a real Docker Engine, with the image that `palisade image build` makes.
//! Needs root (for an independent look at the host's `/proc`); without an engine these tests fail.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that cannot go on says so by failing, and reads what it checks"
)]

mod adapter;
#[path = "../common/allowlist.rs"]
mod allowlist;
mod archives;
mod attach;
mod audit;
mod cache_dirs;
#[path = "../common/mod.rs"]
mod common;
mod corpus;
mod crash;
mod cut_short;
mod dashboard;
mod deadlines;
mod depot;
mod documents;
mod drift;
mod engine;
mod evidence;
mod hostile;
mod journeys;
mod kernel_facts;
mod limits;
mod measured;
mod observing;
mod paced;
mod proxy;
mod refusals;
mod relay;
mod seccomp;
mod streams;
mod support;
mod tampering;
mod terminals;
