//! Colours by meaning. Every state is a word as well, readable without them.

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// As it should be.
    Good,
    /// To be looked at.
    Caution,
    /// Wrong.
    Danger,
    /// An aside.
    Note,
    /// A heading.
    Heading,
}

/// The text, coloured where `on`.
pub fn paint(on: bool, role: Role, text: &str) -> String {
    if !on {
        return text.to_owned();
    }
    let code = match role {
        Role::Good => "32",
        Role::Caution => "33",
        Role::Danger => "1;31",
        Role::Note => "36",
        Role::Heading => "1",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}
