//! Launch, look, use, stop, start again, remove.

use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};

use palisade::policy::plan::SUPERVISOR;

use crate::support::{Session, call, docker, json, left_behind, name, palisade, succeed, text, until};

#[test]
fn the_first_thing_anyone_tries_prints_42() {
    assert_eq!(succeed(&["run", "--", "python3", "-c", "print(6*7)"]), "42\n");
}

#[test]
fn a_persistent_session_is_launched_listed_used_stopped_started_and_removed() {
    let session = Session::asleep();
    let (_, listed) = json(&["ls"]);
    let row = listed["sessions"].as_array().unwrap().iter().find(|row| row["name"] == session.name.as_str()).unwrap().clone();
    assert_eq!(
        (row["kind"].as_str(), row["status"].as_str(), row["command"].as_str()),
        (Some("persistent"), Some("running"), Some("sleep 600"))
    );
    assert_eq!(row["image"], "palisade-sandbox:latest");

    assert_eq!(session.sh("echo kept > ~/note && id -u && pwd").1, "1000\n/home/sandbox\n");
    for (command, code) in [("nonesuch", 127), ("/etc/passwd", 126)] {
        let output = call(&["exec", &session.name, "--", command]);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(code), String::new()), "{command}");
        assert!(text(&output.stderr).starts_with(&format!("palisade: cannot run {command}: ")), "{}", text(&output.stderr));
    }
    let output = call(&["cp", &format!("{}:/home/sandbox/nosuch", session.name), "."]);
    assert!(text(&output.stderr).contains(&format!("no '/home/sandbox/nosuch' in '{}'", session.name)), "{}", text(&output.stderr));
    succeed(&["stop", &session.name]);
    assert_eq!(call(&["exec", &session.name, "--", "true"]).status.code(), Some(125));
    succeed(&["start", &session.name]);
    assert_eq!(session.sh("cat ~/note").1, "kept\n");
    assert_eq!(json(&["verify", &session.name]).0, 0);
    succeed(&["restart", &session.name]);
    assert_eq!(session.sh("cat ~/note").1, "kept\n");

    assert_eq!(call(&["rm", &session.name]).status.code(), Some(1), "a live session is not removed by a slip");
    succeed(&["rm", "-f", &session.name]);
    assert_eq!(left_behind(&session.name), [""; 0]);
}

#[test]
fn an_ephemeral_session_leaves_nothing() {
    let name = name();
    assert_eq!(succeed(&["run", "--name", &name, "--", "sh", "-c", "touch ~/x /tmp/y && echo done"]), "done\n");
    until("the engine has removed it", || left_behind(&name).is_empty());
    assert!(!succeed(&["ls", "-q"]).lines().any(|line| line == name));
}

#[test]
fn a_session_without_a_command_holds_open_and_stops_at_once() {
    let session = Session { name: name() };
    succeed(&["launch", &session.name]);
    assert_eq!(session.sh("echo here").1, "here\n");
    succeed(&["stop", &session.name]);
    let code = docker(&["inspect", "--format", "{{.State.ExitCode}}", &session.container()]);
    assert_eq!(code, "143", "it was killed after its grace instead of stopping when told");
}

#[test]
fn what_a_session_is_told_by_env_file_and_flag() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "# a comment\nFROM_FILE=one\nOVER=file\nPASSED").unwrap();
    let output = palisade()
        .env("PASSED", "from the caller")
        .args(["run", "--env-file", file.path().to_str().unwrap(), "-e", "OVER=flag", "-e", "SPACED=a b=c", "--"])
        .args(["sh", "-c", "echo \"$FROM_FILE|$OVER|$PASSED|$SPACED|$HOME\""])
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "one|flag|from the caller|a b=c|/home/sandbox\n");
}

