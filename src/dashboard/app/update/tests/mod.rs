//! Keys and messages in, effects out: without engine, terminal or clock.

mod engine;
mod keys;
mod mouse;
mod terminal;

use jiff::{SignedDuration, Timestamp};

use super::update;
use crate::backend::Survey;
use crate::dashboard::app::effect::{Effect, Target};
use crate::dashboard::app::form::Ground;
use crate::dashboard::app::keymap::Keymap;
use crate::dashboard::app::message::Message;
use crate::dashboard::app::state::{Kept, State};
use crate::session::{Kind, Session, Status};
use crate::units::SessionId;

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
}

/// A session by its name: its container's id is made from it.
fn session(name: &str, kind: Kind, status: Status) -> Session {
    let number = name.bytes().fold(7, |sum: u128, byte| sum * 31 + u128::from(byte));
    Session {
        id: SessionId::from_parts(1, number),
        name: name.parse().unwrap(),
        kind,
        profile: "default".into(),
        status,
        status_text: "Up 5 minutes".into(),
        created: at(0),
        image: "palisade-sandbox:latest".into(),
        command: "sleep 60".into(),
        container_id: id(name),
    }
}

fn id(name: &str) -> String {
    format!("c0ffee-{name}")
}

fn target(name: &str) -> Target {
    Target { id: id(name), name: name.to_owned() }
}

fn observe(state: &mut State, sessions: Vec<Session>) -> Vec<Effect> {
    update(state, Message::Observed(Ok(Survey { sessions, abandoned: 0 })))
}

/// A state with these persistent sessions, running, the first selected.
fn state(names: &[&str]) -> State {
    let mut state = State::new(at(100), Keymap::default(), Vec::new(), Ground::default(), Kept::default());
    update(&mut state, Message::Resized(120, 40));
    observe(&mut state, names.iter().map(|name| session(name, Kind::Persistent, Status::Running)).collect());
    state
}

/// Presses keys: names of keys separated by spaces.
fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    keys.split(' ').flat_map(|key| update(state, Message::Key(key.parse().unwrap()))).collect()
}

/// Types a text, character by character.
fn types(state: &mut State, text: &str) {
    for c in text.chars() {
        let key = if c == ' ' { "space".to_owned() } else { c.to_string() };
        press(state, &key);
    }
}

/// What is selected.
fn selected(state: &State) -> &str {
    state.list.selected().map_or("", |row| row.session.name.as_str())
}

/// The names on the screen, from top to bottom.
fn shown(state: &State) -> Vec<&str> {
    state.list.on_screen(usize::MAX / 2).map(|row| row.session.name.as_str()).collect()
}
