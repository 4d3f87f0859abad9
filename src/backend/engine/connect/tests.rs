use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};

use super::*;
use crate::backend::engine::{DockerEngine, Engine, Images, LogOptions, WaitFor};

/// Something at the other end of a socket that answers each request with the next of its answers.
struct Peer {
    _folder: tempfile::TempDir,
    socket: PathBuf,
    asked: Arc<Mutex<Vec<String>>>,
}

fn peer(answers: &[&'static str]) -> Peer {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, answers) = (Arc::clone(&asked), answers.to_vec());
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                if stream.read_buf(&mut request).await.unwrap() == 0 {
                    break;
                }
            }
            log.lock().unwrap().push(String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    Peer { _folder: folder, socket, asked }
}

impl Peer {
    fn endpoint(&self) -> Endpoint {
        unix(&self.socket)
    }
}

fn unix(socket: &Path) -> Endpoint {
    Endpoint { uri: format!("unix://{}", socket.display()), found_by: "--host".into(), socket: Some(socket.into()), tls_dir: None }
}

fn at(uri: &str) -> Endpoint {
    Endpoint { uri: uri.into(), found_by: "DOCKER_HOST".into(), socket: None, tls_dir: None }
}

async fn refused(endpoint: &Endpoint) -> Failure {
    let failure = DockerEngine::connect(endpoint).await.err().unwrap();
    assert!(failure.hint.is_some(), "{failure}");
    failure
}

/// Answers to the ping that comes first.
const PING: &str = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nConnection: close\r\n\r\nOK";
const NEWER_PING: &str = "HTTP/1.1 200 OK\r\nApi-Version: 1.99\r\nConnection: close\r\n\r\nOK";
const NO_PING: &str = "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n";
const OLD: &str =
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\",\"Version\":\"20.10.24\"}";
const NEW: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"ApiVersion\":\"1.99\",\"MinAPIVersion\":\"1.44\",\"Version\":\"40.0\"}";
const NOTHING: &str = "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n{\"message\":\"no such container\"}";

#[tokio::test]
async fn the_agreed_version_stands_in_every_path_after_one_greeting() {
    let old = peer(&[PING, NOTHING, OLD]);
    let engine = DockerEngine::connect(&old.endpoint()).await.unwrap();
    assert_eq!(engine.start("web").await.unwrap_err().code, Code::NotFound);
    // Asked for once, when somebody wants to know.
    assert_eq!(engine.version().await.unwrap().api, (1, 41));
    assert_eq!(engine.version().await.unwrap().version, "20.10.24");
    let asked = ["GET /_ping HTTP/1.1", "POST /v1.41/containers/web/start HTTP/1.1", "GET /v1.41/version HTTP/1.1"];
    assert_eq!(*old.asked.lock().unwrap(), asked);

    let new = peer(&[NEWER_PING, NEW, NOTHING]);
    let engine = DockerEngine::connect(&new.endpoint()).await.unwrap();
    let ours = (number(API_DEFAULT_VERSION.major_version), number(API_DEFAULT_VERSION.minor_version));
    assert_eq!(engine.version().await.unwrap().api, ours);
    engine.stop("web", Some(7)).await.unwrap_err();
    assert_eq!(new.asked.lock().unwrap()[2], format!("POST /v{}.{}/containers/web/stop?t=7 HTTP/1.1", ours.0, ours.1));
}

#[tokio::test]
async fn an_engine_that_is_too_old_or_too_new_is_told_so() {
    let old = peer(&[NO_PING, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"ApiVersion\":\"1.40\",\"Version\":\"19.03\"}"]);
    let failure = refused(&old.endpoint()).await;
    assert!(failure.code == Code::EngineError && failure.to_string().contains("19.03"), "{failure}");
    let new = peer(&[
        NEWER_PING,
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"ApiVersion\":\"3.2\",\"MinAPIVersion\":\"3.0\",\"Version\":\"99\"}",
    ]);
    assert!(refused(&new.endpoint()).await.to_string().contains("too new"));
}

#[tokio::test]
async fn no_socket_a_dead_one_and_something_else_at_it_are_three_different_things() {
    let folder = tempfile::tempdir().unwrap();
    let missing = refused(&unix(&folder.path().join("none.sock"))).await;
    assert!(missing.code == Code::EngineUnreachable && missing.to_string().contains("scripts/quickstart"), "{missing}");

    let dead = folder.path().join("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
    let dead = refused(&unix(&dead)).await;
    assert!(dead.code == Code::EngineUnreachable && dead.to_string().contains("nobody listens"), "{dead}");

    for answer in [
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nno",
        "",
    ] {
        let failure = refused(&peer(&[answer, answer]).endpoint()).await;
        assert_eq!(failure.code, Code::EngineUnreachable, "{answer}: {failure}");
    }
}

#[tokio::test]
async fn addresses_over_the_network_fail_with_what_to_look_at() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let closed = refused(&at(&format!("tcp://127.0.0.1:{port}"))).await;
    assert!(closed.code == Code::EngineUnreachable && closed.to_string().contains("refused"), "{closed}");

    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = plain.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = plain.accept().await.unwrap();
            let _ = stream.read_u8().await;
            let _ = stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n").await;
        }
    });
    let untls = refused(&at(&format!("tcp://127.0.0.1:{port}"))).await;
    assert!(untls.to_string().contains("DOCKER_TLS_VERIFY"), "{untls}");
    let tls = refused(&at(&format!("https://127.0.0.1:{port}/"))).await;
    assert!(tls.code == Code::EngineUnreachable && tls.to_string().contains("TLS"), "{tls}");
    let keyless = Endpoint { tls_dir: Some("/no/such/keys".into()), ..at(&format!("tcp://127.0.0.1:{port}")) };
    let failure = refused(&keyless).await;
    assert!(failure.code == Code::InvalidConfig && failure.to_string().contains("/no/such/keys/key.pem"), "{failure}");
}

