//! The documents say what the program does: README's commands parse, its tables are the program's own, and
//! public registries are named in one file.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use palisade::dashboard::app::keymap::Keymap;
use palisade::policy::controls::{ADDABLE_CAPABILITIES, Control};

const README: &str = include_str!("../../README.md");

/// Programs that README may name beside ours.
const OTHERS: [&str; 3] = ["jq", "cargo", "docker"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Command lines of the blocks marked `sh`, and those after `$ ` in the ones marked `console`.
fn command_lines(markdown: &str) -> Vec<&str> {
    let (mut lines, mut block) = (Vec::new(), None);
    for line in markdown.lines() {
        match (line.strip_prefix("```"), block) {
            (Some(_), Some(_)) => block = None,
            (Some(language), None) => block = Some(language),
            (None, Some("sh")) if !line.trim().is_empty() => lines.push(line),
            (None, Some("console")) => lines.extend(line.strip_prefix("$ ")),
            (None, _) => {}
        }
    }
    lines
}

/// A command line as its commands, each as its words: quotes keep words together, `|`, `&&` and `;` part commands, a
/// `#` ends them.
fn commands(line: &str) -> Vec<Vec<String>> {
    let (mut commands, mut words, mut word, mut quote) = (Vec::new(), Vec::new(), String::new(), None);
    for char in line.chars().chain([';']) {
        match (char, quote) {
            (char, Some(end)) if char == end => quote = None,
            ('\'' | '"', None) => quote = Some(char),
            ('#', None) if word.is_empty() => break,
            (' ' | '|' | ';' | '&', None) => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                if char != ' ' && !words.is_empty() {
                    commands.push(std::mem::take(&mut words));
                }
            }
            (char, _) => word.push(char),
        }
    }
    if !words.is_empty() {
        commands.push(words);
    }
    commands
}

/// What `palisade WORDS --help` prints; `None` where there is no such command.
fn help(words: &[&str]) -> Option<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_palisade")).args(words).arg("--help").output().expect("the program");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success() && text.contains("Usage:")).then_some(text)
}

/// What is wrong with one command of ours, if anything.
fn fault(words: &[String]) -> Option<String> {
    let ours: Vec<&str> = words.iter().skip(1).map(String::as_str).take_while(|word| *word != "--").collect();
    // `--host URL` may stand before the command.
    let start = if matches!(ours.first(), Some(&("--host" | "-H"))) { 2 } else { 0 };
    let mut path: Vec<&str> = ours.iter().skip(start).take(1).copied().collect();
    let mut text = help(&path);
    // A command with commands of its own may also stand alone, and then has options.
    if let Some(next) = ours.get(start + 1).filter(|next| !next.starts_with('-'))
        && text.as_ref().is_some_and(|text| text.contains("\nCommands:"))
    {
        path.push(next);
        text = help(&path);
    }
    let Some(text) = text else { return Some(format!("there is no `palisade {}`", path.join(" "))) };
    let known = |flag: &str| text.split([' ', ',', '[', '=', '\n']).any(|word| word == flag);
    let unknown: Vec<&str> = ours.into_iter().filter(|word| word.starts_with('-') && word.len() > 1 && !known(word)).collect();
    (!unknown.is_empty()).then(|| format!("`palisade {}` has no {unknown:?}", path.join(" ")))
}

