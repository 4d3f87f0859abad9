//! From bollard's errors to failures: decided by the engine's status and the transport's error, never by text.

use std::error::Error as StdError;
use std::io;

use bollard::errors::Error;

use super::Endpoint;
use crate::failure::{Code, Failure};
use crate::units::sanitise;

/// Longest part of the engine's own words that a failure carries.
const MAX_SENTENCE: usize = 4000;
/// Most lines of it.
const MAX_LINES: usize = 20;

/// The failure inside an [`io::Error`] of a [`super::ByteStream`], where the engine's adapter put one.
pub fn failure_in(error: &io::Error) -> Option<&Failure> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// What kind of failure one of bollard's errors is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// The engine answered with this status and sentence.
    Status(u16, String),
    /// The engine accepted, then said in its stream that it failed.
    Streamed(String),
    /// No connection could be made.
    NoConnection(Cause),
    /// A connection was made and ended before the answer did.
    Broken(String),
    /// The answer did not begin in time.
    TimedOut,
    /// The answer came and made no sense.
    Unreadable(String),
    /// The request could not be built: files of TLS, an address.
    Setup(String),
}

/// Why no connection could be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// No socket file.
    NoSocket,
    /// The socket's permissions.
    Permission,
    /// Nobody listens.
    Refused,
    /// No answer to the connection attempt.
    TimedOut,
    /// The peer's certificate, ours, or no TLS at all on the other side.
    Tls(String),
    /// Anything else, in the transport's words.
    Other(String),
}

/// Sorts one of bollard's errors.
pub(super) fn sort(error: &Error) -> Kind {
    match error {
        Error::DockerResponseServerError { status_code, message } => Kind::Status(*status_code, message.clone()),
        Error::DockerStreamError { error } | Error::DockerContainerWaitError { error, .. } => Kind::Streamed(error.clone()),
        Error::SocketNotFoundError(_) => Kind::NoConnection(Cause::NoSocket),
        Error::RequestTimeoutError => Kind::TimedOut,
        Error::HyperLegacyError { err } if err.is_connect() => Kind::NoConnection(cause(err)),
        // TLS 1.3 refuses a client's certificate only after the handshake.
        Error::HyperLegacyError { err } => match cause(err) {
            refused @ Cause::Tls(_) => Kind::NoConnection(refused),
            _ => Kind::Broken(chain(error)),
        },
        Error::HyperResponseError { .. } | Error::IOError { .. } => Kind::Broken(chain(error)),
        Error::JsonDataError { .. }
        | Error::JsonSerdeError { .. }
        | Error::APIVersionParseError {}
        | Error::StrParseError { .. }
        | Error::HttpHeaderNotFoundError(_)
        | Error::HttpHeaderToStrError { .. }
        | Error::Base64DecodeError { .. } => Kind::Unreadable(error.to_string()),
        _ => Kind::Setup(chain(error)),
    }
}

fn cause(error: &(dyn StdError + 'static)) -> Cause {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(io) = current.downcast_ref::<io::Error>() {
            match io.kind() {
                io::ErrorKind::NotFound => return Cause::NoSocket,
                io::ErrorKind::PermissionDenied => return Cause::Permission,
                io::ErrorKind::ConnectionRefused => return Cause::Refused,
                io::ErrorKind::TimedOut => return Cause::TimedOut,
                io::ErrorKind::InvalidData => return Cause::Tls(io.to_string()),
                _ => {}
            }
        }
        // An `io::Error` names the source of what it wraps, not what it wraps.
        let wrapped = current.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map_or_else(|| current.source(), |inner| Some(inner));
    }
    Cause::Other(chain(error))
}

/// An error with what caused it, without the transport's repetitions.
fn chain(error: &dyn StdError) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(current) = next {
        let text = current.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = current.source();
    }
    parts.join(": ")
}

