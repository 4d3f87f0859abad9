use std::path::PathBuf;

use serde::Serialize;

/// Where an engine is reached and how that address was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// `unix:///var/run/docker.sock`, `tcp://…`, `https://…`, `ssh://…`.
    pub uri: String,
    /// `--host`, `DOCKER_HOST`, `context NAME`, `default socket`.
    pub found_by: String,
    /// The socket file where it is a Unix socket.
    pub socket: Option<PathBuf>,
    /// Folder with `ca.pem`, `cert.pem`, `key.pem` where TLS is used.
    pub tls_dir: Option<PathBuf>,
}
