//! What a container changed against its image.

use std::fmt;

use bollard::models::{ChangeType, FilesystemChange};

use serde::Deserializer;
use serde::de::{DeserializeSeed, SeqAccess, Visitor};

use crate::session::{ChangeKind, FileChange, FileChanges};

/// More than anybody reads; a session can make as many files as its disk holds.
pub(in crate::backend::engine) const MOST_CHANGES: usize = 10_000;

/// By path, the first so many.
pub(in crate::backend::engine) fn changes(mut answer: Vec<FilesystemChange>) -> FileChanges {
    // Part by part, so that what is in a folder follows it at once: `/usr/bin` before `/usr-x`.
    answer.sort_by(|a, b| a.path.split('/').cmp(b.path.split('/')));
    let cut = answer.len() > MOST_CHANGES;
    let files = answer.into_iter().take(MOST_CHANGES).map(|change| FileChange { kind: kind(change.kind), path: change.path.into() });
    FileChanges { files: files.collect(), cut }
}

/// As much as is whole of an answer that may have been cut off in the middle; `None` where it is no list.
pub(in crate::backend::engine) fn read(body: &[u8], cut: bool) -> Option<FileChanges> {
    // An engine says so where nothing has changed.
    if body.trim_ascii() == b"null" {
        return Some(FileChanges::default());
    }
    let mut answer = Vec::new();
    let whole = Whole(&mut answer).deserialize(&mut serde_json::Deserializer::from_slice(body));
    if whole.is_err() && !cut {
        return None;
    }
    let mut changes = changes(answer);
    changes.cut |= cut;
    Some(changes)
}

/// Keeps the elements that came before a fault.
struct Whole<'a>(&'a mut Vec<FilesystemChange>);

impl<'de> DeserializeSeed<'de> for Whole<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of changes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(change) = list.next_element()? {
            self.0.push(change);
        }
        Ok(())
    }
}

fn kind(kind: ChangeType) -> ChangeKind {
    match kind {
        ChangeType::_0 => ChangeKind::Changed,
        ChangeType::_1 => ChangeKind::Added,
        ChangeType::_2 => ChangeKind::Deleted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_by_path_and_the_first_ones_when_there_are_too_many() {
        let change = |path: String, kind| FilesystemChange { path, kind };
        let listed = changes(vec![
            change("/b-x".into(), ChangeType::_1),
            change("/b/x".into(), ChangeType::_1),
            change("/b".into(), ChangeType::_2),
            change("/a".into(), ChangeType::_1),
            change("/".into(), ChangeType::_0),
        ]);
        let kinds: Vec<_> = listed.files.iter().map(|file| (file.path.raw(), file.kind)).collect();
        assert_eq!(
            kinds,
            [
                ("/", ChangeKind::Changed),
                ("/a", ChangeKind::Added),
                ("/b", ChangeKind::Deleted),
                ("/b/x", ChangeKind::Added),
                ("/b-x", ChangeKind::Added)
            ]
        );
        assert!(!listed.cut);
        let many = changes((0..=MOST_CHANGES).rev().map(|at| change(format!("/{at:06}"), ChangeType::_1)).collect());
        assert!(many.cut && many.files.len() == MOST_CHANGES);
        assert_eq!(many.files[0].path.raw(), "/000000");
    }

    #[test]
    fn an_answer_that_was_cut_off_anywhere_gives_what_came_before() {
        let whole = r#"[{"Path":"/a},{","Kind":1},{"Path":"/b","Kind":2}]"#;
        assert_eq!(read(whole.as_bytes(), false).unwrap().files.len(), 2);
        for at in 1..whole.len() {
            let changes = read(&whole.as_bytes()[..at], true).unwrap();
            assert!(changes.cut && changes.files.iter().all(|file| ["/a},{", "/b"].contains(&file.path.raw())), "{at}");
            assert_eq!(changes.files.is_empty(), at < r#"[{"Path":"/a},{","Kind":1}"#.len(), "{at}");
        }
        assert_eq!(read(b"null\n", false), Some(FileChanges::default()));
        for rubbish in ["", "{}", "[{]", r#"[{"Path":"/a","Kind":9}]"#, r#"[{"Path":"/a","#] {
            assert_eq!(read(rubbish.as_bytes(), false), None, "{rubbish}");
        }
    }
}