#[tokio::test]
async fn what_is_no_address_is_never_handed_to_ssh() {
    for uri in [
        "ssh://",
        "ssh://-oProxyCommand=x",
        "ssh://me@-oProxyCommand=x",
        "ssh://host/path",
        "ssh://me@host:2222",
        "npipe:////./x",
        "docker",
        "",
    ] {
        let failure = refused(&at(uri)).await;
        assert_eq!(failure.code, Code::Usage, "{uri}: {failure}");
    }
}

#[tokio::test]
async fn an_engine_that_dies_in_the_middle_is_unreachable_and_not_a_short_answer() {
    let begun = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let half_a_log = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n\u{1}\0\0\0\0\0\0\u{1}a\r\n";
    let dying = peer(&[PING, half_a_log, begun, begun, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"]);
    let engine = DockerEngine::connect(&dying.endpoint()).await.unwrap();
    let mut log = engine.logs("web", &LogOptions::default());
    assert_eq!(log.next().await.unwrap().unwrap().bytes.as_ref(), b"a");
    let failures = [
        log.next().await.unwrap().unwrap_err(),
        engine.wait("web", WaitFor::NextExit).await.unwrap_err(),
        error_in(engine.download("web", "/x").next().await),
        engine.inspect("web").await.unwrap_err(),
    ];
    for failure in failures {
        assert_eq!(failure.code, Code::EngineUnreachable, "{failure}");
        assert!(failure.message.contains("broke"), "{failure}");
    }
    assert!(log.next().await.is_none());
}

fn error_in(chunk: Option<std::io::Result<bytes::Bytes>>) -> Failure {
    crate::backend::engine::failure_in(&chunk.unwrap().unwrap_err()).cloned().unwrap()
}

#[tokio::test]
async fn output_that_ends_within_a_frame_is_not_taken_for_output() {
    let cut = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\u{1}\0\0\0\0\0\0\u{2}ab\u{2}\0\0\0\0\0\0\u{9}half";
    let fault = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\u{1}\0\0\0\0\0\0\u{2}ab\u{3}\0\0\0\0\0\0\u{4}bad\n";
    let dying = peer(&[PING, cut, fault]);
    let engine = DockerEngine::connect(&dying.endpoint()).await.unwrap();
    for code in [Code::EngineUnreachable, Code::EngineError] {
        let mut log = engine.logs("web", &LogOptions::default());
        assert_eq!(log.next().await.unwrap().unwrap().bytes.as_ref(), b"ab");
        assert_eq!(log.next().await.unwrap().unwrap_err().code, code);
        assert!(log.next().await.is_none());
    }
}
