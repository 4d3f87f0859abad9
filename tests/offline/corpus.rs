//! Every hostile sequence through everything that a sandbox's text goes through on its way to an operator: none acts.

use std::collections::HashSet;

use bytes::Bytes;
use palisade::backend::engine::{Output, OutputKind};
use palisade::failure::{Code, Failure};
use palisade::headless::foreground::Encoding;
use palisade::headless::line;
use palisade::terminal::{Screen, Size};
use palisade::units::{Untrusted, plain_width, sanitise};

use crate::common::corpus::corpus;

/// Characters that a terminal draws, and of the others only these.
fn inert(text: &str, also: &[char]) -> bool {
    text.chars().all(|c| also.contains(&c) || plain_width(c).is_some())
}

#[test]
fn each_is_named_once_and_says_what_it_would_do() {
    let all = corpus();
    assert!(all.len() >= 200, "{}", all.len());
    assert_eq!(all.iter().map(|one| one.name).collect::<HashSet<_>>().len(), all.len());
    assert!(all.iter().all(|one| !one.effect.is_empty() && !one.bytes.is_empty()));
    assert!(all.iter().all(|one| !std::str::from_utf8(&one.bytes).is_ok_and(|text| inert(text, &[]))), "every one of them would act");
}

#[test]
fn a_screen_holds_plain_cells_whatever_is_written_to_it() {
    for one in corpus() {
        for piece in [1, 3, one.bytes.len()] {
            let mut screen = Screen::new(Size::new(40, 10), 50);
            screen.feed(b"before ");
            for piece in one.bytes.chunks(piece) {
                let asked = screen.feed(piece);
                assert!(asked.title.is_none_or(|title| title.chars().count() <= 256), "{}", one.name);
                assert!(asked.answers.iter().all(|byte| matches!(byte, 0x1b | b' '..=b'~')), "{}: {:?}", one.name, asked.answers);
            }
            screen.feed(b" after");
            for line in -i32::try_from(screen.past()).unwrap()..10 {
                let cells: Vec<_> = screen.line(line).collect();
                assert_eq!(cells.len(), usize::from(screen.size().columns()), "{}", one.name);
                for cell in cells {
                    let plain = if cell.width == 0 { cell.c == ' ' } else { plain_width(cell.c) == Some(usize::from(cell.width)) };
                    assert!(plain && cell.mark.is_none_or(|mark| !mark.is_control()), "{}: {cell:?}", one.name);
                }
            }
            assert_eq!(screen.size(), Size::new(40, 10), "{} has no say in how large it is", one.name);
        }
    }
}

/// What a terminal answers goes to the sandbox that asked, and says nothing of the operator's own terminal.
#[test]
fn what_a_screen_answers_is_of_the_screen_alone() {
    let mut answering = Vec::new();
    for one in corpus() {
        let mut screen = Screen::new(Size::new(40, 10), 50);
        if !screen.feed(&one.bytes).answers.is_empty() {
            answering.push(one.name);
        }
    }
    let known = [
        "query-da1",
        "query-da1-c1",
        "query-da2",
        "query-decid",
        "query-dsr",
        "query-cpr",
        "query-dsr-flood",
        "query-decrqm",
        "latin1-c1-csi",
    ];
    let unknown: Vec<_> = answering.iter().filter(|name| !known.contains(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn what_a_screen_writes_down_of_itself_asks_for_nothing() {
    for one in corpus() {
        let mut screen = Screen::new(Size::new(40, 10), 50);
        screen.feed(&one.bytes);
        let mut other = Screen::new(Size::new(40, 10), 50);
        let dump = screen.dump();
        assert_eq!(other.feed(&dump), palisade::terminal::Asked::default(), "{}", one.name);
        for line in 0..10 {
            assert!(other.line(line).eq(screen.line(line)), "{}: line {line} of {:?}", one.name, String::from_utf8_lossy(&dump));
        }
    }
}

#[test]
fn sanitised_text_is_one_line_that_no_terminal_acts_on() {
    for one in corpus() {
        let text = String::from_utf8_lossy(&one.bytes);
        for shown in [sanitise(&text), Untrusted::from(&*text).to_string(), format!("{:>20}", Untrusted::from(&*text))] {
            assert!(inert(&shown, &[]), "{}: {shown:?}", one.name);
        }
    }
}

#[test]
fn a_failure_shows_none_of_them_in_any_of_its_parts() {
    for one in corpus() {
        let text = String::from_utf8_lossy(&one.bytes);
        let failure = Failure::new(Code::NotFound, &*text).detail(&*text).hint(&*text);
        let shown = failure.to_string();
        assert!(inert(&shown, &['\n']), "{}: {shown:?}", one.name);
        assert_eq!(shown.lines().count(), 3, "{}: a line of it is forged: {shown:?}", one.name);
    }
}

#[test]
fn a_log_shows_none_of_them_however_the_stream_is_cut() {
    for one in corpus() {
        for piece in [1, 2, 5, one.bytes.len()] {
            let mut encoding = Encoding::shown();
            let mut shown = Vec::new();
            for piece in one.bytes.chunks(piece) {
                let output = Output { kind: OutputKind::Stdout, bytes: Bytes::copy_from_slice(piece) };
                shown.extend(encoding.encode(output).into_iter().flat_map(|(_, bytes)| bytes));
            }
            shown.extend(encoding.rest().into_iter().flat_map(|(_, bytes)| bytes));
            let shown = String::from_utf8(shown).unwrap();
            assert!(inert(&shown, &['\n', '\t']), "{} in pieces of {piece}: {shown:?}", one.name);
        }
    }
}

#[test]
fn json_is_ascii_whatever_is_in_it_and_loses_nothing() {
    for one in corpus() {
        let text = String::from_utf8_lossy(&one.bytes);
        let document = line(&serde_json::json!({ "text": text, &*text: 1 }));
        assert!(document.iter().rev().skip(1).all(|byte| matches!(byte, b' '..=b'~')), "{}", one.name);
        let back: serde_json::Value = serde_json::from_slice(&document).unwrap();
        assert_eq!(back["text"], *text, "{}", one.name);

        let mut encoding = Encoding::json(false);
        let output = Output { kind: OutputKind::Stdout, bytes: Bytes::from(one.bytes.clone()) };
        let piece = encoding.encode(output).into_iter().chain(encoding.rest()).flat_map(|(_, bytes)| bytes);
        assert!(piece.into_iter().all(|byte| matches!(byte, b'\n' | b' '..=b'~')), "{}", one.name);
    }
}
