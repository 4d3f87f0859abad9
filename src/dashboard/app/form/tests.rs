//! Keys in; effects, errors beside their fields and an order out.

use proptest::prelude::*;
use ratatui::layout::Rect;

use super::samples::{answer, form, ground, planned, press};
use super::*;
use crate::backend::Pull;
use crate::dashboard::app::effect::Effect;
use crate::failure::Code;
use crate::policy::profile::Disk;
use crate::session::Kind;
use crate::units::{Bytes, Seconds};

fn typed(keys: &str) -> (Form, Vec<Outcome>) {
    let (mut form, mut next) = (form(), 1);
    let effects = form.opened(&mut next);
    answer(&mut form, &effects);
    let outcomes = press(&mut form, &mut next, keys);
    (form, outcomes)
}

fn effects(outcome: Outcome) -> Vec<Effect> {
    match outcome {
        Outcome::Stay(effects) => effects,
        other => panic!("{other:?}"),
    }
}

mod coming_back;
mod mouse;
mod plan;

#[test]
fn a_name_and_ctrl_s_launch_what_the_profile_says() {
    let (form, outcomes) = typed("`web` ctrl-s");
    let Some(Outcome::Submit(order)) = outcomes.last() else { panic!("{outcomes:?}") };
    assert_eq!((order.name.as_deref(), order.kind, order.profile.as_deref()), (Some("web"), Kind::Persistent, None));
    assert_eq!(order.overrides, crate::policy::profile::Profile::default());
    assert_eq!(form.command_line().unwrap(), "palisade launch web");
}

#[test]
fn the_whole_form_is_filled_by_keys_and_the_command_line_says_the_same() {
    let keys = "`web` tab right tab right tab `debian:13` enter `python3 -c \"print(6 * 7)\"` down `1h 30m` tab `src` down right \
                tab `A=1 \"B=two words\"` tab `TOKEN` tab right tab `512MiB` tab `0.5` tab `64` tab `2g` tab right tab `3d`";
    let (form, _) = typed(keys);
    assert_eq!(
        form.command_line().unwrap(),
        "palisade run --name web --profile strict --image debian:13 --timeout 1h30m --workspace src:ro --env A=1 --env 'B=two words' \
         --secret TOKEN --network none --memory 512MiB --cpus 0.5 --pids-limit 64 --tmp-size 2GiB --seccomp default --min-age 3days \
         -- python3 -c 'print(6 * 7)'"
    );
    let order = form.order().unwrap();
    assert_eq!(order.overrides.timeout, Some(Seconds::new(5400)));
    assert_eq!((order.kind, order.pull), (Kind::Ephemeral, Pull::Missing));
}

#[test]
fn each_cap_on_disk_is_asked_for_by_itself_and_none_where_nothing_is_typed() {
    let (mut form, _) = typed("`web`");
    assert_eq!(form.order().unwrap().overrides.disk, None);
    assert!(form.set(Field::DiskHard, "10g"));
    assert_eq!(form.command_line().unwrap(), "palisade launch web --disk-hard 10GiB");
    assert!(form.set(Field::DiskSoft, "0"));
    assert_eq!(form.command_line().unwrap(), "palisade launch web --disk-soft 0 --disk-hard 10GiB");
    assert_eq!(form.order().unwrap().overrides.disk, Some(Disk { soft: Some(Bytes::new(0)), hard: Some(Bytes::gib(10)) }));
    assert!(form.set(Field::DiskHard, ""));
    assert_eq!(form.command_line().unwrap(), "palisade launch web --disk-soft 0");
}

#[test]
fn a_persistent_session_without_a_name_is_previewed_and_not_launched() {
    let (mut form, mut next) = (form(), 1);
    let first = form.opened(&mut next);
    assert!(matches!(&first[..], [Effect::Preview(1, order)] if order.name.is_none()));
    assert_eq!(form.error(Field::Name), None, "nothing was done wrong yet");
    assert_eq!(press(&mut form, &mut next, "tab ctrl-s"), [Outcome::Stay(vec![]), Outcome::Stay(vec![])]);
    assert!(form.error(Field::Name).unwrap().contains("a name has 1 to 50"));
    assert_eq!((form.focus(), form.command_line()), (Focus::Field(Field::Name), None));
    press(&mut form, &mut next, "down right");
    assert_eq!(form.error(Field::Name), None);
    assert_eq!(form.command_line().unwrap(), "palisade run", "an ephemeral one gets a name of its own");
}

