//! What the fuzzer found worth keeping (`fuzz/corpus`), and the hostile corpus, through the same checks on every change.

#[path = "../../fuzz/src/archive.rs"]
mod archive;
#[path = "../../fuzz/src/cast.rs"]
mod cast;
#[path = "../../fuzz/src/filter.rs"]
mod filter;
#[path = "../../fuzz/src/gullible.rs"]
mod gullible;
#[path = "../../fuzz/src/log.rs"]
mod log;
#[path = "../../fuzz/src/wire.rs"]
mod wire;

use crate::common::corpus::corpus;

/// Each kept input of a target, of which there are some.
fn kept(target: &str, check: impl Fn(&[u8])) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 10, "{}: {} inputs", folder.display(), files.len());
    for file in files {
        check(&std::fs::read(file).unwrap());
    }
}

#[test]
fn the_filter_holds_for_all_that_was_found() {
    kept("filter", filter::check);
    for one in corpus() {
        filter::check(&one.bytes);
    }
    // Every sequence with every other's end before it would be a fuzzer's work; all in a row is ours.
    filter::check(&corpus().into_iter().flat_map(|one| one.bytes).collect::<Vec<_>>());
}

#[test]
fn the_log_reader_holds_for_all_that_was_found() {
    kept("log", log::check);
    for one in corpus() {
        log::check(&[&[2], &one.bytes[..]].concat());
    }
}

#[test]
fn the_extractor_holds_for_all_that_was_found() {
    kept("archive", archive::check);
}

#[test]
fn recordings_hold_for_all_that_was_found() {
    kept("cast", cast::check);
    for one in corpus() {
        let text = String::from_utf8_lossy(&one.bytes);
        let event = serde_json::to_string(&(0.5, "o", text)).unwrap();
        cast::check(format!("{{\"version\":2,\"width\":80,\"height\":24}}\n{event}\n").as_bytes());
        cast::check(&one.bytes);
    }
}

#[test]
fn the_frames_hold_for_all_that_was_found() {
    kept("wire", wire::check);
}
