//! placeholder
use crate::backend::engine::Engine;
use crate::failure::{Code, Failure, Result};
use crate::session::KernelFacts;
/// placeholder
pub async fn read(_e: &dyn Engine, _c: &str, _i: &str, _v: &str, _g: bool) -> Result<KernelFacts> {
    Err(Failure::new(Code::Internal, "probe"))
}
