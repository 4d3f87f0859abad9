#![expect(clippy::disallowed_methods, reason = "databases that are tampered with, and processes of our own")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Barrier;

use jiff::Timestamp;
use rusqlite::Connection;

use super::sessions::{self, Use, Who};
use super::*;
use crate::units::SessionId;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn web() -> Who {
    Who { id: SessionId::from_parts(1, 7), engine: "unix:///run/docker.sock".to_owned(), name: "web".to_owned() }
}

/// Files of the folder but for the database's own.
fn aside(folder: &Path) -> Vec<String> {
    let own = ["palisade.db", "palisade.db-wal", "palisade.db-shm", "palisade.db.lock"];
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !own.contains(&name.as_str())).collect();
    names.sort();
    names
}

fn count(database: &Database) -> i64 {
    database.read(|db| db.query_row("SELECT count(*) FROM renames", [], |row| row.get(0))).unwrap()
}

fn rename(database: &Database, n: i64) {
    database.write(|db| sessions::renamed(db, &web(), &format!("web-{n}"), at(n))).unwrap();
}

#[test]
fn what_happened_to_a_session_is_kept_until_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::new(folder.path());
    database
        .write(|db| {
            sessions::began(db, &web(), b"key", Some(at(60)), at(0))?;
            sessions::used(db, &web(), Use::Attach, at(1))?;
            sessions::used(db, &web(), Use::Exec, at(2))?;
            sessions::renamed(db, &web(), "api", at(3))?;
            let api = Who { name: "api".to_owned(), ..web() };
            sessions::renamed(db, &api, "shop", at(4))?;
            sessions::renewed(db, &Who { name: "shop".to_owned(), ..web() }, Some(at(99)), at(5))
        })
        .unwrap();
    // Another process, later.
    let database = Database::new(folder.path());
    let kept = database.read(|db| sessions::find(db, web().id)).unwrap().unwrap();
    assert_eq!(kept.who, Who { name: "shop".to_owned(), ..web() });
    assert_eq!((kept.last_use, kept.last_attach), (Some(("renew".to_owned(), at(5))), Some(at(1))));
    assert_eq!(kept.deadline, Some(at(99)));
    assert_eq!(kept.names, [("web".to_owned(), at(3)), ("api".to_owned(), at(4))]);
    assert_eq!(database.read(|db| sessions::key(db, web().id)).unwrap().unwrap(), b"key");
    assert_eq!(database.read(|db| sessions::all(db, &web().engine)).unwrap().len(), 1);
    assert_eq!(database.read(|db| sessions::all(db, "ssh://elsewhere")).unwrap(), []);
    database.write(|db| sessions::forget(db, web().id)).unwrap();
    assert_eq!(database.read(|db| sessions::find(db, web().id)).unwrap(), None);
    assert_eq!((count(&database), database.warning()), (0, None));
}

#[test]
fn nothing_is_made_before_the_first_call_and_it_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("deep/state");
    let database = Database::new(&state);
    assert!(!state.exists());
    rename(&database, 1);
    for name in ["palisade.db", "palisade.db-wal", "palisade.db.lock"] {
        assert_eq!(std::fs::metadata(state.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn half_a_transaction_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::new(folder.path());
    let failed: Result<(), _> = database.write(|db| {
        sessions::renamed(db, &web(), "api", at(1))?;
        db.execute_batch("SELECT nonsense")
    });
    assert!(failed.is_err());
    assert_eq!(count(&database), 0);
}

#[test]
fn a_damaged_file_is_set_aside_once_and_told_by_one() {
    for damage in
        [&b"this is no database, but long enough to be looked at as one by whoever reads a hundred bytes of header or more"[..], b"short"]
    {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("palisade.db"), damage).unwrap();
        let databases: Vec<Database> = (0..8).map(|_| Database::new(folder.path())).collect();
        let start = Barrier::new(databases.len());
        std::thread::scope(|threads| {
            for (n, database) in (0..).zip(&databases) {
                let start = &start;
                threads.spawn(move || {
                    start.wait();
                    rename(database, n);
                });
            }
        });
        let told: Vec<String> = databases.iter().filter_map(Database::warning).collect();
        let aside = aside(folder.path());
        assert_eq!((told.len(), aside.len()), (1, 1), "{told:?} {aside:?}");
        assert!(aside[0].starts_with("palisade.db.corrupt-") && told[0].contains(&aside[0]), "{told:?}");
        assert_eq!(std::fs::read(folder.path().join(&aside[0])).unwrap(), damage);
        assert_eq!(count(&databases[0]), 8);
    }
}

#[test]
fn a_file_that_is_damaged_while_it_is_open_is_set_aside_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("palisade.db");
    let database = Database::new(folder.path());
    for n in 0..200 {
        rename(&database, n);
    }
    // All of it in the file, and then the file no database any more.
    Connection::open(&path).unwrap().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let length = usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap();
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, &vec![0x5a; length]).unwrap();
    rename(&database, 200);
    assert!(database.warning().unwrap().contains("palisade.db.corrupt-"));
    // Its log goes with it.
    let aside = aside(folder.path());
    assert_eq!((count(&database), aside.len()), (1, 2), "{aside:?}");
}

