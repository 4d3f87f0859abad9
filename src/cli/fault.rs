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

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::process::Command;

    use nix::pty::{Winsize, openpty};
    use nix::sys::termios::tcgetattr;

    use super::*;
    use crate::headless::attach::tty::{Mode, Tty, note_alternate};

    /// Not a test of itself: what the next one runs at a terminal of its own.
    #[test]
    #[ignore = "it ends the process"]
    fn a_fault_while_the_terminal_is_taken() {
        catch_faults();
        let _tty = Tty::take(Mode::Raw, true).unwrap();
        note_alternate(true);
        let drawing = std::thread::spawn(|| panic!("something hostile: \u{1b}[2J"));
        let _ = drawing.join();
    }

    #[test]
    fn a_fault_gives_the_terminal_back_before_it_is_reported() {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(&size, None).unwrap();
        let before = tcgetattr(&pair.slave).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "cli::fault::tests::a_fault_while_the_terminal_is_taken", "--ignored", "--nocapture"]);
        let end = || pair.slave.try_clone().unwrap();
        let mut child = child.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let mut written = Vec::new();
        let mut master = std::fs::File::from(pair.master);
        // Its end is not the terminal's: this side is open here, so that its settings can be asked for.
        while !String::from_utf8_lossy(&written).contains("hint: ") {
            let mut piece = [0; 4096];
            let read = master.read(&mut piece).unwrap();
            written.extend_from_slice(&piece[..read]);
        }
        assert_eq!(child.wait().unwrap().code(), Some(1));
        assert_eq!(tcgetattr(&pair.slave).unwrap(), before);
        let written = String::from_utf8_lossy(&written);
        let back = written.find("\u{1b}[?1049l").unwrap();
        let report = written.find("error: a fault").unwrap();
        assert!(back < report && written[back..report].contains("\u{1b}[?25h\u{1b}[?2004l"), "{written:?}");
        assert!(!written[report..].contains('\u{1b}'), "{written:?}");
    }
}
