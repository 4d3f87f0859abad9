//! Pictures of the screen, kept as text files beside the view and compared by its tests. `BLESS=1 cargo test` writes
//! them anew: then the difference is what to look at.
#![expect(clippy::disallowed_methods, reason = "the tests' own files")]

use std::path::Path;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::app::State;
use super::{text, view};

/// The cells that the state draws.
pub fn drawn(state: &State) -> Buffer {
    let (columns, lines) = state.size;
    let mut terminal = Terminal::new(TestBackend::new(columns, lines)).unwrap();
    terminal.draw(|frame| view::draw(state, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// The lines of a screen, without the blanks at their ends.
pub fn lines(buffer: &Buffer) -> Vec<String> {
    let line = |y| {
        let mut line = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(text::width(symbol).max(1)).unwrap();
        }
        line.trim_end().to_owned()
    };
    (0..buffer.area.height).map(line).collect()
}

/// Compares what the state draws with the picture of that name.
pub fn check(name: &str, state: &State) {
    let (columns, lines_high) = state.size;
    compare(&format!("{name}.{columns}x{lines_high}"), &(lines(&drawn(state)).join("\n") + "\n"));
}

/// Compares a screen with the picture of that name.
pub fn compare(name: &str, shown: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/dashboard/view/snapshots/{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, shown).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}; BLESS=1 writes it", path.display()));
    assert!(kept == shown, "{} differs; BLESS=1 writes it anew. It is now:\n{shown}", path.display());
}
