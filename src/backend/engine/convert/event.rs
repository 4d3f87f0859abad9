//! What the engine says of its containers as it happens.

use std::collections::HashMap;

use bollard::models::EventMessage;
use jiff::Timestamp;

use super::from_seconds;
use crate::session::{EngineEvent, EventKind};
use crate::units::Untrusted;

/// An event; `None` for one that names no container.
pub(in crate::backend::engine) fn event(message: EventMessage) -> Option<EngineEvent> {
    let actor = message.actor?;
    let container = actor.id.filter(|id| !id.is_empty())?;
    let mut attributes = actor.attributes.unwrap_or_default();
    let name = bare(attributes.remove("name").unwrap_or_default());
    let what = kind(&message.action.unwrap_or_default(), attributes);
    Some(EngineEvent { at: at(message.time, message.time_nano), container, name, what })
}

fn at(seconds: Option<i64>, nanoseconds: Option<i64>) -> Timestamp {
    let exact = nanoseconds.filter(|since| *since > 0).and_then(|since| Timestamp::from_nanosecond(since.into()).ok());
    exact.unwrap_or_else(|| from_seconds(seconds.unwrap_or(0)))
}

/// Names come with a slash in some attributes and without in others.
fn bare(name: String) -> Untrusted {
    match name.strip_prefix('/') {
        Some(bare) => bare.into(),
        None => name.into(),
    }
}

/// Docker's words, and Podman's where they differ.
fn kind(action: &str, mut attributes: HashMap<String, String>) -> EventKind {
    // `exec_start: sh -c …`, `health_status: healthy`.
    let (word, rest) = action.split_once(':').map_or((action, ""), |(word, rest)| (word, rest.trim_start()));
    let code = |attributes: &HashMap<String, String>, names: &[&str]| {
        names.iter().find_map(|name| attributes.get(*name)).and_then(|code| code.trim().parse().ok())
    };
    match word.trim() {
        "create" => EventKind::Created,
        "start" => EventKind::Started,
        "die" | "died" => EventKind::Died { exit_code: code(&attributes, &["exitCode", "containerExitCode"]) },
        "oom" => EventKind::OutOfMemory,
        "kill" => EventKind::Killed { signal: attributes.remove("signal").unwrap_or_default().into() },
        "stop" => EventKind::Stopped,
        "pause" => EventKind::Paused,
        "unpause" => EventKind::Unpaused,
        "rename" => EventKind::Renamed { from: bare(attributes.remove("oldName").unwrap_or_default()) },
        "update" => EventKind::Updated,
        "destroy" | "remove" => EventKind::Destroyed,
        "exec_start" | "exec" => EventKind::ExecStarted { command: rest.into() },
        "exec_die" | "exec_died" => EventKind::ExecEnded { exit_code: code(&attributes, &["exitCode", "containerExitCode"]) },
        "attach" => EventKind::Attached,
        "detach" => EventKind::Detached,
        _ => EventKind::Other { action: action.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<EngineEvent> {
        event(serde_json::from_str(text).unwrap())
    }

    fn kind_of(action: &str, attributes: &[(&str, &str)]) -> EventKind {
        kind(action, attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn an_event_of_docker_is_read_to_the_nanosecond() {
        let event = read(
            r#"{"status":"die","id":"c0ffee","from":"busybox","Type":"container","Action":"die","Actor":{"ID":"c0ffee","Attributes":
               {"exitCode":"137","image":"busybox","name":"palisade-web","palisade.schema":"1"}},"scope":"local","time":1795316400,
               "timeNano":1795316400123456789}"#,
        )
        .unwrap();
        assert_eq!((event.container.as_str(), event.name.raw()), ("c0ffee", "palisade-web"));
        assert_eq!(event.at.as_nanosecond(), 1_795_316_400_123_456_789);
        assert_eq!(event.what, EventKind::Died { exit_code: Some(137) });
    }

    #[test]
    fn podmans_words_mean_the_same() {
        assert_eq!(kind_of("died", &[("containerExitCode", "2")]), EventKind::Died { exit_code: Some(2) });
        assert_eq!(kind_of("remove", &[]), EventKind::Destroyed);
        assert_eq!(kind_of("exec", &[]), EventKind::ExecStarted { command: Untrusted::default() });
        assert_eq!(kind_of("exec_died", &[]), EventKind::ExecEnded { exit_code: None });
        assert_eq!(kind_of("cleanup", &[]), EventKind::Other { action: "cleanup".into() });
    }

    #[test]
    fn a_command_keeps_its_colons_and_a_name_loses_its_slash() {
        let command = "sh -c echo a: b; exec_die: 0";
        assert_eq!(kind_of(&format!("exec_start: {command}"), &[]), EventKind::ExecStarted { command: command.into() });
        assert_eq!(kind_of("rename", &[("oldName", "/palisade-web")]), EventKind::Renamed { from: "palisade-web".into() });
        assert_eq!(kind_of("kill", &[("signal", "9")]), EventKind::Killed { signal: "9".into() });
        assert_eq!(kind_of("health_status: healthy", &[]), EventKind::Other { action: "health_status: healthy".into() });
    }

    #[test]
    fn what_names_no_container_is_no_event_and_rubbish_harms_nobody() {
        for text in ["{}", r#"{"Action":"die"}"#, r#"{"Action":"die","Actor":{}}"#, r#"{"Actor":{"ID":""}}"#] {
            assert_eq!(read(text), None, "{text}");
        }
        let odd = read(r#"{"Actor":{"ID":"x"},"time":-5,"timeNano":-7}"#).unwrap();
        assert_eq!((odd.at, odd.what), (from_seconds(-5), EventKind::Other { action: Untrusted::default() }));
        assert_eq!(kind_of("die", &[("exitCode", "many")]), EventKind::Died { exit_code: None });
        let hostile = read(r#"{"Action":"\u001b[2J","Actor":{"ID":"x","Attributes":{"name":"\u001b]0;x"}},"time":1}"#).unwrap();
        assert!(!hostile.name.to_string().contains('\u{1b}'));
        assert_eq!(hostile.at.as_second(), 1);
    }
}
