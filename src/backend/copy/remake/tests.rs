#![expect(clippy::disallowed_methods, reason = "tests look at what was written")]

use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::backend::copy::hostile::{Hostile, any_entry, bytes, file, folder, hard, link};
use crate::failure::Code;

/// The most trusting of programs, which the fuzzer unpacks with as well.
#[path = "../../../../fuzz/src/gullible.rs"]
mod gullible;

const OWNER: (u32, u32) = (1234, 5678);

fn order(name: Option<&str>, max_size: u64) -> Order {
    let origin = name.map_or(Origin::Input, |name| Origin::Session(format!("/home/{name}")));
    Order { name: name.map(OsString::from), origin, max_size: Bytes::new(max_size), owner: OWNER }
}

fn made_of(raw: &[u8], order: &Order) -> (Vec<u8>, Result<CopyReport, Stopped>) {
    let mut made = Vec::new();
    let report = remake(raw, order, &mut made);
    (made, report)
}

/// What is made of a session's `tree`, whose names begin with `x`.
fn tree(entries: &[Hostile]) -> (Vec<u8>, CopyReport) {
    let (made, report) = made_of(&bytes(entries), &order(Some("tree"), 1 << 20));
    (made, report.unwrap())
}

fn failure(outcome: Result<CopyReport, Stopped>) -> Failure {
    match outcome {
        Err(Stopped::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

/// Each entry as `tar tv` would list it.
fn listed(made: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(made);
    let each = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (OWNER.0.into(), OWNER.1.into()));
        assert_eq!((header.username_bytes(), header.groupname_bytes()), (Some(&b""[..]), Some(&b""[..])));
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let target = entry.link_name_bytes().map_or(String::new(), |target| format!(" > {}", String::from_utf8_lossy(&target)));
        format!("{} {:o} {} {name}{target}", header.as_bytes()[156] as char, header.mode().unwrap(), entry.size())
    });
    each.collect()
}

#[test]
fn a_folder_is_made_anew_under_its_name_with_what_is_harmless_of_it() {
    let su = Hostile { mode: 0o6777, ..file("x/bin/su", "#!") };
    let entries =
        [Hostile { mode: 0o7777, ..folder("x") }, folder("x/bin"), su, link("x/bin/up", "../a"), file("x/a", "hello"), hard("x/b", "x/a")];
    let (made, report) = tree(&entries);
    assert_eq!((report.entries, report.bytes, report.skipped.len()), (6, 7, 0));
    let expected = ["5 755 0 tree/", "5 755 0 tree/bin/", "0 755 2 tree/bin/su", "2 777 0 tree/bin/up > ../a", "0 644 5 tree/a"];
    assert_eq!(listed(&made)[..5], expected);
    assert_eq!(listed(&made)[5..], ["1 644 0 tree/b > tree/a"]);
    assert_eq!(made_of(&made, &order(Some("tree"), 1 << 20)).0, made, "and once more it is the same");
}

#[test]
fn what_would_act_outside_or_is_no_file_is_left_out_and_named() {
    let odd = |name: &str, kind| Hostile { kind, content: b"abc".to_vec(), ..file(name, "") };
    let (made, report) = tree(&[
        folder("x"),
        file("/etc/passwd", "owned"),
        file("x/../../up", "owned"),
        file("y/elsewhere", "owned"),
        file("x/\u{1b}[2J", "owned"),
        file("x/\u{202e}gpj", "owned"),
        odd("x/c", EntryType::Char),
        odd("x/b", EntryType::Block),
        odd("x/p", EntryType::Fifo),
        odd("x/z", EntryType::new(b'Z')),
        link("x/absolute", "/etc/passwd"),
        link("x/up", "../x"),
        link("x/around", "a/../../x"),
        hard("x/shadow", "/etc/shadow"),
        hard("x/later", "x/ok"),
        file("x/ok", "ok"),
    ]);
    assert_eq!((report.entries, report.skipped.len()), (2, 14), "{:?}", report.skipped);
    assert!(report.skipped.iter().all(|line| !line.to_string().contains(['\u{1b}', '\u{202e}'])));
    assert_eq!(listed(&made), ["5 755 0 tree/", "0 644 2 tree/ok"]);
}

