//! The hostile corpus sent from inside a sandbox by every way that there is, and every byte that reaches the operator's
//! terminal for it: none acts.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command;

use palisade::units::plain_width;

use crate::allowlist;
use crate::common::corpus::{Hostile, corpus};
use crate::support::{Session, docker, name, palisade, palisade_under, succeed, text, until};

/// A terminal of the test's own: what is written to it while the command runs, and how that ended.
fn on_a_terminal(command: Command) -> (i32, Vec<u8>) {
    with_a_terminal(command, false)
}

/// The same, with its input from there too where it is `typed` at.
pub fn with_a_terminal(mut command: Command, typed: bool) -> (i32, Vec<u8>) {
    let size = nix::pty::Winsize { ws_row: 24, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
    let pair = nix::pty::openpty(&size, None).unwrap();
    let mut modes = nix::sys::termios::tcgetattr(&pair.slave).unwrap();
    nix::sys::termios::cfmakeraw(&mut modes);
    nix::sys::termios::tcsetattr(&pair.slave, nix::sys::termios::SetArg::TCSANOW, &modes).unwrap();
    let clone = |end: &OwnedFd| end.try_clone().unwrap();
    command.stdout(clone(&pair.slave)).stderr(clone(&pair.slave));
    if typed {
        command.stdin(clone(&pair.slave));
    }
    let mut child = command.spawn().unwrap();
    drop((command, pair.slave));
    let mut master = File::from(pair.master);
    let mut raw = Vec::new();
    let mut piece = vec![0; 65536];
    // EIO once nobody has the other end any more.
    while let Ok(count @ 1..) = master.read(&mut piece) {
        raw.extend_from_slice(&piece[..count]);
    }
    (child.wait().unwrap().code().unwrap(), raw)
}

fn shown(args: &[&str]) -> Vec<u8> {
    let mut command = palisade();
    command.args(args);
    on_a_terminal(command).1
}

/// Text, its lines and tabs, and the colours that we write ourselves.
#[track_caller]
fn inert(raw: &[u8]) {
    let text = std::str::from_utf8(raw).expect("UTF-8");
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let colour = rest.strip_prefix("\u{1b}[").and_then(|body| {
            let end = body.find(|c: char| !c.is_ascii_digit() && c != ';')?;
            (body[end..].starts_with('m') && body[..end].split(';').all(|code| code != "8")).then_some(end + 3)
        });
        let length = colour.or_else(|| (matches!(c, '\n' | '\t') || plain_width(c).is_some()).then_some(c.len_utf8()));
        let Some(length) = length else { panic!("this acts: {:?}", rest.chars().take(60).collect::<String>()) };
        rest = &rest[length..];
    }
}

