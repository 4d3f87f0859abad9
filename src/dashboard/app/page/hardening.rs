//! Control by control: what was asked, what the engine reports, what the kernel shows, what follows, and what it stops;
//! then every process that differs.

use super::words::verdict_role;
use super::{Line, column};
use crate::dashboard::app::State;
use crate::dashboard::app::row::Row;
use crate::dashboard::app::signs::Signs;
use crate::dashboard::text;
use crate::dashboard::theme::Role;
use crate::policy::{ControlPosture, Posture};
use crate::units::age;

/// Its lines.
pub fn lines(state: &State, row: &Row, width: u16) -> Vec<Line> {
    let width = usize::from(width).saturating_sub(2);
    let mut page = Vec::new();
    if let Some(failure) = row.measured.failure() {
        page.push(vec![(format!("{} {}", Signs::of(state.ascii).bad, failure.message), Role::Danger)]);
        page.extend(failure.hint.iter().map(|hint| vec![(format!("  {hint}"), Role::Muted)]));
    }
    let Some((measured, at)) = row.measured.last() else {
        if page.is_empty() {
            page.push(vec![(format!("{} measuring what is in force", Signs::of(state.ascii).waiting), Role::Info)]);
        }
        return page;
    };
    let posture = &measured.posture;
    let again = if row.measuring { ", measuring again" } else { "" };
    page.push(vec![
        (format!("{} of {} controls enforced", posture.enforced(), posture.controls.len()), Role::Strong),
        (format!("  measured {}{again}", age(state.now, at)), Role::Muted),
    ]);
    // What fails is told first, the processes that differ at once after it.
    page.extend(deviants(state, posture));
    page.push(heads(width));
    let mut controls: Vec<&ControlPosture> = posture.controls.iter().collect();
    controls.sort_by_key(|control| std::cmp::Reverse(control.verdict));
    for control in controls {
        page.extend(one(state, control, width));
    }
    page
}

/// More of a source in one line is hard to read.
const WIDEST: usize = 48;

/// Columns of name, verdict, and each of the three sources.
fn columns(width: usize) -> (usize, usize, usize) {
    let rest = width.saturating_sub(18 + 12);
    (17, 11, (rest / 3).min(WIDEST))
}

fn heads(width: usize) -> Line {
    let (name, verdict, source) = columns(width);
    let words = format!(
        "{:<name$} {:<verdict$} {}",
        "CONTROL",
        "VERDICT",
        ["REQUESTED", "ENGINE", "KERNEL"].map(|head| column(head, source, "")).join("")
    );
    vec![(words, Role::Title)]
}

fn one(state: &State, control: &ControlPosture, width: usize) -> Vec<Line> {
    let (name, verdict, source) = columns(width);
    let role = verdict_role(control.verdict);
    let ellipsis = Signs::of(state.ascii).ellipsis;
    let mut line = vec![
        (column(control.control.name(), name, ellipsis) + " ", Role::Strong),
        (column(&format!("{} {}", Signs::of(state.ascii).verdict(control.verdict), control.verdict), verdict, ellipsis) + " ", role),
    ];
    for (words, role) in [(control.requested.as_str(), Role::Text), (control.engine.raw(), Role::Text), (control.kernel.raw(), Role::Text)]
    {
        line.push((column(words, source.saturating_sub(1), ellipsis) + " ", role));
    }
    let mut lines = vec![line];
    let below = |words: &str, role| {
        text::wrap(words, width.saturating_sub(4).max(10)).into_iter().map(move |line| vec![(format!("    {line}"), role)])
    };
    if let Some(reason) = &control.reason {
        lines.extend(below(reason.raw(), role));
    }
    lines.extend(below(control.control.stops(), Role::Muted));
    lines
}

fn deviants(state: &State, posture: &Posture) -> Vec<Line> {
    let mut lines = Vec::new();
    if posture.deviants.is_empty() {
        return lines;
    }
    let count = match posture.deviants.len() {
        1 => "one process differs".to_owned(),
        count => format!("{count} times a process differs"),
    };
    lines.push(vec![(format!("{} {count} from what was requested", Signs::of(state.ascii).bad), Role::Danger)]);
    for deviant in &posture.deviants {
        let inside = deviant.container_pid.map_or_else(|| "outside".to_owned(), |pid| format!("{pid} inside"));
        lines.push(vec![
            (format!("  pid {} ({inside}) ", deviant.pid), Role::Text),
            (column(deviant.name.raw(), 16, Signs::of(state.ascii).ellipsis) + " ", Role::Strong),
            (format!("{}: ", deviant.control), Role::Danger),
            (deviant.reason.raw().to_owned(), Role::Danger),
        ]);
    }
    lines.push(Vec::new());
    lines
}
