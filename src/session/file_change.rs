use serde::Serialize;

use crate::units::Untrusted;

/// What a container has changed against its image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct FileChanges {
    /// By path.
    pub files: Vec<FileChange>,
    /// Whether there are more than are kept here.
    pub cut: bool,
}

/// One file or folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// What became of it.
    pub kind: ChangeKind,
    /// Its path in the container.
    pub path: Untrusted,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// The image has none there.
    Added,
    /// It is another than the image's, or something below it is.
    Changed,
    /// The image has one there.
    Deleted,
}
