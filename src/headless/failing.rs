use serde::Serialize;

use super::Done;
use super::document::{Document, ErrorBody};
use super::output::Output;
use super::paint::{Role, paint};
use crate::failure::{Code, Failure};
use crate::units::sanitise;

/// A failure that ended a command, with the exit code that it has there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// What failed.
    pub failure: Failure,
    /// The exit code.
    pub exit: u8,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        let exit = failure.code.exit_code();
        Self { failure, exit }
    }
}

/// The exit code of a failure of `run` or `exec` before their command began: 1 is the command's to use, so ours is 125.
pub const fn code_for_foreground(code: Code) -> u8 {
    match code.exit_code() {
        1 => 125,
        other => other,
    }
}

/// Tells the operator, on standard error or as the one JSON document.
pub fn show_failure(output: &Output, failure: &Failure) {
    if output.is_json() {
        output.document(&super::document::error(ErrorBody::from(failure)));
    } else {
        output.complain(&text(failure, output.colours().stderr));
    }
}

/// What came of several names, as the one document; the exit code is that of the first that failed.
pub fn document_of_several<T: Serialize>(output: &Output, document: T, failures: &[Failure]) -> u8 {
    let first = failures.first();
    output.document(&Document::with_error(document, first.map(ErrorBody::from)));
    first.map_or(0, |first| first.code.exit_code())
}

/// The same where what succeeded has been told: what failed, one after the other.
pub fn end_of_several(output: &Output, failures: &[Failure]) -> Done {
    let (Some(first), Some((last, before))) = (failures.first(), failures.split_last()) else { return Ok(0) };
    for failure in before {
        show_failure(output, failure);
    }
    Err(Stop { failure: last.clone(), exit: first.code.exit_code() })
}

/// `error: …`, the particulars indented, `hint: …`.
pub fn text(failure: &Failure, colour: bool) -> String {
    let mut text = format!("{} {}\n", paint(colour, Role::Danger, "error:"), sanitise(&failure.message));
    for line in &failure.details {
        text.push_str("  ");
        text.push_str(&sanitise(line));
        text.push('\n');
    }
    if let Some(hint) = &failure.hint {
        text.push_str(&paint(colour, Role::Note, "hint:"));
        text.push(' ');
        text.push_str(&sanitise(hint));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_shown_with_its_particulars_and_the_way_out() {
        let failure = Failure::new(Code::Refused, "the profile asks for a capability that its base does not give")
            .detail("'cap_add' in sandbox.toml: NET_ADMIN\u{1b}[2J")
            .hint("allow it in your own config, or pass --cap-add NET_ADMIN");
        assert_eq!(
            text(&failure, false),
            "error: the profile asks for a capability that its base does not give\n  \
             'cap_add' in sandbox.toml: NET_ADMIN\\u{1b}[2J\n\
             hint: allow it in your own config, or pass --cap-add NET_ADMIN\n"
        );
        assert!(text(&failure, true).starts_with("\u{1b}[1;31merror:\u{1b}[0m "));
    }

    #[test]
    fn before_the_command_begins_only_what_would_be_1_becomes_125() {
        assert_eq!(code_for_foreground(Code::NotFound), 125);
        assert_eq!(code_for_foreground(Code::Usage), 2);
        assert_eq!(code_for_foreground(Code::EngineUnreachable), 3);
        assert_eq!(code_for_foreground(Code::AuditFailed), 4);
    }
}
