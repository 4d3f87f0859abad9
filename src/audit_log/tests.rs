#![expect(clippy::disallowed_methods, reason = "logs that are tampered with")]

use jiff::Timestamp;

use super::*;

fn deed(action: &'static str, n: u64) -> Deed {
    let session = Some(Subject { id: format!("01J{n}"), name: format!("web-{n}") });
    Deed { action, session, detail: serde_json::json!({ "n": n, "text": "\u{1b}[2J é" }) }
}

fn log(entries: u64) -> (tempfile::TempDir, AuditLog) {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::new(folder.path(), "1000@here");
    for n in 0..entries {
        log.append(&deed("launch", n), "2026-01-31T08:00:00Z".parse().unwrap()).unwrap();
    }
    (folder, log)
}

fn faults(log: &AuditLog) -> Vec<(u64, FaultKind)> {
    log.verify().unwrap().faults.iter().map(|fault| (fault.line, fault.kind)).collect()
}

#[test]
fn what_was_written_holds_together_and_an_empty_log_does() {
    let (_folder, log) = log(0);
    assert!(log.verify().unwrap().is_sound());
    let (_folder, log) = self::log(20);
    let verdict = log.verify().unwrap();
    assert!(verdict.is_sound() && verdict.end.entries == 20, "{verdict:?}");
}

#[test]
fn any_byte_that_is_changed_is_found_in_its_line() {
    let (_folder, log) = log(4);
    let sound = std::fs::read(log.path()).unwrap();
    for at in 0..sound.len() {
        let mut changed = sound.clone();
        changed[at] ^= 1;
        std::fs::write(log.path(), &changed).unwrap();
        let line = 1 + sound[..at].split(|byte| *byte == b'\n').count() as u64 - 1;
        let found = faults(&log);
        assert!(found.first().is_some_and(|(first, _)| *first == line), "byte {at} of line {line}: {found:?}");
    }
    std::fs::write(log.path(), &sound).unwrap();
    assert!(log.verify().unwrap().is_sound());
    let head = log.path().with_extension("head");
    let sound = std::fs::read(&head).unwrap();
    for at in 0..sound.len() {
        let mut changed = sound.clone();
        changed[at] ^= 1;
        std::fs::write(&head, &changed).unwrap();
        assert!(!log.verify().unwrap().is_sound(), "byte {at} of the head");
    }
}

#[test]
fn lines_removed_added_or_swapped_are_found_where_they_were() {
    let (_folder, log) = log(6);
    let lines: Vec<String> = std::fs::read_to_string(log.path()).unwrap().lines().map(|line| format!("{line}\n")).collect();
    let with = |lines: &[String]| {
        std::fs::write(log.path(), lines.concat()).unwrap();
        faults(&log)
    };
    for at in 0..6 {
        let mut less = lines.clone();
        less.remove(at);
        let kind = if at == 5 { FaultKind::Cut } else { FaultKind::Unlinked };
        assert_eq!(with(&less).first(), Some(&(at as u64 + 1, kind)), "without line {}", at + 1);
        let mut more = lines.clone();
        more.insert(at, lines[at].clone());
        assert_eq!(with(&more).first(), Some(&(at as u64 + 2, FaultKind::Unlinked)), "line {} twice", at + 1);
    }
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    assert_eq!(with(&swapped).first(), Some(&(3, FaultKind::Unlinked)));
    assert_eq!(with(&lines[..3]), [(4, FaultKind::Cut)]);
    assert_eq!(with(&[]), [(1, FaultKind::Cut)]);
}

#[test]
fn an_end_that_someone_went_on_with_by_himself_is_found() {
    let (_folder, log) = log(3);
    let end = log.verify().unwrap().end;
    let mut text = std::fs::read_to_string(log.path()).unwrap();
    let mut link = end;
    for n in 0..2 {
        let (entry, next) = link.next(&deed("rm", n), "2026-01-31T08:00:00Z".parse().unwrap(), "0@there", 1).unwrap();
        text += &(entry + "\n");
        link = next;
    }
    std::fs::write(log.path(), text).unwrap();
    assert_eq!(faults(&log), [(4, FaultKind::Added)]);
}

#[test]
fn what_a_killed_writer_leaves_costs_nothing_but_its_own_half_line() {
    let (_folder, log) = log(2);
    let end = log.verify().unwrap().end;
    let (whole, _) = end.next(&deed("launch", 9), "2026-01-31T08:00:00Z".parse().unwrap(), "1000@here", 1).unwrap();
    let before = std::fs::read_to_string(log.path()).unwrap();
    // Killed after the line, before the head.
    std::fs::write(log.path(), format!("{before}{whole}\n")).unwrap();
    assert!(log.verify().unwrap().is_sound());
    log.append(&deed("stop", 1), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(log.verify().unwrap().end.entries, 4);
    // Killed, or the disk was full, in the middle of a line.
    let before = std::fs::read_to_string(log.path()).unwrap();
    std::fs::write(log.path(), format!("{before}{}", &whole[..40])).unwrap();
    log.append(&deed("stop", 2), Timestamp::UNIX_EPOCH).unwrap();
    let verdict = log.verify().unwrap();
    assert!(verdict.is_sound() && verdict.end.entries == 5, "{verdict:?}");
    assert_eq!(std::fs::read_to_string(log.path().with_extension("torn-5")).unwrap(), whole[..40]);
}

#[test]
fn nothing_is_appended_to_a_log_that_was_cut() {
    let (_folder, log) = log(3);
    let text = std::fs::read_to_string(log.path()).unwrap();
    std::fs::write(log.path(), text.split_inclusive('\n').take(2).collect::<String>()).unwrap();
    let error = log.append(&deed("launch", 1), Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(error.to_string().contains("palisade audit verify"), "{error}");
}

/// The folder of the writers that the test below starts.
const FOLDER: &str = "PALISADE_TEST_AUDIT";

#[test]
#[ignore = "run by ten_thousand_entries_of_eight_processes_make_one_chain"]
fn write_many() {
    let log = AuditLog::new(std::env::var_os(FOLDER).unwrap().as_ref(), "1000@here");
    for n in 0..1250 {
        log.append(&deed("exec", n), Timestamp::UNIX_EPOCH).unwrap();
    }
}

#[test]
fn ten_thousand_entries_of_eight_processes_make_one_chain() {
    let (folder, log) = log(0);
    let writer = || {
        let mut writer = std::process::Command::new(std::env::current_exe().unwrap());
        writer.args(["--exact", "--ignored", "audit_log::tests::write_many"]).env(FOLDER, folder.path());
        writer.stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let writers: Vec<_> = (0..8).map(|_| writer()).collect();
    assert!(writers.into_iter().all(|mut writer| writer.wait().unwrap().success()));
    let verdict = log.verify().unwrap();
    assert!(verdict.is_sound() && verdict.end.entries == 10_000, "{verdict:?}");
}
