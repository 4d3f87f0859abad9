use std::fmt::Write;

use super::paint::Role;
use super::table::{Grid, cell, meaning};
use crate::policy::{Posture, Verdict};

/// The posture in one sentence.
pub fn sentence(posture: &Posture) -> String {
    let total = posture.controls.len();
    let failing: Vec<_> = posture.failing().map(|control| format!("{} {}", control.control, control.verdict)).collect();
    if failing.is_empty() {
        let unknown = posture.controls.iter().filter(|control| control.verdict == Verdict::Unknown).count();
        let unknown = if unknown == 0 { String::new() } else { format!(", {unknown} unknown") };
        format!("{} of {total} controls enforced{unknown}", posture.enforced())
    } else {
        format!("{} of {total} controls enforced; {}", posture.enforced(), failing.join(", "))
    }
}

/// What a verdict means.
pub const fn role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Enforced => Role::Good,
        Verdict::Unknown => Role::Caution,
        Verdict::Weaker | Verdict::Missing => Role::Danger,
    }
}

/// Control by control with its three sources, the reasons of those that do not hold, and the processes that deviate.
pub fn table(posture: &Posture, colour: bool, every: bool) -> String {
    let mut text = String::new();
    let shown: Vec<_> = posture.controls.iter().filter(|control| every || control.verdict != Verdict::Enforced).collect();
    if !shown.is_empty() {
        let mut grid = Grid::new(&["CONTROL", "REQUESTED", "ENGINE", "KERNEL", "VERDICT"], colour);
        for control in &shown {
            grid.row([
                cell(control.control),
                cell(&control.requested),
                cell(control.engine.raw()),
                cell(control.kernel.raw()),
                meaning(control.verdict, role(control.verdict)),
            ]);
        }
        text.push_str(&grid.render());
    }
    for control in shown {
        if let Some(reason) = &control.reason {
            let _ = writeln!(text, "  {}: {reason}", control.control);
        }
    }
    if !posture.deviants.is_empty() {
        let mut grid = Grid::new(&["PID", "INSIDE", "PROCESS", "CONTROL", "DIFFERS"], colour);
        for deviant in &posture.deviants {
            let inside = deviant.container_pid.map_or_else(|| "outside".to_owned(), |pid| pid.to_string());
            grid.row([
                cell(deviant.pid),
                cell(inside),
                cell(deviant.name.raw()),
                meaning(deviant.control, Role::Danger),
                cell(deviant.reason.raw()),
            ]);
        }
        text.push_str(&grid.render());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::ControlPosture;
    use crate::policy::controls::Control;
    use crate::policy::posture::Deviant;

    fn posture() -> Posture {
        let control = |control, verdict, reason: Option<&str>| ControlPosture {
            control,
            requested: "100".into(),
            engine: "100".into(),
            kernel: "500".into(),
            verdict,
            reason: reason.map(Into::into),
        };
        Posture {
            controls: vec![
                control(Control::CapDrop, Verdict::Enforced, None),
                control(Control::PidsLimit, Verdict::Weaker, Some("500 is more than 100")),
            ],
            deviants: vec![Deviant {
                control: Control::User,
                pid: 4321,
                container_pid: None,
                name: "sh\u{1b}[2J".into(),
                reason: "uid 0".into(),
            }],
        }
    }

    #[test]
    fn what_does_not_hold_is_named_with_its_process_and_reason() {
        assert_eq!(sentence(&posture()), "1 of 2 controls enforced; pids_limit weaker");
        let text = table(&posture(), false, false);
        assert!(!text.contains("cap_drop") && text.contains("  pids_limit: 500 is more than 100\n"), "{text}");
        assert!(text.contains("4321") && text.contains("sh\\u{1b}[2J") && text.contains("outside"), "{text}");
        assert!(table(&posture(), false, true).contains("cap_drop"));
    }
}
