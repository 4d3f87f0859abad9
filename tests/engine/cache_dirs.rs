//! Each session has package caches of its own: mounted, pointed at and owned, or they would be left unused in silence.

use std::os::unix::fs::chown;
use std::path::Path;

use crate::depot::lab::{Inside, Lab};
use crate::depot::registry::Registry;
use crate::support::{Image, Session, call, docker, left_behind, name, succeed, text};

/// What pip makes of a cache folder in a container that is not ours; that it finds no package is beside the point.
fn pip_cache(options: &[&str], line: &str) -> String {
    let mut docker = std::process::Command::new("docker");
    docker.args(["run", "--rm", "--network", "none", "--user", "1000:1000", "--entrypoint", "sh"]).args(options);
    let output = docker.args(["palisade-sandbox:latest", "-c", &format!("{line} 2>&1")]).output().unwrap();
    text(&output.stdout).trim().to_owned()
}

/// Makes pip want its cache, and shows what it says of it.
const INSTALL: &str = "python3 -m pip install --disable-pip-version-check --retries 0 --index-url http://127.0.0.1:1/ six";

#[test]
fn a_sessions_caches_are_where_its_clients_look_and_belong_to_its_user() {
    let session = Session::asleep();
    let line = "pip cache dir; npm config get cache; stat -c '%u:%g %a' /cache; mkdir -p /cache/pip && touch /cache/pip/x && echo written";
    let (code, output, errors) = session.sh(line);
    assert_eq!((code, errors.as_str()), (0, ""), "no client warns");
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[..2], ["/cache/pip", "/cache/npm"]);
    assert!(lines[2].starts_with("1000:1000 7"), "{output}");
    assert_eq!(lines[3], "written");
    let (_, output, errors) = session.sh(INSTALL);
    assert!(!format!("{output}{errors}").contains("cache"), "pip has no complaint about its cache: {output}{errors}");
}

#[test]
fn a_session_on_somebodys_folder_owns_its_caches_just_the_same() {
    let folder = tempfile::Builder::new().prefix("palisade-caches-").tempdir_in("/var/tmp").unwrap();
    std::os::unix::fs::chown(folder.path(), Some(4321), Some(4321)).unwrap();
    let workspace = folder.path().to_str().unwrap();
    let line = "id -u; stat -c %u /cache \"$HOME\"; pip cache dir; touch /cache/x \"$HOME/x\" && echo written";
    let output = succeed(&["run", "--workspace", workspace, "--", "sh", "-c", line]);
    assert_eq!(output, "4321\n4321\n4321\n/cache/pip\nwritten\n");
}

#[test]
fn pip_leaves_a_cache_unused_that_its_user_does_not_own() {
    // What the two halves of this feature stand for: take either away, and the cache is off or not where it is mounted.
    let unowned = pip_cache(&["--tmpfs", "/cache:mode=0755", "-e", "PIP_CACHE_DIR=/cache/pip"], INSTALL);
    assert!(unowned.contains("The cache has been disabled"), "{unowned}");
    let owned = pip_cache(&["--tmpfs", "/cache:uid=1000", "-e", "PIP_CACHE_DIR=/cache/pip"], INSTALL);
    assert!(!owned.contains("The cache has been disabled"), "{owned}");
    let unset = pip_cache(&["--tmpfs", "/cache:uid=1000"], "pip cache dir");
    assert_ne!(unset, "/cache/pip");
    let session = Session::launch(&["--env", "PIP_CACHE_DIR=/nonexistent/pip"], &["sleep", "600"]);
    let (_, _, errors) = session.sh(INSTALL);
    assert!(errors.contains("'/nonexistent/pip'") && errors.contains("The cache has been disabled"), "the operator's own wins: {errors}");
}

