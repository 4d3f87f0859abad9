#![expect(clippy::disallowed_methods, reason = "tests look at what was written")]

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use bytes::Bytes as Chunk;
use proptest::prelude::*;
use tokio::sync::mpsc;

use super::*;
use crate::backend::copy::hostile::{Hostile, any_entry, bytes, file, folder, hard, link};
use crate::backend::copy::pipe::ChunkReader;

/// A folder with a secret beside the destination.
struct Here {
    base: tempfile::TempDir,
}

impl Here {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(base.path().join("dest")).unwrap();
        std::fs::create_dir_all(base.path().join("outside")).unwrap();
        std::fs::write(base.path().join("outside/secret"), "secret").unwrap();
        Self { base }
    }

    fn dest(&self) -> PathBuf {
        self.base.path().join("dest")
    }

    fn run(&self, raw: &[u8], local: &str, name: Option<&str>, max_size: u64) -> Result<CopyReport> {
        let (sender, receiver) = mpsc::channel(raw.len() / 1000 + 2);
        for piece in raw.chunks(1000) {
            sender.try_send(Ok(Chunk::copy_from_slice(piece))).unwrap();
        }
        drop(sender);
        let order = Order {
            local: self.base.path().join(local),
            name: name.map(OsString::from),
            origin: Origin::Session("/home/sandbox/tree".into()),
            max_size: Bytes::new(max_size),
        };
        unpack(ChunkReader::new(receiver), &order)
    }

    fn tree(&self, entries: &[Hostile]) -> Result<CopyReport> {
        self.run(&bytes(entries), "dest", Some("tree"), 1 << 20)
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.base.path().join(path)).unwrap()
    }

    /// Nothing beside the destination changed, and no link in it leads out of it.
    fn unharmed(&self) {
        let names = |path: &Path| -> Vec<OsString> {
            let mut names: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(self.base.path()), ["dest", "outside"]);
        assert_eq!(names(&self.base.path().join("outside")), ["secret"]);
        assert_eq!(self.read("outside/secret"), "secret");
        let dest = self.dest().canonicalize().unwrap();
        let mut folders = vec![self.dest()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let entry = entry.unwrap();
                let meta = entry.metadata().unwrap();
                assert!(meta.is_symlink() || meta.mode() & 0o7022 == 0, "{entry:?}");
                assert!(!entry.file_name().to_string_lossy().ends_with(".part"), "{entry:?}");
                if meta.is_dir() {
                    folders.push(entry.path());
                } else if let Ok(real) = entry.path().canonicalize() {
                    assert!(real.starts_with(&dest), "{entry:?} leads to {real:?}");
                }
            }
        }
    }
}

#[test]
fn a_folder_arrives_under_its_name_with_modes_and_inner_links() {
    let here = Here::new();
    let run = Hostile { mode: 0o755, ..file("x/bin/tool", "#!") };
    let report =
        here.tree(&[folder("x"), folder("x/bin"), run, file("x/a", "hello"), link("x/bin/a", "../a"), hard("x/b", "x/a")]).unwrap();
    assert_eq!((report.entries, report.bytes, report.skipped.len()), (6, 7, 0));
    assert_eq!(here.read("dest/tree/bin/a"), "hello");
    assert_eq!(here.read("dest/tree/b"), "hello");
    assert_eq!(std::fs::metadata(here.dest().join("tree/bin/tool")).unwrap().permissions().mode() & 0o777, 0o755);
    here.unharmed();
}

