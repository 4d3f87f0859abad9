//! The most trusting program that unpacks archives: it follows every link, believes every name, and replaces what it likes.

use std::fs;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// Unpacks as much as can be read; what cannot be made is passed over, and the next one is tried.
pub fn unpack(archive: &[u8], dest: &Path) {
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries().expect("an archive") {
        let Ok(mut entry) = entry else { return };
        let path = dest.join(std::ffi::OsStr::from_bytes(&entry.path_bytes()));
        let target = entry.link_name_bytes().map(|name| std::ffi::OsString::from_vec(name.into_owned())).unwrap_or_default();
        let mode = fs::Permissions::from_mode(entry.header().mode().expect("a mode"));
        let kind = entry.header().entry_type();
        if let Some(above) = path.parent() {
            let _ = fs::create_dir_all(above);
        }
        if kind.is_dir() {
            let _ = fs::create_dir_all(&path);
            let _ = fs::set_permissions(&path, mode);
        } else if kind.is_symlink() || kind.is_hard_link() {
            let _ = fs::remove_file(&path);
            let _ = fs::remove_dir(&path);
            let _ = if kind.is_symlink() { symlink(target, path) } else { fs::hard_link(dest.join(target), path) };
        } else {
            let mut content = Vec::new();
            if entry.read_to_end(&mut content).is_ok() && fs::write(&path, content).is_ok() {
                let _ = fs::set_permissions(&path, mode);
            }
        }
    }
}
