//! `ls`: the sessions.

use futures_util::{StreamExt, stream};

use super::age::age;
use super::document::{Document, ErrorBody, PostureSummary, SessionRow, Sessions};
use super::paint::Role;
use super::table::{Grid, cell, cut, meaning};
use super::{Context, Done};
use crate::backend::Backend;
use crate::policy::Verdict;
use crate::session::{Kind, Session, Status};

/// Sessions measured at once: the engine answers an inspect in a millisecond, the kernel's files take longer.
const AT_ONCE: usize = 8;
/// Columns of a command or image before it is cut.
const CUT: usize = 40;

/// What to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only these; empty for any.
    pub status: Vec<Status>,
    /// Measure each.
    pub posture: bool,
    /// Show commands and images in full.
    pub in_full: bool,
}

/// Lists.
pub async fn list(context: &Context, backend: &Backend, filter: &Filter) -> Done {
    let sessions = backend.sessions().await?.into_iter().filter(|session| {
        filter.kind.is_none_or(|kind| session.kind == kind) && (filter.status.is_empty() || filter.status.contains(&session.status))
    });
    let measure = filter.posture && (context.output.is_json() || !context.output.is_quiet());
    let rows: Vec<SessionRow> = stream::iter(sessions)
        .map(|session| async move {
            let posture = if measure { Some(measured(backend, &session).await) } else { None };
            SessionRow { session, posture }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    if context.output.is_json() {
        context.output.document(&Document::new(Sessions { sessions: rows }));
    } else if context.output.is_quiet() {
        context.output.lines(rows.iter().map(|row| &row.session.name));
    } else {
        context.output.text(&table(context, &rows, filter));
    }
    Ok(0)
}

async fn measured(backend: &Backend, session: &Session) -> PostureSummary {
    match backend.verify(&session.id.to_string()).await {
        Ok((_, posture)) => PostureSummary::of(&posture),
        Err(failure) => PostureSummary::Unmeasured { error: ErrorBody::from(&failure) },
    }
}

fn table(context: &Context, rows: &[SessionRow], filter: &Filter) -> String {
    let mut headings = vec!["NAME", "KIND", "STATUS", "PROFILE", "IMAGE", "CREATED", "COMMAND"];
    if filter.posture {
        headings.insert(3, "POSTURE");
    }
    let cut = |text: String| if filter.in_full { text } else { cut(&text, CUT) };
    let mut grid = Grid::new(&headings, context.output.colours().stdout);
    for SessionRow { session, posture } in rows {
        let mut cells = vec![
            cell(&session.name),
            cell(session.kind),
            status(session),
            cell(session.profile.raw()),
            cell(cut(session.image.to_string())),
            cell(age(context.now, session.created)),
            cell(cut(session.command.to_string())),
        ];
        if filter.posture {
            cells.insert(3, summary(posture.as_ref()));
        }
        grid.row(cells);
    }
    grid.render()
}

fn status(session: &Session) -> comfy_table::Cell {
    let text = if session.status_text.raw().is_empty() { session.status.to_string() } else { session.status_text.to_string() };
    match session.status {
        Status::Running => meaning(text, Role::Good),
        Status::Dead | Status::Unknown => meaning(text, Role::Danger),
        Status::Paused | Status::Restarting | Status::Removing => meaning(text, Role::Caution),
        Status::Created | Status::Exited => cell(text),
    }
}

fn summary(posture: Option<&PostureSummary>) -> comfy_table::Cell {
    match posture {
        Some(PostureSummary::Measured { enforced, total, verdict, failing }) => {
            let counts = format!("{enforced}/{total}");
            match verdict {
                Verdict::Enforced => meaning(counts, Role::Good),
                Verdict::Unknown => meaning(format!("{counts} unknown"), Role::Caution),
                Verdict::Weaker | Verdict::Missing => {
                    let names: Vec<_> = failing.iter().map(|control| control.name()).collect();
                    meaning(format!("{counts} {verdict}: {}", names.join(" ")), Role::Danger)
                }
            }
        }
        Some(PostureSummary::Unmeasured { error }) => meaning(format!("not measured: {}", error.message), Role::Caution),
        None => cell(""),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::headless::Output;
    use crate::policy::controls::Control;

    #[test]
    fn a_list_is_a_line_for_each_session_whatever_it_calls_itself() {
        let session = Session {
            id: crate::units::SessionId::NIL,
            name: "web".parse().unwrap(),
            kind: Kind::Persistent,
            profile: "default".into(),
            status: Status::Running,
            status_text: "Up 5 minutes".into(),
            created: Timestamp::UNIX_EPOCH,
            image: "日本\u{1b}[2J\nFAKE persistent".into(),
            command: "sh -c 'a very long command that goes on and on and on'".into(),
            container_id: String::new(),
        };
        let posture = PostureSummary::Measured { enforced: 20, total: 21, verdict: Verdict::Weaker, failing: vec![Control::PidsLimit] };
        let rows = [SessionRow { session, posture: Some(posture) }];
        let context = Context { output: Output::default(), now: Timestamp::from_second(7_200).unwrap() };
        let text = table(&context, &rows, &Filter { posture: true, ..Filter::default() });
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!(
            lines[0].split_whitespace().collect::<Vec<_>>(),
            ["NAME", "KIND", "STATUS", "POSTURE", "PROFILE", "IMAGE", "CREATED", "COMMAND"]
        );
        for shown in ["web ", "Up 5 minutes", "20/21 weaker: pids_limit", "日本\\u{1b}[2J\\u{a}FAKE", "2 hours ago", "…"] {
            assert!(lines[1].contains(shown), "{shown}: {text}");
        }
        assert!(!text.contains('\u{1b}') && !text.contains("on and on and on"));
        assert!(table(&context, &rows, &Filter { in_full: true, ..Filter::default() }).contains("on and on and on"));
        assert_eq!(table(&context, &[], &Filter::default()).lines().count(), 1, "no session is a heading and nothing more");
    }
}