#[test]
fn where_it_lands_is_as_docker_cp_has_it() {
    let here = Here::new();
    let one = bytes(&[file("passwd", "root")]);
    here.run(&one, "dest", Some("passwd"), 10).unwrap();
    assert_eq!(here.read("dest/passwd"), "root");
    here.run(&one, "dest/other", Some("passwd"), 10).unwrap();
    here.run(&one, "dest/other", Some("passwd"), 10).unwrap();
    assert_eq!(here.read("dest/other"), "root");
    assert_eq!(here.run(&one, "dest/new/", Some("passwd"), 10).unwrap_err().code, Code::NotFound);
    assert_eq!(here.run(&one, "dest/no/such", Some("passwd"), 10).unwrap_err().code, Code::Io);

    let tree = bytes(&[folder("etc"), file("etc/motd", "hi")]);
    here.run(&tree, "dest", Some("etc"), 10).unwrap();
    assert_eq!(here.read("dest/etc/motd"), "hi");
    here.run(&tree, "dest/fresh", Some("etc"), 10).unwrap();
    assert_eq!(here.read("dest/fresh/motd"), "hi");
    assert_eq!(here.run(&tree, "dest/passwd", Some("etc"), 10).unwrap_err().code, Code::Conflict);

    let contents = bytes(&[folder("./"), file("./motd", "hi")]);
    here.run(&contents, "dest", None, 10).unwrap();
    assert_eq!(here.read("dest/motd"), "hi");
    here.run(&contents, "dest/made", None, 10).unwrap();
    assert_eq!(here.read("dest/made/motd"), "hi");
    here.unharmed();
}

#[test]
fn names_that_lead_outside_are_left_out_and_named() {
    let here = Here::new();
    let report = here
        .tree(&[
            folder("x"),
            file("x/../../outside/secret", "owned"),
            file("/etc/owned", "owned"),
            file("../outside/secret", "owned"),
            file("y/elsewhere", "owned"),
            file("x/\u{1b}[2J", "owned"),
            file("x/ok", "ok"),
        ])
        .unwrap();
    assert_eq!((report.entries, report.skipped.len(), here.read("dest/tree/ok").as_str()), (2, 5, "ok"));
    assert!(report.skipped.iter().all(|line| !line.to_string().contains('\u{1b}')));
    here.unharmed();
}

#[test]
fn links_that_lead_outside_are_not_made_and_none_is_ever_written_through() {
    let here = Here::new();
    symlink(here.base.path().join("outside"), here.dest().join("mine")).unwrap();
    let report = here
        .tree(&[
            folder("x"),
            link("x/absolute", "/etc"),
            link("x/up", "../../outside"),
            folder("x/d"),
            link("x/d/top", ".."),
            link("x/sneaky", "d/top/../../outside"),
            hard("x/hard", "/etc/passwd"),
            hard("x/hard2", "x/../../outside/secret"),
            // A folder replaced by a link half-way, and a link written through.
            folder("x/swap"),
            link("x/swap", "d"),
            link("x/alias", "d"),
            file("x/alias/through", "no"),
            file("x/absolute/owned", "no"),
        ])
        .unwrap();
    assert!(here.dest().join("tree/swap").symlink_metadata().unwrap().is_dir());
    assert!(!here.dest().join("tree/d/through").exists());
    assert_eq!(report.skipped.len(), 7, "{:?}", report.skipped);
    std::fs::remove_file(here.dest().join("mine")).unwrap();
    here.unharmed();
}

#[test]
fn a_link_of_the_operators_in_the_destination_is_replaced_and_never_followed() {
    let here = Here::new();
    symlink(here.base.path().join("outside/secret"), here.dest().join("passwd")).unwrap();
    here.run(&bytes(&[file("passwd", "new")]), "dest", Some("passwd"), 10).unwrap();
    assert_eq!(here.read("dest/passwd"), "new");
    std::fs::create_dir(here.dest().join("tree")).unwrap();
    symlink(here.base.path().join("outside"), here.dest().join("tree/d")).unwrap();
    let report = here.tree(&[folder("x"), folder("x/d"), file("x/d/secret", "owned")]).unwrap();
    assert_eq!(report.skipped.len(), 2);
    std::fs::remove_file(here.dest().join("tree/d")).unwrap();
    here.unharmed();
}

#[test]
fn set_id_bits_and_others_write_permission_stay_behind() {
    let here = Here::new();
    here.tree(&[Hostile { mode: 0o7777, ..folder("x") }, Hostile { mode: 0o6777, ..file("x/su", "su") }]).unwrap();
    assert_eq!(std::fs::metadata(here.dest().join("tree/su")).unwrap().mode() & 0o7777, 0o755);
    here.unharmed();
}

