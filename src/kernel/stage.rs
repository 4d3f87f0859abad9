//! Processes on their way into a container, and out of it. `docker exec` and `docker start` put a copy of the runtime into the
//! container's cgroup and namespaces, with every capability, which drops them and becomes the command within
//! milliseconds. A process that ends loses its executable, then its cgroup, and only then becomes a zombie. Reporting
//! one of these would be a false alarm at every other `verify`; believing its name would be a hole.

use std::io::ErrorKind;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::procfs::Procfs;
use super::status::{Rights, Status};
use crate::session::ProcessFacts;

/// After this, what still looks like a runtime is reported for what it is.
const PATIENCE: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(1);

/// Whether an executable or a name is that of a container runtime's own stage.
pub(super) fn looks_like_runtime(exe: Option<&str>, name: &str) -> bool {
    let exe = exe.unwrap_or_default();
    let exe = exe.strip_suffix(" (deleted)").unwrap_or(exe);
    let file = exe.rsplit('/').next().unwrap_or_default();
    name.starts_with("runc:[") || exe.starts_with("/memfd:") || matches!(file, "runc" | "crun" | "youki")
}

/// Waits until the process is neither a runtime nor ending, has ended, or has used up our patience.
pub(super) fn settle(proc: &Procfs, pid: u32) {
    let deadline = Instant::now() + PATIENCE;
    while is_stage(proc, pid) && Instant::now() < deadline {
        sleep(PAUSE);
    }
}

fn is_stage(proc: &Procfs, pid: u32) -> bool {
    let Some(status) = proc.read(pid, "status").ok().and_then(|text| Status::parse(&text)) else { return false };
    match proc.exe(pid) {
        Ok(exe) => looks_like_runtime(Some(&exe), status.name.raw()),
        Err(error) => error.kind() == ErrorKind::NotFound && !status.has_ended(),
    }
}

/// Whether a process has other rights than PID 1, so that it is worth a second look before it is reported.
pub(super) fn differs(process: &ProcessFacts, first: &ProcessFacts) -> bool {
    let rights = |facts: &ProcessFacts| Rights {
        cap_eff: facts.cap_eff,
        cap_prm: facts.cap_prm,
        cap_inh: facts.cap_inh,
        cap_bnd: facts.cap_bnd,
        cap_amb: facts.cap_amb,
        no_new_privs: facts.no_new_privs,
        seccomp: facts.seccomp,
        seccomp_filters: None,
        uids: facts.uids,
        gids: facts.gids,
        groups: facts.groups.clone(),
    };
    rights(process) != rights(first) || process.membership != first.membership || process.apparmor != first.apparmor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stages_of_known_runtimes_are_told_from_programs() {
        for (exe, name) in [
            (Some("/memfd:runc_cloned:/proc/self/exe (deleted)"), "runc:[2:INIT]"),
            (Some("/usr/sbin/runc"), "runc:[1:CHILD]"),
            (Some("/runc"), "6"),
            (Some("/usr/bin/crun"), "crun"),
            (None, "runc:[0:PARENT]"),
        ] {
            assert!(looks_like_runtime(exe, name), "{exe:?}");
        }
        for (exe, name) in [(Some("/usr/sbin/docker-init"), "docker-init"), (Some("/bin/sh"), "runc"), (None, "kworker")] {
            assert!(!looks_like_runtime(exe, name), "{exe:?}");
        }
    }
}
