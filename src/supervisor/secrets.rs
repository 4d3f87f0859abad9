use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Writes each secret to a file of its own that only the session's user can read, in a tmpfs.
pub fn place(folder: &Path, secrets: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    if secrets.is_empty() {
        return Ok(());
    }
    DirBuilder::new().mode(0o700).create(folder)?;
    for (name, value) in secrets {
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a secret's name is not a file name"));
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o400).open(folder.join(name))?;
        file.write_all(value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn secrets_are_files_for_their_user_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("secrets");
        place(&folder, &BTreeMap::from([("TOKEN".to_owned(), b"s3cret".to_vec())])).unwrap();
        assert_eq!(std::fs::metadata(folder.join("TOKEN")).unwrap().permissions().mode() & 0o777, 0o400);
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        let climbing = BTreeMap::from([("../x".to_owned(), Vec::new())]);
        assert!(place(&dir.path().join("other"), &climbing).is_err());
    }
}
