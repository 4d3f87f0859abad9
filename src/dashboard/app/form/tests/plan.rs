//! The plan: when it is asked for, what it fills in, and where its refusal stands.

use super::*;

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
fn a_refusal_stays_with_the_same_order_in_other_letters() {
    let (mut form, mut next) = (form(), 1);
    form.set(Field::Name, "web");
    refused(&mut form, &mut next, &Failure::new(Code::EngineUnreachable, "no engine answers"));
    press(&mut form, &mut next, "end space");
    assert_eq!(form.standing(), Standing::Without);
    assert!(matches!(form.key("ctrl-s".parse().unwrap(), &mut next), Outcome::Stay(_)), "it is still the one that was refused");
}
