use super::procfs::Procfs;
use crate::session::ProcessFacts;
use crate::units::Untrusted;

/// As much of a command line as anybody reads: the kernel gives megabytes of it.
const MOST: u64 = 4096;

/// What a process shows as its command and arguments, while it is the one that the facts are of.
pub(super) fn read(proc: &Procfs, process: &ProcessFacts) -> Option<Untrusted> {
    let bytes = proc.head(process.pid, "cmdline", MOST).ok()?;
    let exe = proc.exe(process.pid).ok();
    if exe.as_deref() != process.exe.as_ref().map(Untrusted::raw) {
        return None;
    }
    // Arguments end with a zero byte; a process that writes its own title leaves a row of them.
    let text = String::from_utf8_lossy(&bytes);
    let shown = text.trim_end_matches('\0').replace('\0', " ");
    (!shown.is_empty()).then(|| Untrusted::from(shown))
}
