use super::*;

fn screen(columns: u16, rows: u16) -> Screen {
    Screen::new(Size::new(columns, rows), 100)
}

fn text(screen: &Screen) -> Vec<String> {
    let past = i32::try_from(screen.past()).unwrap();
    (-past..i32::from(screen.size().rows()))
        .map(|line| screen.line(line).filter(|cell| cell.width > 0).map(|cell| cell.c).collect::<String>().trim_end().to_owned())
        .collect()
}

/// Each line's characters, and a look for each run of them: short where it fails.
fn cells(screen: &Screen) -> Vec<String> {
    let past = i32::try_from(screen.past()).unwrap();
    let line = |line| {
        let mut look = Look::default();
        let mut out = String::new();
        for cell in screen.line(line).filter(|cell| cell.width > 0) {
            if cell.look != look {
                look = cell.look;
                out.push_str(&look.sgr());
            }
            out.push(cell.c);
            out.extend(cell.mark);
        }
        out + if screen.is_wrapped(line) { "\\" } else { "" }
    };
    (-past..i32::from(screen.size().rows())).map(line).collect()
}

/// The same again, from what was written down.
fn again(one: &mut Screen) -> Screen {
    let mut other = Screen::new(one.size(), 100);
    let asked = other.feed(&one.dump());
    assert_eq!(asked, Asked::default(), "what is written down asks for nothing");
    other
}

#[test]
fn what_is_written_is_seen() {
    let mut screen = screen(10, 3);
    screen.feed("one\r\n\u{1b}[1;31mtwo\u{1b}[0m\r\n日本\r\nfour".as_bytes());
    assert_eq!(text(&screen), ["one", "two", "日本", "four"]);
    let red = screen.line(0).next().unwrap().look;
    assert_eq!((red.bold, red.foreground), (true, Colour::Indexed(1)));
    assert_eq!(screen.cursor(), (4, 2));
}

#[test]
fn clearing_up_to_the_cursor_clears_every_line_before_it() {
    for rows in 1..4 {
        let mut screen = screen(10, 4);
        screen.feed(format!("one\r\ntwo\r\nthree\r\nfour\u{1b}[{rows};2H\u{1b}[1J").as_bytes());
        assert!((0..rows - 1).all(|line| text(&screen)[line].is_empty()), "{:?}", text(&screen));
    }
}

#[test]
fn a_screen_written_down_is_the_same_screen() {
    for written in [
        "one\r\ntwo\r\nthree\r\nfour\r\nfive",
        "\u{1b}[1;38;2;1;2;3;48;5;200mcolours\u{1b}[0m \u{1b}[3;4;7;9mall\u{1b}[24m of\r\nthem",
        "a long line that is wrapped once or twice, and goes on\r\nend",
        "0123456789",
        "012345678日本",
        "a line that is wrapped\u{1b}[K\r\u{1b}[K and what it went on in is gone\u{1b}[2K",
        "\r\n\r\n\r\n\u{1b}[41m0123456789ab\u{1b}[0m\u{1b}[K",
        "\r\n\r\n\r\n\u{1b}[41m0123456789ab\u{1b}[42m\u{1b}[K\r\n\u{1b}[m",
        "hid \u{1b}[8m日本x\u{1b}[28m en",
        "e\u{301}e\u{301} 日本\u{1b}[5C\u{1b}[41m  \u{1b}[K",
        "\u{1b}[2;3r\u{1b}[?6hx\u{1b}[2;2H\u{1b}[?1h\u{1b}=\u{1b}[?2004h\u{1b}[?1002h\u{1b}[?1006h\u{1b}[?25l\u{1b}[4 q",
        "\u{1b}(0lqqk\u{1b}(B plain \u{1b})0\u{e}qq",
        "primary\r\n1\r\n2\r\n3\r\n4\u{1b}[31m\u{1b}[?1049h\u{1b}[H\u{1b}[2Jthe other\u{1b}[3;4H",
        "behind\u{1b}[2;3r\u{1b}[?6h\u{1b}[?1049h\u{1b}[1;1Ha\r\nb\r\nc\u{1b}[?6l\u{1b}[4;3Hlast",
        "\u{1b})0q\u{e}\u{1b}[41m\u{1b}[?1049h\u{f}\u{1b})Bqq",
        "\u{1b})0\u{1b}[1;10Hq\u{301}\u{e}",
    ] {
        let mut one = screen(10, 4);
        one.feed(written.as_bytes());
        let before = (cells(&one), one.cursor(), one.modes(), one.shows_cursor(), one.cursor_shape());
        let mut other = again(&mut one);
        assert_eq!(
            (cells(&one), one.cursor(), one.modes(), one.shows_cursor(), one.cursor_shape()),
            before,
            "it stays as it was: {written:?}"
        );
        assert_eq!(cells(&other), cells(&one), "{written:?}");
        // And goes on alike.
        for next in ["x", "\r\n\u{1b}[mnext", "\u{1b}[?1049l\u{1b}[r\u{1b}[?6l", "back\r\n\r\n"] {
            one.feed(next.as_bytes());
            other.feed(next.as_bytes());
            assert_eq!(cells(&other), cells(&one), "{written:?} and then {next:?}");
            assert_eq!((other.cursor(), other.modes(), other.shows_cursor()), (one.cursor(), one.modes(), one.shows_cursor()));
        }
    }
}

