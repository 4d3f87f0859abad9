use std::io;
use std::path::Path;

use rusqlite::{Error, ErrorCode};

/// Why something cannot be kept, or what is kept cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unkept {
    /// The folder or a file in it.
    #[error("{doing} {path}: {error}")]
    File {
        /// What was to be done.
        doing: &'static str,
        /// With what.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// Others write to it without end, or one of them was stopped in the middle.
    #[error("{0} is held by another palisade that does not let go of it")]
    Held(String),
    /// The database itself.
    #[error("{0}")]
    Database(#[from] Error),
}

impl Unkept {
    pub(super) fn file(doing: &'static str, path: &Path, error: io::Error) -> Self {
        Self::File { doing, path: path.display().to_string(), error }
    }

    fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Database(error) => error.sqlite_error_code(),
            Self::File { .. } | Self::Held(_) => None,
        }
    }

    /// Whether it is a matter of time.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// Whether the file may have been taken away from under its name.
    pub(super) fn may_be_gone(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure))
    }

    /// Whether the file is no database, or one that does not hold together.
    pub(super) fn is_damage(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
    }
}
