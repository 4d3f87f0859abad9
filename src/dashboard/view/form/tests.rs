//! The form on a screen of each size, as files.

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::dashboard::app::effect::Effect;
use crate::dashboard::app::form::samples::{answer, form, planned, press};
use crate::dashboard::app::form::{Ground, Outcome, Remembered};
use crate::dashboard::app::state::Focus as PaneFocus;
use crate::dashboard::snapshot;
use crate::failure::{Code, Failure};

const SIZES: [(u16, u16); 3] = [(80, 24), (40, 12), (160, 50)];

fn state() -> State {
    State {
        now: jiff::Timestamp::UNIX_EPOCH,
        size: (80, 24),
        link: crate::dashboard::app::link::Link::default(),
        engine: crate::dashboard::app::link::EngineFacts::default(),
        totals: crate::dashboard::app::totals::Totals::default(),
        list: crate::dashboard::app::list::List::default(),
        detail: crate::dashboard::app::detail::Detail::default(),
        focus: PaneFocus::default(),
        zoomed: false,
        terminals: crate::dashboard::app::terminals::Terminals::default(),
        overlay: None,
        jobs: Vec::new(),
        next: 1,
        notices: crate::dashboard::app::notice::Notices::default(),
        keymap: crate::dashboard::app::keymap::Keymap::default(),
        themes: Vec::new(),
        theme: std::sync::Arc::default(),
        ascii: false,
        form: Remembered::default(),
        ground: Ground::default(),
        dirty: true,
    }
}

/// The screen as text, with the cursor's place in the last line.
fn screen(form: &Form, state: &State, (columns, lines): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, lines)).unwrap();
    // As wide as the dashboard's layout makes it.
    let wide = columns.min(120);
    let area = Rect { x: (columns - wide) / 2, y: 0, width: wide, height: lines };
    terminal.draw(|frame| draw(frame, area, state, form)).unwrap();
    let cursor = terminal.get_cursor_position().unwrap();
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for y in 0..lines {
        let mut line = String::new();
        let mut x = 0;
        while x < columns {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(symbol.width().max(1)).unwrap();
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    format!("{text}cursor {},{}\n", cursor.x, cursor.y)
}

fn compare(name: &str, form: &Form) {
    for (columns, lines) in SIZES {
        let shown = screen(form, &state(), (columns, lines));
        snapshot::compare(&format!("form-{name}-{columns}x{lines}"), &shown);
    }
}

fn opened(next: &mut u64) -> Form {
    let mut form = form();
    let effects = form.opened(next);
    answer(&mut form, &effects);
    form
}

#[test]
fn a_new_form() {
    compare("new", &opened(&mut 1));
    compare("waiting", &form());
}

#[test]
fn a_filled_form_with_its_plan() {
    let mut next = 1;
    let mut form = opened(&mut next);
    form.set(Field::Command, "python3 -c 'print(\"日本\")' --a-long-flag=with-a-long-value");
    press(&mut form, &mut next, "`web` tab tab right down down down `10m` down `src/web` tab down right");
    press(&mut form, &mut next, "tab `LANG=C.UTF-8` down down right right down `8GiB`");
    compare("filled", &form);
}

#[test]
fn errors_beside_their_fields() {
    let mut next = 1;
    let mut form = opened(&mut next);
    form.set(Field::Command, "cat x | wc");
    press(&mut form, &mut next, "`a b` down down down down down `soon`");
    compare("wrong", &form);
}

#[test]
fn a_refused_plan_and_the_paths_that_there_are() {
    let mut next = 1;
    let mut form = opened(&mut next);
    press(&mut form, &mut next, "`web` down down down down down down");
    form.set(Field::Workspace, "/et");
    let Outcome::Stay(effects) = form.key("c".parse().unwrap(), &mut next) else { panic!() };
    let Some(Effect::Preview(number, _)) = effects.first() else { panic!("{effects:?}") };
    let failure = Failure::new(Code::Refused, "this folder cannot be a workspace")
        .detail("'--workspace' /etc: it is the system's own")
        .detail("it is not on the list of the places that this machine's operator allows for sessions")
        .hint("give a folder of your own");
    form.previewed(*number, Err(failure));
    let Outcome::Stay(effects) = form.key("tab".parse().unwrap(), &mut next) else { panic!() };
    let Some(Effect::CompletePath(number, _)) = effects.first() else { panic!("{effects:?}") };
    let found = (0..7).map(|at| format!("/etc/folder-{at}/")).chain(["/etc".to_owned()]).collect();
    form.completed(*number, found, &mut next);
    compare("refused", &form);
}

#[test]
fn what_is_typed_or_found_never_acts_and_never_leaves_its_place() {
    let mut next = 1;
    let mut form = opened(&mut next);
    form.set(Field::Name, "web");
    form.set(Field::Command, "echo '\u{202e}gpj\u{200b}' 日本語日本語日本語日本語日本語日本語日本語日本語日本語");
    press(&mut form, &mut next, "down down down down end");
    form.set(Field::Workspace, "a\u{1b}[2J");
    let effects = form.opened(&mut next);
    let Some(Effect::Preview(number, order)) = effects.first() else { panic!() };
    let mut plan = planned(order).unwrap();
    plan.image.reference = "\u{1b}]52;c;x\u{7}\u{9b}31m".to_owned();
    form.previewed(*number, Ok(plan));
    for size in [(80, 24), (40, 12), (160, 50), (30, 9), (12, 3), (1, 1)] {
        let shown = screen(&form, &state(), size);
        assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || ['\u{202e}', '\u{200b}'].contains(&c)), "{shown:?}");
        assert!(shown.lines().all(|line| line.width() <= usize::from(size.0).max(12)), "{shown}");
    }
}

#[test]
fn an_ascii_screen_is_ascii() {
    let mut next = 1;
    let mut form = opened(&mut next);
    form.set(Field::Command, &"x".repeat(300));
    press(&mut form, &mut next, "`web` down");
    let shown = screen(&form, &State { ascii: true, ..state() }, (80, 24));
    let odd: String = shown.chars().filter(|c| !c.is_ascii()).collect();
    assert_eq!(odd, "", "{shown}");
}

#[test]
fn no_size_is_too_small_or_too_large() {
    let mut next = 1;
    let mut form = opened(&mut next);
    press(&mut form, &mut next, "`a b` down down down down `|` up up");
    for columns in (0..100).step_by(7).chain([300]) {
        for lines in (0..30).step_by(3).chain([100]) {
            if columns > 0 && lines > 0 {
                screen(&form, &state(), (columns, lines));
            }
        }
    }
}
