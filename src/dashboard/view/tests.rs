//! Pictures of each screen at three sizes and of each state, and what hostile texts come to.

use ratatui::buffer::Buffer;

use crate::dashboard::app::ask::{Ask, Confirm, Wanted};
use crate::dashboard::app::detail::Tab;
use crate::dashboard::app::effect::{Effect, JobId, PaneCommand, PaneId, Target};
use crate::dashboard::app::input::Input;
use crate::dashboard::app::job::Job;
use crate::dashboard::app::layout::Layout;
use crate::dashboard::app::link::Link;
use crate::dashboard::app::list::Group;
use crate::dashboard::app::log::{Level, LogLine};
use crate::dashboard::app::overlay::{Overlay, Palette, Pane};
use crate::dashboard::app::remote::Remote;
use crate::dashboard::app::row::{Row, Weight};
use crate::dashboard::app::state::Focus;
use crate::dashboard::app::{State, sample};
use crate::dashboard::snapshot::{check, drawn, lines};
use crate::dashboard::text;
use crate::failure::{Code, Failure};
use crate::session::{Kind, Status};
use crate::units::plain_width;

const SIZES: [(u16, u16); 3] = [(80, 24), (40, 12), (300, 100)];

fn at_each_size(name: &str, state: &mut State) {
    for size in SIZES {
        state.size = size;
        check(name, state);
    }
}

fn row<'a>(state: &'a mut State, name: &str) -> &'a mut Row {
    state.list.row_mut(&sample::id(name)).unwrap()
}

/// Sessions in every condition.
fn mixed() -> State {
    let mut state = sample::state(&["api", "build", "docs", "old", "web", "fresh", "worker"]);
    row(&mut state, "build").session.kind = Kind::Ephemeral;
    row(&mut state, "build").session.profile = "strict".into();
    row(&mut state, "docs").session.status = Status::Paused;
    row(&mut state, "old").session.status = Status::Exited;
    row(&mut state, "web").measured = Remote::Ready(sample::measured(sample::weaker()), sample::now());
    row(&mut state, "worker").busy = Some("stopping");
    let fresh = row(&mut state, "fresh");
    *fresh = Row::new(fresh.session.clone());
    state.list.marked.insert(sample::id("docs"));
    state.list.arrange();
    state
}

#[test]
fn the_list_with_each_tab() {
    for tab in Tab::ALL {
        let mut state = mixed();
        state.detail.tab = tab;
        at_each_size(&format!("list-{}", tab.title().to_lowercase()), &mut state);
    }
}

#[test]
fn the_detail_alone() {
    for tab in Tab::ALL {
        let mut state = mixed();
        state.detail.tab = tab;
        state.focus = Focus::Detail;
        state.zoomed = true;
        at_each_size(&format!("detail-{}", tab.title().to_lowercase()), &mut state);
    }
}

#[test]
fn a_weaker_posture_is_told_wherever_one_looks() {
    let mut state = mixed();
    state.list.selected = Some(sample::id("web"));
    state.detail.tab = Tab::Hardening;
    at_each_size("weaker", &mut state);
    for size in SIZES {
        state.size = size;
        let shown = lines(&drawn(&state)).join("\n");
        assert!(shown.contains("1 WEAKER") && shown.contains("✘ 2 weaker"), "{shown}");
    }
}

#[test]
fn loading_empty_failed_and_stale_are_states_of_their_own() {
    at_each_size("loading", &mut sample::nothing());
    at_each_size("empty", &mut sample::listed(&[]));
    let failure = Failure::new(Code::EngineUnreachable, "no engine answers at unix:///var/run/docker.sock").hint("is it running?");
    let mut failed = sample::nothing();
    failed.link = Link::Away { since: sample::ago(5), failure: failure.clone() };
    at_each_size("failed", &mut failed);
    let mut stale = mixed();
    stale.totals.listed = Some(sample::ago(20));
    stale.link = Link::Away { since: sample::ago(20), failure: failure.clone() };
    at_each_size("stale", &mut stale);
    let mut unread = mixed();
    unread.detail.tab = Tab::Processes;
    unread.detail.processes = Remote::Failed(failure, None);
    at_each_size("unread", &mut unread);
}