#[test]
fn a_command_that_is_not_there_is_told_the_same_by_run_and_exec() {
    let session = Session::asleep();
    let (code, output, _) = session.sh("exit 9");
    assert_eq!((code, output.as_str()), (9, ""));
    for (command, expected) in [("no-such-command", 127), ("/etc/passwd", 126)] {
        let output = call(&["exec", &session.name, "--", command]);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(expected), ""));
        assert!(text(&output.stderr).contains(command));
    }
}

#[test]
fn what_a_killed_manager_left_is_swept_and_what_is_in_use_or_foreign_is_not() {
    let session = Session::asleep();
    let (foreign, young) = (format!("palisade-home-{}", name()), name());
    docker(&["create", "--name", &foreign, "palisade-sandbox:latest", "true"]);
    docker(&[
        "create",
        "--name",
        &young,
        "--label",
        "palisade.schema=1",
        "--label",
        "palisade.role=home",
        "palisade-sandbox:latest",
        "true",
    ]);
    succeed(&["rm", "-f", &session.name]);
    // The young helper may be another manager's; a foreign container is nobody's business, whatever it is called.
    for left in [&foreign, &young] {
        docker(&["inspect", left]);
        docker(&["rm", left]);
    }
}

#[test]
fn a_secret_is_a_file_for_the_session_and_nowhere_else() {
    const VALUE: &str = "s3cr3t-v4lu3-\u{1f511}";
    let session = Session { name: name() };
    let launch = |verb: &str, more: &[&str]| {
        let output = palisade().env("DEPLOY_TOKEN", VALUE).args([verb, &session.name]).args(more).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    launch("launch", &["--secret", "TOKEN=DEPLOY_TOKEN", "--", "sleep", "600"]);
    assert_eq!(
        session.sh("cat /run/secrets/TOKEN; stat -c %a /run/secrets/TOKEN; stat -f -c %T /run/secrets").1,
        format!("{VALUE}400\ntmpfs\n")
    );
    assert!(!docker(&["inspect", &session.container()]).contains("s3cr3t"));
    assert!(!docker(&["top", &session.container(), "-eo", "pid,args"]).contains("s3cr3t"));
    assert_eq!(session.sh("cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c s3cr3t").1, "0\n");
    assert!(!docker(&["logs", &session.container()]).contains("s3cr3t"));
    // A stopped session keeps no secret; starting it takes the value anew, and says so where there is none.
    succeed(&["stop", &session.name]);
    let (code, failure) = json(&["start", &session.name]);
    assert_eq!((code, failure["error"]["code"].as_str()), (4, Some("refused")));
    assert!(failure["error"]["details"][0].as_str().unwrap().contains("DEPLOY_TOKEN"));
    launch("start", &[]);
    assert_eq!(session.sh("cat /run/secrets/TOKEN").1, VALUE);
}

#[test]
fn files_written_to_a_workspace_belong_to_its_owner() {
    let folder = tempfile::Builder::new().prefix("palisade-workspace-").tempdir_in("/var/tmp").unwrap();
    chown(folder.path(), Some(4242), Some(4243)).unwrap();
    let path = folder.path().to_str().unwrap();
    assert_eq!(
        succeed(&["run", "--workspace", path, "--", "sh", "-c", "pwd; id -u; echo hi > made; touch ~/x && echo home"]),
        "/workspace\n4242\nhome\n"
    );
    let made = std::fs::metadata(folder.path().join("made")).unwrap();
    assert_eq!((made.uid(), made.gid()), (4242, 4243));
    let output = call(&["run", "--workspace", &format!("{path}:ro"), "--", "sh", "-c", "cat made && touch more"]);
    assert_eq!(text(&output.stdout), "hi\n");
    assert!(!output.status.success() && !folder.path().join("more").exists());
}

#[test]
fn any_image_works_even_one_with_nothing_in_it() {
    // The supervisor is the one file in reach, and it runs there.
    let image = format!("palisade-test-empty:{}", std::process::id());
    let mut import = std::process::Command::new("docker")
        .args(["import", "-", &image])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    tar::Builder::new(import.stdin.take().unwrap()).finish().unwrap();
    assert!(import.wait().unwrap().success());
    let output = call(&["run", "--image", &image, "--", SUPERVISOR, "--version"]);
    let missing = call(&["run", "--image", &image, "--", "sh"]).status.code();
    let session = Session { name: name() };
    succeed(&["launch", &session.name, "--image", &image]);
    let measured = json(&["verify", &session.name]).0;
    drop(session);
    docker(&["rmi", &image]);
    assert!(text(&output.stdout).starts_with("palisade "), "{}", text(&output.stderr));
    assert_eq!((missing, measured), (Some(127), 0));
}

#[test]
fn what_is_copied_in_comes_out_the_same() {
    let session = Session::asleep();
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("in.bin");
    let content: Vec<u8> = (0..=255u8).cycle().take(2 << 20).collect();
    std::fs::write(&inside, &content).unwrap();
    let there = format!("{}:/home/sandbox/there.bin", session.name);
    succeed(&["cp", inside.to_str().unwrap(), &there]);
    assert_eq!(session.sh("stat -c '%u %s' there.bin").1, format!("1000 {}\n", content.len()));
    let back = folder.path().join("back.bin");
    succeed(&["cp", &there, back.to_str().unwrap()]);
    assert!(std::fs::read(&back).unwrap() == content);
}

#[test]
fn logs_show_what_was_printed_and_follow_to_the_end() {
    let session = Session::launch(&[], &["sh", "-c", "echo out; echo err >&2; sleep 1; echo late"]);
    let followed = call(&["logs", "-f", &session.name]);
    assert_eq!((text(&followed.stdout), text(&followed.stderr)), ("out\nlate\n".to_owned(), "err\n".to_owned()));
    assert_eq!(succeed(&["logs", "--tail", "1", &session.name]), "late\n");
}

#[test]
fn the_timeout_holds_without_the_manager() {
    let session = Session::launch(&["--timeout", "2s"], &["sh", "-c", "trap '' TERM; kill -STOP $PPID; while :; do sleep 1; done"]);
    until("the deadline has ended it", || docker(&["inspect", "--format", "{{.State.Status}}", &session.container()]) == "exited");
    let timed = call(&["run", "--timeout", "1s", "--", "sleep", "60"]);
    assert_eq!(timed.status.code(), Some(124));
}

#[test]
fn the_plan_is_the_same_bytes_each_time_and_differs_by_kind_alone() {
    let plan = |kind: &str| succeed(&["plan", "--json", "--name", "x", "--kind", kind, "--", "true"]);
    assert_eq!(plan("persistent"), plan("persistent"));
    let (persistent, ephemeral): (serde_json::Value, serde_json::Value) =
        (serde_json::from_str(&plan("persistent")).unwrap(), serde_json::from_str(&plan("ephemeral")).unwrap());
    let mut differing: Vec<&String> = persistent["create"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(key, value)| ephemeral["create"][*key] != **value)
        .map(|(key, _)| key)
        .collect();
    differing.sort();
    assert_eq!(differing, ["auto_remove", "labels", "mounts", "stdin_once"]);
}

#[test]
fn what_a_limit_did_is_said_at_the_end_with_the_setting_that_raises_it() {
    let output = call(&["run", "--network", "none", "--memory", "64MiB", "--", "python3", "-c", "x = bytearray(10**9)"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(137), "{said}");
    assert!(said.contains("memory: the kernel killed a process at the limit of 64 MiB; --memory sets the limit"), "{said}");
    let forks = "for i in $(seq 60); do sleep 600 & done 2>/dev/null; exit 0";
    let output = call(&["run", "--network", "none", "--pids-limit", "30", "--", "bash", "-c", forks]);
    let said = text(&output.stderr);
    assert!(said.contains("at the limit of 30; --pids-limit sets the limit"), "{said}");
    let output = call(&["run", "--network", "none", "--", "true"]);
    assert_eq!(text(&output.stderr), "");
}
