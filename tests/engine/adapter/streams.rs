//! What goes in and comes out of processes, byte by byte.

use std::time::Duration;

use futures_util::StreamExt;
use palisade::backend::engine::{AttachOptions, Engine, ExecRequest, LogOptions, WaitFor};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::bench::{collect, on_an_engine};

const BOTH: AttachOptions = AttachOptions { stdin: true, output: true };

/// Every byte value in no pattern that a terminal's detach keys or a frame's header would not meet.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes[..4].copy_from_slice(&[1, 16, 17, 0]);
    bytes
}

#[test]
fn ten_megabytes_pass_through_unchanged_with_errors_apart_and_end_when_input_ends() {
    on_an_engine(|bench| async move {
        let created = bench.engine.create(&bench.request("cat", "printf begun >&2; cat; printf ended >&2; exit 9")).await.unwrap();
        let attached = bench.engine.attach(&created.id, BOTH).await.unwrap();
        bench.engine.start(&created.id).await.unwrap();
        let sent = noise(10 << 20);
        let mut input = attached.input;
        let feed = sent.clone();
        let feeding = tokio::spawn(async move {
            input.write_all(&feed).await.unwrap();
            input.shutdown().await.unwrap();
            input
        });
        let (out, err) = collect(attached.output).await;
        drop(feeding.await.unwrap());
        assert_eq!(out.len(), sent.len());
        assert_eq!(Sha256::digest(&out), Sha256::digest(&sent));
        assert_eq!(String::from_utf8(err).unwrap(), "begunended");
        assert_eq!(bench.engine.wait(&created.id, WaitFor::NotRunning).await.unwrap(), 9);
    });
}

#[test]
fn a_command_in_a_running_container_has_its_own_streams_folder_and_exit_code() {
    on_an_engine(|bench| async move {
        let session = bench.running("session", "exec sleep 600").await;
        let request = ExecRequest {
            command: ["/bin/sh", "-c", "echo out $A $(pwd) $(id -u); echo err >&2; cat; exit 42"].map(str::to_owned).to_vec(),
            env: vec!["A=b".into()],
            working_dir: "/data".into(),
            stdin: true,
            terminal: None,
        };
        let (id, attached) = bench.engine.exec(&session, &request).await.unwrap();
        let mut input = attached.input;
        input.write_all(b"typed").await.unwrap();
        input.shutdown().await.unwrap();
        let (out, err) = collect(attached.output).await;
        assert_eq!((String::from_utf8(out).unwrap().as_str(), err.as_slice()), ("out b /data 1000\ntyped", b"err\n".as_slice()));
        let state = loop {
            let state = bench.engine.exec_state(&id).await.unwrap();
            if !state.running {
                break state;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(state.exit_code, Some(42));

        let absent = ExecRequest { command: vec!["/no/such".into()], ..ExecRequest::default() };
        let (id, attached) = bench.engine.exec(&session, &absent).await.unwrap();
        let (out, err) = collect(attached.output).await;
        assert!(String::from_utf8_lossy(&[out, err].concat()).contains("no such file"));
        assert!(matches!(bench.engine.exec_state(&id).await.unwrap().exit_code, Some(126 | 127)));
    });
}

#[test]
fn a_log_is_read_whole_in_part_and_as_it_grows() {
    on_an_engine(|bench| async move {
        let engine = &bench.engine;
        let session = bench.running("log", "echo one; echo two >&2; echo three; cat > /dev/null; echo four").await;
        let mut follow = engine.logs(&session, &LogOptions { follow: true, ..LogOptions::default() });
        let mut seen = Vec::new();
        // The two streams are two pipes: which line the engine reads last is chance.
        while seen.len() < "one\ntwo\nthree\n".len() {
            seen.extend_from_slice(&follow.next().await.unwrap().unwrap().bytes);
        }
        engine.kill(&session, "SIGKILL").await.unwrap();
        tokio::time::timeout(Duration::from_mins(1), collect(follow)).await.expect("a log that is followed ends with its container");

        let (out, err) = collect(engine.logs(&session, &LogOptions::default())).await;
        assert_eq!((out.as_slice(), err.as_slice()), (b"one\nthree\n".as_slice(), b"two\n".as_slice()));
        let (out, err) = collect(engine.logs(&session, &LogOptions { tail: Some(1), ..LogOptions::default() })).await;
        assert!(matches!([out, err].concat().as_slice(), b"two\n" | b"three\n"));
        let (out, err) = collect(engine.logs(&session, &LogOptions { tail: Some(1), timestamps: true, ..LogOptions::default() })).await;
        let stamped = String::from_utf8([out, err].concat()).unwrap();
        let (time, line) = stamped.split_once(' ').unwrap();
        assert!(time.parse::<jiff::Timestamp>().is_ok() && line.ends_with('\n'), "{time} {line}");
        let (out, _) = collect(engine.logs(&session, &LogOptions { since: i64::MAX, ..LogOptions::default() })).await;
        assert!(out.is_empty());
        let failure = engine.logs(&bench.name("nosuch"), &LogOptions::default()).next().await.unwrap().unwrap_err();
        assert_eq!(failure.code, palisade::failure::Code::NotFound);
    });
}
