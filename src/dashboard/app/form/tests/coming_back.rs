//! What comes back when the form is opened again.

use super::*;

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