/// No engine answers at this address.
pub(super) fn unreachable(endpoint: &Endpoint, cause: &Cause) -> Failure {
    let failure = Failure::new(Code::EngineUnreachable, format!("no engine answers at {}", sanitise(&endpoint.uri)))
        .detail(format!("address found by: {}", sanitise(&endpoint.found_by)));
    let socket = endpoint.socket.as_ref().map_or_else(|| "its socket".to_owned(), |path| path.display().to_string());
    let local = endpoint.socket.is_some();
    match cause {
        Cause::NoSocket if local => failure
            .detail(format!("{} does not exist", sanitise(&socket)))
            .hint("is the engine running? `scripts/quickstart` installs and starts one; --host or DOCKER_HOST names another"),
        Cause::Permission => failure
            .detail(format!("permission denied: {}", sanitise(&socket)))
            .hint("add yourself to the group that owns the socket (`sudo usermod -aG docker $USER`, then log in again), or run as root"),
        Cause::NoSocket | Cause::Refused | Cause::Other(_) if endpoint.uri.starts_with("ssh://") => failure
            .detail(format!("ssh: {}", sanitise(&words(cause))))
            .hint("`ssh HOST docker version` must work without a question: keys in the agent, the host known, docker on its PATH"),
        Cause::Refused if local => failure
            .detail(format!("{} is there, but nobody listens on it", sanitise(&socket)))
            .hint("the engine has stopped: `sudo systemctl start docker`, or `scripts/quickstart`"),
        Cause::Refused => failure
            .detail("connection refused")
            .hint("nothing listens there: check the host and port, and that the engine serves TCP (`dockerd -H tcp://…`)"),
        Cause::TimedOut => failure.detail("the connection attempt timed out").hint("check the address and the firewalls on the way to it"),
        Cause::Tls(why) => failure
            .detail(format!("TLS: {}", sanitise(why)))
            .hint("check DOCKER_CERT_PATH: its ca.pem must have signed the engine's certificate, and the certificate must name this host"),
        Cause::NoSocket | Cause::Other(_) => failure
            .detail(sanitise(&words(cause)))
            .hint("check the address: unix:///PATH, tcp://HOST:PORT, https://HOST:PORT or ssh://USER@HOST"),
    }
}

fn words(cause: &Cause) -> String {
    match cause {
        Cause::Other(text) => text.clone(),
        Cause::Refused => "connection refused".to_owned(),
        _ => "not found".to_owned(),
    }
}

/// The connection ended before the answer did.
pub(super) fn broken(endpoint: &Endpoint, why: &str) -> Failure {
    Failure::new(Code::EngineUnreachable, format!("the connection to the engine at {} broke", sanitise(&endpoint.uri)))
        .detail(sanitise(why))
        .hint("the engine may have been stopped or restarted: `palisade doctor` says whether it answers")
}

/// The engine accepted the connection and said nothing.
pub(super) fn silent(endpoint: &Endpoint, seconds: u64) -> Failure {
    Failure::new(Code::EngineUnreachable, format!("the engine at {} did not answer within {seconds} s", sanitise(&endpoint.uri)))
        .hint("it may be overloaded or stuck: its own log (`journalctl -u docker`) says more")
}

/// The engine's own words, made safe and short, as particulars.
pub(super) fn with_sentence(mut failure: Failure, sentence: &str) -> Failure {
    let short: String = sentence.trim().chars().take(MAX_SENTENCE).collect();
    for (number, line) in short.lines().filter(|line| !line.trim().is_empty()).take(MAX_LINES).enumerate() {
        let line = sanitise(line.trim_end());
        failure = failure.detail(if number == 0 { format!("the engine says: {line}") } else { line });
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(uri: &str) -> Endpoint {
        let socket = uri.strip_prefix("unix://").map(Into::into);
        Endpoint { uri: uri.to_owned(), found_by: "DOCKER_HOST".to_owned(), socket, tls_dir: None }
    }

    #[test]
    fn every_cause_names_the_address_how_it_was_found_and_a_way_out() {
        let causes =
            [Cause::NoSocket, Cause::Permission, Cause::Refused, Cause::TimedOut, Cause::Tls("bad".into()), Cause::Other("odd".into())];
        for uri in ["unix:///run/docker.sock", "tcp://10.0.0.1:2376", "ssh://me@host"] {
            for cause in &causes {
                let failure = unreachable(&endpoint(uri), cause);
                assert_eq!(failure.code, Code::EngineUnreachable);
                assert!(failure.message.contains(uri) && failure.details.iter().any(|line| line.contains("DOCKER_HOST")), "{failure}");
                assert!(failure.hint.is_some(), "{failure}");
            }
        }
        assert!(unreachable(&endpoint("ssh://me@host"), &Cause::Refused).to_string().contains("ssh: connection refused\nhint: `ssh HOST"));
        assert!(unreachable(&endpoint("unix:///x"), &Cause::NoSocket).to_string().contains("scripts/quickstart"));
        assert!(unreachable(&endpoint("unix:///x"), &Cause::Permission).to_string().contains("docker"));
    }

    #[test]
    fn the_engines_words_cannot_act_on_a_terminal_or_flood_it() {
        let failure = with_sentence(Failure::new(Code::EngineError, "x"), &format!("\u{1b}[2Jbad\nline\n{}", "y\n".repeat(5000)));
        assert!(failure.details.len() <= MAX_LINES);
        assert!(failure.details.iter().all(|line| !line.contains('\u{1b}')));
        assert!(failure.details[0].starts_with("the engine says: \\u{1b}[2Jbad"));
    }

    #[test]
    fn a_failure_survives_its_way_through_a_byte_stream() {
        let failure = Failure::new(Code::NotFound, "gone");
        assert_eq!(failure_in(&io::Error::other(failure.clone())), Some(&failure));
        assert_eq!(failure_in(&io::Error::other("plain")), None);
    }
}
