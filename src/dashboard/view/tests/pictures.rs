//! Pictures of each screen at three sizes and of each state.

use std::sync::Arc;

use ratatui::style::Style;

use super::{SIZES, mixed, row, with_terminal};
use crate::dashboard::app::ask::{Ask, Confirm, Wanted};
use crate::dashboard::app::detail::Tab;
use crate::dashboard::app::effect::{Effect, JobId, PaneCommand, Target};
use crate::dashboard::app::input::Input;
use crate::dashboard::app::job::Job;
use crate::dashboard::app::link::Link;
use crate::dashboard::app::list::Group;
use crate::dashboard::app::overlay::{Overlay, Palette};
use crate::dashboard::app::remote::Remote;
use crate::dashboard::app::row::Weight;
use crate::dashboard::app::state::Focus;
use crate::dashboard::app::terminals::Place;
use crate::dashboard::app::{State, sample};
use crate::dashboard::snapshot::{check, drawn, drawn_on, lines};
use crate::dashboard::theme::{Role, Theme};
use crate::failure::{Code, Failure};
use crate::session::{ExitFacts, Status, labels};
use crate::units::Bytes;

fn at_each_size(name: &str, state: &mut State) {
    for size in SIZES {
        state.size = size;
        check(name, state);
    }
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
fn a_filter_that_nothing_matches_says_how_to_clear_it() {
    let mut state = mixed();
    state.list.filter = Input::new("zzz");
    state.list.filtering = true;
    state.list.arrange();
    at_each_size("no-match", &mut state);
}

#[test]
fn a_terminal_that_has_just_become_smaller_is_drawn_as_far_as_it_goes() {
    let mut state = mixed();
    for tab in Tab::ALL {
        state.detail.tab = tab;
        for overlay in [None, Some(Overlay::Help(3)), Some(Overlay::Palette(Palette::default()))] {
            state.overlay = overlay;
            for size in [(79, 24), (80, 23), (40, 12), (1, 1), (200, 60)] {
                drawn_on(&state, size);
            }
        }
    }
    state.overlay = None;
    for place in [Place::Full, Place::Below] {
        with_terminal(&mut state, PaneCommand::Shell).screen.feed("日本語".repeat(200).as_bytes());
        state.terminals.place = place;
        for size in [(79, 24), (80, 23), (40, 12), (1, 1), (200, 60)] {
            drawn_on(&state, size);
            state.size = size;
            drawn(&state);
        }
    }
}

#[test]
fn an_old_picture_of_a_tab_says_how_old_it_is_and_why() {
    let failure = Failure::new(Code::EngineError, "the engine did not answer in time");
    let mut state = mixed();
    state.now = sample::now() + jiff::SignedDuration::from_secs(40);
    state.detail.processes.came(Err(failure.clone()), state.now);
    state.detail.files.came(Err(failure.clone()), state.now);
    state.detail.fetches.came(Err(failure), state.now);
    for tab in [Tab::Processes, Tab::Files, Tab::Cache] {
        state.detail.tab = tab;
        let shown = lines(&drawn(&state)).join("\n");
        assert!(shown.contains("✘ 40s old: the engine did not answer in time"), "{shown}");
        assert!(["docker-init", "/etc/motd", "numpy"].iter().any(|old| shown.contains(old)), "{shown}");
    }
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
    let ask = Ask { wanted: Wanted::Name(target), input: Input::new("we b"), error: Some("'we b' is not a name".into()) };
    let palette = Palette { input: Input::new("rem"), selected: 0 };
    for (name, overlay) in [
        ("help", Overlay::Help(0)),
        ("notices", Overlay::Notices(0)),
        ("palette", Overlay::Palette(palette)),
        ("ask", Overlay::Ask(ask)),
        ("confirm", Overlay::Confirm(confirm)),
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

#[test]
fn what_has_ended_says_how() {
    let mut state = mixed();
    let old = row(&mut state, "old");
    let mut measured = sample::measured(sample::posture());
    let exit = ExitFacts { code: 137, oom_killed: true, error: "".into(), finished: Some(sample::ago(60)) };
    Arc::get_mut(&mut measured.facts).unwrap().exit = Some(exit);
    old.measured = Remote::Ready(measured, sample::now());
    old.session.status_text = "Exited (137) About a minute ago".into();
    state.list.selected = Some(sample::id("old"));
    at_each_size("ended", &mut state);
    assert_eq!(row(&mut state, "old").session.status, Status::Exited);
}

/// Caps on the disk of `web`, and what it takes.
fn caps(state: &mut State, soft: u64, hard: u64, taken: Option<u64>) {
    let mut measured = sample::measured(sample::posture());
    let facts = Arc::get_mut(&mut measured.facts).unwrap();
    for (label, cap) in [(labels::DISK_SOFT, soft), (labels::DISK_HARD, hard)] {
        facts.labels.insert(label.to_owned(), (cap << 30).to_string().as_str().into());
    }
    let web = row(state, "web");
    web.measured = Remote::Ready(measured, sample::now());
    web.disk = taken.map(|gib| (Bytes::gib(gib), sample::ago(120)));
}

#[test]
fn what_is_above_its_cap_on_disk_is_told_and_looks_like_it() {
    let mut state = mixed();
    state.list.selected = Some(sample::id("web"));
    state.size = (300, 100);
    let warning = state.theme.style(Role::Warning);
    for (soft, hard, taken, words, above) in [
        (5, 10, Some(4), "4 GiB of soft 5 GiB, hard 10 GiB", None),
        (5, 10, Some(6), "6 GiB of soft 5 GiB, hard 10 GiB", Some("! above its soft cap: above the hard one it is stopped")),
        (5, 0, Some(6), "6 GiB of soft 5 GiB, no hard cap", Some("! above its soft cap: --disk-soft sets it")),
        (0, 10, Some(11), "11 GiB of hard 10 GiB, no soft cap", Some("! above its hard cap: --disk-hard sets it")),
        (0, 0, Some(6), "6 GiB (no caps)", None),
        (5, 10, None, "not counted yet of soft 5 GiB, hard 10 GiB", None),
    ] {
        caps(&mut state, soft, hard, taken);
        let shown = lines(&drawn(&state)).join("\n");
        assert!(shown.contains(words), "{words}: {shown}");
        assert_eq!(shown.contains("above its"), above.is_some(), "{shown}");
        assert_eq!(shown.contains("(1 above its cap)"), above.is_some(), "{shown}");
        let look = looks(&state, words)[0];
        assert_eq!(look.fg == warning.fg, above.is_some_and(|above| above.contains("soft")), "{words}: {look:?}");
        assert!(above.is_none_or(|above| shown.contains(above)), "{shown}");
    }
    caps(&mut state, 5, 10, Some(6));
    at_each_size("disk", &mut state);
    state.zoomed = true;
    state.focus = Focus::Detail;
    at_each_size("disk-alone", &mut state);
}

/// The looks of the cells that hold a word, wherever on the screen.
fn looks(state: &State, word: &str) -> Vec<Style> {
    let buffer = drawn(state);
    let mut looks = Vec::new();
    for (y, line) in (0..).zip(lines(&buffer)) {
        if let Some(at) = line.find(word) {
            let x = u16::try_from(line[..at].chars().count()).unwrap();
            looks.push(buffer[(x, y)].style());
        }
    }
    looks
}

#[test]
fn every_theme_tells_danger_by_its_look_and_no_colour_is_used_without_colours() {
    for theme in Theme::builtin().unwrap() {
        let mut state = mixed();
        let (danger, text) = (theme.style(Role::Danger), theme.style(Role::Text));
        state.theme = Arc::new(theme);
        for look in [looks(&state, "1 WEAKER"), looks(&state, "✘ 2 weaker")].concat() {
            assert_eq!((look.fg, look.add_modifier), (danger.fg.or(text.fg).or(look.fg), danger.add_modifier | look.add_modifier));
            assert_ne!(look, looks(&state, "✔ 21/21")[0], "{}", state.theme.name);
        }
        if state.theme.name == "plain" {
            for tab in Tab::ALL {
                state.detail.tab = tab;
                let plain = |style: Style| [style.fg, style.bg].into_iter().flatten().all(|colour| colour == ratatui::style::Color::Reset);
                assert!(drawn(&state).content.iter().all(|cell| plain(cell.style())));
            }
        }
    }
}