#[test]
fn devices_pipes_and_what_nobody_knows_are_left_out() {
    let here = Here::new();
    let odd = |name: &str, kind| Hostile { kind, content: b"abc".to_vec(), ..file(name, "") };
    let report = here
        .tree(&[
            folder("x"),
            odd("x/c", EntryType::Char),
            odd("x/b", EntryType::Block),
            odd("x/p", EntryType::Fifo),
            odd("x/z", EntryType::new(b'Z')),
            file("x/ok", "ok"),
        ])
        .unwrap();
    assert_eq!((report.entries, report.skipped.len()), (2, 4));
    here.unharmed();
}

#[test]
fn what_the_operator_has_is_not_replaced_by_another_kind_of_thing() {
    let here = Here::new();
    std::fs::create_dir_all(here.dest().join("tree/d")).unwrap();
    std::fs::write(here.dest().join("tree/d/mine"), "mine").unwrap();
    std::fs::write(here.dest().join("tree/f"), "mine").unwrap();
    let report = here.tree(&[folder("x"), file("x/d", "no"), folder("x/f"), file("x/f/g", "no"), link("x/d", "f")]).unwrap();
    assert_eq!((here.read("dest/tree/d/mine").as_str(), here.read("dest/tree/f").as_str()), ("mine", "mine"));
    assert_eq!(report.skipped.len(), 4);
    assert_eq!(here.run(&bytes(&[file("x", "no")]), "/dev/null", Some("x"), 10).unwrap_err().code, Code::Conflict);
    here.unharmed();
}

#[test]
fn size_is_counted_as_it_comes_and_leaves_no_half_a_file() {
    let here = Here::new();
    let failure = here.run(&bytes(&[folder("x"), file("x/a", "12345"), file("x/b", "123456")]), "dest", Some("tree"), 10).unwrap_err();
    assert_eq!(failure.code, Code::Refused);
    assert!(failure.to_string().contains("larger than 10 B"), "{failure}");
    assert_eq!(here.read("dest/tree/a"), "12345");
    assert!(!here.dest().join("tree/b").exists());
    here.unharmed();
}

#[test]
fn files_that_are_empty_and_folders_that_are_implied_count_too() {
    let here = Here::new();
    let many: Vec<Hostile> = (0..1100).map(|at| file(&format!("x/{at}"), "")).collect();
    let failure = here.run(&bytes(&many), "dest", Some("tree"), 1 << 20).unwrap_err();
    assert!(failure.code == Code::Refused && failure.to_string().contains("more than 1000 files and folders"), "{failure}");
    here.run(&bytes(&many), "dest", Some("tree"), 8 << 20).unwrap();
    // Forty folders for each of thirty names.
    let here = Here::new();
    let deep: Vec<Hostile> = (0..30).map(|at| file(&format!("x/{at}/{}f", "d/".repeat(40)), "")).collect();
    let failure = here.run(&bytes(&deep), "dest", Some("tree"), 1 << 20).unwrap_err();
    assert!(failure.to_string().contains("more than 1000 files and folders"), "{failure}");
    // And where they come to nothing.
    let here = Here::new();
    let dead: Vec<Hostile> = (0..30)
        .map(|at| {
            let mut name = format!("x/{at}/{}", "d/".repeat(40)).into_bytes();
            name.extend_from_slice(&[b'x'; 12]);
            Hostile { kind: EntryType::Link, target: "x/none".into(), name, ..file("", "") }
        })
        .collect();
    let all: Vec<Hostile> = std::iter::once(folder("x")).chain(dead).collect();
    let failure = here.run(&bytes(&all), "dest", Some("tree"), 1 << 20).unwrap_err();
    assert!(failure.to_string().contains("more than 1000 files and folders"), "{failure}");
    here.unharmed();
}

