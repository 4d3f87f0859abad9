//! `doctor`: what was checked, how it stands, what to do.

use std::fmt::Write;

use super::document::{Checks, Document, ErrorBody};
use super::paint::{Role, paint};
use super::{Context, Done};
use crate::backend::doctor::{Check, CheckState};
use crate::failure::{Code, Failure};
use crate::units::sanitise;

/// Shows the checks. `engine_answers` decides between exit codes 3 and 1 where one failed.
pub fn show(context: &Context, checks: Vec<Check>, engine_answers: bool) -> Done {
    let failed: Vec<_> = checks.iter().filter(|check| check.state == CheckState::Failed).collect();
    let failure = if failed.is_empty() {
        None
    } else {
        let code = if engine_answers { Code::EngineError } else { Code::EngineUnreachable };
        let mut failure = Failure::new(code, "sandboxes cannot be launched here as it is");
        failure.details = failed.iter().map(|check| format!("{}: {}", check.name, check.found)).collect();
        Some(failure)
    };
    if context.output.is_json() {
        let error = failure.as_ref().map(ErrorBody::from);
        context.output.document(&Document::with_error(Checks { checks }, error));
    } else {
        let colour = context.output.colours().stdout;
        for check in checks.iter().filter(|check| !context.output.is_quiet() || check.state != CheckState::Ok) {
            context.output.text(&row(check, colour));
        }
    }
    Ok(failure.map_or(0, |failure| failure.code.exit_code()))
}

fn row(check: &Check, colour: bool) -> String {
    let (word, role) = match check.state {
        CheckState::Ok => ("ok", Role::Good),
        CheckState::Warning => ("warning", Role::Caution),
        CheckState::Failed => ("failed", Role::Danger),
    };
    let mut text = format!("{} {:<18} {}\n", paint(colour, role, &format!("{word:<8}")), sanitise(check.name), sanitise(&check.found));
    if let Some(advice) = &check.advice {
        let _ = writeln!(text, "{:9}{} {}", "", paint(colour, Role::Note, "hint:"), sanitise(advice));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_comes_with_what_to_do() {
        let check = Check {
            name: "seccomp",
            state: CheckState::Failed,
            found: "off".into(),
            advice: Some("start dockerd without --seccomp-profile=unconfined".into()),
        };
        assert_eq!(
            row(&check, false),
            "failed   seccomp            off\n         hint: start dockerd without --seccomp-profile=unconfined\n"
        );
    }
}
