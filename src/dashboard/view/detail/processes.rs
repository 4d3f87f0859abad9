//! The session's processes and the rights of each.

use ratatui::layout::Rect;

use super::super::canvas::{Canvas, first_line};
use crate::dashboard::app::State;
use crate::dashboard::app::page::column;
use crate::dashboard::theme::Role;
use crate::session::{KernelSource, Process, ProcessList, SeccompMode};

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, note: Rect, body: Rect) {
    let remote = &state.detail.processes;
    if let Some((list, _)) = remote.last() {
        heads(canvas, list, note);
    }
    let Some(list) = super::fetched(canvas, remote, Rect { height: note.height.min(1), ..note }, body, "its processes") else { return };
    let from = first_line(list.processes.len(), body, state.detail.scroll);
    for (process, y) in list.processes.iter().skip(from).zip(body.top()..body.bottom()) {
        one(canvas, process, Rect { y, height: 1, ..body });
    }
    canvas.more(body, from, list.processes.len());
}

/// What the pids mean and how many are not seen; then the heads.
fn heads(canvas: &mut Canvas<'_>, list: &ProcessList, note: Rect) {
    let source = match list.source {
        KernelSource::Host => "pids are the host's",
        KernelSource::Probe => "pids are the session's own: read by a probe inside its namespace",
    };
    let hidden = if list.hidden > 0 { format!("; {} more are out of the reader's sight", list.hidden) } else { String::new() };
    let words = format!("{} processes, {source}{hidden}", list.processes.len());
    let heads =
        format!("  {:>8} {:>7} {:>6} {:<14} {:<4} {:<8} {:<16} COMMAND", "PID", "INSIDE", "UID", "CAPABILITIES", "NNP", "SECCOMP", "NAME");
    let role = if list.hidden > 0 { Role::Warning } else { Role::Muted };
    for ((words, role), y) in [(words, role), (heads, Role::Title)].into_iter().zip(note.top()..note.bottom()) {
        canvas.put(note.x + 1, y, note.width.saturating_sub(2), &words, role);
    }
}

fn one(canvas: &mut Canvas<'_>, process: &Process, line: Rect) {
    let ellipsis = canvas.signs.ellipsis;
    let held = |fault: bool| if fault { Role::Danger } else { Role::Text };
    let capabilities = process.capabilities.names();
    let caps = match capabilities.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} +{}", rest.len()),
    };
    let (nnp, nnp_role) = match process.no_new_privs {
        Some(true) => ("yes", Role::Text),
        Some(false) => ("no", Role::Danger),
        None => ("?", Role::Warning),
    };
    let (seccomp, seccomp_role) = match process.seccomp {
        Some(SeccompMode::Filter) => ("filter", Role::Text),
        Some(SeccompMode::Strict) => ("strict", Role::Text),
        Some(SeccompMode::Disabled) => ("off", Role::Danger),
        None => ("?", Role::Warning),
    };
    let root = process.uid == 0;
    let outside = process.container_pid.is_none();
    let bad = root || outside || !capabilities.is_empty() || nnp_role == Role::Danger || seccomp_role == Role::Danger;
    let inside = process.container_pid.map_or_else(|| "outside".to_owned(), |pid| pid.to_string());
    let command = process.command.as_ref().or(process.exe.as_ref()).map_or("", |command| command.raw());
    let pieces = [
        (format!("{} ", if bad { canvas.signs.bad } else { " " }), Role::Danger),
        (format!("{:>8} ", process.pid), Role::Text),
        (format!("{inside:>7} "), held(outside)),
        (format!("{:>6} ", process.uid), held(root)),
        (column(&caps, 14, ellipsis) + " ", held(!capabilities.is_empty())),
        (format!("{nnp:<4} "), nnp_role),
        (format!("{seccomp:<8} "), seccomp_role),
        (column(process.name.raw(), 16, ellipsis) + " ", Role::Strong),
        (command.to_owned(), Role::Muted),
    ];
    canvas.line(line.x + 1, line.y, line.width.saturating_sub(2), &pieces);
}
