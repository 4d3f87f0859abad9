use proptest::prelude::*;

use super::*;

#[path = "../../../tests/common/allowlist.rs"]
mod allowlist;

/// A program's screen, and an operator's terminal that is shown it.
struct Pair {
    program: Screen,
    /// The same program at a terminal of its own.
    whole: Screen,
    operator: Screen,
    renderer: Renderer,
    sent: usize,
}

impl Pair {
    fn new(columns: u16, rows: u16) -> Self {
        let size = Size::new(columns, rows);
        let mut pair = Self {
            program: Screen::new(size, 1000),
            whole: Screen::new(size, 1000),
            operator: Screen::new(size, 1000),
            renderer: Renderer::new(size),
            sent: 0,
        };
        pair.operator.feed(b"$ palisade shell web\r\n\x1b[31mred");
        let begun = pair.renderer.begin();
        pair.send(&begun);
        assert!(pair.operator.past() >= usize::from(rows));
        pair.operator.forget();
        pair
    }

    fn send(&mut self, bytes: &[u8]) {
        self.sent += bytes.len();
        if let Err(wrong) = allowlist::check(bytes) {
            panic!("{wrong}");
        }
        assert_eq!(self.operator.feed(bytes).answers, b"", "the operator's terminal answers nothing");
    }

    fn write(&mut self, bytes: &[u8]) {
        self.program.feed(bytes);
        self.whole.feed(bytes);
    }

    fn show(&mut self) {
        let frame = self.renderer.frame(&mut self.program);
        self.send(&frame);
        let again = self.renderer.frame(&mut self.program);
        assert_eq!(String::from_utf8(again).unwrap(), "", "what is shown already is not sent again");
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        let size = Size::new(columns, rows);
        self.program.resize(size);
        self.whole.resize(size);
        self.operator.resize(size);
        self.renderer.resize(size);
    }

    /// The operator sees what the program made, cell by cell.
    fn same(&self) {
        let size = self.program.size();
        for line in 0..i32::from(size.rows()) {
            let row = |screen| row_of(screen, line, size.columns());
            assert_eq!(text(&row(&self.operator)), text(&row(&self.program)), "line {line}");
            assert_eq!(row(&self.operator), row(&self.program), "line {line}");
        }
        assert_eq!(self.operator.shows_cursor(), self.program.shows_cursor());
        if self.program.shows_cursor() {
            assert_eq!(self.operator.cursor(), self.program.cursor());
        }
        assert_eq!(self.operator.cursor_shape(), self.program.cursor_shape());
        assert_eq!(self.operator.modes().alternate, self.program.modes().alternate);
    }

    /// And above it what scrolled off.
    fn same_past(&self) {
        let columns = self.whole.size().columns();
        let past = |screen: &Screen| -> Vec<String> {
            let lines = i32::try_from(screen.past()).unwrap();
            (-lines..0).map(|line| text(&row_of(screen, line, columns))).collect()
        };
        assert_eq!(past(&self.operator), past(&self.whole));
    }
}

fn text(row: &[Cell]) -> String {
    row.iter().filter(|cell| cell.width > 0).flat_map(|cell| std::iter::once(cell.c).chain(cell.mark)).collect()
}

#[test]
fn what_scrolls_off_is_in_the_operators_scrollback() {
    let mut pair = Pair::new(20, 5);
    for line in 0..50 {
        pair.write(format!("\u{1b}[3{}mline {line}\u{1b}[0m\r\n", line % 8).as_bytes());
        if line % 7 == 0 {
            pair.show();
            pair.same();
            pair.same_past();
        }
    }
    pair.show();
    pair.same();
    pair.same_past();
    assert_eq!(pair.program.past(), 0);
}

#[test]
fn one_more_line_takes_few_bytes() {
    let mut pair = Pair::new(80, 24);
    for line in 0..30 {
        pair.write(format!("a line of some length, number {line}\r\n").as_bytes());
    }
    pair.show();
    pair.sent = 0;
    pair.write(b"x");
    pair.show();
    assert_eq!(pair.sent, 1, "a key's echo is the key");
    pair.write(b"\r\nnext line");
    pair.sent = 0;
    pair.show();
    assert!(pair.sent < 40, "{} bytes", pair.sent);
    pair.same();
    pair.same_past();
}

