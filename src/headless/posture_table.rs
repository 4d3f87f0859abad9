use std::fmt::Write;

use super::paint::Role;
use super::table::{Grid, Page, cell, meaning};
use crate::policy::controls::Control;
use crate::policy::{ControlPosture, Posture, Verdict};
use crate::session::Session;

/// Columns where there is no terminal: what is read in a log or a pager. Programs read `--json`.
const UNSEEN: u16 = 120;
/// Controls that are named beside a reason; more are counted.
const NAMED: usize = 3;

/// The posture in one sentence.
pub fn sentence(posture: &Posture) -> String {
    let total = posture.controls.len();
    let failing: Vec<_> = posture.failing().map(|control| format!("{} {}", control.control, control.verdict)).collect();
    if failing.is_empty() {
        let unknown = posture.controls.iter().filter(|control| control.verdict == Verdict::Unknown).count();
        let unknown = if unknown == 0 { String::new() } else { format!(", {unknown} unknown") };
        let why = common_reason(posture).map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{} of {total} controls enforced{unknown}{why}", posture.enforced())
    } else {
        format!("{} of {total} controls enforced; {}", posture.enforced(), failing.join(", "))
    }
}

/// The note on what a session came up with.
pub fn note(session: &Session, posture: &Posture) -> String {
    format!("posture of {}: {}", session.name, sentence(posture))
}

/// Where nothing fails: the one reason for all that is unknown, such as a session that does not run.
fn common_reason(posture: &Posture) -> Option<String> {
    let mut unknown = posture.controls.iter().filter(|control| control.verdict != Verdict::Enforced);
    let reason = unknown.next()?.reason.as_ref()?;
    let is_common = !posture.is_weaker() && unknown.all(|control| control.reason.as_ref() == Some(reason));
    is_common.then(|| reason.to_string())
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
/// Without `every`, what holds is left out, and so is what the [`sentence`] has said.
pub fn table(posture: &Posture, page: Page, every: bool) -> String {
    let page = Page { columns: Some(page.columns.unwrap_or(UNSEEN)), ..page };
    let said = common_reason(posture).is_some();
    let is_shown = |control: &&ControlPosture| every || (control.verdict != Verdict::Enforced && !said);
    let shown: Vec<&ControlPosture> = posture.controls.iter().filter(is_shown).collect();
    let reasons = reasons(&shown);
    let mut text = String::new();
    if !shown.is_empty() {
        let mut grid = Grid::new(&["CONTROL", "REQUESTED", "ENGINE", "KERNEL", "VERDICT"], page).whole(&[0, 4]);
        for control in &shown {
            // A reason that many share is told once, below or in the sentence.
            let is_told = reasons.iter().any(|(reason, about)| about.len() > 1 && *reason == control.kernel.to_string());
            grid.row([
                cell(control.control),
                cell(&control.requested),
                cell(control.engine.raw()),
                cell(if is_told { "-" } else { control.kernel.raw() }),
                meaning(control.verdict, role(control.verdict)),
            ]);
        }
        text.push_str(&grid.render());
    }
    for (reason, about) in reasons.iter().filter(|_| !said) {
        let about = if about.len() > NAMED {
            format!("{} controls", about.len())
        } else {
            about.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        let _ = writeln!(text, "  {about}: {reason}");
    }
    if !posture.deviants.is_empty() {
        let mut grid = Grid::new(&["PID", "INSIDE", "PROCESS", "CONTROL", "DIFFERS"], page).whole(&[0, 1, 3]);
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

/// Each reason once, sanitised, with the controls that it is about.
fn reasons(shown: &[&ControlPosture]) -> Vec<(String, Vec<Control>)> {
    let mut reasons: Vec<(String, Vec<Control>)> = Vec::new();
    for control in shown {
        let Some(reason) = control.reason.as_ref().map(ToString::to_string) else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, about)) => about.push(control.control),
            None => reasons.push((reason, vec![control.control])),
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::posture::Deviant;

    const PIPE: Page = Page { colour: false, columns: None };

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
        let text = table(&posture(), PIPE, false);
        assert!(!text.contains("cap_drop") && text.contains("  pids_limit: 500 is more than 100\n"), "{text}");
        assert!(text.contains("4321") && text.contains("sh\\u{1b}[2J") && text.contains("outside"), "{text}");
        assert!(table(&posture(), PIPE, true).contains("cap_drop"));
    }

    fn stopped() -> Posture {
        let control = |control| ControlPosture {
            control,
            requested: "set".into(),
            engine: "set".into(),
            kernel: "the session is not running".into(),
            verdict: Verdict::Unknown,
            reason: Some("the session is not running".into()),
        };
        Posture { controls: Control::ALL.map(control).into(), deviants: Vec::new() }
    }

    #[test]
    fn a_reason_that_all_share_is_said_once() {
        assert_eq!(sentence(&stopped()), "0 of 21 controls enforced, 21 unknown: the session is not running");
        assert_eq!(table(&stopped(), PIPE, false), "", "the sentence has said it");
        let text = table(&stopped(), PIPE, true);
        assert!(text.contains("cap_drop") && !text.contains("not running"), "{text}");

        let mut some = stopped();
        some.controls[0].verdict = Verdict::Weaker;
        some.controls[0].reason = Some("the engine adds NET_RAW".into());
        some.controls[0].kernel = "CapBnd 2000".into();
        let text = table(&some, PIPE, false);
        assert!(text.contains("  cap_drop: the engine adds NET_RAW\n  20 controls: the session is not running\n"), "{text}");
        assert_eq!(text.matches("not running").count(), 1, "{text}");
    }

    #[test]
    fn the_table_fits_the_terminal_and_a_fixed_width_elsewhere() {
        let mut wide = posture();
        wide.controls[0].engine = "/run rw,noexec,nosuid,nodev,size=67108864,mode=0755; /tmp rw,exec,nosuid,nodev,size=1073741824".into();
        wide.deviants[0].reason =
            "uid 0, gid 0, all of the bounding set, and much more that no single line has room for on a terminal".into();
        for (columns, most) in [(Some(80), 80), (Some(200), 200), (None, usize::from(UNSEEN))] {
            let text = table(&wide, Page { colour: false, columns }, true);
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= most, "{widest} of {most}:\n{text}");
        }
    }
}