#[test]
fn a_line_that_was_full_goes_on_where_there_is_more_room_now() {
    for enter in ["", "\u{1b}[?1049h"] {
        let mut one = screen(4, 2);
        one.feed(format!("{enter}\u{1b}[Habcd").as_bytes());
        one.resize(Size::new(8, 2));
        let mut other = again(&mut one);
        for screen in [&mut one, &mut other] {
            screen.feed(b"e");
            assert_eq!((text(screen), screen.cursor()), (vec!["abcde".to_owned(), String::new()], (5, 0)), "{enter:?}");
        }
    }
}

#[test]
fn a_terminal_answers_whoever_writes_to_it_and_asks_for_the_rest() {
    let mut screen = screen(20, 4);
    let asked = screen.feed(b"ab\x1b[6n\x1b[c\x1b]2;title\x07\x1b]52;c;aGk=\x07\x07\x07");
    assert!(asked.answers.starts_with(b"\x1b[1;3R\x1b[?"), "{asked:?}");
    assert_eq!((asked.title.as_deref(), asked.clipboard.as_deref(), asked.bells), (Some("title"), Some(&b"aGk="[..]), 2));
    assert_eq!(
        screen.feed(b"\x1b[14t\x1b[18t\x1b]52;c;?\x07\x1b]10;?\x07\x1b]4;1;?\x07\x1b[?u\x1b[>q\x1bP+q544e\x1b\\\x1bP$qm\x1b\\"),
        Asked::default()
    );
}

#[test]
fn what_a_sandbox_sends_takes_no_more_room_than_a_screen() {
    let mut screen = screen(20, 4);
    screen.feed(b"e");
    for _ in 0..10_000 {
        screen.feed("\u{301}\u{302}\u{303}\u{1b}[D\u{1b}[C".as_bytes());
    }
    let most = (0..20)
        .filter_map(|at| {
            screen.term.grid()[alacritty_terminal::index::Line(0)][alacritty_terminal::index::Column(at)].zerowidth().map(<[char]>::len)
        })
        .max();
    assert!(most <= Some(4), "{most:?}");
    screen.feed(&b"\x1b]0;".repeat(100));
    screen.feed(&vec![b'A'; 10 << 20]);
    assert!(screen.feed(b"\x07").title.is_none_or(|title| title.chars().count() <= 256));
    assert_eq!(Size::new(65_535, 65_535), Size::MOST);
}

