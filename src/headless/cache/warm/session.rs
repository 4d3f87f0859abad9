use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;

use super::basket::Basket;
use crate::backend::engine::{OutputStream, Progress};
use crate::backend::{Backend, Order, Pull, Reporter, Running};
use crate::depot::ledger::Counters;
use crate::failure::{Code, Failure, Result};
use crate::headless::foreground::Signals;
use crate::headless::launch::{cut_short, settle};
use crate::headless::progress::{Plain, TerminalReporter};
use crate::headless::{Context, Stop};
use crate::policy::Network;
use crate::policy::profile::Profile;
use crate::session::Kind;
use crate::units::SessionId;

/// Fixed: what is to be fetched comes as input and is in no command line.
const SCRIPT: &str = include_str!("fetch.sh");
/// How often the depot's figures are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Lines of pip's and npm's that a failure shows.
const LINES: usize = 15;
/// The longest of them; the rest of a longer one is dropped.
const LINE: usize = 400;

/// How it ended.
pub struct Ended {
    /// The session, which is gone.
    pub session: SessionId,
    /// The exit code.
    pub code: i64,
    /// The last of what pip and npm said.
    pub last_lines: Vec<String>,
}

/// Has a sandbox fetch what is in the basket.
pub async fn fetch(context: &Context, backend: &Backend, basket: &Basket) -> std::result::Result<Ended, Stop> {
    let archive = pack(basket).map_err(|error| Failure::io("pack what is to be fetched", &error))?;
    let mut signals = Signals::listen()?;
    let reporter = TerminalReporter::new(&context.output, Plain::Silent);
    let (running, interrupted) = settle(backend.run(&order(), &reporter), &mut signals, context).await?;
    let running = running?;
    let id = running.launched.session.container_id.clone();
    let ended = tokio::select! {
        ended = follow(backend, running, archive, &reporter), if interrupted.is_none() => ended.map_err(Stop::from),
        signal = async { match interrupted { Some(signal) => signal, None => signals.next().await } } => {
            Err(cut_short(signal, "the packages were not all fetched"))
        }
    };
    reporter.finish();
    if ended.is_err() {
        // Nobody hears it any more.
        let _ = backend.remove(&id, true).await;
    }
    ended
}

/// As [`fetch`], without signals: the backend's own interrupt ends it.
pub async fn fetch_quietly(backend: &Backend, basket: &Basket, reporter: &dyn Reporter) -> Result<Ended> {
    let archive = pack(basket).map_err(|error| Failure::io("pack what is to be fetched", &error))?;
    let running = backend.run(&order(), reporter).await?;
    let id = running.launched.session.container_id.clone();
    let ended = tokio::select! {
        ended = follow(backend, running, archive, reporter) => ended,
        () = backend.interrupt().cancelled() => Err(Failure::new(Code::Interrupted, "given up: the packages were not all fetched")),
    };
    if ended.is_err() {
        let _ = backend.remove(&id, true).await;
    }
    ended
}

fn order() -> Order {
    let overrides = Profile { network: Some(Network::Packages), ..Profile::default() };
    Order {
        name: None,
        kind: Kind::Ephemeral,
        profile: None,
        overrides,
        ignore_project: true,
        command: ["sh", "-c", SCRIPT].map(str::to_owned).to_vec(),
        tty: false,
        env: Vec::new(),
        env_files: Vec::new(),
        secrets: Vec::new(),
        workspace: None,
        working_dir: None,
        pull: Pull::Missing,
    }
}

fn pack(basket: &Basket) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in &basket.files {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        archive.append_data(&mut header, name, text.as_bytes())?;
    }
    archive.into_inner()
}

async fn follow(backend: &Backend, running: Running, archive: Vec<u8>, reporter: &dyn Reporter) -> Result<Ended> {
    let Running { launched, mut input, output, exit } = running;
    let session = launched.session.id;
    reporter.step("fetching packages");
    // A command that ends before it has read everything is told of by its exit code.
    let hand_over = async {
        let _ = input.write_all(&archive).await;
        let _ = input.shutdown().await;
        drop(input);
    };
    let looking = async {
        let mut ticks = tokio::time::interval(LOOK);
        loop {
            ticks.tick().await;
            show(backend, session, reporter).await;
        }
    };
    let work = async {
        let ((), last_lines) = tokio::join!(hand_over, last_lines(output));
        (last_lines, exit.await)
    };
    tokio::select! {
        (last_lines, code) = work => Ok(Ended { session, code: code?, last_lines: last_lines? }),
        never = looking => never,
    }
}

async fn show(backend: &Backend, session: SessionId, reporter: &dyn Reporter) {
    // Progress only: what cannot be had now is there at the end.
    let Ok(Some(summary)) = backend.cache_summary().await else { return };
    let Some(counters) = summary.sessions.get(&session) else { return };
    let counters: Counters = counters.values().sum();
    let bytes = counters.upstream_bytes.saturating_add(counters.saved_bytes);
    let files = counters.hits.saturating_add(counters.misses);
    let text = if files == 1 { "in 1 file".to_owned() } else { format!("in {files} files") };
    reporter.progress(&Progress { item: "packages".into(), text: text.into(), amount: Some((bytes, None)) });
}

/// The last lines of both streams, whatever a sandbox writes.
async fn last_lines(mut output: OutputStream) -> Result<Vec<String>> {
    let (mut lines, mut line) = (VecDeque::new(), Vec::new());
    while let Some(piece) = output.next().await {
        for part in piece?.bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LINE.saturating_sub(line.len());
            line.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                keep(&mut lines, &mut line);
            }
        }
    }
    keep(&mut lines, &mut line);
    Ok(lines.into())
}

fn keep(lines: &mut VecDeque<String>, line: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(line).trim_end().to_owned();
    line.clear();
    if !text.is_empty() {
        if lines.len() >= LINES {
            lines.pop_front();
        }
        lines.push_back(text);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;
    use crate::backend::engine::{Output, OutputKind};

    #[tokio::test]
    async fn of_endless_output_the_last_lines_are_kept() {
        let piece = |text: String| Ok(Output { kind: OutputKind::Stdout, bytes: text.into() });
        let pieces = (0..100).map(|at| piece(format!("line {at}\n\nand"))).chain([piece("x".repeat(1 << 20))]);
        let lines = last_lines(stream::iter(pieces.collect::<Vec<_>>()).boxed()).await.unwrap();
        assert_eq!((lines.len(), lines[LINES - 2].as_str()), (LINES, "andline 99"));
        assert_eq!(lines[LINES - 1].len(), LINE);
    }

    #[test]
    fn the_archive_holds_what_is_in_the_basket() {
        let mut basket = Basket::default();
        basket.add_names(&["six".to_owned(), "npm:express".to_owned()]).unwrap();
        let bytes = pack(&basket).unwrap();
        let mut archive = tar::Archive::new(&bytes[..]);
        let names: Vec<_> = archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
        assert_eq!(names, ["npm-named/package.json", "pypi-named.txt"]);
    }
}
