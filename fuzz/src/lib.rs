//! What must hold for any input, one module for each target. The fuzzer calls these with what it makes up, the tests on
//! the stable compiler with what it found.

pub mod archive;
pub mod cast;
pub mod filter;
pub mod gullible;
pub mod log;
pub mod wire;
