//! When each blob was last used, kept across a kill in one small file: it is written beside and renamed, once a minute
//! at most. Losing it costs no more than the order in which blobs go; those that it does not name count from when they were written.
//! The blobs' own times are left alone: they tell whether a blob was changed.
#![expect(clippy::disallowed_methods, reason = "the file of last uses is written here")]

use std::fs;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::core::{Core, lock};
use super::key::Key;
use super::places::{Places, open_plain, rename};
use super::room::MOST_BLOBS;
use super::stock::Stock;

const MAGIC: &[u8; 16] = b"palisade usage1\n";
const EVERY: Duration = Duration::from_mins(1);

/// Reads what was kept. A damaged file is read as far as it makes sense; times that are still to come are now.
pub(super) fn load(places: &Places, stock: &mut Stock, now: u64) {
    let Ok((file, _)) = open_plain(&places.usage()) else { return };
    let mut file = BufReader::new(file);
    let mut magic = [0; 16];
    if file.read_exact(&mut magic).is_err() || magic != *MAGIC {
        return;
    }
    for _ in 0..MOST_BLOBS {
        let (mut key, mut used) = ([0; 32], [0; 8]);
        if file.read_exact(&mut key).and_then(|()| file.read_exact(&mut used)).is_err() {
            return;
        }
        stock.set_used(&Key::new(key), u64::from_le_bytes(used).min(now));
    }
}

impl Core {
    /// Notes a use, and writes all of them down when that is due.
    pub(super) fn touch(self: &Arc<Self>, key: &Key) {
        lock(&self.stock).touch(key, self.now());
        let due = {
            let mut saved = lock(&self.saved);
            let due = saved.elapsed() >= EVERY;
            if due {
                *saved = Instant::now();
            }
            due
        };
        if due {
            // On this thread: it is a blocking one. Failing costs only the order.
            let _ = self.save_usage();
        }
    }

    /// Writes all last uses down. Blocks.
    pub(super) fn save_usage(&self) -> io::Result<()> {
        let usage: Vec<(Key, u64)> = lock(&self.stock).usage().collect();
        let (path, file) = self.places.temporary()?;
        let write = || {
            let mut file = BufWriter::new(file);
            file.write_all(MAGIC)?;
            for (key, used) in usage {
                file.write_all(key.bytes())?;
                file.write_all(&used.to_le_bytes())?;
            }
            file.flush()?;
            rename(&path, &self.places.usage())
        };
        let done = write();
        if done.is_err() {
            let _ = fs::remove_file(&path);
        }
        done
    }
}
