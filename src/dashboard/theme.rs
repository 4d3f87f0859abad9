//! Colours by meaning. A theme says how each role looks; nothing else names a colour.

use std::collections::BTreeMap;

use ratatui::style::Style;

/// What a piece of the screen means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the meanings")]
pub enum Role {
    Text,
    Muted,
    Strong,
    Title,
    Border,
    BorderFocused,
    Selected,
    Marked,
    Header,
    Good,
    Warning,
    Danger,
    Info,
    Key,
    Button,
    Input,
    Error,
    Match,
    Chart,
    Bar,
}

/// How each role looks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Theme {
    /// `dark`, `light`, ….
    pub name: String,
    /// Looks by role; a role that is absent has the terminal's own.
    pub styles: BTreeMap<Role, Style>,
}

impl Theme {
    /// The look of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(&role).copied().unwrap_or_default()
    }
}
