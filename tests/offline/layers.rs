//! Imports only point down the layers of `ARCHITECTURE.md`; what is pure stays pure; the engine's library stays
//! behind its seam. Reads the source, and is itself tried on planted sources.

mod source;

use std::path::Path;

use source::Source;

/// Lowest first. A module belongs to the longest entry that begins its path, and may name its own layer and those
/// before it. A new module at the top of the crate belongs nowhere until it is placed here.
const LAYERS: [&str; 19] = [
    "units",
    "failure",
    "terminal",
    "session",
    "policy",
    "config",
    "audit_log",
    "evidence",
    "state",
    "kernel",
    "depot",
    "supervisor",
    "backend::engine",
    "backend::kernel",
    "backend",
    "headless",
    "dashboard",
    "cli",
    "main",
];

/// No clock, environment, file, socket, process, thread or await in these.
const PURE: [&str; 6] = ["policy", "terminal", "dashboard::app", "dashboard::text", "dashboard::theme", "dashboard::view"];

/// Where bollard's types may be named.
const ENGINE: &str = "backend::engine";

/// Roots of paths that touch the world.
const IMPURE_PATHS: [&str; 11] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
];

/// Words that only what touches the world needs.
const IMPURE_WORDS: [&str; 8] = ["async", "await", "tokio", "tokio_util", "futures_util", "nix", "directories", "crossterm"];

/// Methods of `Path` that ask the file system.
const IMPURE_METHODS: [&str; 9] =
    ["canonicalize", "exists", "try_exists", "is_dir", "is_file", "metadata", "symlink_metadata", "read_dir", "read_link"];

fn begins(path: &str, with: &str) -> bool {
    path.strip_prefix(with).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn layer(path: &str) -> Option<usize> {
    (0..LAYERS.len()).filter(|&at| begins(path, LAYERS[at])).max_by_key(|&at| LAYERS[at].len())
}

/// What is wrong with one source file, in sentences that name it.
fn faults(source: &Source) -> Vec<String> {
    let (file, module) = (&source.file, source.module.join("::"));
    let mut faults = Vec::new();
    let own = layer(&module);
    if own.is_none() && !module.is_empty() {
        faults.push(format!(
            "{file}: the module '{module}' has no layer: place it in LAYERS of tests/offline/layers.rs and in ARCHITECTURE.md"
        ));
    }
    for path in source.inside.iter().map(|path| path.join("::")) {
        match (own, layer(&path)) {
            (Some(own), Some(target)) if target > own => {
                faults.push(format!("{file}: '{path}' climbs from {} to {}", LAYERS[own], LAYERS[target]));
            }
            (Some(_), Some(_)) => {}
            (Some(own), None) if begins(LAYERS[own], &path) || path == "*" => {
                faults.push(format!("{file}: '{path}' takes all of a module above {}", LAYERS[own]));
            }
            (_, None) if path.is_empty() => {}
            (_, None) => faults.push(format!("{file}: '{path}' leads to a module with no layer")),
            (None, Some(_)) => {
                if !module.is_empty() {
                    faults.push(format!("{file}: '{path}' is named from a module with no layer"));
                }
            }
        }
    }
    if source.words.iter().any(|word| word == "bollard") && !begins(&module, ENGINE) {
        faults.push(format!("{file}: bollard is named outside {ENGINE}"));
    }
    if PURE.iter().any(|pure| begins(&module, pure)) {
        let outside = source.outside.iter().map(|path| path.join("::"));
        let paths = outside.filter(|path| IMPURE_PATHS.iter().any(|root| begins(path, root)));
        let words = source.words.iter().filter(|word| IMPURE_WORDS.contains(&word.as_str())).cloned();
        let methods = source.methods.iter().filter(|word| IMPURE_METHODS.contains(&word.as_str())).map(|word| format!(".{word}()"));
        faults.extend(paths.chain(words).chain(methods).map(|what| format!("{file}: '{what}' in a pure module")));
    }
    faults
}

fn sources(folder: &Path, into: &mut Vec<Source>) {
    let entries = std::fs::read_dir(folder).expect("the source folder");
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let file = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("within the package").to_string_lossy().into_owned();
            into.push(Source::new(&file, &std::fs::read_to_string(&path).expect("a source file")));
        }
    }
}

