//! Pages between registries of the tests' own and a store in a folder of the tests' own.
#![expect(clippy::disallowed_methods, reason = "the tests ask at the present moment, and look into the folder")]

use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use super::*;
use crate::depot::pypi::Pypi;
use crate::depot::store::Limits;
use crate::depot::upstream::planted::{Planted, reply};

const HTML: &str = "text/html";

struct Pages {
    index: Index,
    adapter: Arc<dyn Adapter>,
    folder: tempfile::TempDir,
}

impl Pages {
    fn of(egress: Egress) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Limits { size: 64 << 20, artifact_size: 64 << 20 }).unwrap();
        // Asked for again each time.
        let index = Index::new(&folder.path().join("index"), store, Arc::new(egress), Duration::ZERO).unwrap();
        Self { index, adapter: Arc::new(Pypi), folder }
    }

    async fn current(&self, name: &str) -> Result<Current, Missing> {
        self.index.current(&self.adapter, &project(name), Document("simple"), Timestamp::now()).await
    }

    async fn page(&self, name: &str) -> String {
        let current = self.current(name).await.unwrap();
        let (blob, _) = self.index.page(&self.adapter, &current, Form("html"), None).await.unwrap();
        io::read_to_string(blob.reader().unwrap()).unwrap()
    }
}

fn project(name: &str) -> Project {
    Project { ecosystem: Ecosystem::Pypi, name: name.to_owned() }
}

fn link(file: &str, byte: &str) -> Vec<u8> {
    reply(200, HTML, format!("<a href=\"/{file}#sha256={}\">{file}</a>", byte.repeat(32)).as_bytes())
}

