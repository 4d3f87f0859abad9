//! What an operator sees of packages: what was fetched, hidden and refused, and packages fetched before they are needed.

use std::process::Stdio;

use serde_json::{Value, json};

use super::lab::Lab;
use super::registry::{Registry, content, reply, sha256};
use crate::common::schema;
use crate::support::{docker, text, until};

/// A project with an old version and one from the future, which every `min_age` hides.
fn young() -> Registry {
    Registry::new(|asked| match asked.path.as_str() {
        "/pypi/simple/young/" => {
            let host = asked.head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("host: ").map(str::to_owned)).unwrap();
            let file = |version: &str, at: &str, seed| {
                let name = format!("young-{version}.tar.gz");
                json!({"filename": name, "url": format!("http://{host}/files/{name}"), "hashes": {"sha256": sha256(&content(seed, 3_000))},
                       "size": 3_000, "upload-time": at})
            };
            let files = [file("1.0", "2020-01-01T00:00:00Z", 1), file("2.0", "2099-01-01T00:00:00Z", 2)];
            let page = json!({"meta": {"api-version": "1.1"}, "name": "young", "versions": ["1.0", "2.0"], "files": files});
            reply(200, "application/vnd.pypi.simple.v1+json", page.to_string().as_bytes())
        }
        "/files/young-1.0.tar.gz" => reply(200, "application/octet-stream", &content(1, 3_000)),
        _ => reply(404, "text/plain", b""),
    })
}

#[test]
fn a_log_shows_what_was_fetched_whole_what_was_hidden_and_what_was_refused() {
    let lab = Lab::new(&young());
    let session = lab.session(&["--min-age", "3d"]);
    for _ in 0..2 {
        assert!(!session.ok("curl -s http://127.0.0.1:7878/pypi/simple/young/").contains("2.0"));
        assert_eq!(session.get("/pypi/files/young/young-1.0.tar.gz").0, 200);
    }
    assert_eq!(session.get("/pypi/files/young/young-2.0.tar.gz").0, 403);
    // Which was counted a moment after it was answered.
    let mut log = Value::Null;
    until("everything is written down", || {
        log = schema::document("cache_log", &lab.call(&["--json", "cache", "log", &session.name]).stdout);
        log["cache_log"]["events"].as_array().unwrap().len() == 3 && log["cache_log"]["artifacts"][0]["complete"] == 2
    });
    let log = &log["cache_log"];
    assert_eq!(log["artifacts"][0]["complete"], 2, "{log}");
    let hidden: Vec<_> = log["events"].as_array().unwrap().iter().filter(|event| event["hidden"] == 1).collect();
    assert!(hidden.len() == 2 && hidden[0]["note"] == "min_age 3days hides 2.0", "{log}");
    let shown = lab.succeed(&["cache", "log", &session.name]);
    for told in ["hidden", "pypi:young", "min_age 3days hides 2.0 (2 times)", "denied", "young-2.0.tar.gz"] {
        assert!(shown.contains(told), "{told}:\n{shown}");
    }
    let bill: Value = serde_json::from_str(&lab.succeed(&["cache", "sbom", &session.name])).unwrap();
    assert_eq!(bill["components"].as_array().unwrap().len(), 1, "{bill}");
    assert_eq!(bill["components"][0]["purl"], "pkg:pypi/young@1.0");
    let inspected = schema::document("inspected", &lab.call(&["--json", "inspect", &session.name]).stdout);
    assert!(inspected["cache_volume"]["name"].as_str().unwrap().starts_with("palisade-cache-"), "{inspected}");
    for (name, args) in [("cache_control", &["cache", "verify"][..]), ("cache_control", &["cache", "clear", "--force"])] {
        schema::document(name, &lab.call(&[&["--json"], args].concat()).stdout);
    }
}

#[test]
fn what_was_warmed_is_fetched_once_and_its_session_is_gone() {
    let registry = Registry::counting();
    let lab = Lab::new(&registry);
    let warmed = schema::document("warmed", &lab.call(&["--json", "cache", "warm", "six", "npm:left-pad"]).stdout);
    let files: Vec<_> = warmed["warmed"].as_array().unwrap().iter().map(|file| (&file["misses"], &file["complete"])).collect();
    assert_eq!(files, [(&json!(1), &json!(1)), (&json!(1), &json!(1))], "{warmed}");
    assert_eq!(containers_of(&lab), 0);
    let fetched = registry.artifacts();
    assert!(lab.succeed(&["cache", "warm", "six", "npm:left-pad"]).contains("2 files: 0 fetched"));
    let session = lab.session(&[]);
    session.ok("pip install -q six && cd /tmp && npm install --silent left-pad");
    assert_eq!(registry.artifacts(), fetched);

    // A requirements file's own hashes hold as well.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("six==1.16.0 --hash=sha256:{}\n", "0".repeat(64))).unwrap();
    let output = lab.call(&["--json", "cache", "warm", "-r", file.path().to_str().unwrap()]);
    let failed = schema::document("warmed", &output.stdout);
    assert!(output.status.code() == Some(1) && failed["error"]["details"].to_string().contains("HASHES"), "{failed}");
    assert_eq!(containers_of(&lab), 1, "the session that installed is there, and none that warmed");
}

#[test]
fn a_warming_that_is_interrupted_leaves_no_session() {
    // Accepts every request and answers none.
    let registry = Registry::new(|_| {
        std::thread::park();
        Vec::new()
    });
    let lab = Lab::new(&registry);
    let mut command = lab.palisade();
    let child = command.args(["--json", "cache", "warm", "six"]).stdout(Stdio::piped()).spawn().unwrap();
    until("pip asks", || !registry.requests().is_empty());
    assert_eq!(containers_of(&lab), 1);
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id().cast_signed()), nix::sys::signal::Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    let failure = schema::document("error", &output.stdout);
    assert_eq!((output.status.code(), &failure["error"]["code"]), (Some(130), &json!("interrupted")), "{}", text(&output.stdout));
    until("its session is gone", || containers_of(&lab) == 0);
}

#[test]
fn a_network_that_is_not_there_is_named() {
    let lab = Lab::with("depot.network = \"palisade-no-such-network\"\n");
    let output = lab.call(&["depot", "start"]);
    let told = text(&output.stderr);
    assert!(output.status.code() == Some(1) && told.contains("palisade-no-such-network") && told.contains("depot.network"), "{told}");
    assert!(lab.succeed(&["depot", "status"]).contains("not there"), "nothing half-made stays");
}

/// Sessions that mount this lab's depot.
fn containers_of(lab: &Lab) -> usize {
    let filter = format!("volume={}-socket", lab.depot);
    let names = docker(&["ps", "-a", "--filter", &filter, "--format", "{{.Names}}"]);
    names.lines().filter(|name| *name != lab.depot).count()
}
