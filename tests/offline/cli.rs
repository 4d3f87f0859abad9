//! The real binary at a command line, without an engine.

mod documents;

use std::io::Read;
use std::process::{Command, Output, Stdio};

use crate::common::schema;

const NOWHERE: &str = "unix:///nonexistent/palisade-test.sock";

const COMMANDS: [&str; 28] = [
    "run",
    "launch",
    "ls",
    "inspect",
    "plan",
    "verify",
    "exec",
    "logs",
    "top",
    "stats",
    "diff",
    "events",
    "metrics",
    "cp",
    "stop",
    "start",
    "restart",
    "pause",
    "unpause",
    "rename",
    "rm",
    "audit",
    "evidence",
    "profiles",
    "image",
    "doctor",
    "completions",
    "man",
];

fn palisade(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(arguments).env_clear().env("DOCKER_HOST", NOWHERE).env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    palisade(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_usage_error_names_the_argument_and_the_way_out() {
    for (arguments, named, hint) in [
        (&["--nonsense"][..], "--nonsense", "palisade --help"),
        (&["nonsense"], "nonsense", "palisade --help"),
        (&["run", "--memory", "lots", "--", "true"], "lots", "palisade run --help"),
        (&["run", "--pids-limit", "unlimited", "--", "true"], "give a whole number", "palisade run --help"),
        (&["run", "--cap-add", "ROOT", "--", "true"], "ROOT", "palisade run --help"),
        (&["launch", "a/b"], "a/b", "palisade launch --help"),
        (&["launch", "a\u{1b}[2Jb"], "\\u{1b}", "palisade launch --help"),
        (&["stop"], "<NAME>", "palisade stop --help"),
        (&["pause"], "<NAME>", "palisade pause --help"),
        (&["rename", "web"], "<NEW>", "palisade rename --help"),
        (&["exec", "web"], "<COMMAND>", "palisade exec --help"),
        (&["image"], "subcommand", "palisade image --help"),
        (&["image", "build", "--no-cache", "--if-needed"], "--if-needed", "palisade image build --help"),
        (&["logs", "--since", "soon", "web"], "soon", "palisade logs --help"),
        (&["cp", "a", "b"], "neither is in a session", "NAME:/PATH"),
    ] {
        let output = run(arguments);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(errors.starts_with("error: ") && errors.contains(named), "{arguments:?}: {errors}");
        let last = errors.lines().last().unwrap();
        assert!(last.starts_with("hint: ") && last.contains(hint), "{arguments:?}: {errors}");
        assert!(!errors.contains('\u{1b}'), "{errors:?}");
    }
}

#[test]
fn a_name_of_300_bytes_is_a_usage_error() {
    let output = run(&["launch", &"x".repeat(300)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("300 bytes long"));
}

#[test]
fn a_usage_error_is_a_json_document_where_json_was_asked_for_anywhere() {
    for arguments in [&["--json", "ls", "--nonsense"][..], &["ls", "--nonsense", "--json"], &["run", "--memory", "x", "--json", "--", "y"]]
    {
        let output = run(arguments);
        let document = schema::document("error", &output.stdout);
        assert_eq!((output.status.code(), document["error"]["code"].as_str()), (Some(2), Some("usage")), "{arguments:?}");
        assert!(output.stderr.is_empty(), "{arguments:?}");
    }
    let output = run(&["run", "--nonsense", "--", "tool", "--json"]);
    assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "the sandbox's own --json is not ours");
}

#[test]
fn an_engine_that_is_not_there_is_named() {
    for arguments in [
        &["ls"][..],
        &["run", "--", "true"],
        &["run", "true"],
        &["launch", "web"],
        &["exec", "web", "--", "true"],
        &["inspect", "web"],
        &["verify"],
        &["logs", "web"],
        &["cp", "web:/a", "b"],
        &["stop", "web"],
        &["rm", "-f", "web"],
        &["image", "ls"],
    ] {
        let output = run(arguments);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {errors}");
        assert!(output.stdout.is_empty() && errors.starts_with("error: "), "{arguments:?}: {errors}");
        assert!(errors.contains("/nonexistent/palisade-test.sock") && errors.contains("\nhint: "), "{arguments:?}: {errors}");

        let json: Vec<_> = std::iter::once("--json").chain(arguments.iter().copied()).collect();
        let output = run(&json);
        let document = schema::document("error", &output.stdout);
        assert_eq!((output.status.code(), document["error"]["code"].as_str()), (Some(3), Some("engine_unreachable")), "{arguments:?}");
        assert!(document.to_string().contains("/nonexistent/palisade-test.sock"), "{document}");
    }
}

#[test]
fn the_dashboard_needs_a_terminal_and_names_what_does_not() {
    let output = run(&[]);
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(output.stdout.is_empty() && errors.starts_with("error: the dashboard needs a terminal"), "{errors}");
    assert!(errors.contains("\nhint: 'palisade ls'"), "{errors}");
    // For a program it is the list.
    let output = run(&["--json"]);
    let document = schema::document("error", &output.stdout);
    assert_eq!((output.status.code(), document["error"]["code"].as_str()), (Some(3), Some("engine_unreachable")));
}

#[test]
fn the_host_flag_outweighs_the_environment() {
    let output = run(&["ls", "--host", "unix:///nonexistent/other.sock"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("/nonexistent/other.sock"));
}

#[test]
fn doctor_reports_a_missing_engine_as_a_finding() {
    let output = run(&["doctor"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stdout).contains("failed") && text(&output.stdout).contains("/nonexistent/palisade-test.sock"));
    let output = run(&["doctor", "--json"]);
    let document = schema::document("checks", &output.stdout);
    assert_eq!((output.status.code(), document["error"]["code"].as_str()), (Some(3), Some("engine_unreachable")));
}

#[test]
fn every_command_explains_itself() {
    let top = text(&run(&["--help"]).stdout);
    for fact in ["Exit codes:", "125", "141", "DOCKER_HOST", "NO_COLOR", "Examples:", "--json", "--host <URL>"] {
        assert!(top.contains(fact), "palisade --help does not say {fact}");
    }
    for command in COMMANDS {
        assert!(top.contains(&format!("\n  {command} ")), "palisade --help does not list {command}");
        let output = run(&[command, "--help"]);
        let help = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0));
        assert!(help.contains(&format!("Usage: palisade {command}")) && help.contains("Global options:"), "{command}: {help}");
        assert!(command == "image" || help.contains("Examples:"), "{command} --help has no example");
        assert!(text(&run(&[command, "-h"]).stdout).lines().count() < help.lines().count(), "{command} -h is as long as --help");
    }
    assert!(
        ["supervise", "probe", "enter "].iter().all(|inside| !top.contains(&format!("\n  {inside}"))),
        "what runs inside is no command for people"
    );
    for (command, facts) in [
        ("run", &["--secret <NAME[=ENV]>", "--workspace <PATH[:ro]>", "--timeout <TIME>", "--cap-add <CAP>", "SIGINT", "126"][..]),
        ("verify", &["5 a control is weaker"]),
        ("exec", &["goes on until it ends"]),
        ("cp", &["--max-size <SIZE>", "1GiB"]),
        ("logs", &["--since <TIME>", "--follow", "--raw"]),
        ("rm", &["--force"]),
    ] {
        let help = text(&run(&[command, "--help"]).stdout);
        for fact in facts {
            assert!(help.contains(fact), "{command} --help does not say {fact}:\n{help}");
        }
    }
}

#[test]
fn help_and_version_come_as_json_too() {
    schema::document("help", &run(&["--json", "--help"]).stdout);
    let version = schema::document("version", &run(&["--version", "--json"]).stdout);
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(text(&run(&["--version"]).stdout), format!("palisade {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_parse_in_their_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        let script = text(&output.stdout);
        assert!(output.status.success() && script.contains("launch") && script.contains("workspace"), "{shell}");
        let document = schema::document("completions", &run(&["completions", shell, "--json"]).stdout);
        assert_eq!(document["script"], script);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("palisade.bash");
    std::fs::write(&file, run(&["completions", "bash"]).stdout).unwrap();
    let parsed = Command::new("bash").arg("-n").arg(&file).output().unwrap();
    assert!(parsed.status.success() && parsed.stderr.is_empty(), "{}", text(&parsed.stderr));
}

#[test]
fn manual_pages_are_printed_and_written_for_every_command() {
    let top = run(&["man"]);
    assert!(top.status.success() && text(&top.stdout).contains(".TH palisade 1"));
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("new/man1");
    let output = run(&["man", "--json", target.to_str().unwrap()]);
    let document = schema::document("man", &output.stdout);
    assert!(document["pages"].as_array().unwrap().len() > COMMANDS.len());
    for command in COMMANDS {
        let page = std::fs::read_to_string(target.join(format!("palisade-{command}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{command}");
    }
    assert!(target.join("palisade-image-build.1").is_file());
    let output = run(&["man", "/dev/null/man"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/dev/null/man"));
}

#[test]
fn colours_come_when_they_are_asked_for_and_stay_away_otherwise() {
    let coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = palisade(arguments).envs(variables.iter().copied()).output().unwrap();
        output.stderr.contains(&0x1b) || output.stdout.contains(&0x1b)
    };
    assert!(!coloured(&["ls"], &[]), "standard error is no terminal");
    assert!(coloured(&["ls"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&["ls"], &[("CLICOLOR_FORCE", "0")]));
    assert!(!coloured(&["ls"], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(coloured(&["ls", "--color", "always"], &[("NO_COLOR", "1")]));
    assert!(!coloured(&["ls", "--color=never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(coloured(&["--help", "--color=always"], &[]) && !coloured(&["--help"], &[]));
    assert!(!coloured(&["--json", "ls"], &[("CLICOLOR_FORCE", "1")]), "JSON has no colours");
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = palisade(&["completions", "bash"]).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(141), String::new()));

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = palisade(&["ls", "--json"]).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(3), String::new()), "a failure keeps its code");
}

#[test]
fn a_full_disk_is_a_failure_that_is_told() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = palisade(&["completions", "bash"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("standard output"), "{}", text(&output.stderr));
}

#[test]
fn closed_standard_streams_do_no_harm() {
    let mut child = Command::new("bash")
        .args(["-c", "exec \"$0\" ls 0<&- 1>&-"])
        .arg(env!("CARGO_BIN_EXE_palisade"))
        .env_clear()
        .env("DOCKER_HOST", NOWHERE)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{errors}");
}