#[test]
fn imports_only_point_down_and_the_pure_stays_pure() {
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    let paths: usize = all.iter().map(|source| source.inside.len()).sum();
    assert!(all.len() > 20 && paths > 50, "the scanner sees the source: {} files, {paths} paths", all.len());
    let faults: Vec<String> = all.iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_layer_is_in_the_architecture_in_the_same_order() {
    let text = include_str!("../../ARCHITECTURE.md");
    let (_, block) = text.split_once("```text\nunits").expect("the layers, lowest first, in a block that begins with units");
    let block = format!("units{}", block.split("```").next().expect("its end"));
    let told: Vec<&str> = block
        .lines()
        .filter(|line| line.starts_with(char::is_alphabetic))
        .filter_map(|line| line.split_whitespace().next())
        .map(|word| word.trim_end_matches('/'))
        .collect();
    let tops: Vec<&str> = LAYERS.into_iter().filter(|layer| !layer.contains("::")).collect();
    assert_eq!(told, tops);
}

/// The faults of one planted file.
fn planted(file: &str, text: &str) -> Vec<String> {
    faults(&Source::new(file, text))
}

#[test]
fn an_import_that_climbs_is_named_however_it_is_written() {
    for (file, text) in [
        ("src/units/bytes.rs", "use crate::failure::Failure;"),
        ("src/session/listed.rs", "use crate::{units::Bytes, policy::{Policy}};"),
        ("src/policy/plan.rs", "fn f() { let x = crate::backend::Order::new(); }"),
        ("src/policy/mod.rs", "use super::config as settings;"),
        ("src/policy/plan.rs", "mod tests { use super::super::super::headless::run; }"),
        ("src/config/mod.rs", "pub(crate) use palisade::supervisor::gate;"),
        ("src/supervisor/mod.rs", "use crate::backend::engine::Engine;"),
        ("src/backend/engine/mod.rs", "use super::Reporter;"),
        ("src/backend/engine/convert.rs", "use crate::backend::kernel::read;"),
        ("src/backend/kernel/proc.rs", "use super::super::launch;"),
        ("src/backend/engine/mod.rs", "use super::*;"),
        ("src/headless/run.rs", "fn f() -> crate::cli::Arguments {}"),
        ("src/dashboard/mod.rs", "macro_rules! m { () => { $crate::cli::run() } }"),
    ] {
        let faults = planted(file, text);
        assert_eq!(faults.len(), 1, "{file}: {text}: {faults:?}");
        assert!(faults[0].starts_with(file), "{faults:?}");
    }
}

#[test]
fn an_import_that_points_down_or_stays_is_no_fault() {
    for (file, text) in [
        ("src/failure.rs", "use crate::units::sanitise;"),
        ("src/policy/plan.rs", "use super::Policy; use crate::session::Kind; use std::time::Duration; use std::path::PathBuf;"),
        ("src/policy/plan.rs", "mod tests { use super::*; use super::super::request::Request; }"),
        ("src/backend/mod.rs", "pub mod engine; mod order; use engine::{Attached, Engine}; pub use order::Order;"),
        ("src/backend/kernel/probe.rs", "use crate::backend::engine::Engine; use super::proc::read;"),
        ("src/backend/launch.rs", "use super::engine::Engine; use crate::supervisor::frame;"),
        ("src/backend/engine/convert.rs", "use bollard::models::ContainerInspectResponse; use crate::policy::plan::Plan;"),
        ("src/main.rs", "use palisade::cli; fn main() { cli::main() }"),
        ("src/units/bytes.rs", "//! Not like crate::backend.\nconst A: &str = \"crate::cli and bollard\";"),
        ("src/lib.rs", "pub mod units; pub use crate::units::Bytes;"),
    ] {
        assert_eq!(planted(file, text), Vec::<String>::new(), "{file}: {text}");
    }
}

#[test]
fn a_module_without_a_place_fails_and_so_does_what_names_it() {
    assert!(planted("src/helpers.rs", "")[0].contains("has no layer"));
    assert!(planted("src/cli.rs", "use crate::helpers::x;")[0].contains("no layer"));
}

#[test]
fn what_touches_the_world_is_found_in_pure_modules_and_nowhere_else() {
    for text in [
        "use std::fs;",
        "use std::{fmt, io::Read as _};",
        "fn f() { std::env::var(\"A\").ok(); }",
        "use std::time::{Duration, SystemTime};",
        "fn f() { let now = jiff::Timestamp::now(); }",
        "pub async fn f() {}",
        "fn f(path: &std::path::Path) -> bool { path.exists() }",
        "use nix::unistd::getuid;",
        "fn f() { std::process::exit(1) }",
    ] {
        assert_eq!(planted("src/policy/resolve.rs", text).len(), 1, "{text}");
        assert_eq!(planted("src/dashboard/app/update.rs", text).len(), 1, "{text}");
        assert_eq!(planted("src/config/files.rs", text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn the_engines_library_is_named_only_behind_its_seam() {
    for text in ["use bollard::Docker;", "fn f(_: &bollard::Docker) {}", "extern crate bollard;"] {
        assert!(planted("src/backend/launch.rs", text)[0].contains("bollard"), "{text}");
        assert_eq!(planted("src/backend/engine/docker.rs", text), Vec::<String>::new(), "{text}");
    }
}
