//! The one error that reaches an operator: what failed, on what, and what to do about it.
//!
//! Lower layers return it directly; deciding is done by [`Code`], never by text.

use std::fmt;

use serde::Serialize;

/// What kind of failure it was. The name is part of the JSON output and does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The command line itself: an unknown flag, a value that is not of its type.
    Usage,
    /// A configuration or profile file that cannot be read as what it should be.
    InvalidConfig,
    /// The policy does not allow what was asked.
    Refused,
    /// The engine or the kernel holds less than was asked; the container is gone.
    AuditFailed,
    /// A live session's posture is weaker than requested.
    PostureWeaker,
    /// No engine answers.
    EngineUnreachable,
    /// The engine answered with an error that is none of the others.
    EngineError,
    /// No such session, image, profile or file.
    NotFound,
    /// The name is taken, or the session is not in a state for this.
    Conflict,
    /// A file, terminal or pipe of this machine failed.
    Io,
    /// Cut short by a signal.
    Interrupted,
    /// A fault in this program.
    Internal,
}

impl Code {
    /// The exit code of a command that ends with this failure (`run` and `exec` turn 1, 3 and 2 into 125).
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Usage | Self::InvalidConfig => 2,
            Self::EngineUnreachable => 3,
            Self::Refused | Self::AuditFailed => 4,
            Self::PostureWeaker => 5,
            Self::EngineError | Self::NotFound | Self::Conflict | Self::Io | Self::Internal => 1,
            Self::Interrupted => 130,
        }
    }
}

/// A failure with its code, one sentence, the particulars line by line, and the way out.
///
/// Texts that come from outside go through [`crate::units::Untrusted`] or are sanitised when shown:
/// [`fmt::Display`] never emits a control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind.
    pub code: Code,
    /// What failed, on what. Lower case, no full stop, one line.
    pub message: String,
    /// Particulars: field, file and value, or finding by finding.
    pub details: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

/// What everything fallible here returns.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure that is its sentence alone.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new(), hint: None }
    }

    /// Adds one line of particulars.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// Adds the way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A failure of this machine's files, pipes or terminals.
    pub fn io(doing: impl fmt::Display, error: &std::io::Error) -> Self {
        Self::new(Code::Io, format!("cannot {doing}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::units::sanitise;
        f.write_str(&sanitise(&self.message))?;
        for line in &self.details {
            write!(f, "\n  {}", sanitise(line))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {}", sanitise(hint))?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