#[test]
fn caches_stay_with_a_persistent_session_are_nobody_elses_and_go_with_it() {
    let session = Session::asleep();
    let beside = Session::asleep();
    assert_eq!(session.sh("mkdir -p /cache/pip && echo mine > /cache/pip/x").0, 0);
    assert_eq!(beside.sh("ls -A /cache").1, "", "no session sees another's");
    succeed(&["stop", &session.name]);
    succeed(&["start", &session.name]);
    assert_eq!(session.sh("cat /cache/pip/x").1, "mine\n");
    succeed(&["rm", "-f", &session.name]);
    assert_eq!(left_behind(&session.name), [""; 0], "home and caches are gone");
}

#[test]
fn an_image_cannot_lead_the_caches_or_the_depots_folder_elsewhere() {
    for plant in ["ln -s /etc /cache", "rm -rf /run && ln -s /home/sandbox /run", "mkdir -p /usr/x && ln -s /usr/x /cache"] {
        let (image, name) = (Image::planted(&format!("rm -rf /cache; {plant}")), name());
        let output = call(&["run", "--name", &name, "--image", &image.tag, "--", "echo", "it ran"]);
        let shown = format!("{plant}: {}{}", text(&output.stdout), text(&output.stderr));
        assert!(matches!(output.status.code(), Some(4 | 125)) && output.stdout.is_empty(), "{shown}");
        assert_eq!(left_behind(&name), [""; 0], "{shown}");
    }
}

/// Artifacts that a session has asked the depot for, with whatever it asked just now.
fn asked_for(session: &Inside<'_>) -> u64 {
    // Requests of one client are counted in their order: once this one is, all before it are.
    let id = session.id();
    let refused = |summary: &serde_json::Value| Lab::figure(summary, &id, "denied");
    let before = refused(&session.lab.stored_json("/depot/ledger/summary.json"));
    session.ok("curl -s http://127.0.0.1:7878/npm/-/nothing");
    let summary = session.lab.summary("the last request is counted", |summary| refused(summary) > before);
    Lab::figure(&summary, &id, "hits") + Lab::figure(&summary, &id, "misses")
}

#[test]
fn what_a_session_has_cached_it_does_not_ask_for_again_and_each_fault_makes_it_ask() {
    let registry = Registry::counting();
    let lab = Lab::new(&registry);
    let session = lab.session(&[]);
    let pip = "pip install -q --force-reinstall --no-deps six";
    let npm = "rm -rf ~/app && mkdir ~/app && cd ~/app && npm install --silent is-odd";
    let all = format!("{pip} && {npm}");
    session.ok(&all);
    assert_eq!(asked_for(&session), 3, "six, is-odd, is-number");
    session.ok(&all);
    assert_eq!(asked_for(&session), 3, "from the session's own caches");

    // The one fault: a cache that nothing points at.
    session.ok(&format!("unset PIP_CACHE_DIR && {pip}"));
    assert_eq!(asked_for(&session), 4);
    session.ok(&format!("unset NPM_CONFIG_CACHE && {npm}"));
    assert_eq!(asked_for(&session), 6);

    // What pip got without TLS it caches only where it is told to trust the host.
    session.ok(&format!("unset PIP_TRUSTED_HOST && {pip}"));
    assert_eq!(asked_for(&session), 7);

    // The other: one that belongs to somebody else. pip leaves it unused, npm gives up.
    let source = "{{range .Mounts}}{{if eq .Destination \"/cache\"}}{{.Source}}{{end}}{{end}}";
    let cache = docker(&["inspect", "--format", source, &format!("palisade-{}", session.name)]);
    let give_to = |uid| {
        for folder in ["pip", "npm", "npm/_cacache", "npm/_cacache/tmp"] {
            chown(Path::new(&cache).join(folder), Some(uid), Some(uid)).unwrap();
        }
    };
    give_to(0);
    let (code, _, errors) = session.sh(pip);
    assert!(code == 0 && errors.contains("The cache has been disabled"), "{errors}");
    assert_eq!(asked_for(&session), 8);
    assert_ne!(session.sh(npm).0, 0);
    give_to(1000);
    let before = asked_for(&session);
    session.ok(&all);
    assert_eq!(asked_for(&session), before, "what was cached is still there");
}