#[test]
fn nothing_lies_below_a_link_and_no_name_changes_what_it_is() {
    let (made, report) = tree(&[
        folder("x"),
        link("x/top", "."),
        link("x/top/out", ".."),
        file("x/top/through", "no"),
        folder("x/d"),
        link("x/d", "."),
        link("x/d/up", ".."),
        link("x/d/up", "../top"),
        file("x/f", "1"),
        file("x/f", "2"),
        folder("x/f"),
        hard("x/f", "x/f"),
        hard("x/top2", "x/top"),
        file("x/top", "no"),
    ]);
    let expected = ["5 755 0 tree/", "2 777 0 tree/top > .", "5 755 0 tree/d/", "2 777 0 tree/d/up > ..", "2 777 0 tree/d/up > ../top"];
    assert_eq!(listed(&made)[..5], expected);
    assert_eq!(listed(&made)[5..], ["0 644 1 tree/f", "0 644 1 tree/f"]);
    assert_eq!(report.skipped.len(), 7, "{:?}", report.skipped);
}

#[test]
fn folders_that_are_only_implied_are_made_and_belong_to_the_same_owner() {
    let (made, report) = made_of(&bytes(&[file("a/b/c", "1"), folder("./"), file("./a/d", "2")]), &order(None, 100));
    assert_eq!(listed(&made), ["5 755 0 a/", "5 755 0 a/b/", "0 644 1 a/b/c", "0 644 1 a/d"]);
    assert_eq!(report.unwrap().skipped, []);
    let (made, report) = made_of(&bytes(&[]), &order(None, 100));
    assert_eq!((made, report.unwrap().entries), (vec![0; 1024], 0));
}

/// As GNU's `tar` writes a name that a header has no room for.
fn long(name: &[u8], kind: EntryType) -> Hostile {
    Hostile { kind, content: name.to_vec(), ..file("././@LongLink", "") }
}

#[test]
fn long_names_arrive_and_what_no_kernel_takes_is_left_out() {
    let deep = format!("x/{}/{}", "d".repeat(200), "e".repeat(200));
    let odd = [b"x/\xff".as_slice(), &[b'n'; 150]].concat();
    let target = format!("./{}", "t".repeat(200));
    let raw = bytes(&[
        folder("x"),
        long(deep.as_bytes(), EntryType::GNULongName),
        file("cut", "1"),
        long(&odd, EntryType::GNULongName),
        file("cut", "2"),
        long(target.as_bytes(), EntryType::GNULongLink),
        link("x/l", "cut"),
        long(format!("x/{}", "p".repeat(256)).as_bytes(), EntryType::GNULongName),
        file("cut", "3"),
        long(format!("x/{}", "q/".repeat(250).replace('q', &"q".repeat(20))).as_bytes(), EntryType::GNULongName),
        file("cut", "4"),
    ]);
    let (made, report) = made_of(&raw, &order(Some("x"), 1 << 20));
    assert_eq!(report.unwrap().skipped.len(), 2);
    let mut archive = tar::Archive::new(&made[..]);
    let names: Vec<_> = archive.entries().unwrap().map(|entry| entry.unwrap().path_bytes().into_owned()).collect();
    assert_eq!(names[1..], [format!("x/{}/", "d".repeat(200)).into_bytes(), deep.into_bytes(), odd, b"x/l".to_vec()]);
    assert!(listed(&made)[4].ends_with(&target));
}

#[test]
fn what_is_too_much_is_refused_before_it_is_begun_and_what_came_before_is_not_taken_for_whole() {
    let raw = bytes(&[folder("x"), file("x/a", "12345"), file("x/b", "123456")]);
    let (made, outcome) = made_of(&raw, &order(Some("x"), 10));
    let failed = failure(outcome);
    assert!(failed.code == Code::Refused && failed.to_string().contains("larger than 10 B"), "{failed}");
    assert_eq!(made.len(), 512 + 1024 + 512, "two entries and what says that they are not all");
    assert!(matches!(made_of(&made, &order(Some("x"), 1000)).1, Err(Stopped::Failed(_))));

    let many: Vec<Hostile> = (0..1100).map(|at| file(&format!("{at}"), "")).collect();
    let failed = failure(made_of(&bytes(&many), &order(None, 1 << 20)).1);
    assert!(failed.to_string().contains("copy of standard input was stopped: it has more than 1000 files and folders"), "{failed}");
    let deep: Vec<Hostile> = (0..30).map(|at| file(&format!("{at}/{}f", "d/".repeat(40)), "")).collect();
    assert!(failure(made_of(&bytes(&deep), &order(None, 1 << 20)).1).to_string().contains("more than 1000"));
    // A name that has no room in a header counts as what it is.
    let raw = bytes(&[long(&[b'n'; 200], EntryType::GNULongName), file("cut", "")]);
    assert_eq!(failure(made_of(&raw, &order(None, 199)).1).code, Code::Refused);
}

