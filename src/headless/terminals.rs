//! `terminals`: those that a session holds.

use serde::Serialize;

use super::attach::MAIN;
use super::document::Document;
use super::table::{Grid, Page, cell, cut};
use super::{Context, Done};
use crate::backend::Backend;
use crate::session::Session;
use crate::terminal::wire::Held;
use crate::units::{Untrusted, brief_span};

/// Columns of a command before it is cut, where a row is as long as it is.
const CUT: usize = 80;

/// `terminals`.
#[derive(Debug, Serialize)]
pub struct Terminals {
    /// The session.
    pub session: Session,
    /// What it holds.
    pub terminals: Vec<Held>,
}

/// Lists them.
pub async fn list(context: &Context, backend: &Backend, who: &str) -> Done {
    let session = backend.find(who).await?;
    let terminals = backend.terminals(&session.container_id).await?;
    if context.output.is_json() {
        context.output.document(&Document::new(Terminals { session, terminals }));
    } else if context.output.is_quiet() {
        context.output.lines(terminals.iter().map(|held| held.id));
    } else if terminals.is_empty() {
        context.output.note(&format!("'{0}' holds no terminal; 'palisade shell {0}' opens one", session.name));
    } else {
        context.output.text(&table(context.output.page(), &terminals));
    }
    Ok(0)
}

/// Ends one: what runs in it is hung up on.
pub async fn end(context: &Context, backend: &Backend, who: &str, id: u32) -> Done {
    let session = backend.find(who).await?;
    backend.end_terminal(&session.container_id, id).await?;
    if context.output.is_json() {
        let terminals = backend.terminals(&session.container_id).await?;
        context.output.document(&Document::new(Terminals { session, terminals }));
    } else {
        context.output.note(&format!("terminal {id} of '{}' has ended", session.name));
    }
    Ok(0)
}

fn table(page: Page, terminals: &[Held]) -> String {
    let mut grid = Grid::new(&["TERMINAL", "PID", "SIZE", "AGE", "UNUSED", "SEEN BY", "COMMAND"], page).whole(&[0, 1, 2, 3, 4, 5]);
    for held in terminals {
        let id = if held.id == MAIN { "0 (the session's own)".to_owned() } else { held.id.to_string() };
        grid.row([
            cell(id),
            cell(held.pid),
            cell(format!("{}x{}", held.size.columns(), held.size.rows())),
            cell(brief_span(held.age_s)),
            cell(brief_span(held.idle_s)),
            cell(if held.clients == 0 { "nobody".to_owned() } else { held.clients.to_string() }),
            cell(cut(&Untrusted::from(held.command.join(" ")).to_string(), CUT)),
        ]);
    }
    grid.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Size;

    #[test]
    fn what_a_session_says_of_its_terminals_breaks_no_column() {
        let held = Held {
            id: 3,
            pid: 17,
            command: vec!["vim\u{1b}[2J".to_owned(), "a\nb\u{202e}".to_owned()],
            size: Size::new(80, 24),
            age_s: 3600,
            idle_s: 5,
            clients: 0,
        };
        let shown = table(Page::default(), &[held]);
        assert_eq!(shown.lines().count(), 2, "{shown}");
        assert!(shown.contains("vim\\u{1b}[2J a\\u{a}b\\u{202e}") && shown.contains("80x24") && shown.contains("nobody"), "{shown}");
    }
}
