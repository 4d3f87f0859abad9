//! Looking into sessions, freezing and renaming them: what the commands show is held against what the kernel and the engine say.

use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::common::schema;
use crate::support::{Session, call, docker, json, left_behind, name, palisade, status_line, succeed, text, until, until_had};

/// A process of root's in a session, as one who may use the host could put it there.
struct Intruder(Child);

impl Intruder {
    fn of(session: &Session) -> Self {
        let pid = session.pid().to_string();
        // Without a PID namespace nsenter becomes what it runs, so this is its PID.
        let mut nsenter = Command::new("nsenter");
        nsenter.args(["-t", &pid, "-m", "-n", "sleep", "61377"]).stdin(Stdio::null()).stdout(Stdio::null());
        let intruder = Self(nsenter.spawn().unwrap());
        until("it sleeps", || std::fs::read(format!("/proc/{}/cmdline", intruder.0.id())).is_ok_and(|line| line == b"sleep\x0061377\0"));
        intruder
    }
}

impl Drop for Intruder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_paused_session_stands_still_until_it_is_unpaused() {
    let session = Session::launch(&["--network", "none"], &["sh", "-c", "while :; do :; done"]);
    assert_eq!(succeed(&["pause", &session.name]), format!("{}\n", session.name));
    let (_, listed) = json(&["ls", "--status", "paused"]);
    assert!(listed["sessions"].as_array().unwrap().iter().any(|row| row["name"] == session.name.as_str()));
    let (code, used) = json(&["stats", &session.name]);
    assert_eq!((code, used.pointer("/stats/0/usage/cpu_percent").unwrap().as_f64()), (0, Some(0.0)));
    let again = call(&["pause", &session.name]);
    let said = text(&again.stderr);
    assert!(again.status.code() == Some(1) && said.contains("is paused already") && said.contains("palisade unpause"), "{said}");
    assert!(text(&call(&["exec", &session.name, "--", "true"]).stderr).contains("palisade unpause"));
    assert_eq!(json(&["verify", &session.name]).0, 0, "what stands still can be measured");

    let (code, document) = json(&["unpause", &session.name]);
    assert_eq!((code, document["action"].as_str()), (0, Some("unpause")));
    assert!(text(&call(&["unpause", &session.name]).stderr).contains("there is nothing to unpause"));
    assert_eq!(session.sh("echo here").1, "here\n");
    succeed(&["pause", &session.name]);
    succeed(&["stop", &session.name]);
    assert!(text(&call(&["pause", &session.name]).stderr).contains("palisade start"));
    assert!(text(&call(&["pause", &name()]).stderr).contains("no session is called"));
}

#[test]
fn a_renamed_session_keeps_its_home_and_its_old_name_is_free() {
    let mut session = Session::launch(&["--network", "none"], &["sleep", "600"]);
    let (old, new) = (session.name.clone(), name());
    session.sh("echo kept > ~/note");
    let other = Session::launch(&["--network", "none"], &["sleep", "600"]);
    let taken = call(&["rename", &old, &other.name]);
    assert!(taken.status.code() == Some(1) && text(&taken.stderr).contains("the name is taken"), "{}", text(&taken.stderr));
    let own = call(&["rename", &old, &old]);
    assert!(own.status.code() == Some(1) && text(&own.stderr).contains("is its name already"), "{}", text(&own.stderr));
    assert_eq!(call(&["rename", &old, "a/b"]).status.code(), Some(2));
    let depot = call(&["rename", &old, &format!("test-{}-depot", std::process::id())]);
    assert!(depot.status.code() == Some(2) && text(&depot.stderr).contains("the depot's"), "{}", text(&depot.stderr));

    let (code, document) = json(&["rename", &old, &new]);
    assert_eq!((code, document.pointer("/results/0/session/name").unwrap().as_str()), (0, Some(new.as_str())));
    session.name.clone_from(&new);
    assert_eq!(docker(&["inspect", "--format", "{{.Name}}", &session.container()]), format!("/palisade-{new}"));
    assert_eq!(call(&["inspect", &old]).status.code(), Some(1));
    succeed(&["stop", &new]);
    succeed(&["start", &new]);
    assert_eq!(session.sh("cat ~/note").1, "kept\n");
    assert_eq!(json(&["verify", &new]).0, 0);
    succeed(&["rm", "-f", &new]);
    assert_eq!(left_behind(&old), [""; 0], "its volumes are known by its id, whatever it was called");
}

