//! The foreground's stories, told with a real process where bytes matter and with a scripted one where timing does.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::Mutex;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::io::ReaderStream;

use super::writer::write_all;
use super::*;
use crate::backend::engine::{Output, OutputKind, OutputStream};
use crate::failure::{Code, Failure, Result};

/// Notes what was asked of it; `kill` and `stop` end the command.
#[derive(Default)]
struct Script {
    asked: Mutex<Vec<String>>,
    end: Mutex<Option<oneshot::Sender<i64>>>,
    deaf: bool,
    heard: Option<watch::Sender<usize>>,
}

impl Script {
    fn note(&self, what: &str, code: Option<i64>) -> Option<BoxFuture<'_, Result<()>>> {
        let what = what.to_owned();
        (!self.deaf).then(|| -> BoxFuture<'_, Result<()>> {
            Box::pin(async move {
                self.asked.lock().unwrap().push(what);
                if let Some(heard) = &self.heard {
                    heard.send_modify(|count| *count += 1);
                }
                if let Some(code) = code
                    && let Some(end) = self.end.lock().unwrap().take()
                {
                    let _ = end.send(code);
                }
                Ok(())
            })
        })
    }
}

impl Control for Script {
    fn pass_on(&self, signal: Signal) -> Option<BoxFuture<'_, Result<()>>> {
        self.note(signal.name(), None)
    }

    fn stop(&self) -> Option<BoxFuture<'_, Result<()>>> {
        self.note("stop", Some(143))
    }

    fn kill(&self) -> Option<BoxFuture<'_, Result<()>>> {
        self.note("kill", Some(137))
    }
}

/// A command that is scripted: its output and its end are in the test's hand.
struct Scripted {
    streams: Streams<'static>,
    output: mpsc::UnboundedSender<Result<Output>>,
    script: Script,
    stdin_end: tokio::io::DuplexStream,
}

fn scripted() -> Scripted {
    let (output, mut receiver) = mpsc::unbounded_channel();
    let (end, ended) = oneshot::channel();
    let (input, stdin_end) = tokio::io::duplex(1024);
    let stream: OutputStream = Box::pin(futures_util::stream::poll_fn(move |context| receiver.poll_recv(context)));
    let exit: BoxFuture<'static, Result<i64>> =
        Box::pin(async move { ended.await.map_err(|_| Failure::new(Code::EngineUnreachable, "the engine went away")) });
    let streams = Streams { input: Box::pin(input), output: stream, exit: Exit::Any(exit) };
    let script = Script { end: Mutex::new(Some(end)), ..Script::default() };
    Scripted { streams, output, script, stdin_end }
}

fn piece(kind: OutputKind, bytes: &'static [u8]) -> Output {
    Output { kind, bytes: Bytes::from_static(bytes) }
}

fn discard() -> Writer {
    Writer::over(|mut pieces| {
        while pieces.blocking_recv().is_some() {}
        Ok(())
    })
}

fn no_input() -> mpsc::Receiver<Bytes> {
    mpsc::channel(1).1
}

