//! What is not launched says why and what to do, and leaves nothing behind.

use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::proxy::{Fault, Proxy};
use crate::support::{Session, json, left_behind, name, palisade, text};

/// A launch that must be refused: its exit code and the error, nothing left.
fn refused(options: &[&str]) -> (i32, Value) {
    let name = name();
    let (code, document) = json(&[&["launch", name.as_str()], options, &["--", "sleep", "600"]].concat());
    assert_eq!(left_behind(&name), [""; 0], "{document}");
    let error = document["error"].clone();
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{document}");
    (code, error)
}

fn says(error: &Value, words: &[&str]) {
    let all = error.to_string();
    for word in words {
        assert!(all.contains(word), "'{word}' in {all}");
    }
}

fn profile(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().prefix("sandbox").suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn a_bad_profile_is_refused_by_field_value_and_way_out() {
    let cases: [(&str, i32, &[&str]); 6] = [
        ("pid_limit = 50", 2, &["pid_limit", "pids_limit", "hint"]),
        ("pids_limit = \"many\"", 2, &["pids_limit", "many"]),
        ("pids_limit = 5", 2, &["pids_limit", "16 to 4096"]),
        ("cap_add = [\"NET_ADMIN\"]", 4, &["cap_add", "NET_ADMIN", "--cap-add"]),
        ("memory = \"64GiB\"", 4, &["memory", "64 GiB"]),
        ("network = \"open\"", 4, &["network", "open"]),
    ];
    for (toml, code, words) in cases {
        let file = profile(toml);
        let (found, error) = refused(&["--profile", file.path().to_str().unwrap()]);
        assert_eq!(found, code, "{toml}: {error}");
        says(&error, words);
    }
}

#[test]
fn a_projects_own_file_may_narrow_and_not_widen() {
    let folder = tempfile::Builder::new().prefix("palisade-project-").tempdir_in("/var/tmp").unwrap();
    std::os::unix::fs::chown(folder.path(), Some(1000), Some(1000)).unwrap();
    let path = folder.path().to_str().unwrap();
    std::fs::write(folder.path().join(".palisade.toml"), "pids_limit = 400").unwrap();
    let (code, error) = refused(&["--workspace", path]);
    assert_eq!(code, 4);
    says(&error, &["pids_limit", ".palisade.toml", "400"]);
    std::fs::write(folder.path().join(".palisade.toml"), "pids_limit = 40").unwrap();
    let (_, plan) = json(&["plan", "--workspace", path, "--", "true"]);
    assert_eq!(plan["create"]["pids_limit"], 40, "{plan}");
}

#[test]
fn an_unknown_image_is_refused() {
    let (code, error) = refused(&["--image", "no-such-image-anywhere:1", "--pull", "never"]);
    assert_eq!((code, error["code"].as_str()), (1, Some("not_found")));
    says(&error, &["no-such-image-anywhere"]);
}

#[test]
fn a_denied_mount_is_refused_by_every_way_to_it() {
    let folder = tempfile::Builder::new().prefix("palisade-mounts-").tempdir_in("/var/tmp").unwrap();
    let to = |target: &str, name: &str| {
        let link = folder.path().join(name);
        symlink(target, &link).unwrap();
        link.to_str().unwrap().to_owned()
    };
    let keys = folder.path().join("keys");
    std::fs::create_dir_all(keys.join(".ssh")).unwrap();
    let ways = [
        "/".to_owned(),
        "/etc".to_owned(),
        "/etc/".to_owned(),
        "/var/tmp/../../etc/ssl".to_owned(),
        "/root".to_owned(),
        "/home".to_owned(),
        "/var/run".to_owned(),
        "/proc/1/root".to_owned(),
        to("/etc", "to-etc"),
        to("/", "to-root"),
        format!("{}/.", to("/var/run", "to-run")),
        keys.to_str().unwrap().to_owned(),
        keys.join(".ssh").to_str().unwrap().to_owned(),
    ];
    for way in ways {
        for suffix in ["", ":ro"] {
            let (code, error) = refused(&["--workspace", &format!("{way}{suffix}")]);
            assert_eq!((code, error["code"].as_str()), (4, Some("refused")), "{way}: {error}");
            says(&error, &["workspace"]);
        }
    }
    let (code, _) = refused(&["--workspace", "/var/tmp/there-is-no-such-folder"]);
    assert_eq!(code, 1);
}

/// The folder that is swapped while a launch is on its way.
fn swapped() -> &'static Path {
    Path::new("/var/tmp/palisade-test-swapped")
}

#[test]
fn a_mount_that_is_swapped_after_it_was_judged_is_caught_before_anything_runs() {
    let (folder, aside) = (swapped(), Path::new("/var/tmp/palisade-test-swapped.aside"));
    let _ = std::fs::remove_file(folder);
    let _ = std::fs::remove_dir_all(aside);
    std::fs::create_dir_all(folder).unwrap();
    std::os::unix::fs::chown(folder, Some(1000), Some(1000)).unwrap();
    // The engine resolves the path when it starts the container: swap it for a link to a folder of the host's between.
    let proxy = Proxy::new(Fault::BeforeStart(|| {
        std::fs::rename(swapped(), "/var/tmp/palisade-test-swapped.aside").unwrap();
        symlink("/etc", swapped()).unwrap();
    }));
    let name = name();
    let output = palisade()
        .args([
            "--host",
            &proxy.address,
            "launch",
            &name,
            "--workspace",
            folder.to_str().unwrap(),
            "--json",
            "--",
            "cat",
            "/workspace/shadow",
        ])
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(4), "{document:#}");
    says(&document, &["mounts", "replaced"]);
    assert_eq!(left_behind(&name), [""; 0]);
    std::fs::remove_file(folder).unwrap();
    std::fs::remove_dir_all(aside).unwrap();
}

