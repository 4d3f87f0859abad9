//! What is wrong with one value of one layer, and how several read as one failure.

use std::collections::BTreeSet;

use crate::failure::{Code, Failure};

use super::controls::ADDABLE_CAPABILITIES;

/// Room for every key once; a list made to flood the terminal ends here.
const MOST_LINES: usize = 30;

/// One value that cannot stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// What kind.
    pub(super) kind: Kind,
    /// The key.
    pub(super) field: &'static str,
    /// The value, as it may be shown.
    value: String,
    /// Why, to be read after the value.
    why: String,
}

/// Kinds of fault, by what the way out is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The key takes no such value, whoever writes it.
    OutOfRange,
    /// A capability that nobody can have.
    NeverGiven,
    /// A project's capability that the layers below do not give.
    Capability,
    /// A project's value that is wider than that of the layers below.
    Wider,
    /// A key that is not a project's to set.
    NotAProjects,
}

impl Fault {
    pub(super) fn new(kind: Kind, field: &'static str, value: String, why: impl Into<String>) -> Self {
        Self { kind, field, value, why: why.into() }
    }

    /// Whether both are about the same value of the same key.
    pub(super) fn same_value(&self, other: &Self) -> bool {
        self.field == other.field && self.value == other.value
    }

    /// `'memory' in .palisade.toml: 8 GiB (above 4 GiB)`.
    fn line(&self, origin: &str) -> String {
        let Self { field, value, why, .. } = self;
        match self.kind {
            Kind::Capability => format!("'{field}' in {origin}: {value}"),
            Kind::OutOfRange | Kind::NeverGiven | Kind::Wider | Kind::NotAProjects => format!("'{field}' in {origin}: {value} ({why})"),
        }
    }
}

/// All faults of one layer as one failure; `None` where there are none.
pub(super) fn failure(origin: &str, faults: &[Fault]) -> Option<Failure> {
    let first = faults.first()?;
    let all = |kinds: &[Kind]| faults.iter().all(|fault| kinds.contains(&fault.kind));
    let message = if all(&[Kind::OutOfRange]) {
        "the profile has a value that its key does not take"
    } else if all(&[Kind::NeverGiven]) {
        "the profile asks for a capability that no session can have"
    } else if all(&[Kind::Capability]) {
        "the profile asks for a capability that its base does not give"
    } else if all(&[Kind::Capability, Kind::Wider, Kind::NotAProjects]) {
        "the profile asks for more than its base gives"
    } else {
        "the profile asks for what it cannot have"
    };
    let code = if all(&[Kind::OutOfRange]) { Code::InvalidConfig } else { Code::Refused };
    let of = |kind| faults.iter().filter(move |fault| fault.kind == kind);
    let hint = match first.kind {
        Kind::OutOfRange => format!("correct '{}' in {origin}", first.field),
        Kind::NeverGiven => format!("what can be given back is {}", ADDABLE_CAPABILITIES.join(", ")),
        Kind::Capability => {
            let flags: BTreeSet<String> = of(Kind::Capability).map(|fault| format!("--cap-add {}", fault.value)).collect();
            let flags: Vec<String> = flags.into_iter().collect();
            format!("allow it in your own config, or pass {}", flags.join(" "))
        }
        Kind::Wider | Kind::NotAProjects => {
            format!("a project's file may only narrow: take it out of {origin}, or ask for it in a profile of your own or by a flag")
        }
    };
    let mut details: Vec<String> = faults.iter().take(MOST_LINES).map(|fault| fault.line(origin)).collect();
    if faults.len() > MOST_LINES {
        details.push(format!("and {} more", faults.len() - MOST_LINES));
    }
    Some(Failure { details, ..Failure::new(code, message).hint(hint) })
}
