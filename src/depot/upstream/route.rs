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

    /// Whether a normalised name is one of these, in whatever case: `@Corp/tool` is nobody else's than `@corp/tool`.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Name(own) => name.eq_ignore_ascii_case(own),
            Self::Prefix(prefix) => name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_owns_its_names_in_any_case() {
        for (pattern, name, owned) in [
            ("@corp/*", "@corp/tool", true),
            ("@corp/*", "@Corp/tool", true),
            ("@Corp/*", "@corp/tool", true),
            ("@corp/*", "@corpse/tool", false),
            ("corp-*", "CORP-tool", true),
            ("corp-*", "corp", false),
            ("widgets", "Widgets", true),
            ("widgets", "widgets2", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), owned, "{pattern} {name}");
        }
    }
}
