//! Control by control: what was asked, what the engine reports, what the kernel shows, what follows, and what it stops;
//! then every process that differs.

use super::super::canvas::{Canvas, Piece};
use super::super::text;
use super::overview::column;
use crate::dashboard::app::row::Row;
use crate::dashboard::theme::Role;
use crate::policy::{ControlPosture, Posture, Verdict};
use crate::units::age;

/// Its lines.
pub fn lines(canvas: &Canvas<'_>, row: &Row, width: u16) -> Vec<Vec<Piece>> {
    let width = usize::from(width).saturating_sub(2);
    let mut page = Vec::new();
    if let Some(failure) = row.measured.failure() {
        page.push(vec![(format!("{} {}", canvas.signs.bad, failure.message), Role::Danger)]);
        page.extend(failure.hint.iter().map(|hint| vec![(format!("  {hint}"), Role::Muted)]));
    }
    let Some((measured, at)) = row.measured.last() else {
        if page.is_empty() {
            page.push(vec![(format!("{} measuring what is in force", canvas.signs.waiting), Role::Info)]);
        }
        return page;
    };
    let posture = &measured.posture;
    let again = if row.measuring { ", measuring again" } else { "" };
    page.push(vec![
        (format!("{} of {} controls enforced", posture.enforced(), posture.controls.len()), Role::Strong),
        (format!("  measured {}{again}", age(canvas.now, at)), Role::Muted),
    ]);
    // What fails is told first, the processes that differ at once after it.
    page.extend(deviants(canvas, posture));
    page.push(heads(width));
    let mut controls: Vec<&ControlPosture> = posture.controls.iter().collect();
    controls.sort_by_key(|control| std::cmp::Reverse(control.verdict));
    for control in controls {
        page.extend(one(canvas, control, width));
    }
    page
}

/// Columns of name, verdict, and each of the three sources.
fn columns(width: usize) -> (usize, usize, usize) {
    let rest = width.saturating_sub(18 + 12);
    (17, 11, rest / 3)
}

fn heads(width: usize) -> Vec<Piece> {
    let (name, verdict, source) = columns(width);
    let words = format!(
        "{:<name$} {:<verdict$} {}",
        "CONTROL",
        "VERDICT",
        ["REQUESTED", "ENGINE", "KERNEL"].map(|head| column(head, source, "")).join("")
    );
    vec![(words, Role::Title)]
}

fn one(canvas: &Canvas<'_>, control: &ControlPosture, width: usize) -> Vec<Vec<Piece>> {
    let (name, verdict, source) = columns(width);
    let role = verdict_role(control.verdict);
    let ellipsis = canvas.signs.ellipsis;
    let mut line = vec![
        (column(control.control.name(), name, ellipsis) + " ", Role::Strong),
        (column(&format!("{} {}", canvas.signs.verdict(control.verdict), control.verdict), verdict, ellipsis) + " ", role),
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

fn deviants(canvas: &Canvas<'_>, posture: &Posture) -> Vec<Vec<Piece>> {
    let mut lines = Vec::new();
    if posture.deviants.is_empty() {
        return lines;
    }
    lines.push(vec![(format!("{} processes that differ from what was requested", canvas.signs.bad), Role::Danger)]);
    for deviant in &posture.deviants {
        let inside = deviant.container_pid.map_or_else(|| "outside".to_owned(), |pid| format!("{pid} inside"));
        lines.push(vec![
            (format!("  pid {} ({inside}) ", deviant.pid), Role::Text),
            (column(deviant.name.raw(), 16, canvas.signs.ellipsis) + " ", Role::Strong),
            (format!("{}: ", deviant.control), Role::Danger),
            (deviant.reason.raw().to_owned(), Role::Danger),
        ]);
    }
    lines.push(Vec::new());
    lines
}

/// A verdict's meaning.
pub const fn verdict_role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Enforced => Role::Good,
        Verdict::Unknown => Role::Warning,
        Verdict::Weaker | Verdict::Missing => Role::Danger,
    }
}
