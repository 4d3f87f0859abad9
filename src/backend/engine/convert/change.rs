//! What a container changed against its image.

use bollard::models::{ChangeType, FilesystemChange};

use crate::session::{ChangeKind, FileChange, FileChanges};

/// More than anybody reads; a session can make as many files as its disk holds.
pub(in crate::backend::engine) const MOST_CHANGES: usize = 10_000;

/// By path, the first so many.
pub(in crate::backend::engine) fn changes(mut answer: Vec<FilesystemChange>) -> FileChanges {
    answer.sort_by(|a, b| a.path.cmp(&b.path));
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