#[test]
fn an_ephemeral_session_can_be_renamed_while_it_runs_and_still_leaves_nothing() {
    let (old, new) = (name(), name());
    let mut run = palisade();
    run.args(["run", "--name", &old, "--network", "none", "--", "sh", "-c", "read -r line; echo \"$line\""]);
    let mut run = run.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    until("it runs", || !docker(&["ps", "-q", "--filter", &format!("name=^/palisade-{old}$")]).is_empty());
    until("it can be renamed", || call(&["rename", &old, &new]).status.success());
    std::io::Write::write_all(&mut run.stdin.take().unwrap(), b"typed\n").unwrap();
    let output = run.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), "typed\n"));
    until("the engine has removed it", || left_behind(&old).is_empty());
}

#[test]
fn top_shows_every_process_also_one_that_root_put_in() {
    let hostile = "exec -a \"$(printf 'a\\033[2Jb')\" sleep 600";
    let session = Session::launch(&["--network", "none"], &["bash", "-c", hostile]);
    let row = |document: &serde_json::Value, pid: u32| {
        document["processes"].as_array().unwrap().iter().find(|process| process["pid"] == pid).cloned()
    };
    let titled = until_had("it has its title", || {
        let document = json(&["top", &session.name]).1;
        let processes = document["processes"].as_array().unwrap().clone();
        processes.iter().find(|process| process["command"] == "a\u{1b}[2Jb 600").cloned().ok_or(format!("{document:#}"))
    });
    assert_eq!(
        (titled["uid"].as_u64(), titled["no_new_privs"].as_bool(), titled["seccomp"].as_str()),
        (Some(1000), Some(true), Some("filter"))
    );
    assert_eq!(titled["capabilities"], serde_json::json!([]));
    let shown = succeed(&["top", &session.name]);
    assert!(shown.contains("a\\u{1b}[2Jb 600") && !shown.contains('\u{1b}'), "{shown}");

    let intruder = Intruder::of(&session);
    let pid = intruder.0.id();
    let document = json(&["top", &session.name]).1;
    let planted = row(&document, pid).unwrap_or_else(|| panic!("{document:#}"));
    assert_eq!((planted["uid"].as_u64(), planted["command"].as_str()), (Some(0), Some("sleep 61377")));
    assert_eq!(planted["membership"]["mount_namespace"], true);
    assert_eq!((&planted["membership"]["cgroup"], &planted["container_pid"]), (&false.into(), &serde_json::Value::Null));
    let held = u64::from_str_radix(&status_line(pid, "CapEff"), 16).unwrap().count_ones() as usize;
    assert_eq!(planted["capabilities"].as_array().unwrap().len(), held, "{planted:#}");
    let shown = succeed(&["top", &session.name]);
    let line = shown.lines().find(|line| line.contains("sleep 61377")).unwrap();
    assert!(line.contains("of them") && line.contains("not by cgroup") && line.contains("off"), "{shown}");
    drop(intruder);
    assert!(row(&json(&["top", &session.name]).1, pid).is_none());

    succeed(&["stop", "--grace", "0", &session.name]);
    let stopped = call(&["top", &session.name]);
    assert!(stopped.status.code() == Some(1) && text(&stopped.stderr).contains("it has no processes"), "{}", text(&stopped.stderr));
}

#[test]
fn stats_are_the_engines_figures_without_asking_it() {
    let session = Session::launch(&["--network", "none", "--memory", "256MiB"], &["sh", "-c", "sleep 601 & while :; do :; done"]);
    let (code, document) = json(&["stats", &session.name]);
    let usage = document.pointer("/stats/0/usage").unwrap();
    assert_eq!((code, usage["memory_limit"].as_u64(), usage["pids_limit"].as_u64()), (0, Some(256 << 20), Some(100)));
    assert!(usage["cpu_percent"].as_f64().unwrap() > 5.0, "{usage}");
    let told = docker(&["stats", "--no-stream", "--format", "{{.PIDs}} {{.MemUsage}}", &session.container()]);
    let (pids, memory) = told.split_once(' ').unwrap();
    assert_eq!(usage["pids"].to_string(), pids);
    let told: palisade::units::Bytes = memory.split(" / ").next().unwrap().parse().unwrap();
    assert!(told.get().abs_diff(usage["memory"].as_u64().unwrap()) < 2 << 20, "{memory} {usage}");

    // What is changed behind our back is what is shown.
    docker(&["update", "--pids-limit", "77", &session.container()]);
    assert!(succeed(&["stats", &session.name]).contains(&format!("{pids}/77")));
    assert!(succeed(&["stats"]).contains(&session.name));
    succeed(&["stop", "--grace", "0", &session.name]);
    let (code, document) = json(&["stats", &session.name, &name()]);
    let codes: Vec<_> = document["stats"].as_array().unwrap().iter().map(|row| row["error"]["code"].as_str().unwrap().to_owned()).collect();
    assert_eq!((code, codes), (1, vec!["conflict".to_owned(), "not_found".to_owned()]));
}