#[test]
fn what_a_field_does_not_take_is_said_beside_it_in_headless_words() {
    for (field, text, why) in [
        (Field::Name, "a b", "'a b' is not a session name"),
        (Field::Image, "-v", "takes an image reference"),
        (Field::Command, "a | b", "no shell reads this: quote the |"),
        (Field::Command, "'a", "is not closed"),
        (Field::Timeout, "soon", "is not a span of whole seconds"),
        (Field::Timeout, "11years", "takes a span"),
        (Field::Env, "A=1 B-C=2", "'B-C' is not a variable's name"),
        (Field::Secrets, "../x=A", "'../x' is not a secret's name"),
        (Field::Memory, "lots", "'lots' is not a size"),
        (Field::Memory, "8m", "8 MiB (takes a size from 16 MiB to 1 PiB)"),
        (Field::Cpus, "two", "is not a number of CPUs"),
        (Field::Cpus, "0", "takes a number from 0.01"),
        (Field::PidsLimit, "-1", "give a whole number, never unlimited"),
        (Field::PidsLimit, "4097", "4097 (takes a whole number from 16 to 4096"),
        (Field::TmpSize, "0", "takes a size from 1 MiB"),
        (Field::MinAge, "x", "is not a span"),
        (Field::MinAgeAllow, "crates:serde", "takes a list of packages"),
        (Field::CapAdd, "SYS_ADMIN", "SYS_ADMIN (can be given to no session)"),
        (Field::CapAdd, "ROOT", "ROOT"),
        (Field::ShmSize, "1", "takes a size"),
        (Field::Nofile, "1", "takes a whole number"),
        (Field::Cpuset, "all", "takes a list of CPUs"),
        (Field::EnvFiles, "\"", "is not closed"),
        (Field::DiskSoft, "much", "'much' is not a size"),
        (Field::DiskSoft, "5k", "5 KiB (takes a size from 1 MiB to 1 PiB, or 0 for none)"),
        (Field::DiskHard, "1023", "takes a size from 1 MiB to 1 PiB, or 0 for none"),
    ] {
        let mut form = form();
        form.set(Field::Name, "web");
        assert!(form.set(field, text));
        let error = form.error(field).unwrap_or_else(|| panic!("{field:?} takes {text}"));
        assert!(error.contains(why) && !error.contains("the command line"), "{field:?}: {error}");
        assert_eq!(Field::all().filter(|other| form.error(*other).is_some()).count(), 1, "{field:?} alone");
        assert_eq!((form.order(), form.command_line()), (None, None));
        assert!(matches!(&form.key("ctrl-s".parse().unwrap(), &mut 1), Outcome::Stay(effects) if effects.is_empty()));
        assert_eq!(form.focus(), Focus::Field(field));
    }
}

#[test]
fn a_paste_goes_into_the_line_in_focus_and_is_never_cut() {
    let (mut form, mut next) = (form(), 1);
    press(&mut form, &mut next, "`web`");
    press(&mut form, &mut next, "down");
    assert!(form.pasted("persistent", &mut next).is_empty(), "nothing is typed into a choice");
    press(&mut form, &mut next, "tab tab tab");
    let more = form.pasted("python3\tserve.py\r\n", &mut next);
    assert!(matches!(&more[..], [Effect::Preview(_, order)] if order.command == ["python3", "serve.py"]));
    assert!(form.pasted(&"x".repeat(5000), &mut next).is_empty());
    assert_eq!(form.input(Field::Command).text(), "python3 serve.py");
    assert!(form.alert(80)[0].1.contains("too long"));
}

#[test]
fn ctrl_y_copies_the_line_and_escape_closes() {
    let (_, outcomes) = typed("ctrl-y `web` ctrl-y esc");
    assert_eq!(outcomes[0], Outcome::Stay(vec![]));
    assert_eq!(outcomes[4..], [Outcome::Stay(vec![Effect::Copy("palisade launch web".to_owned())]), Outcome::Close]);
}

#[test]
fn the_line_is_for_the_engine_of_this_dashboard() {
    let mut ground = ground();
    ground.program = ["palisade", "--host", "ssh://a b"].map(str::to_owned).to_vec();
    let mut form = Form::new(&ground, &Remembered::default());
    form.set(Field::Name, "web");
    assert_eq!(form.command_line().unwrap(), "palisade --host 'ssh://a b' launch web");
}

