//! `doctor`: what was checked, how it stands, what to do.

use super::document::{Checks, Document, ErrorBody};
use super::paint::Role;
use super::table::{Grid, Page, cell, meaning};
use super::{Context, Done, show_failure};
use crate::backend::doctor::{Check, CheckState};
use crate::failure::{Code, Failure};

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
        let shown = checks.iter().filter(|check| !context.output.is_quiet() || check.state != CheckState::Ok);
        context.output.text(&table(shown, context.output.page()));
        match &failure {
            None => context.output.note("sandboxes can be launched here"),
            // Its particulars are the table's.
            Some(failure) => show_failure(&context.output, &Failure { details: Vec::new(), ..failure.clone() }),
        }
    }
    Ok(failure.map_or(0, |failure| failure.code.exit_code()))
}

fn table<'a>(checks: impl Iterator<Item = &'a Check>, page: Page) -> String {
    let mut grid = Grid::new(&[], page).whole(&[0, 1]);
    for check in checks {
        let (word, role) = match check.state {
            CheckState::Ok => ("ok", Role::Good),
            CheckState::Warning => ("warning", Role::Caution),
            CheckState::Failed => ("failed", Role::Danger),
        };
        grid.row([meaning(word, role), cell(check.name), cell(&check.found)]);
        if let Some(advice) = &check.advice {
            grid.row([cell(""), cell(""), meaning(format!("hint: {advice}"), Role::Note)]);
        }
    }
    grid.render()
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
        let told = table(std::iter::once(&check), Page::default());
        assert_eq!(told, "failed   seccomp   off\n                   hint: start dockerd without --seccomp-profile=unconfined\n");
        let narrow = table(std::iter::once(&check), Page { colour: false, columns: Some(50) });
        assert!(narrow.lines().count() > 2 && narrow.lines().all(|line| line.len() <= 50), "{narrow}");
    }
}
