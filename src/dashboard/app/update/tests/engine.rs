use super::*;
use crate::backend::disk::VolumesTaken;
use crate::dashboard::app::detail::Tab;
use crate::dashboard::app::effect::Part;
use crate::dashboard::app::link::Link;
use crate::dashboard::app::row::{Badge, Measured, Sample, Weight};
use crate::dashboard::app::sample as samples;
use crate::dashboard::app::subscription::{Subscription, subscriptions};
use crate::failure::{Code, Failure};
use crate::session::{EngineEvent, EventKind, Limit, LimitHit};
use crate::units::{Bytes, SessionId};

fn event(name: &str, what: EventKind) -> Message {
    Message::Happened(EngineEvent { at: at(5), container: id(name), name: name.into(), what })
}

fn sample(second: i64, cpu_ns: u64, pids: u64) -> Sample {
    Sample { at: at(second), cpu_ns, cpu: None, memory: Bytes::new(1 << 20), memory_limit: None, pids, pids_limit: Some(100) }
}

#[test]
fn what_is_new_or_changed_its_status_is_measured_and_nothing_twice() {
    let mut state = state(&[]);
    let running = |names: &[&str]| names.iter().map(|name| session(name, Kind::Persistent, Status::Running)).collect::<Vec<_>>();
    // The rows on the screen first, in its order; then the detail of the one that is selected now.
    assert_eq!(observe(&mut state, running(&["web", "api"]))[0], Effect::Measure(vec![id("api"), id("web")]));
    assert_eq!(observe(&mut state, running(&["web", "api"])), []);
    let mut sessions = running(&["web"]);
    sessions.push(session("api", Kind::Persistent, Status::Exited));
    assert_eq!(observe(&mut state, sessions), [Effect::Measure(vec![id("api")])]);
    assert_eq!(state.list.rows[0].badge(), Badge::Unmeasured);
}

#[test]
fn an_exec_and_a_changed_limit_are_measured_at_once() {
    let mut state = state(&["web"]);
    for what in [EventKind::ExecStarted { command: "sh".into() }, EventKind::Updated] {
        assert_eq!(update(&mut state, event("web", what)), [Effect::Measure(vec![id("web")])]);
    }
    assert!(update(&mut state, event("new", EventKind::Created)).contains(&Effect::List));
    assert_eq!(state.list.rows[0].happenings.len(), 2);
}

#[test]
fn a_limit_that_is_hit_is_named() {
    let mut state = state(&["web"]);
    update(&mut state, event("web", EventKind::OutOfMemory));
    assert!(state.notices.standing().unwrap().text.contains("'web': out of memory"));
    update(&mut state, event("web", EventKind::Died { exit_code: Some(124) }));
    assert!(state.notices.standing().unwrap().text.contains("timeout"));
    update(&mut state, Message::UsageRead(vec![(id("web"), Ok(sample(1, 0, 99)))]));
    update(&mut state, Message::UsageRead(vec![(id("web"), Ok(sample(3, 0, 100)))]));
    assert!(state.notices.standing().unwrap().text.contains("pids limit reached"));
    // It is told once for as long as it lasts.
    let told = state.notices.all.len();
    update(&mut state, Message::UsageRead(vec![(id("web"), Ok(sample(5, 0, 100)))]));
    assert_eq!(state.notices.all.len(), told);
}

