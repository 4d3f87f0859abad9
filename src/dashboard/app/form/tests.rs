//! Keys in; effects, errors beside their fields and an order out.

use ratatui::layout::Rect;

use super::samples::{answer, form, ground, planned, press};
use super::*;
use crate::backend::Pull;
use crate::dashboard::app::effect::Effect;
use crate::failure::Code;
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
fn a_plan_is_asked_for_when_the_order_is_another_and_only_the_latest_counts() {
    let (mut form, mut next) = (form(), 1);
    form.opened(&mut next);
    let mut asked = Vec::new();
    for key in ["w", "left", "e", "tab", "tab"] {
        asked.push(effects(form.key(key.parse().unwrap(), &mut next)).len());
    }
    assert_eq!((asked, next), (vec![1, 0, 1, 0, 0], 4));
    assert_eq!(form.standing(), Standing::Working);
    let order = form.order().unwrap().clone();
    form.previewed(2, planned(&order));
    assert_eq!(form.standing(), Standing::Working, "an answer to what was typed before");
    form.previewed(3, planned(&order));
    assert_eq!(form.standing(), Standing::Current);
    form.set(Field::Memory, "lots");
    assert_eq!(form.standing(), Standing::Without);
    // What is the same order in other letters needs no other plan.
    form.set(Field::Memory, "");
    assert!(press(&mut form, &mut next, "shift-tab shift-tab end space").iter().all(|outcome| *outcome == Outcome::Stay(vec![])));
    assert_eq!((form.input(Field::Name).text(), form.standing()), ("ew ", Standing::Current));
}

#[test]
fn an_empty_field_shows_what_the_profile_says_and_the_plan_knows_better() {
    let (mut form, mut next) = (form(), 1);
    assert_eq!(form.placeholder(Field::Memory), "4 GiB (profile)");
    form.set(Field::Name, "web");
    let Some(Effect::Preview(number, order)) = form.opened(&mut next).pop() else { panic!() };
    let mut narrowed = planned(&order).unwrap();
    narrowed.policy.memory = Bytes::gib(1);
    form.previewed(number, Ok(narrowed));
    assert_eq!(form.placeholder(Field::Memory), "1 GiB (profile)", "a project's file narrowed it");
    form.set(Field::Workspace, "elsewhere");
    assert_eq!(form.placeholder(Field::Memory), "4 GiB (profile)", "there may be another file there");
    form.set(Field::Profile, "strict");
    assert_eq!(form.placeholder(Field::Seccomp), "strict (profile)");
    assert!(!form.set(Field::Profile, "missing") && form.input(Field::Profile).text() == "strict");
}

fn refused(form: &mut Form, next: &mut u64, failure: &Failure) {
    let effects = form.opened(next);
    let Some(Effect::Preview(number, _)) = effects.first() else { panic!("{effects:?}") };
    form.previewed(*number, Err(failure.clone()));
}

#[test]
fn what_the_plan_refuses_stands_beside_the_field_until_it_is_another() {
    let (mut form, mut next) = (form(), 1);
    form.set(Field::Name, "web");
    form.set(Field::Workspace, "/etc");
    let failure = Failure::new(Code::Refused, "this folder cannot be a workspace")
        .detail("'--workspace' /etc: it is the system's")
        .hint("give a folder of your own");
    refused(&mut form, &mut next, &failure);
    assert_eq!(form.error(Field::Workspace).unwrap(), "/etc: it is the system's");
    assert_eq!(form.alert(80), [(Weight::Plain, "hint: give a folder of your own".to_owned())]);
    assert_eq!(form.standing(), Standing::Without);

    // Once it is stopped and asked again; the second time it is the backend's to judge.
    let again = effects(form.key("ctrl-s".parse().unwrap(), &mut next));
    assert!(matches!(&again[..], [Effect::Preview(2, _)]));
    assert_eq!(form.focus(), Focus::Field(Field::Workspace));
    assert!(form.alert(80)[0].1.contains("ctrl-s again"));
    assert!(matches!(form.key("ctrl-s".parse().unwrap(), &mut next), Outcome::Submit(_)));

    form.key("x".parse().unwrap(), &mut next);
    assert_eq!(form.error(Field::Workspace), None);
}