#[test]
fn what_lies_too_deep_is_left_out() {
    let here = Here::new();
    let long =
        Hostile { kind: EntryType::GNULongName, content: format!("x/{}f", "d/".repeat(500_000)).into(), ..file("././@LongLink", "") };
    let report = here.tree(&[folder("x"), long, file("x/f", "no"), file("x/ok", "ok")]).unwrap();
    assert_eq!((report.skipped.len(), here.read("dest/tree/ok").as_str()), (1, "ok"));
    assert!(report.skipped[0].raw().ends_with("it lies too deep"));
    assert_eq!(std::fs::read_dir(here.dest().join("tree")).unwrap().count(), 1);
}

#[test]
fn names_that_deceive_whoever_lists_them_are_left_out() {
    let here = Here::new();
    let single = Hostile { name: b"x/\x9b2J".to_vec(), ..file("", "") };
    let report = here
        .tree(&[
            folder("x"),
            file("x/\u{202e}gpj.exe", ""),
            file("x/\u{2067}a", ""),
            file("x/\u{9b}2J", ""),
            single,
            file("x/naïve 日本 👩\u{200d}👧", ""),
            Hostile { name: b"x/na\xefve".to_vec(), ..file("", "") },
        ])
        .unwrap();
    assert_eq!((report.entries, report.skipped.len()), (3, 4), "{:?}", report.skipped);
}

#[test]
fn a_sparse_file_counts_as_long_as_it_is() {
    let here = Here::new();
    let mut header = tar::Header::new_gnu();
    header.set_path("x").unwrap();
    header.set_entry_type(EntryType::GNUSparse);
    header.set_mode(0o644);
    header.set_size(0);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.realsize.copy_from_slice(b"77777777777\0");
    gnu.sparse[0].offset.copy_from_slice(b"77777777777\0");
    gnu.sparse[0].numbytes.copy_from_slice(b"00000000000\0");
    header.set_cksum();
    let mut raw = header.as_bytes().to_vec();
    raw.extend_from_slice(&[0; 1024]);
    let failure = here.run(&raw, "dest", Some("x"), 1 << 20).unwrap_err();
    assert!(matches!(failure.code, Code::Refused | Code::EngineError), "{failure}");
    assert_eq!(std::fs::read_dir(here.dest()).unwrap().count(), 0);
}

#[test]
fn a_header_that_claims_to_be_endless_is_not_read_into_memory() {
    let here = Here::new();
    let long = Hostile { kind: EntryType::GNULongName, content: vec![b'a'; 3 << 20], ..file("././@LongLink", "") };
    let failure = here.run(&bytes(&[long, file("x", "")]), "dest", Some("x"), 1 << 30).unwrap_err();
    assert!(failure.to_string().contains("longer than any name"), "{failure}");
}

#[test]
fn an_archive_that_is_cut_or_empty_or_no_archive_is_an_error() {
    let here = Here::new();
    let whole = bytes(&[folder("x"), file("x/a", &"a".repeat(5000))]);
    assert_eq!(here.run(&whole[..2000], "dest", Some("tree"), 1 << 20).unwrap_err().code, Code::EngineError);
    assert!(!here.dest().join("tree/a").exists());
    assert_eq!(here.run(&[], "dest", Some("x"), 10).unwrap_err().code, Code::EngineError);
    assert_eq!(here.run(&[b'x'; 4096], "dest", Some("x"), 10).unwrap_err().code, Code::EngineError);
    here.unharmed();
}

#[test]
fn a_link_in_place_of_what_was_asked_for_is_refused() {
    let here = Here::new();
    for odd in [link("x", "/etc/passwd"), hard("x", "y"), Hostile { kind: EntryType::Char, ..file("x", "") }] {
        assert_eq!(here.tree(&[odd]).unwrap_err().code, Code::Refused);
    }
    let report = here.tree(&[folder("x"), link("x", "..")]).unwrap();
    assert_eq!(report.skipped.len(), 1);
    here.unharmed();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_archive_writes_or_leads_outside(entries in prop::collection::vec(any_entry(), 1..30), contents: bool) {
        let here = Here::new();
        let mut all = vec![folder("x")];
        all.extend(entries);
        let _ = here.run(&bytes(&all), "dest", (!contents).then_some("tree"), 100);
        here.unharmed();
    }
}
