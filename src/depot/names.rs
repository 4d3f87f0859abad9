//! Names that come in from sandboxes, already proved harmless: they stand in addresses, keys and documents.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::promise::Ecosystem;

/// The longest project name taken; registries allow at most 214.
pub const LONGEST_PROJECT: usize = 214;
/// The longest file name taken.
pub const LONGEST_FILE: usize = 255;

/// A project of one ecosystem, in its ecosystem's one spelling: `Foo.Bar` and `foo-bar` are one `PyPI` project.
/// Only an adapter makes one, from what it has checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Project {
    /// Whose.
    pub ecosystem: Ecosystem,
    /// Normalised: lower-case `PyPI` name, or npm name with its scope.
    pub name: String,
}

impl fmt::Display for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.ecosystem, self.name)
    }
}

/// Whether a text is a plain file name: no separator, no dot in front, no control or space character.
pub fn is_file_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST_FILE
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_graphic() && !b"/\\%?#\"'<>|:*&;`$".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_one_plain_segment() {
        for name in ["six-1.17.0-py2.py3-none-any.whl", "a.tgz", "torch-2.0+cpu.whl", "x-1!2.tar.gz"] {
            assert!(is_file_name(name), "{name}");
        }
        for name in ["", ".", "..", ".hidden", "a/b", "a\\b", "a%2fb", "a b", "a\r\nb", "a\0", "ä.whl", &"x".repeat(256)] {
            assert!(!is_file_name(name), "{name:?}");
        }
    }
}
