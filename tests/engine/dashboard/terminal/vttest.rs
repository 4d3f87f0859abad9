//! vttest's cursor and screen tests, screen by screen, in the dashboard's terminal and in tmux.

use super::drawing;
use super::pair::Pair;

/// A VT100's.
const SIZE: (u16, u16) = (80, 24);
/// More screens than a menu has.
const MOST: usize = 60;

/// One screen, and how it differs.
struct Seen {
    menu: &'static str,
    number: usize,
    /// What it says of itself, in one line.
    said: String,
    different: Option<String>,
    /// What the dashboard shows.
    ours: Vec<String>,
}

#[test]
fn vttests_cursor_and_screen_tests_look_as_in_tmux() {
    let session = drawing();
    let mut seen = Vec::new();
    for menu in ["1", "2"] {
        // Each from a terminal that nothing has been set in.
        let pair = Pair::run(&session, SIZE, "vttest");
        pair.shows("Enter choice number");
        pair.line(menu);
        let mut before = None;
        for number in 1..=MOST {
            let different = pair.settles(before.as_ref()).err();
            let text = pair.plain_text();
            if text.contains("Enter choice number") {
                break;
            }
            let said = text.lines().map(str::trim).filter(|line| line.len() > 12 && line.contains(' ')).take(2).collect::<Vec<_>>();
            let cells = pair.cells();
            let ours = cells.0.iter().map(|row| row.iter().filter(|cell| cell.width > 0).map(|cell| cell.c).collect()).collect();
            seen.push(Seen { menu, number, said: said.join(" / "), different, ours });
            before = Some(cells);
            pair.keys(&["enter"]);
        }
    }
    let alike = seen.iter().filter(|screen| screen.different.is_none()).count();
    let mut unexplained = Vec::new();
    for screen in &seen {
        let known = KNOWN.iter().find(|known| (known.menu, known.number) == (screen.menu, screen.number));
        let verdict = match (&screen.different, known) {
            (None, _) => "as tmux".to_owned(),
            (Some(_), Some(known)) => format!("other: {}", known.why),
            (Some(different), None) => {
                unexplained.push(format!("{}.{} {}\n{different}", screen.menu, screen.number, screen.said));
                "OTHER".to_owned()
            }
        };
        eprintln!("vttest {}.{:<2} {} [{verdict}]", screen.menu, screen.number, screen.said);
    }
    eprintln!("vttest: {alike} of {} screens as tmux", seen.len());
    assert!(seen.len() >= 20, "both menus were gone through: {}", seen.len());
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
    // Where tmux differs, what vttest asks for on the screen itself decides.
    for number in [3, 4] {
        let wrapped = seen.iter().find(|screen| (screen.menu, screen.number) == ("1", number)).unwrap();
        for (row, letter) in ('I'..='Z').enumerate() {
            let line = &wrapped.ours[row + 2];
            let margins = (line.chars().next(), line.chars().nth(79));
            assert_eq!(margins, (Some(letter), Some(letter.to_ascii_lowercase())), "letters in order at both margins: {line:?}");
        }
    }
    let origin = seen.iter().find(|screen| screen.said.starts_with("Origin mode test")).unwrap();
    assert!(origin.ours[23].starts_with("Origin mode test. This line should be at the bottom of the screen."), "{:?}", origin.ours);
}

/// A screen that is another than tmux's, and why.
struct Known {
    menu: &'static str,
    number: usize,
    why: &'static str,
}

const fn known(menu: &'static str, number: usize, why: &'static str) -> Known {
    Known { menu, number, why }
}

/// After a character in the last column, xterm's cursor is on it, tmux's behind it: what moves it back ends a column apart.
const LAST_COLUMN: &str = "tmux's cursor stands behind the last column, a VT100's on it";

const KNOWN: [Known; 4] = [
    known("1", 2, LAST_COLUMN),
    known("1", 3, LAST_COLUMN),
    known("1", 4, LAST_COLUMN),
    known("2", 11, "tmux goes to the screen's first line when a region is set, though the origin is the region's (DECOM)"),
];