#[test]
fn lines_that_scroll_off_are_counted_also_when_no_more_are_remembered() {
    let mut screen = Screen::new(Size::new(20, 4), 10);
    for round in 1..=5_u64 {
        screen.feed(&b"line\r\n".repeat(6));
        assert_eq!(screen.gone(), round * 6 - 3, "after {round}");
    }
    assert_eq!(screen.past(), 10);
    // What scrolls within a region, or on the alternate screen, is not gone.
    let before = screen.gone();
    screen.feed(b"\x1b[?1049h\r\n\r\n\r\n\r\n\r\n\r\n\x1b[?1049l");
    assert_eq!(screen.gone(), before);
    screen.keep(3);
    assert_eq!(screen.past(), 3);
    screen.feed(b"\r\n\r\n\r\n\r\n\r\n");
    assert_eq!(screen.past(), 3);
}

#[test]
fn a_cursor_that_moves_stays_within_its_region_wherever_the_origin_is() {
    for (written, at) in [
        // As xterm: up and down stop at the region's edge, from inside it.
        ("\u{1b}[3;5r\u{1b}[4;1H\u{1b}[9A", (0, 2)),
        ("\u{1b}[3;5r\u{1b}[4;1H\u{1b}[9B", (0, 4)),
        ("\u{1b}[3;5r\u{1b}[1;4H\u{1b}[9B", (3, 4)),
        ("\u{1b}[3;5r\u{1b}[7;1H\u{1b}[9B", (0, 7)),
        ("\u{1b}[3;5r\u{1b}[2;1H\u{1b}[9A", (0, 0)),
        ("\u{1b}[3;5r\u{1b}[4;9H\u{1b}[9F", (0, 2)),
        // And where the region is the origin, a move from here is no move to there.
        ("\u{1b}[3;5r\u{1b}[?6h\u{1b}[2;2H\u{1b}[7G", (6, 3)),
        ("\u{1b}[3;5r\u{1b}[?6h\u{1b}[3;2H\u{1b}[A", (1, 3)),
        ("\u{1b}[3;5r\u{1b}[?6h\u{1b}[24A", (0, 2)),
        ("\u{1b}[3;5r\u{1b}[?6h\u{1b}[24B", (0, 4)),
    ] {
        let mut screen = screen(20, 8);
        screen.feed(written.as_bytes());
        assert_eq!(screen.cursor(), at, "{written:?}");
    }
}

#[test]
fn a_double_underline_is_one() {
    let mut screen = screen(20, 2);
    screen.feed(b"\x1b[1;21mx\x1b[22;24my");
    let looks: Vec<(bool, bool)> = screen.line(0).take(2).map(|cell| (cell.look.bold, cell.look.underline)).collect();
    assert_eq!(looks, [(true, true), (false, false)]);
}

#[test]
fn of_a_wide_character_both_halves_go() {
    for written in [
        "a\u{65e5}\x1b[3G\x1b[X",
        "a\u{65e5}\x1b[2G\x1b[X",
        "a\u{65e5}\x1b[3G\x1b[K",
        "a\u{65e5}\x1b[2G\x1b[1K",
        "a\u{65e5}\x1b[3G\x1b[P",
        "a\u{65e5}\x1b[2G\x1b[P",
        "a\u{65e5}\x1b[3G\x1b[@",
        "a\u{65e5}\x1b[3G\x1b[J",
        "a\u{65e5}\x1b[2G\x1b[1J",
        "\x1b[17G\u{65e5}\x1b[3G\x1b[2@",
        "\x1b[17G\u{65e5}\x1b[3G\x1b[4hxx",
        "\x1b[?1049h\x1b[16G\u{65e5}",
    ] {
        let mut screen = screen(18, 2);
        screen.feed(written.as_bytes());
        screen.resize(Size::new(16, 2));
        screen.resize(Size::new(18, 2));
        assert!(
            screen.line(0).all(|cell| cell.width == 1),
            "{written:?}: {:?}",
            screen.line(0).map(|cell| (cell.c, cell.width)).collect::<Vec<_>>()
        );
    }
    let mut whole = screen(18, 2);
    whole.feed("a\u{65e5}b\x1b[1G\x1b[@\x1b[1;7H\x1b[K".as_bytes());
    assert_eq!(whole.line(0).map(|cell| cell.width).take(6).collect::<Vec<_>>(), [1, 1, 2, 0, 1, 1]);
}