#[test]
fn the_alternate_screen_is_the_operators_and_what_was_below_comes_back() {
    let mut pair = Pair::new(20, 5);
    pair.write(b"$ vim\r\n");
    pair.show();
    pair.write(b"\x1b[?1049h\x1b[H\x1b[2J\x1b[44m~\x1b[K\r\n~\x1b[0m\x1b[4 q\x1b[?25l");
    pair.show();
    pair.same();
    pair.write(b"\x1b[?1049l\x1b[0 q\x1b[?25h$ ");
    pair.show();
    pair.same();
    pair.same_past();
    // The same with a change of size in between.
    pair.write(b"\x1b[?1049hfull screen");
    pair.show();
    pair.resize(30, 8);
    pair.show();
    pair.same();
    pair.write(b"\x1b[?1049l");
    pair.show();
    pair.same();
}

#[test]
fn it_ends_plain_below_the_last_line() {
    for (written, row) in
        [("one\r\ntwo", 2), ("", 0), ("one\r\n\r\n", 1), ("\u{1b}[?1049h\u{1b}[5;5Hvim", 0), ("1\r\n2\r\n3\r\n4\r\n5\r\n6", 4)]
    {
        let mut pair = Pair::new(20, 5);
        pair.write(written.as_bytes());
        pair.write(b"\x1b[31m\x1b[?25l\x1b[5 q");
        pair.show();
        let end = pair.renderer.end();
        pair.send(&end);
        assert_eq!(pair.operator.cursor(), (0, row), "{written:?}");
        assert!(pair.operator.shows_cursor() && !pair.operator.modes().alternate);
        assert_eq!(pair.operator.cursor_shape(), 0);
        pair.operator.feed(b"x");
        assert_eq!(pair.operator.line(row.into()).next().unwrap().look, super::super::Look::default());
        assert_eq!(text(&row_of(&pair.operator, row.into(), 20)).trim_end(), "x", "nothing was there");
    }
}

#[test]
fn a_screen_of_another_size_is_cut() {
    let mut renderer = Renderer::new(Size::new(10, 4));
    let mut operator = Screen::new(Size::new(10, 4), 100);
    let mut program = Screen::new(Size::new(30, 10), 100);
    operator.feed(&renderer.begin());
    for line in 0..10 {
        program.feed(format!("\r\n{line} is a rather long line").as_bytes());
    }
    operator.feed(&renderer.frame(&mut program));
    let shown: Vec<String> = (0..4).map(|line| text(&row_of(&operator, line, 10))).collect();
    assert_eq!(shown, ["6 is a rat", "7 is a rat", "8 is a rat", "9 is a rat"]);
}

#[test]
fn clearing_an_empty_screen_adds_nothing_to_the_past() {
    let mut pair = Pair::new(2, 2);
    for piece in ["\r\n", "   aa    a   a aa  a a a ", "\r\n", "a ", "\u{1b}[11b", "\r\n\r\n\r\n", "││…🦀……🦀", "👨\u{200d}👩"]
    {
        pair.write(piece.as_bytes());
    }
    pair.show();
    pair.same();
    // Of a screen that is empty by now nothing scrolls off.
    for piece in ["\u{1b}[0;0H", "\u{1b}[9T", "\u{1b}[2J"] {
        pair.write(piece.as_bytes());
    }
    pair.show();
    pair.same_past();
}