#[test]
fn diff_shows_what_a_session_changed_and_nothing_that_the_manager_put_there() {
    let sealed = Session::launch(&["--network", "none"], &["sh", "-c", "touch ~/x /tmp/y; sleep 600"]);
    assert_eq!(succeed(&["diff", &sealed.name]), "");
    assert_eq!(json(&["diff", &sealed.name]).1["files"], serde_json::json!([]));

    // Only the operator's own profile may open the root.
    let operator = palisade();
    let config = operator.get_envs().find_map(|(key, value)| value.filter(|_| key == "XDG_CONFIG_HOME")).unwrap();
    let profiles = std::path::Path::new(config).join("palisade/profiles");
    std::fs::create_dir_all(&profiles).unwrap();
    std::fs::write(profiles.join("open-root.toml"), "read_only_rootfs = false\n").unwrap();
    let open = Session::launch(
        &["--network", "none", "--profile", "open-root"],
        &["sh", "-c", "echo x > \"/var/tmp/a$(printf '\\033[2J')\"; sleep 600"],
    );
    let files = until_had("it has written", || {
        let document = json(&["diff", &open.name]).1;
        let files = document["files"].as_array().unwrap().clone();
        if files.is_empty() { Err(format!("{document:#}")) } else { Ok(files) }
    });
    let listed: Vec<_> = files.iter().map(|file| (file["kind"].as_str().unwrap(), file["path"].as_str().unwrap())).collect();
    assert_eq!(listed, [("changed", "/var"), ("changed", "/var/tmp"), ("added", "/var/tmp/a\u{1b}[2J")]);
    let shown = succeed(&["diff", &open.name]);
    assert!(shown.contains("added     /var/tmp/a\\u{1b}[2J\n") && !shown.contains('\u{1b}'), "{shown}");
}

/// A socket that leads to the engine, until it does not.
fn way_to_the_engine(socket: &std::path::Path) -> tokio::task::JoinHandle<()> {
    let listener = tokio::net::UnixListener::bind(socket).unwrap();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = tokio::net::UnixStream::connect(crate::support::engine_socket()).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    })
}

#[test]
fn figures_are_had_while_the_engine_cannot_even_be_reached() {
    let session = Session::launch(&["--network", "none"], &["sleep", "600"]);
    let id = docker(&["inspect", "--format", "{{.Id}}", &session.container()]);
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let way = way_to_the_engine(&socket);
        let backend = palisade::backend::Backend::connect(Some(&format!("unix://{}", socket.display()))).await.unwrap();
        assert!(backend.sessions().await.unwrap().iter().any(|listed| listed.container_id == id));
        way.abort();
        let _ = way.await;
        std::fs::remove_file(&socket).unwrap();
        let used = backend.usage(std::slice::from_ref(&id)).await;
        assert_eq!(used[0].0, id);
        assert_eq!(used[0].1.as_ref().unwrap().pids_limit, Some(100));
        assert!(backend.sessions().await.is_err(), "the engine is out of reach");
        // While others are here, one that is not does not run: nor is the engine asked about it.
        let used = backend.usage(&[id.clone(), "f".repeat(64)]).await;
        assert_eq!((used[0].1.is_ok(), used[1].1.as_ref().unwrap_err().code), (true, palisade::failure::Code::Conflict));
    });
}

#[test]
fn a_shell_in_a_terminal_is_a_shell_in_a_terminal() {
    use futures_util::StreamExt;
    use palisade::backend::engine::{ExecRequest, TerminalSize};
    use tokio::io::AsyncWriteExt;

    let session = Session::launch(&["--network", "none"], &["sleep", "600"]);
    let request = ExecRequest {
        command: vec!["bash".into(), "--norc".into(), "-i".into()],
        env: vec!["TERM=xterm-256color".into()],
        stdin: true,
        terminal: Some(TerminalSize { cols: 97, rows: 31 }),
        ..ExecRequest::default()
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let backend = palisade::backend::Backend::connect(None).await.unwrap();
        let exec = backend.exec(&session.name, &request).await.unwrap();
        backend.resize_exec(&exec.id, TerminalSize { cols: 81, rows: 25 }).await.unwrap();
        let (mut input, mut output) = (exec.attached.input, exec.attached.output);
        let mut shown = String::new();
        // Each step waits for the one before: ^C throws away what was typed ahead, and is for who is in the foreground.
        let steps = [(" ", "tty; sh -c 'stty size; exec sleep 601'\n"), ("25 81", "\u{3}"), ("$ ", "echo left-$?; exit 9\n")];
        for (awaited, typed) in steps {
            let seen = shown.len();
            while !shown[seen..].contains(awaited) {
                let piece = tokio::time::timeout(std::time::Duration::from_mins(1), output.next()).await;
                shown.push_str(&text(&piece.unwrap_or_else(|_| panic!("no {awaited:?} in {shown:?}")).unwrap().unwrap().bytes));
            }
            input.write_all(typed.as_bytes()).await.unwrap();
        }
        while let Some(piece) = output.next().await {
            shown.push_str(&text(&piece.unwrap().bytes));
        }
        assert!(shown.contains("/dev/pts/") && shown.contains("left-130") && !shown.contains("job control"), "{shown:?}");
        assert_eq!(backend.exec_exit(&exec.id).await.unwrap(), 9);
    });
}

