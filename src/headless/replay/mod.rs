//! `replay`: an asciicast played through the same filter as a live session. The file may come from anyone.

mod cast;
mod play;

use std::path::PathBuf;
use std::time::Duration;

use super::{Context, Done};
use crate::terminal::{Screen, Size};
use cast::{Event, What};

/// What is played, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// The file.
    pub path: PathBuf,
    /// Times as fast.
    pub speed: f64,
    /// No pause is longer.
    pub idle_limit: Option<Duration>,
}

/// Plays it at the operator's terminal; without one, prints what its screen shows at the end.
pub async fn replay(context: &Context, asked: &Replay, has_terminal: bool) -> Done {
    let (head, mut events) = cast::open(&asked.path).await?;
    if has_terminal {
        return play::play(context, asked, head, events).await;
    }
    let mut screen = Screen::new(head, 0);
    while let Some(event) = events.recv().await {
        apply(&mut screen, &event?);
    }
    context.output.text(&text(&screen));
    Ok(0)
}

/// What a recording shows at its end, as [`replay`] prints it without a terminal.
pub fn last_screen(recording: impl std::io::BufRead) -> crate::failure::Result<String> {
    let mut screen = None;
    let read = cast::read(recording, std::path::Path::new("a recording"), |came| match came {
        cast::Came::Head(size) => {
            screen = Some(Screen::new(size, 0));
            true
        }
        cast::Came::Event(event) => {
            if let Some(screen) = &mut screen {
                apply(screen, &event);
            }
            true
        }
    });
    read.map(|()| screen.map_or_else(String::new, |screen| text(&screen)))
}

fn apply(screen: &mut Screen, event: &Event) {
    match &event.what {
        What::Output(bytes) => drop(screen.feed(bytes)),
        What::Resize(size) => screen.resize(*size),
    }
}

/// The characters of a screen, without blanks at the end of lines and without blank lines at the end.
fn text(screen: &Screen) -> String {
    let line = |line: u16| {
        let cells = screen.line(line.into()).filter(|cell| cell.width > 0);
        cells.flat_map(|cell| std::iter::once(cell.c).chain(cell.mark)).collect::<String>().trim_end().to_owned()
    };
    let lines: Vec<String> = (0..screen.size().rows()).map(line).collect();
    let used = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
    lines[..used].iter().flat_map(|line| [line, "\n"]).collect()
}

/// A size that somebody else wrote down.
fn size(columns: u64, rows: u64) -> Size {
    let side = |side: u64| u16::try_from(side).unwrap_or(u16::MAX);
    Size::new(side(columns), side(rows))
}