/// The whole corpus in one file, each after its name, an end after it.
fn file(folder: &tempfile::TempDir) -> File {
    let path = folder.path().join("corpus");
    let mut bytes = Vec::new();
    for one in corpus() {
        bytes.extend_from_slice(one.name.as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(&one.bytes);
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(b"the-end\n");
    std::fs::write(&path, bytes).unwrap();
    File::open(path).unwrap()
}

/// What an argument, a name or a label can hold of each: no NUL, and no flood.
fn words() -> Vec<Vec<u8>> {
    let word = |one: Hostile| {
        let mut bytes: Vec<u8> = one.bytes.into_iter().filter(|byte| *byte != 0).collect();
        bytes.truncate(150);
        bytes
    };
    corpus().into_iter().map(word).filter(|word| !word.is_empty()).collect()
}

/// A session that waits for the corpus and prints it, output and errors.
fn printing(folder: &tempfile::TempDir) -> Session {
    let line = "until [ -f ~/go ]; do sleep 0.1; done; cat ~/corpus; cat ~/corpus >&2; touch ~/done; sleep 600";
    let session = Session::launch(&["--network", "none"], &["sh", "-c", line]);
    let mut put = palisade();
    put.args(["exec", &session.name, "--", "sh", "-c", "cat > ~/corpus; touch ~/go"]).stdin(file(folder));
    assert!(put.status().unwrap().success());
    until("it has printed", || session.sh("test -f ~/done").0 == 0);
    session
}

#[test]
fn a_log_shows_all_of_it_and_none_acts() {
    let folder = tempfile::tempdir().unwrap();
    let session = printing(&folder);
    for options in [&["logs"][..], &["logs", "-t"], &["logs", "--search", "."], &["logs", "--search", "the-end", "-i"], &["--json", "logs"]]
    {
        let raw = shown(&[options, &[session.name.as_str()]].concat());
        inert(&raw);
        assert_eq!(text(&raw).matches("the-end").count(), 2, "{options:?}");
    }
    // A stream that goes on: it ends with the session.
    let following = std::thread::scope(|scope| {
        let follow = scope.spawn(|| shown(&["logs", "-f", &session.name]));
        succeed(&["stop", "--grace", "0", &session.name]);
        follow.join().unwrap()
    });
    inert(&following);
    assert_eq!(text(&following).matches("the-end").count(), 2);
    let raw = shown(&["logs", "--raw", &session.name]);
    assert!(text(&raw).contains("raw: what the sandbox prints can act on this terminal"));
    assert!(raw.windows(4).any(|window| window == b"\x1b[2J"), "what is asked for raw comes raw");
}

#[test]
fn a_foreground_commands_output_is_text_on_a_terminal_and_bytes_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::launch(&["--network", "none"], &["sleep", "600"]);
    let both = "tee /dev/stderr";
    for command in [&["run", "--network", "none", "--", "sh", "-c", both][..], &["exec", &session.name, "--", "sh", "-c", both]] {
        let mut on_terminal = palisade();
        on_terminal.args(command).stdin(file(&folder));
        let (code, raw) = on_a_terminal(on_terminal);
        inert(&raw);
        assert_eq!((code, text(&raw).matches("the-end").count()), (0, 2), "{command:?}");
        let piped = palisade().args(command).stdin(file(&folder)).output().unwrap();
        let whole = std::fs::read(folder.path().join("corpus")).unwrap();
        assert!(piped.stdout == whole && piped.stderr == whole, "{command:?}: to a pipe every byte is as it was");
        // Output to a file, errors to the terminal.
        let mut mixed = palisade();
        mixed.args(command).stdin(file(&folder));
        let out = folder.path().join("out");
        let mut under = Command::new("sh");
        under.args(["-c", "exec \"$@\" > \"$0\""]).arg(&out).arg(mixed.get_program()).args(mixed.get_args()).stdin(file(&folder));
        under.envs(mixed.get_envs().filter_map(|(key, value)| Some((key, value?))));
        let (_, raw) = on_a_terminal(under);
        inert(&raw);
        assert!(std::fs::read(&out).unwrap() == whole && text(&raw).contains("the-end"), "{command:?}");
    }
}

#[test]
fn a_terminal_is_drawn_from_cells_whatever_is_written_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let session = printing(&folder);
    // At once, and each sequence alone with time between: what is drawn then is drawn with it in force.
    let slowly = "while IFS= read -r line; do printf '%s\\n' \"$line\"; sleep 0.01; done < ~/corpus";
    for (command, line) in [("exec", "cat ~/corpus"), ("exec", slowly), ("shell", "cat ~/corpus")] {
        // The terminal is the one that controls it, as an operator's is.
        let mut on_terminal = palisade_under("setsid", &["--ctty", "--wait"]);
        on_terminal.arg(command).args(if command == "exec" { &["-it"][..] } else { &[] }).arg(&session.name);
        on_terminal.args(["--", "sh", "-c", &format!("{line}; exit 7")]).env("TERM", "xterm-256color");
        let (code, raw) = with_a_terminal(on_terminal, true);
        // What is said before and after has its line ends.
        let lines: Vec<u8> = raw.iter().copied().filter(|byte| *byte != b'\n').collect();
        let found = allowlist::check(&lines).unwrap_or_else(|fault| panic!("{command} {line}: {fault}"));
        assert_eq!((found.titles, found.clipboards), (0, 0), "{command}: nothing was granted");
        assert!(found.bells < 100, "{command}: {} bells", found.bells);
        assert!(text(&raw).contains("the-end"), "{command}: {:?}", text(&raw));
        assert_eq!(code, 7, "{command} {line}: {:?}", text(&raw[raw.len().saturating_sub(500)..]));
    }
}

