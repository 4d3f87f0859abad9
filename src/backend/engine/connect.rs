//! From an address to a client that speaks a version both sides know. One request: `GET /_ping` where the engine is
//! at a socket, `GET /version` anywhere else and where the ping says too little.

use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};

use super::convert::system::{api_version, engine_version};
use super::error::{self, Cause, Kind};
use super::{Endpoint, EngineVersion, ping};
use crate::failure::{Code, Failure, Result};
use crate::units::sanitise;

/// The oldest API that can carry a session: 1.41 (Docker 20.10) brought cgroup namespaces and cgroup v2.
const OLDEST: (u32, u32) = (1, 41);
/// How long an engine may take to say its version; ssh logs in first.
const GREETING_S: u64 = 30;

/// A client, and what it agreed on.
pub(super) struct Agreed {
    pub docker: Docker,
    /// The API version that every request names.
    pub api: (u32, u32),
    /// What the engine said of itself, where it had to be asked.
    pub version: Option<EngineVersion>,
}

/// Connects and agrees on a version.
pub(super) async fn open(endpoint: &Endpoint, timeout: Duration) -> Result<Agreed> {
    let docker = client(endpoint)?.with_timeout(Duration::from_secs(GREETING_S));
    let ours = newest_of_ours();
    if let Some(socket) = &endpoint.socket {
        // One that is newer than this program may have left our version behind, and says so only in full.
        if let Some(api) = ping::newest_api(socket).await.filter(|api| (OLDEST..=ours).contains(api)) {
            return Ok(Agreed { docker: agreed(docker, timeout, api), api, version: None });
        }
    }
    let version = ask(&docker, endpoint).await?;
    Ok(Agreed { docker: agreed(docker, timeout, version.api), api: version.api, version: Some(version) })
}

/// What the engine says of itself, with the API version that both sides know.
pub(super) async fn ask(docker: &Docker, endpoint: &Endpoint) -> Result<EngineVersion> {
    let answer = docker.version().await.map_err(|error| greeting_failed(endpoint, &error))?;
    let newest_of_ours = newest_of_ours();
    let oldest_of_theirs = answer.min_api_version.as_deref().and_then(api_version).unwrap_or(OLDEST);
    let version =
        engine_version(answer, newest_of_ours).ok_or_else(|| not_an_engine(endpoint, "it does not say which API version it speaks"))?;
    if version.api < OLDEST {
        return Err(Failure::new(Code::EngineError, format!("the engine at {} is too old", sanitise(&endpoint.uri)))
            .detail(format!("it is {} with API {}.{}", sanitise(&version.version), version.api.0, version.api.1))
            .hint(format!("API {}.{} (Docker Engine 20.10) is the oldest that palisade works with", OLDEST.0, OLDEST.1)));
    }
    if newest_of_ours < oldest_of_theirs {
        return Err(Failure::new(Code::EngineError, format!("the engine at {} is too new for this palisade", sanitise(&endpoint.uri)))
            .detail(format!("it speaks API {}.{} and later", oldest_of_theirs.0, oldest_of_theirs.1))
            .hint("a newer palisade may know it"));
    }
    Ok(version)
}

fn newest_of_ours() -> (u32, u32) {
    (number(API_DEFAULT_VERSION.major_version), number(API_DEFAULT_VERSION.minor_version))
}

fn agreed(docker: Docker, timeout: Duration, (major, minor): (u32, u32)) -> Docker {
    docker.with_timeout(timeout).with_request_modifier(move |request| versioned(request, major, minor))
}

/// Puts the agreed version before the path. bollard sends paths without one, which an engine reads as "your
/// newest": an answer that a later engine shapes differently would then be ours to guess.
fn versioned(mut request: BollardRequest, major: u32, minor: u32) -> BollardRequest {
    let whole = request.uri().to_string();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if let Some(Ok(uri)) = whole.strip_suffix(path).map(|base| format!("{base}/v{major}.{minor}{path}").parse()) {
        *request.uri_mut() = uri;
    }
    request
}

fn client(endpoint: &Endpoint) -> Result<Docker> {
    let uri = endpoint.uri.trim_end_matches('/');
    let built = match uri.split_once("://") {
        Some(("unix", _)) => {
            may_reach_socket(endpoint)?;
            Docker::connect_with_unix(uri, GREETING_S, API_DEFAULT_VERSION)
        }
        Some(("tcp" | "http", _)) if endpoint.tls_dir.is_none() => Docker::connect_with_http(uri, GREETING_S, API_DEFAULT_VERSION),
        Some(("tcp" | "https", address)) => return with_tls(endpoint, address),
        Some(("ssh", host)) => {
            // What follows goes to ssh(1) as its destination: never as an option, never a path that it would ignore.
            if host.is_empty() || host.starts_with('-') || host.contains('/') || host.contains("@-") {
                return Err(bad_address(endpoint));
            }
            // bollard hands `HOST:PORT` to ssh as a host of that name.
            if host.rsplit('@').next().is_some_and(|host| host.contains(':')) {
                return Err(
                    bad_address(endpoint).hint("name the port in ~/.ssh/config (`Host NAME`, `HostName …`, `Port …`) and use ssh://NAME")
                );
            }
            Docker::connect_with_ssh(uri, GREETING_S, API_DEFAULT_VERSION, None)
        }
        _ => return Err(bad_address(endpoint)),
    };
    built.map_err(|error| greeting_failed(endpoint, &error))
}