#[test]
fn an_archive_is_whole_only_with_its_end() {
    let whole = bytes(&[folder("x"), file("x/a", &"a".repeat(1000)), file("x/b", "b")]);
    for (name, code) in [(Some("x"), Code::EngineError), (None, Code::Io)] {
        for cut in (0..whole.len() - 1024).step_by(256) {
            let (made, outcome) = made_of(&whole[..cut], &order(name, 1 << 20));
            assert_eq!(failure(outcome).code, code, "{cut}");
            assert!(cut >= 512 || made.is_empty(), "nothing came, so nothing is said");
            assert!(matches!(made_of(&made, &order(name, 1 << 20)).1, Err(Stopped::Failed(_))), "{cut}");
        }
        let (_, outcome) = made_of(&[b'x'; 4096], &order(name, 1 << 20));
        assert_eq!(failure(outcome).code, code);
    }
    let long = Hostile { kind: EntryType::GNULongName, content: vec![b'a'; 3 << 20], ..file("././@LongLink", "") };
    let failed = failure(made_of(&bytes(&[long, file("x", "")]), &order(None, 1 << 30)).1);
    assert!(failed.to_string().contains("longer than any name"), "{failed}");
}

#[test]
fn a_link_in_place_of_what_was_asked_for_is_refused_and_nothing_is_written() {
    for odd in [link("x", "/etc/passwd"), hard("x", "y"), Hostile { kind: EntryType::Char, ..file("x", "") }] {
        let (made, outcome) = made_of(&bytes(&[odd]), &order(Some("x"), 10));
        assert!(failure(outcome).code == Code::Refused && made.is_empty());
    }
}

#[test]
fn times_are_kept_and_one_that_is_none_is_bounded() {
    let mut raw = bytes(&[file("a", "")]);
    for (time, kept) in [(1_700_000_000, 1_700_000_000), (u64::MAX >> 1, LATEST)] {
        let mut header = tar::Header::from_byte_slice(&raw[..512]).clone();
        header.set_mtime(time);
        header.set_cksum();
        raw[..512].copy_from_slice(header.as_bytes());
        let (made, _) = made_of(&raw, &order(None, 10));
        assert_eq!(tar::Header::from_byte_slice(&made[..512]).mtime().unwrap(), kept);
    }
}

/// A place to write that ends as it says.
struct Ends(io::ErrorKind);

impl Write for Ends {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_left_is_told_apart_from_a_full_disk() {
    let raw = bytes(&[file("a", "1")]);
    assert!(matches!(remake(Cursor::new(&raw), &order(None, 10), Ends(io::ErrorKind::BrokenPipe)), Err(Stopped::Unheard)));
    let failed = failure(remake(Cursor::new(&raw), &order(None, 10), Ends(io::ErrorKind::StorageFull)));
    assert!(failed.code == Code::Io && failed.message.contains("write the archive"), "{failed}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_believes_everything_in_it_is_not_led_outside(entries in prop::collection::vec(any_entry(), 1..30), contents: bool) {
        let mut all = vec![folder("x")];
        all.extend(entries);
        let (made, _) = made_of(&bytes(&all), &order((!contents).then_some("x"), 100));
        let base = tempfile::tempdir().unwrap();
        let dest = base.path().join("dest");
        for name in ["dest", "outside"] {
            std::fs::create_dir(base.path().join(name)).unwrap();
        }
        std::fs::write(base.path().join("outside/secret"), "secret").unwrap();
        gullible::unpack(&made, &dest);
        prop_assert_eq!(std::fs::read_to_string(base.path().join("outside/secret")).unwrap(), "secret");
        prop_assert_eq!(std::fs::read_dir(base.path().join("outside")).unwrap().count(), 1);
        prop_assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 2);
        let real = dest.canonicalize().unwrap();
        let mut folders = vec![dest];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.symlink_metadata().unwrap().is_dir() {
                    folders.push(path);
                } else if let Ok(leads) = path.canonicalize() {
                    prop_assert!(leads.starts_with(&real), "{path:?} leads to {leads:?}");
                }
            }
        }
    }
}
