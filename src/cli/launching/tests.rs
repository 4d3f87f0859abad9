//! The launch form writes a command line; this grammar reads the same order from it.

use clap::Parser;
use proptest::prelude::*;

use super::super::arguments::{Arguments, Command};
use super::*;
use crate::dashboard::app::form::{Field, Form, Ground, Remembered, Takes, command_line, samples, shell_words};

/// What the command line's grammar makes of a line.
fn read_back(line: &str) -> Order {
    let arguments = Arguments::try_parse_from(shell_words::split(line).unwrap()).unwrap_or_else(|error| panic!("{line}: {error}"));
    match arguments.command {
        Some(Command::Run(run)) => (*run).into(),
        Some(Command::Launch(launch)) => (*launch).into(),
        other => panic!("{line}: {other:?}"),
    }
}

/// Texts that a field takes, plain and odd.
fn texts(field: Field) -> &'static [&'static str] {
    match field {
        Field::Name => &["web", "A.b_c-1", "0"],
        Field::Image => &["debian:13", "r.io:5000/a/b@sha256:ab"],
        Field::Command => &["", "true", "--help", "-- a -- b", "python3 -c 'print(\"it'\\''s\")'", "'' --memory 1", "a=b \\$HOME 日本"],
        Field::Timeout | Field::Ttl | Field::Idle | Field::MinAge => &["", "0", "90", "1h 30m", "300days 1s"],
        Field::Workspace => &["", ".", "-x", "a b/'c'", "a:ro", "~/src", " ", "ü:rw", "--"],
        Field::Env => &["", "A=1", "A= B 'C=two words' D=-x", "A='=\"$HOME\"'"],
        Field::Secrets => &["", "TOKEN", "npm.token=NPM_TOKEN _X"],
        Field::Memory => &["", "16MiB", "4831838209", "1.5g"],
        Field::Cpus => &["", "2", "0.5", "1.125"],
        Field::PidsLimit | Field::Nofile => &["", "64", "4096"],
        Field::TmpSize | Field::ShmSize => &["", "1MiB", "1000000001"],
        Field::DiskSoft | Field::DiskHard => &["", "0", "1MiB", "1.5g", "10737418241"],
        Field::MinAgeAllow => &["", "requests", "npm:@scope/name pypi:x"],
        Field::CapAdd => &["", "NET_RAW", "chown CAP_KILL"],
        Field::Cpuset => &["", "0-1,3"],
        Field::EnvFiles => &["", "a.env", "-b.env 'c d.env'"],
        Field::WorkingDir => &["", "/workspace/a b", "-x"],
        Field::Kind | Field::Profile | Field::Mode | Field::Network | Field::Seccomp | Field::Rootfs | Field::Pull | Field::Project => &[],
    }
}

fn choices(field: Field, ground: &Ground) -> Vec<String> {
    match field.takes() {
        Takes::Line | Takes::Folder => texts(field).iter().map(|text| (*text).to_owned()).collect(),
        Takes::OneOf(words) => words.iter().map(|word| (*word).to_owned()).collect(),
        Takes::Profile => ground.profiles.iter().map(|profile| profile.name.clone()).collect(),
    }
}

fn filled() -> impl Strategy<Value = Form> {
    prop::collection::vec(any::<prop::sample::Index>(), Field::COUNT).prop_map(|picks| {
        let ground = samples::ground();
        let mut form = Form::new(&ground, &Remembered::default());
        for (field, pick) in Field::all().zip(picks) {
            let choices = choices(field, &ground);
            assert!(form.set(field, &choices[pick.index(choices.len())]), "{field:?}");
            assert_eq!(form.error(field), None);
        }
        form
    })
}

proptest! {
    #[test]
    fn the_forms_command_line_asks_for_the_same_as_the_form(form in filled()) {
        let line = form.command_line().unwrap();
        prop_assert_eq!(&read_back(&line), form.order().unwrap(), "{}", line);
    }

    #[test]
    fn whatever_is_typed_survives_the_way_through_a_shell(
        command in prop::collection::vec("[^\0]{0,12}", 0..4),
        workspace in prop::option::of("[^\0]{1,20}"),
        working_dir in prop::option::of("[^\0]{1,20}"),
        env in prop::collection::vec("[^\0]{1,20}", 0..3),
    ) {
        let mut form = samples::form();
        form.set(Field::Name, "web");
        let order = Order { command, env, workspace, working_dir, ..form.order().unwrap().clone() };
        let line = command_line(&[], &order).unwrap();
        prop_assert_eq!(read_back(&line), order, "{}", line);
    }
}