#[test]
fn what_each_session_takes_is_counted_and_sooner_where_it_was_not_yet_or_ran_into_a_cap() {
    let mut state = state(&["api", "web"]);
    let web: SessionId = "01arz3ndektsv4rrffq69g5fav".parse().unwrap();
    state.list.row_mut(&id("web")).unwrap().session.id = web;
    let uncounted = |state: &State| {
        subscriptions(state).into_iter().find_map(|subscription| match subscription {
            Subscription::Disk(ids) => Some(ids),
            _ => None,
        })
    };
    assert_eq!(uncounted(&state), Some(vec![(id("api"), 0), (id("web"), 0)]));
    let taken = |bytes| VolumesTaken { total: Bytes::gib(9), sessions: [(web, Bytes::new(bytes))].into() };
    assert_eq!(update(&mut state, Message::DiskRead(Ok(taken(7)))), []);
    assert_eq!(uncounted(&state), Some(vec![(id("api"), 0)]));
    let of = |state: &State, name: &str| state.list.rows.iter().find(|row| *row.id() == id(name)).unwrap().disk.map(|(bytes, _)| bytes);
    assert_eq!((of(&state, "api"), of(&state, "web")), (None, Some(Bytes::new(7))));

    let hit = LimitHit::new(Limit::DiskSoft, 1, Some(5));
    update(&mut state, event("web", EventKind::LimitReached { hit }));
    assert_eq!(uncounted(&state), Some(vec![(id("api"), 0), (id("web"), 1)]));
    // What came before stays, and is as old as it is.
    update(&mut state, Message::DiskRead(Err(Failure::new(Code::EngineError, "the engine did not tell"))));
    assert_eq!(of(&state, "web"), Some(Bytes::new(7)));
    assert!(state.totals.disk.failure().is_some() && state.totals.disk.last().is_some());
}

#[test]
fn a_rate_is_of_the_time_between_two_readings() {
    let mut state = state(&["web"]);
    update(&mut state, Message::UsageRead(vec![(id("web"), Ok(sample(10, 5_000_000_000, 2)))]));
    assert_eq!(state.list.rows[0].sample().unwrap().cpu, None);
    update(&mut state, Message::UsageRead(vec![(id("web"), Ok(sample(12, 8_000_000_000, 2)))]));
    assert_eq!(state.list.rows[0].sample().unwrap().cpu, Some(1.5));
    // A container that began anew counts from nothing.
    update(&mut state, Message::UsageRead(vec![(id("web"), Ok(sample(14, 1, 2)))]));
    assert_eq!(state.list.rows[0].sample().unwrap().cpu, None);
}

#[test]
fn an_engine_that_goes_away_leaves_the_last_picture_with_its_age_and_comes_back_by_itself() {
    let mut state = state(&["api", "web"]);
    let broke = || Failure::new(Code::EngineUnreachable, "the connection broke");
    update(&mut state, Message::WatchEnded(broke()));
    update(&mut state, Message::Tick(at(120)));
    assert!(matches!(&state.link, Link::Away { since, .. } if *since == at(100)));
    assert_eq!(shown(&state), ["api", "web"]);
    // No key is ignored meanwhile, and it is told once.
    press(&mut state, "j");
    assert_eq!(selected(&state), "web");
    update(&mut state, Message::WatchEnded(broke()));
    assert_eq!(state.notices.all.iter().filter(|notice| notice.text == "the connection broke").count(), 1);
    observe(&mut state, vec![session("web", Kind::Persistent, Status::Running)]);
    assert_eq!((&state.link, selected(&state)), (&Link::Up, "web"));
    assert!(state.notices.standing().unwrap().text.contains("answers again"));
}

