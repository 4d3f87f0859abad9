//! The help, made from the keymap.

use super::Line;
use crate::dashboard::app::action::Action;
use crate::dashboard::app::keymap::Keymap;
use crate::dashboard::theme::Role;

/// Columns from which on the help stands in two.
const TWO: u16 = 110;
/// Columns of the keys.
const KEYS: usize = 15;

/// Its lines, in one column or two of equal height.
pub fn columns(keymap: &Keymap, width: u16) -> Vec<Vec<Line>> {
    let line = |(keys, action): (String, Action)| {
        let keys = if keys.is_empty() { "-".to_owned() } else { keys };
        vec![(format!("  {keys:<KEYS$} "), Role::Key), (action.help().to_owned(), Role::Text)]
    };
    let topics = keymap.help().into_iter().map(|(topic, lines)| {
        let head = vec![(topic.title().to_owned(), Role::Title)];
        std::iter::once(head).chain(lines.into_iter().map(line)).chain([Vec::new()]).collect::<Vec<Line>>()
    });
    let topics: Vec<Vec<Line>> = topics.collect();
    if width < TWO {
        return vec![topics.concat()];
    }
    // The topics keep their order, half of the lines at the left.
    let all: usize = topics.iter().map(Vec::len).sum();
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for topic in topics {
        if right.is_empty() && left.len() + topic.len() / 2 <= all / 2 { left.extend(topic) } else { right.extend(topic) }
    }
    let highest = left.len().max(right.len());
    left.resize(highest, Line::new());
    right.resize(highest, Line::new());
    vec![left, right]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_columns_hold_what_one_does_in_about_half_the_lines() {
        let keymap = Keymap::default();
        let (one, two) = (columns(&keymap, 80), columns(&keymap, 120));
        let said = |columns: &[Vec<Line>]| columns.iter().flatten().filter(|line| !line.is_empty()).count();
        assert_eq!(said(&one), said(&two));
        assert!(two[0].len() == two[1].len() && two[0].len() * 3 < one[0].len() * 2);
    }
}
