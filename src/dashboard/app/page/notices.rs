//! What was told, newest first.

use super::Line;
use super::words::weight_role;
use crate::dashboard::app::State;
use crate::dashboard::app::notice::Notice;
use crate::dashboard::app::signs::Signs;
use crate::dashboard::text;
use crate::dashboard::theme::Role;
use crate::units::age;

/// Its lines.
pub fn lines(state: &State, width: u16) -> Vec<Line> {
    if state.notices.all.is_empty() {
        return vec![vec![("nothing was told yet".to_owned(), Role::Muted)]];
    }
    let width = usize::from(width).saturating_sub(4).max(10);
    state.notices.all.iter().flat_map(|notice| one(state, notice, width)).collect()
}

fn one(state: &State, notice: &Notice, width: usize) -> Vec<Line> {
    let role = weight_role(notice.weight);
    let mut lines = vec![vec![
        (format!("{} ", Signs::of(state.ascii).weight(notice.weight)), role),
        (format!("{}  ", notice.at.strftime("%H:%M:%S")), Role::Muted),
        (age(state.now, notice.at), Role::Muted),
    ]];
    let mut add = |words: &str, role| lines.extend(text::wrap(words, width).into_iter().map(|line| vec![(format!("  {line}"), role)]));
    add(&notice.text, role);
    for detail in &notice.details {
        add(detail, Role::Text);
    }
    if let Some(hint) = &notice.hint {
        add(&format!("hint: {hint}"), Role::Info);
    }
    lines
}
