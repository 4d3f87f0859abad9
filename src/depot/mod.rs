//! The package depot: a trusted proxy and store between sandboxes and registries, one container per engine.
//!
//! A sandbox names a project and a file, never an address or a hash. What the registry's own index promises of
//! that file is looked up here, the bytes are checked against it while they stream through, and only what is whole
//! and right is kept. Knows registries and files; nothing of engines, policies or front ends.

pub mod adapter;
pub mod config;
pub mod control;
pub mod index;
pub mod ledger;
pub mod names;
pub mod npm;
pub mod promise;
pub mod pypi;
pub mod serve;
pub mod server;
pub mod store;
pub mod token;
pub mod upstream;
pub mod wire;

/// Where the depot keeps everything, in its container: the volume that it alone mounts.
pub const ROOT: &str = "/depot";
/// The folder that sandboxes mount read-only, in the depot's container.
pub const SOCKET_DIR: &str = "/run/palisade";
/// The socket in that folder.
pub const SOCKET: &str = "/run/palisade/depot.sock";
/// Where clients inside a sandbox find the relay.
pub const RELAY: &str = "127.0.0.1:7878";
/// The configuration, in [`ROOT`]: written by the manager before each start, read by the depot alone.
pub const CONFIG_FILE: &str = "config.json";
/// The socket for orders, in [`ROOT`].
pub const CONTROL_SOCKET: &str = "control.sock";
/// Certificates to trust, in the depot's image; absent for the built-in roots.
pub const CA_FILE: &str = "/etc/ssl/certs/ca-certificates.crt";
/// What the depot prints, as a line, once its socket takes connections: its manager waits for it.
pub const LISTENING: &str = "palisade depot: listening";
