//! Which process makes something, told so that another can judge whether it still lives.
#![expect(clippy::disallowed_methods, reason = "reads what the kernel says of processes, this one among them")]

use std::fmt::Write as _;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// A process, by what no other one shares. Its number alone comes again; a start of the machine and a PID namespace say whose numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maker {
    /// The kernel's id of this start of the machine.
    boot: String,
    /// The PID namespace.
    namespace: String,
    /// The process.
    pid: i32,
    /// When it began, in the kernel's ticks.
    start: u64,
}

/// What is known of a maker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It runs.
    Runs,
    /// It has ended.
    Ended,
    /// It is on another machine or in another container, or was before this machine's last start.
    Elsewhere,
}

impl Maker {
    /// This process.
    pub fn this_process() -> Self {
        let pid = i32::try_from(std::process::id()).unwrap_or_default();
        Self { boot: boot(), namespace: namespace(), pid, start: start_of(pid).unwrap_or_default() }
    }

    /// The value of the label on what it makes for this piece of work.
    pub fn label(&self, work: &str) -> String {
        let mut label = String::new();
        // Writing to a string does not fail.
        let _ = write!(label, "{}/{}/{}/{}/{work}", self.boot, self.namespace, self.pid, self.start);
        label
    }

    /// The maker in a label, and the piece of work.
    pub fn parse(label: &str) -> Option<(Self, &str)> {
        let mut parts = label.splitn(5, '/');
        let (boot, namespace) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let (pid, start, work) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
        (pid > 0 && !work.is_empty()).then_some((Self { boot, namespace, pid, start }, work))
    }

    /// Whether it runs, and is not this process.
    pub fn runs_elsewhere(&self) -> bool {
        *self != Self::this_process() && self.life() == Life::Runs
    }

    /// Whether it still runs, by all that can be known here.
    pub fn life(&self) -> Life {
        if self.boot.is_empty() || self.boot != boot() || self.namespace != namespace() {
            return Life::Elsewhere;
        }
        match kill(Pid::from_raw(self.pid), None) {
            Err(Errno::ESRCH) => Life::Ended,
            // Another user's, or one that a hardened /proc does not show.
            _ => match start_of(self.pid) {
                Some(start) if start != self.start => Life::Ended,
                _ => Life::Runs,
            },
        }
    }
}

fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

fn namespace() -> String {
    let link = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    link.to_string_lossy().chars().filter(char::is_ascii_digit).collect()
}

/// The 22nd field of `/proc/PID/stat`; the second, its name, may hold anything.
fn start_of(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_lives_until_it_has_ended_whoever_gets_its_number() {
        let this = Maker::this_process();
        assert_eq!(this.life(), Life::Runs);
        assert_eq!(Maker { start: this.start + 1, ..this.clone() }.life(), Life::Ended, "its number was given anew");
        let mut child = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let other = Maker { pid, start: start_of(pid).unwrap(), ..this.clone() };
        assert_eq!(other.life(), Life::Runs);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(other.life(), Life::Ended);
        assert_eq!(Maker { boot: "another".to_owned(), ..this.clone() }.life(), Life::Elsewhere);
        assert_eq!(Maker { namespace: "1".to_owned(), ..this }.life(), Life::Elsewhere);
    }

    #[test]
    fn a_label_reads_back_and_what_is_none_does_not() {
        let this = Maker::this_process();
        assert_eq!(Maker::parse(&this.label("01abc")), Some((this, "01abc")));
        for bad in ["", "a/b/c", "a/b/1/2/", "a/b/-1/2/x", "a/b/0/2/x", "a/b/x/2/x", "a/b/1/x/x"] {
            assert_eq!(Maker::parse(bad), None, "{bad}");
        }
    }
}
