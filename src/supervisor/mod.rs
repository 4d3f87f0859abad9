//! The process inside the sandbox: `palisade supervise`, the engine's init's only child.
//!
//! It holds the command back until the manager has measured the container and opens the [gate], puts secrets
//! where the command finds them, relays to the depot, holds terminals, forwards signals, keeps deadlines and caps, and passes the exit code on. It is
//! single-threaded and needs nothing of the image. It must not know engines, policies or configuration.

mod descriptors;
mod disk;
mod duties;
pub mod enter;
pub mod gate;
mod keeper;
pub mod life;
mod limits;
mod options;
mod outlet;
mod pace;
pub mod probe;
pub mod relay;
mod secrets;
mod signals;
mod start;
mod supervise;
pub mod terminals;

pub use supervise::{EXIT_DISK, EXIT_TIMEOUT, main};