#[test]
fn what_names_no_field_stands_at_the_bottom() {
    let (mut form, mut next) = (form(), 1);
    let failure = Failure::new(Code::InvalidConfig, "the profile asks for more than its base gives")
        .detail("'memory' in .palisade.toml: 8 GiB (above 4 GiB)\u{1b}[2J");
    refused(&mut form, &mut next, &failure);
    assert_eq!(form.error(Field::Memory), None);
    let alert: Vec<String> = form.alert(200).into_iter().map(|(_, line)| line).collect();
    assert!(alert[0].starts_with("the profile asks") && alert[1].contains(".palisade.toml") && alert[1].contains("\\u{1b}"), "{alert:?}");
}

#[test]
fn tab_completes_a_path_and_moves_on_when_there_is_no_more_to_find() {
    let (mut form, mut next) = (form(), 1);
    press(&mut form, &mut next, "`web` tab tab tab tab tab tab `s`");
    assert_eq!(form.focus(), Focus::Field(Field::Workspace));
    let asked = effects(form.key("tab".parse().unwrap(), &mut next));
    let [Effect::CompletePath(number, text)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(text, "s");
    let more = form.completed(*number, vec!["src/".to_owned(), "srv/".to_owned()], &mut next);
    assert!(matches!(&more[..], [Effect::Preview(_, order)] if order.workspace.as_deref() == Some("sr")));
    assert_eq!(form.candidates(), ["src/", "srv/"]);

    let asked = effects(form.key("tab".parse().unwrap(), &mut next));
    let [Effect::CompletePath(number, _)] = &asked[..] else { panic!("{asked:?}") };
    form.completed(*number, vec!["src/".to_owned(), "srv/".to_owned()], &mut next);
    assert_eq!(form.input(Field::Workspace).text(), "sr");

    // A click takes one.
    let area = Rect::new(0, 0, 80, 24);
    let geometry = Geometry::of(&form, area);
    let (_, place) = geometry.lines.iter().find(|(line, _)| *line == Line::Candidate(1)).unwrap();
    form.clicked(place.x + 20, place.y, area, &mut next);
    assert_eq!((form.input(Field::Workspace).text(), form.candidates().len()), ("srv/", 0));

    press(&mut form, &mut next, "ctrl-u tab");
    assert_eq!(form.focus(), Focus::Field(Field::Mode), "an empty path has nothing to complete");
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
fn buttons_are_pressed_by_keys_and_by_clicks() {
    let (mut form, mut next) = (form(), 1);
    press(&mut form, &mut next, "`web` up");
    assert_eq!(form.focus(), Focus::Button(Button::Close));
    // One up from the name is the last stop, and so on.
    press(&mut form, &mut next, "left left");
    assert_eq!(form.focus(), Focus::Button(Button::Launch));
    assert!(matches!(press(&mut form, &mut next, "enter").pop(), Some(Outcome::Submit(_))));
    for (width, height) in [(80, 24), (40, 12), (160, 50)] {
        let area = Rect::new(3, 2, width, height);
        let buttons = Geometry::of(&form, area).buttons;
        let mut press = |at: usize| form.clicked(buttons[at].1.x, buttons[at].1.y, area, &mut next);
        assert!(matches!(press(0), Outcome::Submit(_)));
        assert!(matches!(press(1), Outcome::Stay(effects) if matches!(&effects[..], [Effect::Copy(_)])));
        assert_eq!(press(2), Outcome::Close);
    }
}

#[test]
fn a_click_goes_to_a_field_and_a_second_one_changes_what_is_chosen() {
    let (mut form, mut next) = (form(), 1);
    let area = Rect::new(0, 0, 80, 24);
    let place = |form: &Form| {
        let lines = Geometry::of(form, area).lines;
        lines.into_iter().find(|(line, _)| *line == Line::Field(Field::Kind)).unwrap().1
    };
    let at = place(&form);
    assert_eq!(form.clicked(at.x + 2, at.y, area, &mut next), Outcome::Stay(vec![]));
    assert_eq!(form.focus(), Focus::Field(Field::Kind));
    let at = place(&form);
    form.clicked(at.x + 2, at.y, area, &mut next);
    assert_eq!(form.input(Field::Kind).text(), "ephemeral");
    assert_eq!(form.clicked(0, 0, area, &mut next), Outcome::Stay(vec![]));
    form.wheel(at.x, at.y, area, true);
    assert_eq!(form.focus(), Focus::Field(Field::Profile));
}

#[test]
fn every_field_comes_onto_the_screen_when_it_has_the_focus() {
    for (width, height) in [(80, 24), (40, 12), (160, 50), (20, 4), (10, 2)] {
        let (mut form, mut next) = (form(), 1);
        let area = Rect::new(0, 0, width, height);
        for field in Field::all() {
            assert_eq!(form.focus(), Focus::Field(field));
            let geometry = Geometry::of(&form, area);
            if geometry.fields.height > 0 {
                assert!(geometry.lines.iter().any(|(line, _)| *line == Line::Field(field)), "{field:?} at {width}×{height}");
            }
            press(&mut form, &mut next, "down");
        }
    }
}

#[test]
fn the_values_come_back() {
    let (left, _) = typed("`web` tab right tab right tab tab `sh -c x`");
    let kept = left.remembered();
    let json = serde_json::to_string(&kept).unwrap();
    let read: Remembered = serde_json::from_str(&json).unwrap();
    assert_eq!(Form::new(&ground(), &read).command_line(), left.command_line());
    assert_eq!(Form::new(&ground(), &Remembered::default()).remembered(), Remembered::default());
}

#[test]
fn values_of_variables_are_not_written_down_and_are_asked_for_again() {
    let mut left = form();
    left.set(Field::Name, "web");
    left.set(Field::Env, "'TOKEN=s3cret x' EMPTY= PASS=");
    left.set(Field::Secrets, "KEY");
    let kept = left.remembered();
    let json = serde_json::to_string(&kept).unwrap();
    assert!(!json.contains("s3cret") && json.contains("TOKEN"), "{json}");
    assert_eq!(Form::new(&ground(), &kept).command_line(), left.command_line(), "the same run keeps them");

    let mut back = Form::new(&ground(), &serde_json::from_str(&json).unwrap());
    assert!(back.error(Field::Env).unwrap().contains("'TOKEN' was not kept"));
    assert_eq!(back.order(), None);
    // Closed without a value it is still missing when it comes back, in this run and the next.
    back.set(Field::Env, "TOKEN= EMPTY= MORE=x");
    let again = back.remembered();
    assert!(Form::new(&ground(), &again).error(Field::Env).unwrap().contains("'TOKEN'"));
    assert_eq!(Form::new(&ground(), &again).input(Field::Env).text(), "TOKEN= EMPTY= MORE=x");
    let mut next_run: Remembered = serde_json::from_str(&serde_json::to_string(&again).unwrap()).unwrap();
    next_run.values.insert("env".to_owned(), "MORE=".to_owned());
    assert!(Form::new(&ground(), &next_run).error(Field::Env).unwrap().contains("'MORE'"));
    back.set(Field::Env, "TOKEN=again EMPTY=");
    assert_eq!(back.order().unwrap().env, ["TOKEN=again", "EMPTY="]);
}

#[test]
fn a_state_file_that_says_anything_is_taken_as_far_as_it_makes_sense() {
    let mut hostile = Remembered::default();
    for (key, text) in [("name", "\u{1b}[2J"), ("kind", "forever"), ("profile", "gone"), ("nothing", "x"), ("memory", "a\nb")] {
        hostile.values.insert(key.to_owned(), text.to_owned());
    }
    hostile.values.insert("command".to_owned(), "x".repeat(100_000));
    let form = Form::new(&ground(), &hostile);
    assert_eq!(form.input(Field::Kind).text(), "persistent");
    assert_eq!(form.input(Field::Profile).text(), "default");
    assert!(form.input(Field::Command).text().len() <= 4096);
    assert!(Field::all().all(|field| !form.input(field).text().chars().any(char::is_control)));
}

#[test]
fn a_name_that_is_taken_comes_back_with_the_next_number() {
    for (name, taken, expected) in
        [("web", &["web", "web-2"][..], "web-3"), ("web-2", &["web-2"], "web-3"), ("api", &["web"], "api"), ("a-b", &["a-b"], "a-b-2")]
    {
        let mut remembered = Remembered::default();
        remembered.values.insert("name".to_owned(), name.to_owned());
        let form = Form::new(&ground(), &remembered).beside(taken.iter().map(|name| (*name).to_owned()));
        assert_eq!(form.input(Field::Name).text(), expected);
    }
    let mut form = form().beside(["web".to_owned()]);
    form.set(Field::Name, "web");
    assert_eq!(form.error(Field::Name).as_deref(), Some("a session has this name already"));
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
