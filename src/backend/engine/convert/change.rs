//! What a container changed against its image.

use bollard::models::{ChangeType, FilesystemChange};

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
        let listed =
            changes(vec![change("/b".into(), ChangeType::_2), change("/a".into(), ChangeType::_1), change("/".into(), ChangeType::_0)]);
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
}
