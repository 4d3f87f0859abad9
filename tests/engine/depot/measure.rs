//! The depot's process as its host sees it: whether it is the same one, how large it has been, what it holds open.

use std::path::PathBuf;
use std::process::Command;

use super::lab::Lab;
use crate::support::{docker, status_line, text, until};

/// Most that the depot may ever have had in memory.
const MOST: u64 = 64 << 20;
/// Descriptors more than at rest that are no leak: connections that have just ended, a summary that is being written.
const SLACK: usize = 12;

/// A depot at rest, to compare it with later.
pub struct Rest<'a> {
    lab: &'a Lab,
    pid: u32,
    descriptors: usize,
}

impl<'a> Rest<'a> {
    pub fn of(lab: &'a Lab) -> Self {
        let pid = pid(lab);
        Self { lab, pid, descriptors: descriptors(pid) }
    }

    /// After a flood: the same process, which was never large and has let go of everything.
    pub fn again(&self, flood: &str) {
        assert_eq!(pid(self.lab), self.pid, "{flood}: the depot ended and was started anew: {}", self.lab.log());
        let most = self.descriptors + SLACK;
        until(&format!("{flood}: descriptors go back to {}", self.descriptors), || descriptors(self.pid) <= most);
        let (peak, now, descriptors) = (self.peak(), kib(self.pid, "VmRSS"), descriptors(self.pid));
        tell(&format!("{flood}: peak {} KiB, now {} KiB, {descriptors} descriptors", peak >> 10, now >> 10));
        assert!(peak < MOST, "{flood}: the depot took {} KiB", peak >> 10);
    }

    /// The most that it has had in memory. What a build without optimisation has of its own program in memory is several
    /// times what a release has, and is not counted.
    pub fn peak(&self) -> u64 {
        let program = if cfg!(debug_assertions) { kib(self.pid, "RssFile") } else { 0 };
        kib(self.pid, "VmHWM").saturating_sub(program)
    }

    pub fn descriptors(&self) -> usize {
        descriptors(self.pid)
    }
}

/// A figure, for whoever runs the tests with `--nocapture`.
#[expect(clippy::print_stdout, reason = "tests say what they measured on their standard output")]
pub fn tell(what: &str) {
    println!("{what}");
}

/// The depot itself, below the engine's init.
fn pid(lab: &Lab) -> u32 {
    let init = docker(&["inspect", "--format", "{{.State.Pid}}", &lab.depot]);
    let children = text(&Command::new("pgrep").args(["-P", &init]).output().unwrap().stdout);
    children.trim().parse().unwrap_or_else(|_| panic!("no depot below {init}: {}", lab.log()))
}

fn kib(pid: u32, key: &str) -> u64 {
    status_line(pid, key).trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(PathBuf::from(format!("/proc/{pid}/fd"))).unwrap().count()
}
