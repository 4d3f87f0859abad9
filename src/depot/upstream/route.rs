/// Which names a registry owns: one name, all with a prefix, or a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// This name.
    Name(String),
    /// Every name that begins so.
    Prefix(String),
}

impl Pattern {
    /// `name`, `prefix*`, `@scope/*`.
    pub fn new(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(prefix) => Self::Prefix(prefix.to_owned()),
            None => Self::Name(text.to_owned()),
        }
    }

    /// Whether a normalised name is one of these.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Name(own) => name == own,
            Self::Prefix(prefix) => name.starts_with(prefix.as_str()),
        }
    }
}