#[test]
fn only_what_is_on_the_screen_and_runs_is_read() {
    let names: Vec<String> = (0..100).map(|number| format!("s{number:03}")).collect();
    let mut state = state(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let read = |state: &State| {
        subscriptions(state).into_iter().find_map(|subscription| match subscription {
            Subscription::Usage(ids) => Some(ids),
            _ => None,
        })
    };
    let first = read(&state).unwrap();
    assert_eq!(first.len(), usize::from(state.layout().rows.height));
    press(&mut state, "G");
    assert!(read(&state).unwrap().contains(&id("s099")) && !read(&state).unwrap().contains(&id("s000")));
    observe(&mut state, vec![session("s000", Kind::Persistent, Status::Exited)]);
    assert_eq!(read(&state), None);
}

#[test]
fn an_open_tab_is_read_for_whoever_is_selected_and_late_answers_are_let_go() {
    let mut state = state(&["api", "web"]);
    assert_eq!(press(&mut state, "h"), [Effect::Read(id("api"), Part::Files)]);
    assert_eq!(press(&mut state, "j"), [Effect::Read(id("web"), Part::Files)]);
    update(&mut state, Message::FilesRead(id("api"), Ok(crate::session::FileChanges::default())));
    assert!(state.detail.files.last().is_none());
    press(&mut state, "l l l l");
    assert_eq!(state.detail.tab, Tab::Logs);
    assert!(subscriptions(&state).contains(&Subscription::Log(id("web"))));
}

#[test]
fn nothing_is_drawn_when_nothing_changed() {
    let mut state = state(&[]);
    state.dirty = false;
    for second in 101..130 {
        update(&mut state, Message::Tick(at(second)));
        assert!(!state.dirty, "{second}");
    }
    let mut state = super::state(&["web"]);
    state.dirty = false;
    let drawn = (101..161).filter(|second| {
        update(&mut state, Message::Tick(at(*second)));
        std::mem::take(&mut state.dirty)
    });
    // Ages are at most some seconds behind.
    assert!((6..=20).contains(&drawn.count()));
}

#[test]
fn a_notice_goes_after_a_while_and_a_failure_stays_until_a_key() {
    let mut state = state(&["web"]);
    update(&mut state, Message::Noticed(Weight::Plain, "told".to_owned()));
    update(&mut state, Message::Tick(at(200)));
    assert!(state.notices.standing().is_none());
    update(&mut state, Message::WatchEnded(Failure::new(Code::EngineUnreachable, "broke")));
    update(&mut state, Message::Tick(at(900)));
    assert!(state.notices.standing().is_some());
    press(&mut state, "j");
    assert!(state.notices.standing().is_none());
}

#[test]
fn a_deadline_that_comes_near_is_told_twice_and_again_once_it_was_moved() {
    let mut state = samples::state(&["web"]);
    let ends_in = |state: &mut State, seconds: i64, ttl: u64| {
        let deadline = Some(samples::now() + jiff::SignedDuration::from_secs(seconds));
        let life = crate::backend::Life { ttl: crate::units::Seconds::new(ttl), deadline, ..crate::backend::Life::default() };
        let measured = Measured { life, ..samples::measured(samples::posture()) };
        update(state, Message::MeasuredAll(vec![(samples::id("web"), Ok(measured))]));
    };
    let told = |state: &mut State, second: i64| {
        let before = state.notices.all.len();
        update(state, Message::Tick(samples::now() + jiff::SignedDuration::from_secs(second)));
        state.notices.all.len() - before
    };
    ends_in(&mut state, 600, 28_800);
    let times = [0, 299, 300, 301, 539, 540, 541];
    assert_eq!(times.map(|second| told(&mut state, second)), [0, 0, 1, 0, 0, 1, 0]);
    assert!(state.notices.all[0].text.contains("palisade renew web"));
    ends_in(&mut state, 4_000, 28_800);
    assert_eq!([542, 3_701].map(|second| told(&mut state, second)), [0, 1]);
    // Of a short life a tenth, which is one step.
    let mut state = samples::state(&["web"]);
    ends_in(&mut state, 100, 100);
    assert_eq!([89, 90, 95].map(|second| told(&mut state, second)), [0, 1, 0]);
}

#[test]
fn what_the_sweep_did_is_told_and_a_network_has_its_session_measured() {
    let mut state = samples::state(&["web"]);
    let reaped = crate::backend::Reaped { name: "api".to_owned(), done: "stopped", why: "its deadline\u{1b}[2J passed".to_owned() };
    assert_eq!(update(&mut state, Message::Reaped(vec![reaped])), [Effect::List]);
    assert!(state.notices.all[0].text.starts_with("'api' was stopped: its deadline\\u{1b}"));
    assert_eq!(update(&mut state, Message::Rewired(samples::id("web"))), [Effect::Measure(vec![samples::id("web")])]);
    assert_eq!(update(&mut state, Message::Rewired(samples::id("foreign"))), []);
}
