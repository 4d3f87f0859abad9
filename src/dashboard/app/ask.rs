//! Lines and words that are asked for before something is done.

use super::effect::{Effect, Target};
use super::input::Input;

/// What a line that is asked for is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Another name for this session.
    Name(Target),
    /// A command to run in this session.
    Command(Target),
    /// Packages to fetch ahead of time.
    Packages,
    /// How much the depot's store may keep.
    Keep,
}

/// A line that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// What for.
    pub wanted: Wanted,
    /// What is typed.
    pub input: Input,
    /// Why it cannot be taken, beside it.
    pub error: Option<String>,
}

/// A question before something is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// `remove 3 sessions?`
    pub question: String,
    /// What would be lost, line by line.
    pub lines: Vec<String>,
    /// What must be typed; `None` where a key is enough.
    pub expected: Option<String>,
    /// What is typed.
    pub input: Input,
    /// What is then done.
    pub then: Effect,
}