fn bad_address(endpoint: &Endpoint) -> Failure {
    Failure::new(Code::Usage, format!("'{}' is not an engine's address", sanitise(&endpoint.uri)))
        .detail(format!("address found by: {}", sanitise(&endpoint.found_by)))
        .hint("give one such as unix:///var/run/docker.sock, tcp://HOST:2376, https://HOST:2376 or ssh://USER@HOST")
}

/// Whether the socket can be looked at: bollard takes a folder that may not be entered for an absent socket.
fn may_reach_socket(endpoint: &Endpoint) -> Result<()> {
    let Some(path) = &endpoint.socket else { return Ok(()) };
    match std::fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(error::unreachable(endpoint, &Cause::Permission)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(error::unreachable(endpoint, &Cause::NoSocket)),
        Err(error) => Err(error::unreachable(endpoint, &Cause::Other(error.to_string()))),
    }
}

fn with_tls(endpoint: &Endpoint, address: &str) -> Result<Docker> {
    // Without a folder of keys: the system's own roots, and no certificate of ours. An empty file is an empty list.
    let none = std::path::Path::new("/dev/null").to_path_buf();
    let (key, certificate, authority) = match &endpoint.tls_dir {
        None => (none.clone(), none.clone(), none),
        Some(dir) => (dir.join("key.pem"), dir.join("cert.pem"), dir.join("ca.pem")),
    };
    for file in [&key, &certificate, &authority] {
        // Opened, not only looked at: an unreadable key would otherwise be no key, and the engine's refusal a riddle.
        #[expect(clippy::disallowed_methods, reason = "these files are the transport's own; nothing else reads them")]
        let opened = std::fs::File::open(file);
        opened.map_err(|error| {
            Failure::new(Code::InvalidConfig, format!("cannot read '{}', which TLS to {} needs", file.display(), sanitise(&endpoint.uri)))
                .detail(error.to_string())
                .hint("DOCKER_CERT_PATH, or the Docker context, names a folder with ca.pem, cert.pem and key.pem")
        })?;
    }
    Docker::connect_with_ssl(&format!("https://{address}"), &key, &certificate, &authority, GREETING_S, API_DEFAULT_VERSION)
        .map_err(|error| greeting_failed(endpoint, &error))
}

fn greeting_failed(endpoint: &Endpoint, error: &bollard::errors::Error) -> Failure {
    match error::sort(error) {
        Kind::NoConnection(cause) => error::unreachable(endpoint, &cause),
        Kind::TimedOut => error::silent(endpoint, GREETING_S).detail(format!("address found by: {}", sanitise(&endpoint.found_by))),
        // A server of TLS hangs up on plain words, not always after saying so.
        Kind::Broken(why) if endpoint.uri.starts_with("tcp://") && endpoint.tls_dir.is_none() => not_an_engine(endpoint, &why),
        Kind::Broken(why) => error::unreachable(endpoint, &Cause::Other(why)),
        Kind::Setup(why) => Failure::new(Code::EngineUnreachable, format!("cannot connect to {}", sanitise(&endpoint.uri)))
            .detail(sanitise(&why))
            .detail(format!("address found by: {}", sanitise(&endpoint.found_by)))
            .hint("check the files in DOCKER_CERT_PATH, and SSL_CERT_FILE where it is set"),
        Kind::Status(_, sentence) | Kind::Streamed(sentence) => {
            error::with_sentence(not_an_engine(endpoint, "it refused to say its version"), &sentence)
        }
        Kind::Unreadable(why) => not_an_engine(endpoint, &why),
    }
}

fn not_an_engine(endpoint: &Endpoint, why: &str) -> Failure {
    let failure = Failure::new(Code::EngineUnreachable, format!("what answers at {} is no engine", sanitise(&endpoint.uri)))
        .detail(sanitise(why))
        .detail(format!("address found by: {}", sanitise(&endpoint.found_by)));
    if endpoint.uri.starts_with("tcp://") && endpoint.tls_dir.is_none() {
        failure.hint("an engine that serves TLS needs DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH; else check the address")
    } else {
        failure.hint("check the address: it must be a Docker Engine's API")
    }
}

fn number(part: usize) -> u32 {
    u32::try_from(part).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
