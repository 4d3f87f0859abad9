//! The depot as a process: `palisade depot serve`, and `palisade depot control` beside it in the same container.

#![expect(clippy::disallowed_methods, reason = "the depot's own files: its configuration, its certificates, its sockets")]

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{self, BufRead, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::adapter::Adapter;
use super::config::{DepotConfig, SCHEMA};
use super::index::Index;
use super::ledger::{self, Ledger};
use super::npm::Npm;
use super::pypi::Pypi;
use super::server::{Depot, listen, listen_for_control, now, say};
use super::store::{Limits, Store};
use super::upstream::Egress;
use super::{CA_FILE, CONFIG_FILE, CONTROL_SOCKET, LISTENING, ROOT, SOCKET};

/// The summary on disk is at most so old.
const SUMMARY_EVERY: Duration = Duration::from_millis(200);
/// Work on files beside the two threads that move bytes. They count against the container's pids limit.
const BLOCKING_THREADS: usize = 40;
/// Answers under way get so long to end.
const DRAIN: Duration = Duration::from_secs(8);
const LARGEST_CONFIG: u64 = 4 << 20;
/// In the depot's root.
const LOCK_FILE: &str = "lock";

/// `palisade depot serve`: until SIGTERM or SIGINT.
pub fn main() -> u8 {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(BLOCKING_THREADS).enable_all().build();
    let done = runtime.map_err(|error| format!("the runtime cannot start: {error}")).and_then(|runtime| {
        let done = runtime.block_on(serve(Path::new(ROOT)));
        runtime.shutdown_background();
        done
    });
    match done {
        Ok(()) => 0,
        Err(reason) => {
            say(&reason);
            1
        }
    }
}

async fn serve(root: &Path) -> Result<(), String> {
    let config = read_config(&root.join(CONFIG_FILE))?;
    let told = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
    let _alone = alone(root)?;
    let limits = Limits { size: config.store_size.get(), artifact_size: config.artifact_size.get() };
    let store = Store::open(root, limits).map_err(told("the store cannot be opened"))?;
    let ledger = Ledger::open(&root.join(ledger::FOLDER), now()).map_err(told("the ledger cannot be opened"))?;
    let egress = Arc::new(Egress::new(&config, roots()?.as_deref())?);
    let ttl = Duration::from_secs(config.index_ttl.get());
    let index = Index::new(&root.join("index"), store.clone(), Arc::clone(&egress), ttl).map_err(told("the index cannot be opened"))?;
    let adapters: Vec<Arc<dyn Adapter>> = vec![Arc::new(Pypi), Arc::new(Npm)];
    let depot = Arc::new(Depot::new(config.key, adapters, index, store, egress, ledger, config.artifact_size.get()));

    let control = bind(&root.join(CONTROL_SOCKET), 0o600).map_err(told("orders cannot be taken"))?;
    let socket = bind(Path::new(SOCKET), 0o666).map_err(told("the socket cannot be made"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(told("signals cannot be taken"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(told("signals cannot be taken"))?;
    let stop = CancellationToken::new();
    let serving = tokio::spawn(listen(Arc::clone(&depot), socket, stop.clone()));
    tokio::spawn(listen_for_control(Arc::clone(&depot), control));
    tokio::spawn(Arc::clone(&depot).keep_summary(SUMMARY_EVERY));
    tell_listening();

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    stop.cancel();
    // What does not end in time is cut off: its client asks again.
    let _ = tokio::time::timeout(DRAIN, serving).await;
    depot.write_summary();
    depot.store.save().await.map_err(told("what was used last cannot be written down"))
}

/// Held while this depot runs: two in one store would each throw away what the other brings in.
fn alone(root: &Path) -> Result<File, String> {
    let told = |error: io::Error| format!("the store's lock cannot be taken: {error}");
    let lock = File::create(root.join(LOCK_FILE)).map_err(told)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err("another depot runs in this store; stop it first, or name another with 'depot.name'".to_owned())
        }
        Err(TryLockError::Error(error)) => Err(told(error)),
    }
}

/// What a manager waits for in the log.
#[expect(clippy::print_stderr, reason = "the depot's log is its standard error")]
fn tell_listening() {
    eprintln!("{LISTENING}");
}

fn read_config(path: &Path) -> Result<DepotConfig, String> {
    let mut text = Vec::new();
    let file = File::open(path).map_err(|error| format!("the configuration cannot be read: {error}"))?;
    file.take(LARGEST_CONFIG).read_to_end(&mut text).map_err(|error| format!("the configuration cannot be read: {error}"))?;
    let config: DepotConfig =
        serde_json::from_slice(&text).map_err(|error| format!("the configuration is not what this depot reads: {error}"))?;
    if config.schema == SCHEMA {
        Ok(config)
    } else {
        Err(format!("the configuration has schema {}, this depot reads {SCHEMA}", config.schema))
    }
}

/// The operator's certificates, where the image has some.
fn roots() -> Result<Option<Vec<u8>>, String> {
    match std::fs::read(CA_FILE) {
        Ok(bundle) => Ok(Some(bundle)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("the certificates cannot be read: {error}")),
    }
}

/// A socket in place of what a depot before this one left. Made under another name and renamed: who connects finds a
/// socket that already has its mode.
fn bind(path: &Path, mode: u32) -> io::Result<UnixListener> {
    let new = path.with_extension("new");
    for left in [&new, &path.to_path_buf()] {
        match std::fs::remove_file(left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let listener = std::os::unix::net::UnixListener::bind(&new)?;
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(mode))?;
    std::fs::rename(&new, path)?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

/// `palisade depot control VERB`: passes one order on and prints what comes back.
pub fn control(order: &[OsString]) -> u8 {
    match pass_on(order) {
        Ok(()) => 0,
        Err(error) => {
            say(&format!("no depot takes orders here: {error}"));
            1
        }
    }
}

fn pass_on(order: &[OsString]) -> io::Result<()> {
    let order = order.first().and_then(|order| order.to_str()).unwrap_or_default();
    let mut stream = UnixStream::connect(Path::new(ROOT).join(CONTROL_SOCKET))?;
    writeln!(stream, "{order}")?;
    let mut out = io::stdout().lock();
    for line in io::BufReader::new(stream).lines() {
        writeln!(out, "{}", line?)?;
        out.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_has_one_depot_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let first = alone(root.path()).unwrap();
        assert!(alone(root.path()).unwrap_err().contains("another depot runs in this store"));
        drop(first);
        assert!(alone(root.path()).is_ok());
    }
}
