//! placeholder
use super::{CopyReport, engine::Engine};
use crate::failure::{Code, Failure, Result};
/// placeholder
pub async fn copy_in(_: &dyn Engine, _: &str, _: (u32, u32), _: &std::path::Path, _: &str) -> Result<CopyReport> {
    Err(Failure::new(Code::Internal, "copy"))
}
/// placeholder
pub async fn copy_out(_: &dyn Engine, _: &str, _: &str, _: &std::path::Path, _: u64) -> Result<CopyReport> {
    Err(Failure::new(Code::Internal, "copy"))
}