#[test]
fn what_happens_is_told_as_it_happens() {
    let session = Session::launch(&["--network", "none"], &["sleep", "600"]);
    let told = tempfile::NamedTempFile::new().unwrap();
    let mut command = palisade();
    command.args(["--json", "events", &session.name]).stdout(told.reopen().unwrap());
    let mut events = command.spawn().unwrap();
    let lines = || -> Vec<String> {
        let text = std::fs::read_to_string(told.path()).unwrap();
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let event =
            |line: &str| schema::document("happening", line.as_bytes()).pointer("/what/event").unwrap().as_str().unwrap().to_owned();
        whole.map(event).collect()
    };
    until("the stream is open", || {
        succeed(&["pause", &session.name]);
        succeed(&["unpause", &session.name]);
        lines().contains(&"unpaused".to_owned())
    });
    assert_eq!(call(&["exec", &session.name, "--", "sh", "-c", "exit 3"]).status.code(), Some(3));
    succeed(&["rm", "-f", &session.name]);
    until("its end is told", || lines().contains(&"destroyed".to_owned()));
    let told = lines();
    for expected in ["paused", "exec_started", "exec_ended", "killed", "died"] {
        assert!(told.iter().any(|event| event == expected), "{expected}: {told:?}");
    }
    kill(Pid::from_raw(i32::try_from(events.id()).unwrap()), Signal::SIGINT).unwrap();
    assert!(events.wait().unwrap().success(), "ctrl-c is the way to end it");
}

/// `palisade metrics --listen`, and where it says that it listens.
struct Exporter(Child, String);

impl Exporter {
    fn start() -> Self {
        use std::io::BufRead;
        let mut command = palisade();
        command.args(["metrics", "--listen", "127.0.0.1:0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
        let said = lines.next().unwrap().unwrap();
        let address = said.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        // What it says later has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child, address)
    }

    fn ask(&self, request: &str) -> String {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(&self.1).unwrap();
        stream.write_all(format!("{request} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.1).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn metrics_tell_what_is_in_force_once_and_at_an_address() {
    let session = Session::launch(&["--network", "none"], &["sleep", "600"]);
    let of = |text: &str, metric: &str, more: &str| {
        let begin = format!("palisade_{metric}{{session=\"{}\"", session.name);
        let line = text.lines().find(|line| line.starts_with(&begin) && line.contains(more));
        line.unwrap_or_else(|| panic!("{metric} of {} in {text}", session.name)).rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    let once = succeed(&["metrics"]);
    assert!(once.contains("\npalisade_engine_up 1.0\n") && once.ends_with("# EOF\n"), "{once}");
    assert!(of(&once, "session_memory_bytes", "") > 0.0 && of(&once, "session_pids_limit", "") > 99.0);
    assert!(
        of(&once, "session_controls", "verdict=\"enforced\"") > 20.0 && !once.contains(&format!("{}\",verdict=\"weaker", session.name))
    );

    let exporter = Exporter::start();
    let answer = exporter.ask("GET /metrics");
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("application/openmetrics-text"), "{answer}");
    assert!(of(&answer, "session_pids", "") > 1.0);
    assert!(exporter.ask("GET /").starts_with("HTTP/1.1 404 ") && exporter.ask("POST /metrics").starts_with("HTTP/1.1 405 "));
    let taken = call(&["metrics", "--listen", &exporter.1]);
    assert!(taken.status.code() == Some(1) && text(&taken.stderr).contains("cannot listen at"), "{}", text(&taken.stderr));
    assert_eq!(call(&["metrics", "--json"]).status.code(), Some(2));
    kill(Pid::from_raw(exporter.0.id().cast_signed()), Signal::SIGTERM).unwrap();
}