#[test]
fn the_layout_knows_how_far_each_page_scrolls() {
    let mut state = mixed();
    state.list.selected = Some(sample::id("web"));
    for tab in Tab::ALL.into_iter().filter(|tab| *tab != Tab::Logs) {
        state.detail.tab = tab;
        for size in [(80, 24), (40, 12), (120, 30), (60, 14)] {
            state.size = size;
            state.focus = Focus::Detail;
            let furthest = Layout::of(&state).furthest(&state);
            let mut at = |scroll| {
                state.detail.scroll = scroll;
                drawn(&state)
            };
            assert_eq!(at(furthest), at(usize::MAX / 2), "{} at {size:?}", tab.title());
            if furthest > 0 {
                assert_ne!(at(furthest), at(furthest - 1), "{} at {size:?}", tab.title());
            }
        }
    }
    for overlay in [Overlay::Help as fn(usize) -> Overlay, Overlay::Notices] {
        (0..40).for_each(|at| state.notices.add(sample::ago(at), Weight::Plain, format!("stopped web-{at}")));
        state.overlay = Some(overlay(0));
        let furthest = Layout::of(&state).furthest_over(&state);
        let mut at = |scroll| {
            state.overlay = Some(overlay(scroll));
            drawn(&state)
        };
        assert!(furthest > 0 && at(furthest) == at(usize::MAX / 2) && at(furthest) != at(furthest - 1));
    }
}

#[test]
fn a_held_log_stays_where_it_is_and_the_end_is_never_past() {
    let mut state = mixed();
    state.detail.tab = Tab::Logs;
    (state.focus, state.zoomed) = (Focus::Detail, true);
    let line = |at: usize| LogLine { at: None, is_error_stream: false, text: format!("line {at}").as_str().into(), level: Level::Plain };
    state.detail.log.lines = (0..1000).map(line).collect();
    state.detail.log.dropped = 50;
    let top = |state: &State| lines(&drawn(state))[usize::from(Layout::of(state).body.y)].trim().to_owned();
    let height = usize::from(Layout::of(&state).body.height);
    assert_eq!(top(&state), format!("line {}", 1000 - height));
    state.detail.log.held = Some(50 + 300);
    assert_eq!(top(&state), "line 300");
    state.detail.log.held = Some(10);
    assert_eq!(top(&state), "line 0");
    state.detail.log.held = Some(u64::MAX);
    assert_eq!(top(&state), format!("line {}", 1000 - height));
    state.detail.log.wrap = true;
    state.detail.log.lines[999].text = "x".repeat(500).as_str().into();
    state.detail.log.held = None;
    assert!(top(&state).starts_with("line ") && lines(&drawn(&state)).iter().filter(|line| line.contains("xxx")).count() == 7);
}

#[test]
fn matches_of_a_search_stand_out() {
    let mut state = mixed();
    state.detail.tab = Tab::Logs;
    state.detail.log.search = Input::new("NUMPY");
    let buffer = drawn(&state);
    let lit = state.theme.style(crate::dashboard::theme::Role::Match);
    let y = Layout::of(&state).body.y;
    let shown: String = (0..80).filter(|x| buffer[(*x, y)].bg == lit.bg.unwrap()).map(|x| buffer[(x, y)].symbol().to_owned()).collect();
    assert_eq!(shown, "numpy");
}

#[test]
fn a_filter_that_nothing_matches_says_how_to_clear_it() {
    let mut state = mixed();
    state.list.filter = Input::new("zzz");
    state.list.filtering = true;
    state.list.arrange();
    at_each_size("no-match", &mut state);
}

