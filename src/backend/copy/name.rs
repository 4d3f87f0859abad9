//! What an entry of an archive is called, read as an attack: which names are none, and where the others lie.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

use super::link;

/// Parts of a name at most: each is a folder on the way to the next, and is opened again for every entry below it.
const DEEPEST: usize = 256;
/// Bytes of a name that are listed.
const LONGEST_LISTED: usize = 500;

/// What the names of an archive become.
pub(super) enum Naming {
    /// Of a thing that was asked for: all are below its name.
    Under {
        /// First part of every name in the archive.
        root: Option<OsString>,
        /// What that part becomes.
        renamed: Option<OsString>,
    },
    /// Of what is in a folder.
    Contents {
        /// The folder that is made for it.
        made: Option<OsString>,
    },
}

impl Naming {
    /// Of a thing whose own name is that of the first entry.
    pub(super) fn under(first: &[u8], renamed: Option<OsString>) -> Self {
        Self::Under { root: parts(first).ok().and_then(|parts| parts.into_iter().next()), renamed }
    }

    /// A name in the archive as parts below the place that it goes to; none for the contents' own folder.
    pub(super) fn place(&self, name: &[u8]) -> Result<Vec<OsString>, &'static str> {
        let mut parts = parts(name)?;
        match self {
            Self::Contents { made } => parts.splice(..0, made.clone()).for_each(drop),
            Self::Under { root, .. } if parts.first() != root.as_ref() => return Err("it is not part of what was asked for"),
            Self::Under { renamed, .. } => {
                if let (Some(first), Some(renamed)) = (parts.first_mut(), renamed) {
                    first.clone_from(renamed);
                }
            }
        }
        Ok(parts)
    }

    /// Whether a link to `target` in the folder `above` leads nowhere but into what is copied: the renamed root, or the folder that
    /// takes the contents, is as far up as it may lead.
    pub(super) fn may_lead(&self, above: &[OsString], target: &[u8]) -> bool {
        let (Self::Under { renamed: top, .. } | Self::Contents { made: top }) = self;
        let top = usize::from(top.is_some());
        above.len() >= top && link::stays_inside(target, above.len() - top)
    }
}

/// As much of a name as says which it is.
pub(super) fn briefly(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name.get(..LONGEST_LISTED).unwrap_or(name)).into_owned();
    if name.len() > LONGEST_LISTED { text + "…" } else { text }
}

/// Parts as a name again.
pub(super) fn joined(parts: &[OsString]) -> Vec<u8> {
    parts.join(OsStr::new("/")).into_vec()
}

/// The parts of a name in an archive, or why it is not one.
fn parts(name: &[u8]) -> Result<Vec<OsString>, &'static str> {
    if name.starts_with(b"/") {
        return Err("its name is absolute");
    }
    let mut parts = Vec::new();
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return Err("its name leads out of the folder"),
            _ if has_control(part) => return Err("its name has control characters"),
            _ => parts.push(OsString::from_vec(part.to_vec())),
        }
        if parts.len() > DEEPEST {
            return Err("it lies too deep");
        }
    }
    Ok(parts)
}

/// Characters that a terminal obeys when the name is listed: controls, in UTF-8 or as single bytes, and those that turn the
/// writing around.
fn has_control(part: &[u8]) -> bool {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    part.iter().any(u8::is_ascii_control)
        || match std::str::from_utf8(part) {
            Ok(text) => text.chars().any(|c| c.is_control() || turns(c)),
            Err(_) => part.iter().any(|byte| matches!(byte, 0x80..=0x9f)),
        }
}
