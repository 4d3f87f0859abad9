#![expect(clippy::disallowed_methods, reason = "files that are tampered with")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::audit_log::{AuditLog, Subject};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn run(id: &str, started: i64) -> Run {
    Run {
        schema: 1,
        session: Subject { id: id.to_owned(), name: "web".to_owned() },
        kind: "persistent".to_owned(),
        profile: "default".to_owned(),
        engine: "unix:///run/docker.sock".to_owned(),
        container: "c0ffee".to_owned(),
        image: Image { name: "debian".to_owned(), digest: "sha256:00".to_owned() },
        started: at(started),
        plan: json!({ "plan": started }),
        posture: Value::Null,
        measured: None,
    }
}

fn ended(run: Run) -> Evidence {
    let end = End {
        ended: run.started,
        exit_code: Some(0),
        out_of_memory: false,
        seen_by: "stop".to_owned(),
        by: "1000@here".to_owned(),
        limits: json!([]),
        packages: json!([]),
        packages_unlisted: Some(0),
    };
    Evidence { run, end }
}

fn shelf(state: &Path) -> Shelf {
    Shelf::new(state, AuditLog::new(state, "1000@here"))
}

fn begin(shelf: &Shelf, run: Run) {
    shelf.begin(Begun { run, maker: "me".to_owned(), depot: false }).unwrap();
}

fn flaws(shelf: &Shelf) -> Vec<FlawKind> {
    shelf.verify(at(0)).unwrap().flaws.into_iter().map(|flaw| flaw.flaw).collect()
}

fn ends(state: &Path) -> usize {
    AuditLog::new(state, "").entries(|entry| entry.action == "end", None).unwrap().len()
}

#[test]
fn an_end_is_told_once_however_many_see_it() {
    let state = tempfile::tempdir().unwrap();
    begin(&shelf(state.path()), run("01a", 1));
    let told: usize = std::thread::scope(|threads| {
        let see = || usize::from(shelf(state.path()).end(&ended(run("01a", 1)), at(9)).unwrap());
        let seen: Vec<_> = (0..8).map(|_| threads.spawn(see)).collect();
        seen.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((told, ends(state.path())), (1, 1));
    assert_eq!(shelf(state.path()).open().unwrap(), []);
    // Of a second run there is a second file, and its plan is the container's.
    begin(&shelf(state.path()), Run { plan: Value::Null, ..run("01a", 5) });
    let open = shelf(state.path()).open_of("01a").unwrap().unwrap();
    assert_eq!(open.run.plan, json!({ "plan": 1 }));
    assert!(shelf(state.path()).end(&ended(open.run), at(9)).unwrap());
    assert_eq!(shelf(state.path()).verify(at(9)).unwrap(), Proof { sound: 2, expired: 0, flaws: Vec::new() });
    let file = state.path().join("evidence").join(run("01a", 1).file());
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_was_measured_last_is_kept_with_the_run_that_it_is_of() {
    let state = tempfile::tempdir().unwrap();
    let shelf = shelf(state.path());
    shelf.measured("01a", "c0ffee", json!("nobody's"), at(1)).unwrap();
    assert!(!shelf.folder().exists());
    begin(&shelf, run("01a", 1));
    shelf.measured("01a", "another", json!("another's"), at(2)).unwrap();
    shelf.measured("01a", "c0ffee", json!("its own"), at(3)).unwrap();
    let open = shelf.open_of("01a").unwrap().unwrap();
    assert_eq!((open.run.posture, open.run.measured), (json!("its own"), Some(at(3))));
}

#[test]
fn a_process_that_is_killed_in_the_middle_of_an_end_leaves_what_the_next_one_completes() {
    for was_told in [false, true] {
        let state = tempfile::tempdir().unwrap();
        let shelf = shelf(state.path());
        begin(&shelf, run("01a", 1));
        shelf.end(&ended(run("01a", 1)), at(2)).unwrap();
        // As it was one step before, or two.
        let folder = state.path().join("evidence");
        std::fs::rename(folder.join(run("01a", 1).file()), folder.join("pending")).unwrap();
        if !was_told {
            for name in ["audit.jsonl", "audit.head"] {
                std::fs::remove_file(state.path().join(name)).unwrap();
            }
        }
        begin(&shelf, run("01b", 1));
        assert!(shelf.end(&ended(run("01b", 1)), at(3)).unwrap());
        assert_eq!((flaws(&shelf), ends(state.path())), (Vec::new(), 2), "{was_told}");
    }
}

#[test]
fn a_file_that_is_changed_added_or_taken_away_is_found_and_one_that_expired_is_not_missed() {
    let state = tempfile::tempdir().unwrap();
    let shelf = shelf(state.path());
    for id in ["01a", "01b", "01c", "01d"] {
        begin(&shelf, run(id, 1));
        shelf.end(&ended(run(id, 1)), at(2)).unwrap();
    }
    assert_eq!(shelf.expire(10, Duration::from_hours(1_000_000), at(3)).unwrap(), 0);
    assert_eq!(shelf.expire(3, Duration::from_hours(1_000_000), at(3)).unwrap(), 1);
    assert_eq!(shelf.verify(at(3)).unwrap(), Proof { sound: 3, expired: 1, flaws: Vec::new() });
    // What is told and expired is not told again.
    assert!(!shelf.end(&ended(run("01a", 1)), at(4)).unwrap());
    let file = |id: &str| state.path().join("evidence").join(run(id, 1).file());
    let text = std::fs::read_to_string(file("01b")).unwrap();
    std::fs::write(file("01b"), text.replacen("\"exit_code\":0", "\"exit_code\":1", 1)).unwrap();
    assert_eq!(flaws(&shelf), [FlawKind::Changed]);
    std::fs::write(file("01e"), text).unwrap();
    std::fs::remove_file(file("01d")).unwrap();
    assert_eq!(flaws(&shelf), [FlawKind::Changed, FlawKind::Unknown, FlawKind::Missing]);
    let log = std::fs::read_to_string(state.path().join("audit.jsonl")).unwrap();
    std::fs::write(state.path().join("audit.jsonl"), log.replacen("01c", "01x", 1)).unwrap();
    assert_eq!(flaws(&shelf)[0], FlawKind::LogBroken);
}