#[test]
fn the_names_of_processes_do_not_act() {
    let session = Session::launch(&["--network", "none"], &["sleep", "600"]);
    for words in words().chunks(20) {
        let mut start = Command::new("docker");
        start.args(["exec", "-d", &session.container(), "sh", "-c", "sleep 600; :"]);
        start.args(words.iter().map(|word| OsString::from_vec(word.clone())));
        assert!(start.status().unwrap().success());
    }
    for args in [&["top", session.name.as_str()][..], &["--json", "top", &session.name], &["stats", "--no-stream", &session.name]] {
        let raw = shown(args);
        inert(&raw);
        assert!(!raw.is_empty());
    }
    assert!(text(&shown(&["top", &session.name])).matches("sleep 600; :").count() >= 10);
}

#[test]
fn names_of_files_do_not_act_in_either_direction() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::launch(&["--network", "none"], &["sleep", "600"]);
    for (number, words) in words().chunks(90).enumerate() {
        let local = folder.path().join(format!("names-{number}"));
        std::fs::create_dir(&local).unwrap();
        for (at, word) in words.iter().enumerate() {
            let mut name: Vec<u8> = word.iter().map(|byte| if *byte == b'/' { b'_' } else { *byte }).collect();
            name.extend_from_slice(format!("-{at}").as_bytes());
            let path = local.join(std::ffi::OsStr::from_bytes(&name));
            // Every second one is something that is left out and named.
            if at % 2 == 0 {
                std::fs::write(path, "x").unwrap();
            } else {
                nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
            }
        }
        let inside = format!("{}:/home/sandbox", session.name);
        let raw = shown(&["cp", local.to_str().unwrap(), &inside]);
        inert(&raw);
        assert!(text(&raw).contains("left out: "), "{}", text(&raw));
        // And what is named so inside, files and pipes.
        session.sh(&format!("cd ~/names-{number} && for f in *; do mkfifo \"$f.pipe\"; done"));
        for json in [&[][..], &["--json"]] {
            let back = format!("{inside}/names-{number}");
            let out = folder.path().join(format!("back-{number}-{}", json.len()));
            let raw = shown(&[json, &["cp", &back, out.to_str().unwrap()]].concat());
            inert(&raw);
            assert!(text(&raw).contains("left out: ") || text(&raw).contains("skipped"), "{}", text(&raw));
        }
        inert(&shown(&["diff", &session.name]));
    }
}

#[test]
fn labels_and_what_is_asked_for_do_not_act() {
    let part = name();
    let hostile = Session { name: format!("{part}-hostile") };
    let whole = text(&words().concat());
    let label = |key: &str, value: &str| format!("{key}={value}");
    let labels = [
        label("palisade.schema", "1"),
        label("palisade.role", "session"),
        label("palisade.session.name", &whole),
        label("palisade.session.profile", &whole),
        label("palisade.session.image", &whole),
        label("palisade.session.kind", &whole),
        label("palisade.session.id", &whole),
    ];
    let container = hostile.container();
    let mut args = vec!["run", "-d", "--network", "none", "--name", &container];
    args.extend(labels.iter().flat_map(|label| ["--label", label.as_str()]));
    args.extend(["--entrypoint", "sh", "palisade-sandbox:latest", "-c", "sleep 600", &whole]);
    docker(&args);
    for args in [
        &["ls", "--no-trunc"][..],
        &["ls", "--posture"],
        &["--json", "ls"],
        &["ls", "-q"],
        &["inspect", &hostile.name],
        &["verify", &hostile.name],
        &["top", &hostile.name],
        &["logs", &hostile.name],
        &["stop", &hostile.name],
        &["rm", &hostile.name],
    ] {
        inert(&shown(args));
    }
    let session = Session::launch(&["--network", "none"], &["sleep", "600"]);
    for word in words().chunks(8).map(<[_]>::concat) {
        let word = OsString::from_vec(word);
        for args in [&["exec", &session.name, "--"][..], &["inspect"], &["logs", "--search"], &["cp"], &[]] {
            let mut command = palisade();
            command.args(args).arg(&word);
            let (code, raw) = on_a_terminal(command);
            inert(&raw);
            assert!(code != 0 && !raw.is_empty(), "{args:?} {word:?}");
        }
    }
}