#[test]
fn a_name_that_is_taken_or_is_none_is_refused() {
    let session = Session::asleep();
    let (code, document) = json(&["launch", &session.name, "--", "true"]);
    assert_eq!((code, document["error"]["code"].as_str()), (1, Some("conflict")));
    assert_eq!(session.sh("echo unharmed").1, "unharmed\n");
    for bad in ["a/b", "a b", "a\u{1b}[2Jb", "a\nb", &"x".repeat(300), "../x", "-x"] {
        let (code, document) = json(&["launch", "--", bad]);
        let (code, document) = if code == 2 { (code, document) } else { json(&["launch", bad, "--", "true"]) };
        assert_eq!(code, 2, "{bad:?} {document}");
        let output = palisade().args(["run", "--name", bad, "--", "true"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{bad:?} {}", text(&output.stderr));
        assert!(!output.stderr.contains(&0x1b));
    }
}

#[test]
fn an_engine_that_is_away_is_said_so() {
    let output = palisade().args(["--host", "unix:///nonexistent/engine.sock", "run", "--json", "--", "true"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3));
    says(&document, &["engine_unreachable", "/nonexistent/engine.sock", "hint"]);
}

#[test]
fn an_engine_that_dies_in_the_middle_of_a_launch_costs_the_launch() {
    for step in ["/containers/create", "/json", "/attach", "/start"] {
        let proxy = Proxy::new(Fault::DiesAt(step));
        let name = name();
        let output = palisade().args(["--host", &proxy.address, "launch", &name, "--json", "--", "true"]).output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(3), "{step}: {document}");
        // The manager cannot reach the engine to tidy up: it says so, and what is left goes by one command.
        let left = left_behind(&name);
        if !left.is_empty() {
            says(&document, &["left behind", "the next palisade command"]);
            crate::support::succeed(&["rm", "-f", &name]);
        }
        assert_eq!(left_behind(&name), [""; 0], "{step}");
    }
}

#[test]
fn an_engine_that_applies_less_than_was_asked_costs_the_launch() {
    let cases: [(&[&str], &str); 7] = [
        (&["CapDrop"], "cap_drop"),
        (&["SecurityOpt"], "no_new_privileges"),
        (&["PidsLimit"], "pids_limit"),
        (&["Init"], "init"),
        (&["ReadonlyRootfs"], "read_only_rootfs"),
        (&["NetworkMode"], "network"),
        (&["LogConfig"], "log_cap"),
    ];
    for (fields, control) in cases {
        let proxy = Proxy::new(Fault::Forgets(fields));
        for verb in [&["launch"][..], &["run", "--name"]] {
            let name = name();
            let mut command = palisade();
            command.args(["--host", &proxy.address]).args(verb).args([&name, "--json", "--", "sh", "-c", "echo it ran"]);
            let output = command.output().unwrap();
            let document: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(
                (output.status.code(), document["error"]["code"].as_str()),
                (Some(4), Some("audit_failed")),
                "{control}: {document}"
            );
            says(&document, &[control]);
            assert_eq!(left_behind(&name), [""; 0], "{control}");
        }
    }
}

#[test]
fn a_kernel_that_shows_less_than_the_engine_reports_costs_the_launch() {
    let proxy = Proxy::new(Fault::AfterStart(|id| {
        let pid = crate::support::docker(&["inspect", "--format", "{{.State.Pid}}", id]);
        let mut intruder = std::process::Command::new("nsenter").args(["-t", &pid, "-m", "-n", "sleep", "61299"]).spawn().unwrap();
        crate::support::until("the intruder is in", || {
            std::fs::read_to_string(format!("/proc/{}/comm", intruder.id())).is_ok_and(|comm| comm.trim() == "sleep")
        });
        std::thread::spawn(move || {
            crate::support::until("it was seen", || intruder.try_wait().is_ok_and(|status| status.is_some()) || !alive());
            let _ = intruder.kill();
            let _ = intruder.wait();
        });
    }));
    let name = name();
    let output = palisade().args(["--host", &proxy.address, "launch", &name, "--json", "--", "sleep", "600"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    std::fs::write(seen(), "").unwrap();
    assert_eq!(output.status.code(), Some(4), "{document}");
    says(&document, &["audit_failed", "cap_drop"]);
    assert_eq!(left_behind(&name), [""; 0]);
    crate::support::until("the intruder is gone", || {
        !std::process::Command::new("pgrep").args(["-f", "^sleep 61299$"]).output().unwrap().status.success()
    });
    std::fs::remove_file(seen()).unwrap();
}

fn seen() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("palisade-test-seen-{}", std::process::id()))
}

fn alive() -> bool {
    !seen().exists()
}