#[test]
fn groups_have_heads() {
    let mut state = mixed();
    state.list.group = Group::Status;
    state.list.arrange();
    at_each_size("grouped", &mut state);
}

#[test]
fn what_stands_over_the_panes() {
    let target = Target { id: sample::id("web"), name: "web".into() };
    let confirm = Confirm {
        question: "remove web?".into(),
        lines: vec!["its home, which is a volume of its own, goes with it".into()],
        expected: Some("web".into()),
        input: Input::new("we"),
        then: Effect::List,
    };
    let ask = Ask { wanted: Wanted::Name(target.clone()), input: Input::new("we b"), error: Some("'we b' is not a name".into()) };
    let mut pane = Pane {
        id: PaneId(1),
        target,
        command: PaneCommand::Shell,
        screen: vt100::Parser::new(23.try_into().unwrap(), 80.try_into().unwrap(), 100),
        ended: None,
        scroll: 0,
        leaving: false,
    };
    pane.screen.process("\u{1b}[1;31mroot\u{1b}[0m@web:~$ ls 日本\r\n\u{1b}]0;title\u{7}done e\u{301} \u{202e}x".as_bytes());
    let palette = Palette { input: Input::new("rem"), selected: 0 };
    for (name, overlay) in [
        ("help", Overlay::Help(0)),
        ("notices", Overlay::Notices(0)),
        ("palette", Overlay::Palette(palette)),
        ("ask", Overlay::Ask(ask)),
        ("confirm", Overlay::Confirm(confirm)),
        ("pane", Overlay::Pane(Box::new(pane))),
    ] {
        let mut state = mixed();
        state.notices.add(sample::ago(90), Weight::Plain, "stopped old");
        state
            .notices
            .fail(sample::ago(5), &Failure::new(Code::Conflict, "the name is taken").detail("'web' is a session").hint("choose another"));
        state.overlay = Some(overlay);
        at_each_size(name, &mut state);
    }
}

#[test]
fn work_under_way_has_a_step_and_a_bar() {
    let mut state = mixed();
    state.jobs.push(Job {
        id: JobId(1),
        title: "building the sandbox image".into(),
        step: "python 3.13".into(),
        amount: Some((30 << 20, Some(120 << 20))),
        began: sample::ago(4),
        cancelled: false,
        targets: Vec::new(),
    });
    at_each_size("work", &mut state);
}

#[test]
fn a_terminal_without_unicode_gets_ascii() {
    let mut state = mixed();
    state.ascii = true;
    for tab in Tab::ALL {
        state.detail.tab = tab;
        for size in SIZES {
            state.size = size;
            let shown = lines(&drawn(&state)).join("\n");
            assert!(shown.is_ascii(), "{}:\n{shown}", tab.title());
        }
    }
    state.detail.tab = Tab::Overview;
    at_each_size("ascii", &mut state);
    state.overlay = Some(Overlay::Help(0));
    assert!(lines(&drawn(&state)).join("\n").is_ascii());
}

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
    "각\u{1160}\u{3164}",
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
    let facts = std::sync::Arc::get_mut(&mut measured.facts).unwrap();
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
            let (Some(c), None) = (chars.next(), chars.next()) else { panic!("{of:?}: {symbol:?} at {x}, {y}") };
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
        let mut pane = Pane {
            id: PaneId(1),
            target: Target { id: sample::id("web"), name: "web".into() },
            command: PaneCommand::Exec(vec![text.into()]),
            screen: vt100::Parser::new(23.try_into().unwrap(), 79.try_into().unwrap(), 100),
            ended: Some(Err(Failure::new(Code::Io, text))),
            scroll: 0,
            leaving: false,
        };
        pane.screen.process(text.repeat(30).as_bytes());
        let mut state = mixed();
        state.overlay = Some(Overlay::Pane(Box::new(pane)));
        for size in [(80, 24), (40, 12), (39, 5)] {
            state.size = size;
            is_inert(&drawn(&state), text);
        }
    }
}