/// Pieces that programs write, honest or not.
fn piece() -> impl Strategy<Value = String> {
    let number = 0..14u16;
    prop_oneof![
        4 => "[a-z ]{1,30}",
        2 => "[日本語ｱé─│🦀🙂…→]{1,12}",
        1 => "[a-c]\u{301}\u{302}|👨\u{200d}👩|\u{202e}x|\u{fe0f}|🇩🇪",
        3 => Just("\r\n".to_owned()),
        1 => "[\r\n\t\u{8}\u{b}\u{e}\u{f}]{1,5}",
        2 => (number.clone(), number.clone()).prop_map(|(y, x)| format!("\u{1b}[{y};{x}H")),
        1 => (number.clone(), number.clone()).prop_map(|(top, bottom)| format!("\u{1b}[{top};{bottom}r")),
        3 => (number.clone(), "[ABCDGdLMPSTX@JKZIb]").prop_filter("ED 3 forgets", |(count, last)| !(*count == 3 && last == "J"))
            .prop_map(|(count, last)| format!("\u{1b}[{count}{last}")),
        3 => "(0|1|2|3|4|7|9|22|27|3[0-7]|4[0-7]|9[0-7]|10[0-7]|38;5;200|48;5;17|38;2;9;8;7|48;2;1;2;3)(;1|;7|;44)?"
            .prop_map(|look| format!("\u{1b}[{look}m")),
        1 => "\\?(25|6|7|1|2004|1000)[hl]|4[hl]|20[hl]|[0-6] q".prop_map(|mode| format!("\u{1b}[{mode}")),
        1 => "\u{1b}[MDE78=>]|\u{1b}\\(0|\u{1b}\\(B|\u{1b}#8",
        1 => Just("\u{1b}]2;title\u{7}\u{1b}]8;;http://x\u{1b}\\\u{1b}P+q\u{1b}\\\u{1b}[6n\u{1b}[c\u{7}".to_owned()),
    ]
}

#[test]
fn what_was_written_between_two_moves_of_the_cursor_is_shown() {
    for away in ["\u{1b}[A", "\u{1b}[B", "\u{1b}[E", "\u{1b}[F", "\u{1b}[2d", "\u{1b}[4;2H", "\u{1b}8"] {
        let mut pair = Pair::new(10, 7);
        pair.write(b"1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\x1b[2;1H\x1b7\x1b[7;1H");
        pair.show();
        pair.write(format!("\u{1b}[2A{}", "new").as_bytes());
        pair.write(format!("{away}and\u{1b}[A").as_bytes());
        pair.show();
        pair.same();
    }
}

#[derive(Debug, Clone)]
enum Step {
    Write(String),
    Show,
    Alternate(bool),
    Resize(u16, u16),
}

fn step(with_changes: bool) -> impl Strategy<Value = Step> {
    let weight = u32::from(with_changes);
    prop_oneof![
        12 => piece().prop_map(Step::Write),
        4 => Just(Step::Show),
        weight => any::<bool>().prop_map(Step::Alternate),
        weight => (2..30u16, 2..12u16).prop_map(|(columns, rows)| Step::Resize(columns, rows)),
    ]
}

fn play(steps: &[Step], columns: u16, rows: u16) -> Pair {
    let mut pair = Pair::new(columns, rows);
    for step in steps {
        match step {
            Step::Write(text) => pair.write(text.as_bytes()),
            Step::Alternate(on) => pair.write(if *on { b"\x1b[?1049h" } else { b"\x1b[?1049l" }),
            Step::Resize(columns, rows) => pair.resize(*columns, *rows),
            Step::Show => {
                pair.show();
                pair.same();
            }
        }
    }
    pair.show();
    pair.same();
    pair
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_written_is_shown(steps in proptest::collection::vec(step(true), 1..60), columns in 2..30u16, rows in 2..12u16) {
        let mut pair = play(&steps, columns, rows);
        let end = pair.renderer.end();
        pair.send(&end);
        prop_assert!(pair.operator.shows_cursor() && !pair.operator.modes().alternate);
    }

    #[test]
    fn and_every_line_that_scrolls_off_is_kept(steps in proptest::collection::vec(step(false), 1..80), columns in 2..30u16, rows in 2..12u16) {
        play(&steps, columns, rows).same_past();
    }

    #[test]
    fn no_bytes_get_through_the_grammar(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut pair = Pair::new(12, 4);
        pair.write(&bytes);
        pair.show();
        pair.same();
    }
}
