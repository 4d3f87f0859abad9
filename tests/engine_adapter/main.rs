//! The engine's adapter and the copying of files, on a real engine: they fail where none answers.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on stops")]

mod bench;
mod copies;
mod images;
mod lifecycle;
mod streams;
