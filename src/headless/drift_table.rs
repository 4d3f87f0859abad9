//! How a session stands to its plan, for people.

use super::paint::{Role, paint};
use super::table::{Grid, Page, cell, meaning};
use crate::policy::drift::{Difference, Standing};

/// In one line: what holds, and in how many fields.
pub fn sentence(standing: &Standing) -> String {
    let many = |count: usize| if count == 1 { "1 field".to_owned() } else { format!("{count} fields") };
    let mut parts = Vec::new();
    if !standing.drifted.is_empty() {
        parts.push(format!("drifted in {} from the plan that it was made from", many(standing.drifted.len())));
    }
    if !standing.outdated.is_empty() {
        parts.push(format!("outdated: today's plan differs in {}", many(standing.outdated.len())));
    }
    if let Some(why) = &standing.unknown {
        parts.push(format!("today's plan is not known: {why}"));
    }
    if parts.is_empty() {
        parts.push("current: as its plan, and as today's".to_owned());
    }
    if standing.another_palisade {
        parts.push("made by another palisade".to_owned());
    }
    parts.join("; ")
}

/// The line with its heading.
pub fn line(standing: &Standing, page: Page) -> String {
    format!("{}: {}\n", paint(page.colour, Role::Heading, "drift"), paint(page.colour, role(standing), &sentence(standing)))
}

/// What each word means.
pub fn role(standing: &Standing) -> Role {
    match (standing.drifted.is_empty(), standing.outdated.is_empty()) {
        (false, _) => Role::Danger,
        (true, false) => Role::Caution,
        (true, true) => Role::Good,
    }
}

/// Field by field; nothing where none differs.
pub fn table(standing: &Standing, page: Page) -> String {
    if standing.is_current() {
        return String::new();
    }
    let mut grid = Grid::new(&["FIELD", "STATE", "THEN", "NOW", "UPDATE"], page).whole(&[0, 1, 4]);
    let mut rows = |differences: &[Difference], word: &str, role: Role| {
        for difference in differences {
            let values = [difference.then.raw(), difference.now.raw()].map(cell);
            let [then, now] = values;
            grid.row([cell(&difference.field), meaning(word, role), then, now, cell(difference.needs.word())]);
        }
    };
    rows(&standing.drifted, "drifted", Role::Danger);
    rows(&standing.outdated, "outdated", Role::Caution);
    grid.render()
}
