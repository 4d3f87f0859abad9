//! What is on the disk when a store is opened: names and sizes alone, so that a hundred thousand blobs take no time. Their content
//! is proved when they are first asked for. Whatever has no business in the store's folders is removed.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::key::{Key, digest_from_name};
use super::places::{ALIASED, Places, entries, is_shard, remove_anything};
use super::stock::Stock;

/// Empties the folder for temporary files and takes stock of everything else.
pub(super) fn scan(places: &Places) -> io::Result<Stock> {
    for entry in entries(&places.temporaries())? {
        remove_anything(&entry?.path());
    }
    let mut stock = Stock::default();
    walk(&places.blobs(), |name, data| {
        let key = Key::from_name(name)?;
        let used = u64::try_from(data.mtime()).unwrap_or(0).saturating_mul(1000);
        stock.insert(key, data.size(), used, None);
        Some(())
    })?;
    for algorithm in ALIASED {
        walk(&places.aliases(algorithm), |name, _| {
            digest_from_name(algorithm, name)?;
            stock.aliases += 1;
            Some(())
        })?;
    }
    Ok(stock)
}

/// Shows every plain file that lies where its name says. What is anything else, or is not taken, is removed.
fn walk(folder: &Path, mut take: impl FnMut(&str, &fs::Metadata) -> Option<()>) -> io::Result<()> {
    for shard in entries(folder)? {
        let shard = shard?;
        let within = shard.file_name();
        if !is_shard(&within) || !shard.file_type()?.is_dir() {
            remove_anything(&shard.path());
            continue;
        }
        for entry in entries(&shard.path())? {
            let entry = entry?;
            let name = entry.file_name();
            let text = name.to_str().filter(|text| OsStr::new(text.get(..2).unwrap_or_default()) == within);
            // Neither follows a link.
            let data = entry.metadata().ok().filter(fs::Metadata::is_file);
            if text.zip(data).and_then(|(text, data)| take(text, &data)).is_none() {
                remove_anything(&entry.path());
            }
        }
    }
    Ok(())
}