#[tokio::test]
async fn two_hundred_megabytes_pass_through_a_real_command_unchanged_and_its_code_with_them() {
    const TOTAL: usize = 200 << 20;
    let mut child = tokio::process::Command::new("sh")
        .args(["-c", "cat; echo done >&2; exit 7"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let input = Box::pin(child.stdin.take().unwrap());
    let tag = |kind| move |bytes: io::Result<Bytes>| Ok(Output { kind, bytes: bytes.unwrap() });
    let out = ReaderStream::with_capacity(child.stdout.take().unwrap(), 64 << 10).map(tag(OutputKind::Stdout));
    let err = ReaderStream::new(child.stderr.take().unwrap()).map(tag(OutputKind::Stderr));
    let output: OutputStream = Box::pin(futures_util::stream::select(out, err));
    let exit: BoxFuture<'static, Result<i64>> = Box::pin(async move { Ok(i64::from(child.wait().await.unwrap().code().unwrap())) });

    // A block that is no divisor of any buffer, so that a piece lost, doubled or moved shows.
    let block: Bytes = (0..65_521u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect::<Vec<_>>().into();
    let (feed, stdin) = mpsc::channel(4);
    let feeding = {
        let block = block.clone();
        std::thread::spawn(move || {
            let mut left = TOTAL;
            while left > 0 {
                let piece = block.slice(..left.min(block.len()));
                left -= piece.len();
                feed.blocking_send(piece).unwrap();
            }
        })
    };
    let (mut reader, out_end) = io::pipe().unwrap();
    let (mut errors, err_end) = io::pipe().unwrap();
    let reading = std::thread::spawn(move || {
        let (mut buffer, mut at) = (vec![0; 1 << 20], 0);
        loop {
            let count = reader.read(&mut buffer).unwrap();
            if count == 0 {
                return at;
            }
            let mut rest = &buffer[..count];
            while !rest.is_empty() {
                let expected = &block[at % block.len()..];
                let same = expected.len().min(rest.len());
                assert!(rest[..same] == expected[..same], "differs near byte {at}");
                at += same;
                rest = &rest[same..];
            }
        }
    });
    let writer = Writer::over(move |pieces| write_all(pieces, out_end.as_fd(), err_end.as_fd()));
    let (_keep, mut signals) = Signals::scripted();
    let streams = Streams { input, output, exit: Exit::Any(exit) };
    let ending = carry(streams, stdin, writer, &mut Encoding::Raw, &mut signals, &Script::default()).await;
    assert!(matches!(ending, Ending::Exited(7)), "{ending:?}");
    feeding.join().unwrap();
    assert_eq!(reading.join().unwrap(), TOTAL);
    let mut text = String::new();
    errors.read_to_string(&mut text).unwrap();
    assert_eq!(text, "done\n");
}

#[tokio::test]
async fn the_end_of_our_input_is_the_end_of_the_commands() {
    let Scripted { streams, output, script, mut stdin_end } = scripted();
    let (feed, stdin) = mpsc::channel(4);
    feed.send(Bytes::from_static(b"hello")).await.unwrap();
    drop(feed);
    let (_keep, mut signals) = Signals::scripted();
    let reads = async {
        let mut text = Vec::new();
        stdin_end.read_to_end(&mut text).await.unwrap();
        drop(output);
        script.end.lock().unwrap().take().unwrap().send(0).unwrap();
        text
    };
    let mut encoding = Encoding::Raw;
    let (ending, text) = tokio::join!(carry(streams, stdin, discard(), &mut encoding, &mut signals, &script), reads);
    assert!(matches!(ending, Ending::Exited(0)), "{ending:?}");
    assert_eq!(text, b"hello");
}

#[tokio::test]
async fn a_signal_is_passed_on_and_the_exit_code_is_the_commands() {
    let Scripted { streams, output, mut script, stdin_end: _stdin } = scripted();
    let (heard, mut counted) = watch::channel(0);
    script.heard = Some(heard);
    let (send, mut signals) = Signals::scripted();
    send.send(Signal::Term).unwrap();
    send.send(Signal::Usr1).unwrap();
    let ends = async {
        counted.wait_for(|count| *count == 2).await.unwrap();
        drop(output);
        script.end.lock().unwrap().take().unwrap().send(42).unwrap();
    };
    let mut encoding = Encoding::Raw;
    let (ending, ()) = tokio::join!(carry(streams, no_input(), discard(), &mut encoding, &mut signals, &script), ends);
    assert!(matches!(ending, Ending::Exited(42)), "{ending:?}");
    assert_eq!(*script.asked.lock().unwrap(), ["SIGTERM", "SIGUSR1"]);
}

#[tokio::test]
async fn a_second_interrupt_kills_a_command_that_ignores_the_first() {
    let Scripted { streams, output, script, stdin_end: _stdin } = scripted();
    let (send, mut signals) = Signals::scripted();
    send.send(Signal::Int).unwrap();
    send.send(Signal::Int).unwrap();
    drop(output);
    let ending = carry(streams, no_input(), discard(), &mut Encoding::Raw, &mut signals, &script).await;
    assert!(matches!(ending, Ending::Exited(137)), "{ending:?}");
    let asked = script.asked.lock().unwrap();
    assert!(asked.contains(&"kill".to_owned()) && asked.len() == 2, "{asked:?}");
}

#[tokio::test]
async fn where_no_signal_can_be_passed_on_it_is_left() {
    let Scripted { streams, output: _output, mut script, stdin_end: _stdin } = scripted();
    script.deaf = true;
    let (send, mut signals) = Signals::scripted();
    send.send(Signal::Hup).unwrap();
    let ending = carry(streams, no_input(), discard(), &mut Encoding::Raw, &mut signals, &script).await;
    assert!(matches!(ending, Ending::Left(Signal::Hup)), "{ending:?}");
}

#[tokio::test]
async fn a_reader_that_leaves_stops_the_command() {
    let Scripted { streams, output, script, stdin_end: _stdin } = scripted();
    let (reader, out) = io::pipe().unwrap();
    drop(reader);
    let err = out.try_clone().unwrap();
    let writer = Writer::over(move |pieces| write_all(pieces, out.as_fd(), err.as_fd()));
    let (_keep, mut signals) = Signals::scripted();
    let printing = async {
        // As `yes` would: until nobody takes it any more.
        while output.send(Ok(piece(OutputKind::Stdout, b"y\n"))).is_ok() {
            tokio::task::yield_now().await;
            if script.end.lock().unwrap().is_none() {
                break;
            }
        }
    };
    let mut encoding = Encoding::Raw;
    let (ending, ()) = tokio::join!(carry(streams, no_input(), writer, &mut encoding, &mut signals, &script), printing);
    assert!(matches!(ending, Ending::ReaderGone), "{ending:?}");
    assert_eq!(*script.asked.lock().unwrap(), ["stop"]);
}

#[tokio::test]
async fn an_engine_that_breaks_off_is_a_failure_and_what_came_before_is_kept() {
    let Scripted { streams, output, script, stdin_end: _stdin } = scripted();
    let (mut reader, out) = io::pipe().unwrap();
    let err = out.try_clone().unwrap();
    let writer = Writer::over(move |pieces| write_all(pieces, out.as_fd(), err.as_fd()));
    output.send(Ok(piece(OutputKind::Stdout, b"half"))).unwrap();
    output.send(Err(Failure::new(Code::EngineUnreachable, "connection reset"))).unwrap();
    let (_keep, mut signals) = Signals::scripted();
    let ending = carry(streams, no_input(), writer, &mut Encoding::Raw, &mut signals, &script).await;
    assert!(matches!(&ending, Ending::Failed(failure) if failure.code == Code::EngineUnreachable), "{ending:?}");
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "half");
}

#[tokio::test]
async fn a_command_that_does_not_read_keeps_nobody_from_its_output() {
    let Scripted { streams, output, script, stdin_end: mut unread } = scripted();
    let (feed, stdin) = mpsc::channel(1);
    let (_keep, mut signals) = Signals::scripted();
    let story = async {
        // More than the command's pipe holds: the feed is stuck, and output still flows.
        feed.send(Bytes::from(vec![0; 1 << 20])).await.unwrap();
        output.send(Ok(piece(OutputKind::Stderr, b"not reading"))).unwrap();
        drop(output);
        script.end.lock().unwrap().take().unwrap().send(3).unwrap();
    };
    let mut encoding = Encoding::Raw;
    let (ending, ()) = tokio::join!(carry(streams, stdin, discard(), &mut encoding, &mut signals, &script), story);
    assert!(matches!(ending, Ending::Exited(3)), "{ending:?}");
    unread.shutdown().await.unwrap();
}

#[tokio::test]
async fn output_that_does_not_end_after_the_command_did_is_given_up() {
    let Scripted { streams, output: _open, script, stdin_end: _stdin } = scripted();
    script.end.lock().unwrap().take().unwrap().send(0).unwrap();
    let (_keep, mut signals) = Signals::scripted();
    let ending = carry(streams, no_input(), discard(), &mut Encoding::Raw, &mut signals, &script).await;
    assert!(matches!(&ending, Ending::Failed(failure) if failure.message.contains("did not end")), "{ending:?}");
}
