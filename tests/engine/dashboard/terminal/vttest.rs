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
}

#[test]
#[expect(clippy::print_stderr, reason = "a score for whoever runs the tests")]
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
            seen.push(Seen { menu, number, said: said.join(" / "), different });
            before = Some(pair.cells());
            pair.keys(&["enter"]);
        }
    }
    let alike = seen.iter().filter(|screen| screen.different.is_none()).count();
    for screen in &seen {
        let verdict = if screen.different.is_none() { "as tmux" } else { "OTHER" };
        eprintln!("vttest {}.{:<2} {verdict:<8} {}", screen.menu, screen.number, screen.said);
        if let Some(different) = &screen.different {
            eprintln!("{different}");
        }
    }
    eprintln!("vttest: {alike} of {} screens as tmux", seen.len());
    assert!(seen.len() >= 15, "both menus were gone through: {}", seen.len());
    assert!(alike + KNOWN >= seen.len(), "{alike} of {} screens are as in tmux", seen.len());
}

/// Screens that are known to differ.
const KNOWN: usize = 0;