#[test]
fn every_command_in_the_documents_is_one() {
    let lines = [README, include_str!("../../CONTRIBUTING.md")].map(command_lines).concat();
    assert!(lines.len() > 15, "the blocks are found: {lines:?}");
    let mut faults = Vec::new();
    for line in lines {
        for words in commands(line) {
            let fault = match words[0].as_str() {
                script if script.starts_with("scripts/") && !root().join(script).is_file() => Some(format!("there is no {script}")),
                "palisade" | "scripts/quickstart" if words.len() > 1 => fault(&words),
                program if program == "palisade" || program.starts_with("scripts/") || OTHERS.contains(&program) => None,
                program => Some(format!("what is {program}?")),
            };
            faults.extend(fault.map(|fault| format!("{line}\n  {fault}")));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_line_reads_as_a_shell_reads_it() {
    let read = commands("palisade run --env A='b c' -- sh -c \"x | y\" | jq '.a[] | {b}'   # why; not");
    let expected = [vec!["palisade", "run", "--env", "A=b c", "--", "sh", "-c", "x | y"], vec!["jq", ".a[] | {b}"]];
    assert_eq!(read, expected);
    assert_eq!(command_lines("```sh\na\n\nb\n```\n```toml\nc\n```\n```console\n$ d\nout\n```\n"), ["a", "b", "d"]);
}

#[test]
fn the_readmes_controls_are_the_programs() {
    let rows: Vec<(&str, &str)> = README
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .filter(|(name, _)| Control::ALL.iter().any(|control| control.name() == *name))
        .map(|(name, rest)| (name, rest.split(" | ").next().unwrap_or_default()))
        .collect();
    let expected: Vec<_> = Control::ALL.iter().map(|control| (control.name(), control.stops())).collect();
    assert_eq!(rows, expected);
}

#[test]
fn the_readmes_profiles_are_the_shipped_ones() {
    let shipped: BTreeSet<String> = std::fs::read_dir(root().join("config/profiles"))
        .expect("the shipped profiles")
        .map(|entry| entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    let (_, table) = README.split_once("| profile | for |").expect("the table of profiles");
    let rows = table.lines().skip(2).map_while(|line| line.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name.to_owned());
    assert_eq!(rows.collect::<BTreeSet<_>>(), shipped);
}

#[test]
fn the_shipped_default_profile_lists_the_capabilities_that_can_be_given_back() {
    let text = std::fs::read_to_string(root().join("config/profiles/default.toml")).expect("the default profile");
    for capability in ADDABLE_CAPABILITIES {
        assert!(text.contains(capability), "{capability}");
    }
}

#[test]
fn every_dependency_has_its_reason_in_the_architecture() {
    let (_, table) = include_str!("../../ARCHITECTURE.md").split_once("| crate | for |").expect("the table of dependencies");
    let rows = table.lines().skip(2).map_while(|line| line.strip_prefix("| ")).filter_map(|line| line.split(" | ").next());
    let told: BTreeSet<&str> = rows.flat_map(|names| names.split(", ")).map(|name| name.trim_matches('`')).collect();
    let manifest: toml::Table = include_str!("../../Cargo.toml").parse().expect("the manifest");
    let sections = ["dependencies", "dev-dependencies"].map(|section| manifest[section].as_table().expect("a table"));
    let used: BTreeSet<&str> = sections.iter().flat_map(|section| section.keys()).map(String::as_str).collect();
    assert_eq!(told, used);
}

/// Public registries and mirrors.
const REGISTRIES: [&str; 9] = [
    "pypi.org",
    "pythonhosted.org",
    "registry.npmjs.org",
    "registry.yarnpkg.com",
    "deb.debian.org",
    "security.debian.org",
    "docker.io/",
    "ghcr.io",
    "quay.io",
];

/// Lines that name a registry, tests left out: they name what they like.
fn named_registries(folder: &Path, found: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() && name != "fixtures" && name != "tests" {
            named_registries(&path, found);
        } else if path.is_file() && !name.ends_with("tests.rs") && !path.ends_with("config/default.toml") {
            let text = String::from_utf8_lossy(&std::fs::read(&path).expect("a file")).into_owned();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = code.lines().filter(|line| REGISTRIES.iter().any(|host| line.contains(host)));
            found.extend(lines.map(|line| format!("{}: {}", path.display(), line.trim())));
        }
    }
}

#[test]
fn only_the_shipped_settings_name_a_public_registry() {
    let mut found = Vec::new();
    for folder in ["src", "assets", "config", "scripts", ".ci"] {
        named_registries(&root().join(folder), &mut found);
    }
    assert!(found.is_empty(), "a mirror could not take their place:\n{}", found.join("\n"));
}

#[test]
fn the_keys_table_is_the_keymaps() {
    let keymap = Keymap::default();
    let mut table = String::from("| keys | action | does |\n|---|---|---|\n");
    for (topic, lines) in keymap.help() {
        writeln!(table, "| | **{}** | |", topic.title()).unwrap();
        for (keys, action) in lines {
            let keys: Vec<String> = keys.split(' ').map(|key| format!("`{key}`")).collect();
            writeln!(table, "| {} | `{}` | {} |", keys.join(" "), action.name(), action.help()).unwrap();
        }
    }
    assert!(README.contains(&table), "README.md needs this table of keys:\n\n{table}");
}
