//! `top`: the processes of a session, with the rights that each has.

use serde::Serialize;

use super::document::Document;
use super::paint::Role;
use super::table::{Grid, Page, cell, cut, meaning};
use super::{Context, Done};
use crate::backend::Backend;
use crate::session::{Membership, Process, ProcessList, SeccompMode, Session};
use crate::units::{CapSet, Untrusted};

/// More capabilities than these are counted, not named.
const NAMED: usize = 3;
/// Columns of a command before it is cut, where a row is as long as it is.
const CUT: usize = 120;

/// `top`.
#[derive(Debug, Serialize)]
pub struct Processes {
    /// The session.
    pub session: Session,
    /// Its processes.
    #[serde(flatten)]
    pub list: ProcessList,
}

/// Shows them.
pub async fn top(context: &Context, backend: &Backend, who: &str) -> Done {
    let (session, list) = backend.processes_of(who).await?;
    if context.output.is_json() {
        context.output.document(&Document::new(Processes { session, list }));
        return Ok(0);
    }
    context.output.text(&table(context.output.page(), &list.processes));
    if list.hidden > 0 {
        context.output.note(&format!("{} more are in its control groups, where this palisade cannot see them", list.hidden));
    }
    Ok(0)
}

fn table(page: Page, processes: &[Process]) -> String {
    let headings = ["PID", "INSIDE", "UID", "CAPS", "NO_NEW_PRIVS", "SECCOMP", "BELONGS", "COMMAND"];
    let mut grid = Grid::new(&headings, page).whole(&[0, 1, 2, 4, 5]);
    for process in processes {
        let plain = |text: &str| cell(text);
        let bad = |text: &str| meaning(text, Role::Danger);
        let caps = if process.capabilities == CapSet::EMPTY { plain("none") } else { bad(&capabilities(process.capabilities)) };
        let no_new_privs = match process.no_new_privs {
            Some(true) => plain("yes"),
            Some(false) => bad("no"),
            None => plain("?"),
        };
        let seccomp = match process.seccomp {
            Some(SeccompMode::Filter) => plain("filter"),
            Some(SeccompMode::Strict) => plain("strict"),
            Some(SeccompMode::Disabled) => bad("off"),
            None => plain("?"),
        };
        let outside = outside(process.membership);
        grid.row([
            cell(process.pid),
            cell(process.container_pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string())),
            if process.uid == 0 { bad("0") } else { cell(process.uid) },
            caps,
            no_new_privs,
            seccomp,
            if outside.is_empty() { plain("wholly") } else { bad(&format!("not by {outside}")) },
            cell(cut(&command(process).to_string(), CUT)),
        ]);
    }
    grid.render()
}

fn capabilities(set: CapSet) -> String {
    let names = set.names();
    if names.len() > NAMED { format!("{} of them", names.len()) } else { names.join(" ") }
}

/// By what it does not belong to the session, though it does by something else.
fn outside(membership: Membership) -> String {
    let Membership { cgroup, pid_namespace, mount_namespace, network_namespace } = membership;
    let ties = [("cgroup", cgroup), ("pid", pid_namespace), ("mount", mount_namespace), ("network", network_namespace)];
    ties.into_iter().filter(|(_, tie)| *tie == Some(false)).map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}

/// What it shows as its command; else what it runs, else what it calls itself.
fn command(process: &Process) -> &Untrusted {
    process.command.as_ref().or(process.exe.as_ref()).unwrap_or(&process.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(capabilities: u64, network: bool) -> Process {
        Process {
            pid: 4711,
            container_pid: network.then_some(7),
            name: "sh".into(),
            exe: Some("/bin/sh".into()),
            command: Some("sh -c \u{1b}[2J\nfake".into()),
            uid: if network { 1000 } else { 0 },
            capabilities: CapSet(capabilities),
            no_new_privs: Some(network),
            seccomp: Some(if network { SeccompMode::Filter } else { SeccompMode::Disabled }),
            membership: Membership {
                cgroup: Some(true),
                pid_namespace: Some(true),
                mount_namespace: Some(true),
                network_namespace: Some(network),
            },
        }
    }

    #[test]
    fn a_process_with_more_rights_shows_each_and_no_title_acts() {
        let text = table(Page::default(), &[process(0, true), process(1 << 12 | 1 << 21, false), process(0x1ff_ffff_ffff, false)]);
        let lines: Vec<Vec<&str>> =
            text.lines().map(|line| line.split("  ").map(str::trim).filter(|part| !part.is_empty()).collect()).collect();
        let title = "sh -c \\u{1b}[2J\\u{a}fake";
        assert_eq!(lines[1], ["4711", "7", "1000", "none", "yes", "filter", "wholly", title]);
        assert_eq!(lines[2], ["4711", "-", "0", "NET_ADMIN SYS_ADMIN", "no", "off", "not by network", title]);
        assert!(lines[3].contains(&"41 of them"), "{text}");
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn what_is_not_known_is_no_accusation() {
        assert_eq!(outside(Membership::default()), "");
        let unknown = Process { no_new_privs: None, seccomp: None, command: None, exe: None, ..process(0, true) };
        assert_eq!(command(&unknown).raw(), "sh");
        assert!(table(Page::default(), &[unknown]).lines().last().is_some_and(|line| line.contains('?')));
    }
}
