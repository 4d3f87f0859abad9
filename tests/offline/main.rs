//! What can be shown without an engine, as one program.

mod plan;
mod supervisor;