#[test]
fn a_newer_programs_file_and_a_foreign_one_are_set_aside_whole() {
    for (change, mark) in [("PRAGMA user_version = 999", "newer"), ("PRAGMA application_id = 0; PRAGMA user_version = 0", "corrupt")] {
        let folder = tempfile::tempdir().unwrap();
        rename(&Database::new(folder.path()), 1);
        Connection::open(folder.path().join("palisade.db")).unwrap().execute_batch(change).unwrap();
        let database = Database::new(folder.path());
        rename(&database, 2);
        let aside = aside(folder.path());
        assert!(aside[0].starts_with(&format!("palisade.db.{mark}-")) && database.warning().unwrap().contains(mark), "{aside:?}");
        assert_eq!(count(&database), 1);
        let old = Connection::open(folder.path().join(&aside[0])).unwrap();
        assert_eq!(old.query_row("SELECT new FROM renames", [], |row| row.get::<_, String>(0)).unwrap(), "web-1");
    }
}

#[test]
fn a_file_that_is_taken_away_is_made_again_by_all_who_had_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let databases = [Database::new(folder.path()), Database::new(folder.path())];
    for database in &databases {
        rename(database, 1);
    }
    std::fs::remove_file(folder.path().join("palisade.db")).unwrap();
    for n in 0..20 {
        rename(&databases[n % 2], 2);
    }
    assert_eq!(databases.each_ref().map(count), [20, 20]);
    let sound: String =
        Connection::open(folder.path().join("palisade.db")).unwrap().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!((sound.as_str(), databases[0].warning()), ("ok", None));
}

#[test]
fn a_folder_that_cannot_be_written_is_told_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("state"), "a file").unwrap();
    let unkept = Database::new(&folder.path().join("state")).read(|db| sessions::find(db, web().id)).unwrap_err();
    assert!(unkept.to_string().contains("state"), "{unkept}");
}

const WRITES: i64 = 60;

/// What each of the processes below does.
#[test]
#[ignore = "run by the tests of many processes"]
fn write_much() {
    let database = Database::new(Path::new(&std::env::var("STATE").unwrap()));
    for n in 0..WRITES {
        rename(&database, n);
        database.read(|db| sessions::all(db, "x")).unwrap();
    }
    println!("warned {}", database.warning().iter().count());
}

fn writers(folder: &Path, many: usize) -> Vec<Child> {
    let start = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["state::tests::write_much", "--exact", "--ignored", "--nocapture"]).env("STATE", folder);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    (0..many).map(|_| start()).collect()
}

fn ended_well(writers: Vec<Child>) -> usize {
    let mut warned = 0;
    for writer in writers {
        let output = writer.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        warned += usize::from(text.contains("warned 1"));
    }
    warned
}

#[test]
fn eight_processes_write_at_once_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let writers = writers(folder.path(), 8);
    assert_eq!(ended_well(writers), 0);
    assert_eq!(count(&Database::new(folder.path())), 8 * WRITES);
    assert_eq!(aside(folder.path()), [""; 0]);
}

#[test]
fn eight_processes_go_on_while_the_file_is_damaged_and_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("palisade.db");
    std::fs::write(&path, [0x5a; 9000]).unwrap();
    let writers = writers(folder.path(), 8);
    for _ in 0..5 {
        // Whoever does so knows nothing of our locks.
        let _ = std::fs::remove_file(&path);
        std::thread::yield_now();
    }
    assert!(ended_well(writers) <= 1);
    let database = Database::new(folder.path());
    rename(&database, 0);
    let sound = database.read(|db| db.pragma_query_value(None, "integrity_check", |row| row.get::<_, String>(0))).unwrap();
    assert_eq!(sound, "ok");
}