#[tokio::test]
async fn two_projects_whose_documents_are_the_same_bytes_have_a_page_each() {
    let both = "<a href=\"/one-1.tar.gz\">one</a><a href=\"/two-1.tar.gz\">two</a>";
    let registry = Planted::new(move |_| Some(reply(200, HTML, both.as_bytes())));
    let pages = Pages::of(registry.egress());
    for (name, other) in [("one", "two"), ("two", "one")] {
        let page = pages.page(name).await;
        assert!(page.contains(&format!("/files/{name}/{name}-1.tar.gz")) && !page.contains(&format!("{other}-1")), "{name}: {page}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_in_the_midst_leaves_no_lock_behind() {
    let (asked, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let never = std::sync::Mutex::new(());
    let registry = Planted::new(move |_| {
        asked.send(()).unwrap();
        // Until this test is over, and with it the process's interest in the answer.
        let _held = never.lock();
        std::thread::park();
        None
    });
    let pages = Pages::of(registry.egress());
    for name in ["one", "two"] {
        tokio::select! {
            _ = pages.current(name) => panic!("nothing was answered"),
            _ = heard.recv() => {}
        }
    }
    assert_eq!(pages.index.slots.count(), 0);
}

#[tokio::test]
async fn a_name_that_its_registry_denies_all_at_once_does_not_pass_to_the_next() {
    static HAS: AtomicBool = AtomicBool::new(true);
    let first = Planted::new(|path| match path {
        "/ours/" if HAS.load(Ordering::SeqCst) => Some(link("ours-1.tar.gz", "11")),
        _ => Some(reply(404, HTML, b"")),
    });
    let second = Planted::new(|path| match path {
        "/theirs/" => Some(link("theirs-1.tar.gz", "22")),
        _ => Some(link("ours-99.tar.gz", "22")),
    });
    let pages = Pages::of(first.egress_with(&[&second.url]));
    assert!(pages.page("ours").await.contains("ours-1"));
    HAS.store(false, Ordering::SeqCst);
    for _ in 0..2 {
        let denied = pages.current("ours").await.err();
        assert!(matches!(&denied, Some(Missing::Unknown(why)) if why.contains("not known any more")), "{denied:?}");
    }
    // Nor after a restart, or after the store let its documents go.
    let again = Pages {
        index: Index::new(
            &pages.folder.path().join("index"),
            pages.index.store.clone(),
            Arc::new(first.egress_with(&[&second.url])),
            Duration::ZERO,
        )
        .unwrap(),
        ..pages
    };
    again.index.store.prune(Some(0), None).await.unwrap();
    assert!(again.current("ours").await.is_err());
    assert!(!second.requests().contains(&"/ours/".to_owned()), "{:?}", second.requests());
    // What the first never had is the second's, and what it has again is its own.
    assert!(again.page("theirs").await.contains("theirs-1"));
    HAS.store(true, Ordering::SeqCst);
    assert!(again.page("ours").await.contains("ours-1"));
    HAS.store(false, Ordering::SeqCst);
    assert!(again.current("ours").await.is_err());
    again.index.forget_all().unwrap();
    assert!(again.page("ours").await.contains("ours-99"), "an operator may forget");
}

#[tokio::test]
async fn what_a_registry_forbids_is_not_served_from_memory_and_what_it_cannot_answer_is() {
    static STATUS: AtomicU16 = AtomicU16::new(200);
    let registry = Planted::new(|_| match STATUS.load(Ordering::SeqCst) {
        200 => Some(link("odd-1.tar.gz", "11")),
        status => Some(reply(status, HTML, b"")),
    });
    let pages = Pages::of(registry.egress());
    pages.page("odd").await;
    for (status, is_forbidden) in [(403, true), (451, true), (401, true), (500, false), (418, false)] {
        STATUS.store(status, Ordering::SeqCst);
        let found = pages.current("odd").await;
        assert_eq!(matches!(found, Err(Missing::Forbidden(_))), is_forbidden, "{status}");
        assert_eq!(found.is_ok_and(|current| current.outcome == Outcome::Stale), !is_forbidden, "{status}");
    }
    STATUS.store(200, Ordering::SeqCst);
    assert!(pages.current("odd").await.is_ok());
}

#[tokio::test]
async fn a_page_is_used_for_its_own_project_and_registry_alone() {
    let old = Planted::new(|path| Some(link(&format!("{}-1.tar.gz", path.trim_matches('/')), "11")));
    let new = Planted::new(|path| Some(link(&format!("{}-2.tar.gz", path.trim_matches('/')), "22")));
    let mut pages = Pages::of(old.egress());
    pages.index.ttl = SignedDuration::from_hours(1);
    assert!(pages.page("one").await.contains("one-1"));
    let file = |name: &str| pages.index.folder.join(entry::key(&project(name)));
    std::fs::copy(file("one"), file("two")).unwrap();
    assert!(pages.page("two").await.contains("two-1"), "not what lies in its place");
    assert_eq!(old.requests(), ["/one/", "/two/"]);
    // The operator's settings name another registry from now on.
    let egress = Arc::new(new.egress());
    let index = Index::new(&pages.index.folder, pages.index.store.clone(), egress, Duration::from_hours(1)).unwrap();
    let pages = Pages { index, ..pages };
    assert!(pages.page("one").await.contains("one-2"));
    assert_eq!((pages.current("one").await.unwrap().outcome, new.requests().len()), (Outcome::Hit, 1));
}

#[tokio::test]
async fn what_is_remembered_of_pages_is_bounded() {
    let registry = Planted::new(|path| Some(link(&format!("{}-1.tar.gz", path.trim_matches('/')), "11")));
    let mut pages = Pages::of(registry.egress());
    pages.index.most_entries = 8;
    for at in 0..40 {
        pages.page(&format!("p{at}")).await;
        assert!(std::fs::read_dir(&pages.index.folder).unwrap().count() <= 9);
    }
    assert!(pages.page("p39").await.contains("p39-1"));
}

#[tokio::test]
async fn a_registry_that_changes_what_it_promised_is_named_for_it() {
    static TURN: AtomicU16 = AtomicU16::new(0);
    let registry = Planted::new(|_| {
        let promises = ["#sha256=11", "#sha256=11", "#sha256=22", ""]
            .map(|promise| promise.replace("11", &"11".repeat(32)).replace("22", &"22".repeat(32)));
        let turn = TURN.load(Ordering::SeqCst);
        Some(reply(200, HTML, format!("<!-- {turn} --><a href=\"/new-1.tar.gz{}\">x</a>", promises[usize::from(turn)]).as_bytes()))
    });
    let pages = Pages::of(registry.egress());
    for (turn, is_noted) in [(0, false), (1, false), (2, true), (3, true)] {
        TURN.store(turn, Ordering::SeqCst);
        let note = pages.current("new").await.unwrap().note;
        assert_eq!(note.contains("new-1.tar.gz"), is_noted, "{turn}: {note}");
    }
}
