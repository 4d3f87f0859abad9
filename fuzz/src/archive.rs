//! Whatever archive a sandbox makes: nothing is written outside its folder, nothing in it leads outside, no bit or device is
//! dangerous, and no more is written than was allowed; neither when it is unpacked here, nor when it is made anew and then unpacked by a
//! program that believes everything.

use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use palisade::backend::copy::{extract, remake};

use super::gullible;

const MOST: u64 = 64 << 10;

/// The first byte says how it is asked for; the rest is the archive, in blocks whose checksums are put right, so that
/// what is made up is read.
pub fn check(data: &[u8]) {
    let Some((&how, archive)) = data.split_first() else { return };
    let mut archive = archive.to_vec();
    if how & 4 == 0 {
        repair(&mut archive);
    }
    extracted(how, &archive);
    remade(how, &archive);
}

fn extracted(how: u8, archive: &[u8]) {
    let here = Here::new();
    std::fs::create_dir_all(here.dest().join("x/d")).expect("a folder");
    symlink("../outside", here.dest().join("mine")).expect("a link");
    let (inside, local) = match how & 3 {
        0 => ("/home/x", here.dest()),
        1 => ("/home/x/.", here.dest()),
        2 => ("/home/x", here.dest().join("new")),
        _ => ("/home/x/.", here.dest().join("new")),
    };
    let report = extract(archive, inside, &local, MOST);
    if let Ok(report) = &report {
        assert!(report.bytes <= MOST);
        assert!(report.skipped.iter().all(|line| line.to_string().chars().all(|c| !c.is_control())));
    }
    let _ = std::fs::remove_file(here.dest().join("mine"));
    here.unharmed();
}

fn remade(how: u8, archive: &[u8]) {
    let inside = if how & 1 == 0 { "/home/x" } else { "/home/x/." };
    let anew = |archive: &[u8]| {
        let mut made = Vec::new();
        let report = remake(archive, inside, (1000, 1000), &mut made, MOST);
        (made, report.map(|report| report.expect("a reader that stays")))
    };
    let (made, report) = anew(archive);
    assert!(made.len() < 4 << 20, "{} bytes, of headers", made.len());
    let here = Here::new();
    gullible::unpack(&made, &here.dest());
    here.unharmed();
    let (again, second) = anew(&made);
    let Ok(report) = report else {
        assert!(second.is_err(), "half an archive is taken for a whole one");
        return;
    };
    assert!(report.bytes <= MOST);
    if let Ok(second) = second {
        assert!(again == made && second.skipped.is_empty() && second.bytes == report.bytes, "{:?}", second.skipped);
    }
}

/// A folder to unpack in, with a secret beside it.
struct Here(tempfile::TempDir);

impl Here {
    fn new() -> Self {
        let base = tempfile::tempdir().expect("a folder");
        for name in ["dest", "outside"] {
            std::fs::create_dir(base.path().join(name)).expect("a folder");
        }
        std::fs::write(base.path().join("outside/secret"), "secret").expect("a file");
        Self(base)
    }

    fn dest(&self) -> PathBuf {
        self.0.path().join("dest")
    }

    fn unharmed(&self) {
        let entries = std::fs::read_dir(self.0.path()).expect("a folder");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
        names.sort();
        assert_eq!(names, ["dest", "outside"]);
        let outside = self.0.path().join("outside");
        assert_eq!(std::fs::read_dir(&outside).expect("a folder").count(), 1);
        assert_eq!(std::fs::read_to_string(outside.join("secret")).expect("a file"), "secret");
        let written = inert(&self.dest(), &self.dest().canonicalize().expect("a folder"));
        assert!(written <= MOST, "{written} bytes on disk");
    }
}

/// Bytes in all files below, each of which is harmless.
fn inert(folder: &Path, top: &Path) -> u64 {
    let mut written = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let meta = entry.metadata().expect("an entry");
        assert!(!entry.file_name().to_string_lossy().starts_with(".palisade-"), "{entry:?}");
        if meta.is_symlink() {
            // What is not there yet, somebody can put there: the target counts as it is written.
            if let Ok(real) = entry.path().canonicalize() {
                assert!(real.starts_with(top), "{entry:?} leads to {}", real.display());
            }
            continue;
        }
        assert_eq!(meta.mode() & 0o7022, 0, "{entry:?}");
        if meta.is_dir() {
            written += inert(&entry.path(), top);
        } else {
            assert!(meta.is_file(), "{entry:?}");
            if meta.nlink() == 1 {
                written += meta.len();
            }
        }
    }
    written
}

/// Every block as a header with a right checksum and a small size.
fn repair(archive: &mut Vec<u8>) {
    archive.resize(archive.len().next_multiple_of(512), 0);
    let mut at = 0;
    while let Some(block) = archive.get_mut(at..at + 512) {
        if block.iter().all(|byte| *byte == 0) {
            break;
        }
        // "ustar" or GNU's, or neither: as it came.
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let size = std::str::from_utf8(&block[124..135]).ok().and_then(|text| u64::from_str_radix(text.trim_matches(['\0', ' ']), 8).ok());
        let size = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
        at = at.saturating_add(512).saturating_add(size.checked_next_multiple_of(512).unwrap_or(usize::MAX));
        if at > archive.len() {
            break;
        }
    }
    archive.resize(archive.len() + 1024, 0);
}