#[test]
fn a_folder_that_ends_like_a_mode_is_still_that_folder() {
    let mut form = form();
    for (path, mode, spec) in
        [("a:ro", "read-write", "a:ro:rw"), ("a:rw", "read-only", "a:rw:ro"), ("a", "read-write", "a"), (" a ", "read-only", " a :ro")]
    {
        form.set(Field::Name, "web");
        form.set(Field::Workspace, path);
        form.set(Field::Mode, mode);
        assert_eq!(form.order().unwrap().workspace.as_deref(), Some(spec));
    }
}

#[test]
fn choices_answer_to_arrows_letters_and_space() {
    let (mut form, mut next) = (form(), 1);
    press(&mut form, &mut next, "`web` tab tab `s`");
    assert_eq!(form.input(Field::Profile).text(), "strict");
    press(&mut form, &mut next, "space left");
    assert_eq!(form.input(Field::Profile).text(), "strict", "from the last to the first and back");
    press(&mut form, &mut next, "`z`");
    assert_eq!(form.input(Field::Profile).text(), "strict");
}

#[test]
fn without_profiles_and_without_a_plan_the_form_still_works() {
    let ground = Ground { default_profile: "mine".to_owned(), ..Ground::default() };
    let mut form = Form::new(&ground, &Remembered::default());
    form.set(Field::Name, "web");
    form.set(Field::Memory, "1");
    assert_eq!(form.order().unwrap().overrides.memory, Some(Bytes::new(1)), "its limits are the plan's to say");
    assert_eq!(form.placeholder(Field::Cpus), "as the profile says");
    assert_eq!(form.input(Field::Profile).text(), "mine");
}

#[test]
fn every_key_that_the_help_names_is_the_forms_own() {
    for (key, _) in KEYS {
        let (mut form, mut next) = (form(), 1);
        press(&mut form, &mut next, "`web` down");
        let before = form.clone();
        let outcome = form.key(key.parse().unwrap(), &mut next);
        assert!(form != before || outcome != Outcome::Stay(vec![]), "{key}");
    }
}

/// A key, a paste or a click.
#[derive(Debug, Clone)]
enum Did {
    Key(&'static str),
    Paste(String),
    Click(u16, u16),
}

fn anything() -> impl Strategy<Value = Did> {
    const KEYS: [&str; 24] = [
        "a",
        "0",
        "'",
        "\"",
        "\\",
        "=",
        "/",
        ":",
        "space",
        "tab",
        "shift-tab",
        "up",
        "down",
        "left",
        "right",
        "enter",
        "backspace",
        "delete",
        "home",
        "end",
        "pageup",
        "pagedown",
        "ctrl-w",
        "ctrl-y",
    ];
    prop_oneof![
        8 => prop::sample::select(&KEYS[..]).prop_map(Did::Key),
        1 => any::<String>().prop_map(Did::Paste),
        2 => (0_u16..90, 0_u16..30).prop_map(|(column, line)| Did::Click(column, line)),
    ]
}

proptest! {
    /// Whatever is done, the screen can be laid out, and there is a command line exactly where there is an order.
    #[test]
    fn nothing_that_is_done_breaks_the_form(did in prop::collection::vec(anything(), 0..60), (columns, lines) in (0_u16..120, 0_u16..40)) {
        let (mut form, mut next, area) = (form(), 1, Rect::new(2, 1, columns, lines));
        for did in did {
            let outcome = match did {
                Did::Key(key) => form.key(key.parse().unwrap(), &mut next),
                Did::Paste(text) => Outcome::Stay(form.pasted(&text, &mut next)),
                Did::Click(column, line) => form.clicked(column, line, area, &mut next),
            };
            if let Outcome::Submit(order) = &outcome {
                prop_assert_eq!(Some(order.as_ref()), form.order());
            }
            if let Outcome::Stay(effects) = &outcome {
                answer(&mut form, effects);
            }
            prop_assert_eq!(form.order().is_some(), form.command_line().is_some());
            for (_, place) in Geometry::of(&form, area).lines {
                prop_assert!(area.intersection(place) == place, "{place}");
            }
            let back = Form::new(&ground(), &form.remembered());
            prop_assert_eq!(back.order(), form.order());
        }
    }
}
