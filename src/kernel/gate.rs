use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Unreadable;
use super::members::children;
use super::procfs::Procfs;

/// What the supervisor calls itself while it holds the command back. A thread's name has room for 15 bytes.
pub const GATE_NAME: &str = "palisade:gate";

/// Waiting costs a launch as long as one of these.
const PAUSE: Duration = Duration::from_micros(500);

/// Waits until a child of the container's PID 1 says that it holds the command back, and gives its PID. The name
/// alone is no proof of who says so: the caller compares [`super::HostReader::exe_digest`] of that PID.
pub(super) fn wait(proc: &Procfs, pid: u32, deadline: Instant) -> Result<u32, Unreadable> {
    let is_waiting = |pid: u32| proc.read(pid, "comm").is_ok_and(|name| name.trim_end() == GATE_NAME);
    loop {
        let children = children_or_scan(proc, pid)?;
        if let Some(found) = children.into_iter().find(|child| is_waiting(*child)) {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            return Err(Unreadable::TimedOut);
        }
        sleep(PAUSE);
    }
}

fn children_or_scan(proc: &Procfs, pid: u32) -> Result<Vec<u32>, Unreadable> {
    match proc.read(pid, &format!("task/{pid}/children")) {
        Ok(_) => return Ok(children(proc, pid)),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Err(Unreadable::Denied),
        Err(_) if proc.read(pid, "comm").is_err() => return Err(Unreadable::Gone),
        Err(_) => {}
    }
    // A kernel built without the list of children.
    let wanted = format!("\nPPid:\t{pid}\n");
    let is_child = |pid: &u32| proc.read(*pid, "status").is_ok_and(|status| status.contains(&wanted));
    let pids = proc.pids().map_err(|error| Unreadable::Other(format!("cannot list /proc: {error}")))?;
    Ok(pids.into_iter().filter(is_child).collect())
}
