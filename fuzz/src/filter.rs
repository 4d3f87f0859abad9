//! Whatever is written to a screen, in whatever pieces and between whatever sizes: its cells are plain, it stays
//! within its room, what it writes down of itself makes it anew, and what is drawn of it is drawing.

use std::time::Duration;

use palisade::terminal::{Asked, Beside, Cell, Grants, Modes, Renderer, Screen, Size};
use palisade::units::plain_width;

#[path = "../../tests/common/allowlist.rs"]
mod allowlist;

/// Lines that are remembered: few, so that they are soon full.
const PAST: usize = 20;

/// `0xff` cuts the stream here; `0xfe` and two more bytes give another size. The rest is written.
pub fn check(data: &[u8]) {
    let mut screen = Screen::new(Size::new(20, 6), PAST);
    let mut renderer = Renderer::new(screen.size());
    let mut beside = Beside::new("web", Grants { title: true, clipboard: true });
    drawing(&renderer.begin());
    let mut now = Duration::ZERO;
    let mut rest = data;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte >= 0xfe).unwrap_or(rest.len());
        let asked = screen.feed(&rest[..end]);
        harmless(&asked);
        now += Duration::from_millis(100);
        drawing(&beside.answer(&asked, now));
        drawing(&renderer.frame(&mut screen));
        rest = match &rest[end..] {
            [0xfe, columns, rows, more @ ..] => {
                screen.resize(Size::new(u16::from(*columns), u16::from(*rows) / 4));
                renderer.resize(screen.size());
                more
            }
            [_, more @ ..] => more,
            [] => &[],
        };
    }
    // What has begun is no part of what is seen: a sequence is given up by the first, and a character by what is no part of it. Before an
    // escape that is the second, because the first is the escape's.
    screen.feed(b"\x18\x18");
    plain(&screen);
    let mut other = Screen::new(screen.size(), PAST);
    let written = screen.dump();
    assert_eq!(other.feed(&written), Asked::default(), "what is written down asks for nothing");
    assert_eq!(seen(&other), seen(&screen), "written down as {:?}", String::from_utf8_lossy(&written));
    let leave = b"\x1b[?1049l";
    screen.feed(leave);
    other.feed(leave);
    assert_eq!(lines(&other), lines(&screen), "behind the alternate screen, written down as {:?}", String::from_utf8_lossy(&written));
}

/// What reaches the operator's terminal is of the few things that may.
fn drawing(bytes: &[u8]) {
    if let Err(fault) = allowlist::check(bytes) {
        panic!("{fault}");
    }
}

/// What is passed on of what was asked is bounded, and an answer is a terminal's.
fn harmless(asked: &Asked) {
    assert!(asked.title.as_ref().is_none_or(|title| title.chars().count() <= 256));
    assert!(asked.clipboard.as_ref().is_none_or(|text| text.len() <= 64 << 10));
    assert!(asked.answers.iter().all(|byte| matches!(byte, 0x1b | b' '..=b'~')), "{:?}", String::from_utf8_lossy(&asked.answers));
}

fn plain(screen: &Screen) {
    let size = screen.size();
    let past = i32::try_from(screen.past()).unwrap_or(i32::MAX);
    assert!(screen.past() <= PAST);
    for line in -past..i32::from(size.rows()) {
        let (mut columns, mut before) = (0, 1);
        for Cell { c, mark, width, .. } in screen.line(line) {
            columns += 1;
            match width {
                0 => assert_eq!(c, ' '),
                width => assert_eq!(plain_width(c), Some(usize::from(width)), "{c:?}"),
            }
            // A wide character and the cell that it covers come together.
            assert_eq!(before == 2, width == 0, "{c:?} at {columns} of line {line}");
            before = width;
            assert!(mark.is_none_or(|mark| unicode_width::UnicodeWidthChar::width(mark) == Some(0) && !mark.is_control()), "{mark:?}");
        }
        assert_ne!(before, 2, "line {line}");
        assert_eq!(columns, usize::from(size.columns()));
    }
    let (column, row) = screen.cursor();
    assert!(column < size.columns() && row < size.rows());
}

type Seen = (Vec<Vec<Cell>>, (u16, u16), Modes, bool, u8);

fn seen(screen: &Screen) -> Seen {
    (lines(screen), screen.cursor(), screen.modes(), screen.shows_cursor(), screen.cursor_shape())
}

fn lines(screen: &Screen) -> Vec<Vec<Cell>> {
    (0..i32::from(screen.size().rows())).map(|line| screen.line(line).collect()).collect()
}
