//! Texts that a terminal would act on, in every place that somebody else can write to.

use std::sync::Arc;

use ratatui::buffer::Buffer;

use super::{SIZES, mixed, row, with_terminal};
use crate::dashboard::app::detail::Tab;
use crate::dashboard::app::effect::PaneCommand;
use crate::dashboard::app::list::Group;
use crate::dashboard::app::overlay::Overlay;
use crate::dashboard::app::remote::Remote;
use crate::dashboard::app::state::Focus;
use crate::dashboard::app::terminals::Mode;
use crate::dashboard::app::{State, sample};
use crate::dashboard::snapshot::{drawn, lines};
use crate::dashboard::text;
use crate::failure::{Code, Failure};
use crate::terminal::Size;
use crate::terminal::wire::Held;
use crate::units::plain_width;

/// Everything that a sandbox, an image or another user may write, with what a terminal would act on.
const HOSTILE: [&str; 12] = [
    "\u{1b}[2J\u{1b}[31mred",
    "\u{1b}]0;title\u{7}\u{1b}]8;;http://x\u{1b}\\link\u{1b}]52;c;ZWNobw==\u{7}",
    "\u{1b}P1$r\u{1b}\\\u{1b}_apc\u{1b}\\",
    "\u{9b}2J\u{9d}0;x\u{9c}",
    "\u{202e}gpj.exe\u{2066}x\u{2069}",
    "a\u{200b}b\u{200d}c\u{feff}d\u{ad}e",
    "日本語の名前がとても長い日本語の名前がとても長い",
    "👩‍👩‍👧‍👦👍🏽🇩🇪",
    "e\u{301}\u{302}\u{303}\u{304}",
    "\r\n\t\u{8}\u{7f}\u{0}",
    "\u{1100}\u{1161}\u{11a8}\u{1160}\u{3164}",
    "\u{e0041}\u{e007f}\u{fe0f}",
];

fn hostile(text: &str) -> State {
    let mut state = mixed();
    let web = row(&mut state, "web");
    web.session.profile = text.into();
    web.session.image = text.into();
    web.session.command = text.into();
    web.session.status_text = text.into();
    for happening in &mut web.happenings {
        happening.text = text.into();
    }
    let mut posture = sample::weaker();
    for control in &mut posture.controls {
        control.engine = text.into();
        control.kernel = text.into();
        control.reason = Some(text.into());
    }
    posture.deviants[0].name = text.into();
    posture.deviants[0].reason = text.into();
    let mut measured = sample::measured(posture);
    let facts = Arc::get_mut(&mut measured.facts).unwrap();
    facts.mounts[0].source = text.into();
    facts.mounts[0].destination = text.into();
    facts.user = text.into();
    facts.working_dir = text.into();
    web.measured = Remote::Ready(measured, sample::now());
    state.list.selected = Some(sample::id("web"));
    state.list.group = Group::Profile;
    state.list.arrange();
    for line in &mut state.detail.log.lines {
        line.text = text.repeat(20).as_str().into();
    }
    if let Remote::Ready(list, _) = &mut state.detail.processes {
        for process in &mut list.processes {
            process.name = text.into();
            process.command = Some(text.into());
        }
    }
    if let Remote::Ready(changes, _) = &mut state.detail.files {
        for file in &mut changes.files {
            file.path = text.into();
        }
    }
    if let Remote::Ready(fetches, _) = &mut state.detail.fetches {
        for event in &mut fetches.events {
            event.file = text.into();
            event.note = text.into();
        }
    }
    state.notices.fail(sample::now(), &Failure::new(Code::Io, text).detail(text).hint(text));
    state.engine.product = text.into();
    state
}

/// Every cell holds one character that is drawn and does nothing else, in the columns that it takes.
fn is_inert(buffer: &Buffer, of: &str) {
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            let mut chars = symbol.chars();
            // In a terminal, one accent may stand over it.
            let mark = |c: Option<char>| c.is_none_or(|c| ('\u{300}'..='\u{36f}').contains(&c));
            let (Some(c), true, None) = (chars.next(), mark(chars.next()), chars.next()) else { panic!("{of:?}: {symbol:?} at {x}, {y}") };
            let wide = plain_width(c).unwrap_or_else(|| panic!("{of:?}: {symbol:?} at {x}, {y}"));
            assert!(x + u16::try_from(wide).unwrap() <= buffer.area.width, "{of:?}: {symbol:?} reaches over the edge at {x}, {y}");
            x += u16::try_from(wide).unwrap();
        }
    }
}

#[test]
fn nothing_hostile_reaches_a_cell() {
    for text in HOSTILE {
        let mut state = hostile(text);
        for tab in Tab::ALL {
            state.detail.tab = tab;
            for (zoomed, wrap) in [(false, false), (true, true)] {
                state.zoomed = zoomed;
                state.focus = if zoomed { Focus::Detail } else { Focus::List };
                state.detail.log.wrap = wrap;
                for size in [(80, 24), (40, 12), (300, 100), (41, 13), (3, 3), (1, 1), (0, 0)] {
                    state.size = size;
                    is_inert(&drawn(&state), text);
                }
            }
        }
        for overlay in [Overlay::Notices(0), Overlay::Notices(usize::MAX / 2), Overlay::Help(usize::MAX / 2)] {
            state.overlay = Some(overlay);
            for size in SIZES {
                state.size = size;
                is_inert(&drawn(&state), text);
            }
        }
    }
}

#[test]
fn columns_stay_aligned_whatever_comes_in() {
    let place = |shown: &[String], name: &str, word: &str| {
        let line = shown.iter().find(|line| line.chars().skip(2).collect::<String>().starts_with(name)).unwrap();
        text::width(line.split(word).next().unwrap())
    };
    for text in HOSTILE {
        let mut state = hostile(text);
        state.list.group = Group::None;
        state.list.arrange();
        state.size = (300, 100);
        let shown = lines(&drawn(&state));
        assert_eq!(place(&shown, "web", "packages"), place(&shown, "api", "packages"), "{text:?}:\n{}", shown.join("\n"));
    }
}

#[test]
fn what_a_sandbox_prints_in_a_pane_is_drawn_and_nothing_else() {
    for text in HOSTILE {
        let mut state = mixed();
        let pane = with_terminal(&mut state, PaneCommand::Exec(vec![text.into()]));
        pane.ended = Some(Err(Failure::new(Code::Io, text)));
        pane.title = Some(text.into());
        pane.screen.feed(text.repeat(30).as_bytes());
        let pane = with_terminal(&mut state, PaneCommand::Shell);
        let command = vec![text.to_owned()];
        let held = Held { id: 2, pid: 1, command, size: Size::USUAL, age_s: u64::MAX, idle_s: u64::MAX, clients: u32::MAX };
        pane.mode = Mode::Choose(vec![held], 0);
        for size in [(80, 24), (40, 12), (39, 5)] {
            state.size = size;
            is_inert(&drawn(&state), text);
        }
    }
}
