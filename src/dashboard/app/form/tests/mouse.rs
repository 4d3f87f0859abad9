//! Clicks, and where things stand on the screen.

use super::*;

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
