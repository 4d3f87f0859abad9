//! A fault in this program: its report goes to standard error, no terminal acts on it, and the exit code says whose it is.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::{Code, Failure};
use crate::headless::document::{self, ErrorBody};
use crate::units::sanitise;

static FOREGROUND: AtomicBool = AtomicBool::new(false);
static JSON: AtomicBool = AtomicBool::new(false);

/// Whether a command's own exit codes are in use, so that ours is 125.
pub(super) fn set_foreground(foreground: bool) {
    FOREGROUND.store(foreground, Ordering::Relaxed);
}

/// Whether a program reads standard output.
pub(super) fn set_json(json: bool) {
    JSON.store(json, Ordering::Relaxed);
}

/// From now on a panic in any thread ends the program with a report. The report's machinery is built only then.
pub fn catch_faults() {
    std::panic::set_hook(Box::new(|info| {
        crate::dashboard::runtime::terminal::give_back();
        crate::headless::attach::tty::give_back();
        let (hook, _) = color_eyre::config::HookBuilder::blank().theme(color_eyre::config::Theme::new()).into_hooks();
        let report = hook.panic_report(info).to_string();
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "error: a fault in palisade {}; please report it", env!("CARGO_PKG_VERSION"));
        for line in report.lines() {
            let _ = writeln!(stderr, "  {}", sanitise(line));
        }
        let _ = writeln!(stderr, "hint: 'palisade ls' shows the sessions that are there; RUST_BACKTRACE=1 adds where it happened");
        if JSON.load(Ordering::Relaxed) {
            let failure = Failure::new(Code::Internal, "a fault in this program").hint("standard error has the report");
            let _ = std::io::stdout().write_all(&crate::headless::line(&document::error(ErrorBody::from(&failure))));
        }
        std::process::exit(if FOREGROUND.load(Ordering::Relaxed) { 125 } else { 1 });
    }));
}
