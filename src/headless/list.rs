//! `ls`: the sessions.

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use super::cache::{share, summary_in_time};
use super::document::{Document, ErrorBody, PostureSummary, SessionRow, Sessions};
use super::paint::Role;
use super::table::{GAP, Grid, Page, cell, cut, meaning};
use super::{Context, Done, drift_table};
use crate::backend::{Backend, Life, Today};
use crate::failure::Failure;
use crate::policy::Verdict;
use crate::policy::drift::Standing;
use crate::session::{Kind, Limits, Session, Status};
use crate::units::{Untrusted, age, brief_span, sanitise};

/// Said where there is nothing to show.
pub const NOTHING_THERE: &str = "no session is there yet; launch one with: palisade launch NAME";

/// Sessions measured at once: the engine answers an inspect in a millisecond, the kernel's files take longer.
const AT_ONCE: usize = 8;
/// Columns of a command or image before it is cut.
const CUT: usize = 40;
/// Columns below which a command or image on a narrow terminal says nothing any more.
const LEAST: usize = 12;

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
    // Names alone need no figures.
    let with_cache = context.output.is_json() || !context.output.is_quiet();
    let figures = async { if with_cache { summary_in_time(backend).await } else { Ok(None) } };
    let (survey, figures) = tokio::join!(backend.survey(), figures);
    let survey = survey?;
    let sessions = survey.sessions.into_iter().filter(|session| {
        filter.kind.is_none_or(|kind| session.kind == kind) && (filter.status.is_empty() || filter.status.contains(&session.status))
    });
    let measure = filter.posture && (context.output.is_json() || !context.output.is_quiet());
    let today = &Today::default();
    let sessions: Vec<Session> = sessions.collect();
    let limits = if context.output.is_json() { backend.limits(&sessions).await } else { vec![Limits::default(); sessions.len()] };
    let rows: Vec<SessionRow> = stream::iter(sessions.into_iter().zip(limits))
        .map(|(session, limits)| async {
            let (posture, (standing, life)) = if measure {
                let (posture, seen) = measured(backend, &session, today).await;
                (Some(posture), seen)
            } else if with_cache {
                (None, backend.standing_of(&session, today).await.unwrap_or_else(|failure| (untold(failure), Life::default())))
            } else {
                (None, (Standing::default(), Life::default()))
            };
            SessionRow { cache: share(&figures, session.id), session, posture, drift: standing.into(), limits, life }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    if context.output.is_json() {
        context.output.document(&Document::new(Sessions { sessions: rows }));
    } else if context.output.is_quiet() {
        context.output.lines(rows.iter().map(|row| &row.session.name));
    } else if rows.is_empty() {
        let any = filter.kind.is_none() && filter.status.is_empty();
        context.output.note(if any { NOTHING_THERE } else { "no session is like that; 'palisade ls' shows all of them" });
    } else {
        context.output.text(&table(context.output.page(), context.now, &rows, filter));
    }
    if survey.abandoned > 0 && !context.output.is_quiet() {
        context.output.note(&format!(
            "left half done by a palisade that was killed: {}; the next command that changes something settles it",
            survey.abandoned
        ));
    }
    Ok(0)
}

async fn measured(backend: &Backend, session: &Session, today: &Today) -> (PostureSummary, (Standing, Life)) {
    match backend.verify_aside(&session.container_id, today).await {
        Ok((posture, standing, life)) => (PostureSummary::of(&posture), (standing, life)),
        Err(failure) => (PostureSummary::Unmeasured { error: ErrorBody::from(&failure) }, (untold(failure), Life::default())),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what a failure is turned into")]
fn untold(failure: Failure) -> Standing {
    Standing::untold(&failure.message)
}

/// A column before it is laid out.
struct Column {
    heading: &'static str,
    cells: Vec<(String, Option<Role>)>,
}

impl Column {
    fn width(&self) -> usize {
        self.cells.iter().map(|(text, _)| text.width()).chain([self.heading.width()]).max().unwrap_or(0)
    }
}

fn table(page: Page, now: Timestamp, rows: &[SessionRow], filter: &Filter) -> String {
    let column = |heading, of: &dyn Fn(&SessionRow) -> (String, Option<Role>)| Column {
        heading,
        cells: rows.iter().map(of).map(|(text, role)| (sanitise(&text), role)).collect(),
    };
    let short = |text: &Untrusted| (if filter.in_full { text.to_string() } else { cut(&text.to_string(), CUT) }, None);
    let mut columns = vec![
        column("NAME", &|row| (row.session.name.to_string(), None)),
        column("KIND", &|row| (row.session.kind.to_string(), None)),
        column("STATUS", &|row| status(&row.session)),
        column("CACHE", &|row| (row.cache.short(), None)),
        column("PROFILE", &|row| (row.session.profile.to_string(), None)),
        column("IMAGE", &|row| short(&row.session.image)),
        column("CREATED", &|row| (age(now, row.session.created), None)),
        column("COMMAND", &|row| short(&row.session.command)),
    ];
    // A word that is the same everywhere says nothing.
    if rows.iter().any(|row| !row.drift.standing.is_current()) {
        columns.insert(3, column("DRIFT", &|row| drift(&row.drift.standing)));
    }
    if rows.iter().any(|row| row.life.deadline.is_some()) {
        columns.insert(3, column("LEFT", &|row| left(now, &row.life)));
    }
    if filter.posture {
        columns.insert(3, column("POSTURE", &|row| summary(&row.session, row.posture.as_ref())));
    }
    if let Some(most) = page.columns.filter(|_| !filter.in_full) {
        fit(&mut columns, usize::from(most));
    }
    let headings: Vec<_> = columns.iter().map(|column| column.heading).collect();
    // A line for each session, whatever the page: what does not fit is cut, never wrapped.
    let mut grid = Grid::new(&headings, Page { columns: None, ..page });
    for row in 0..rows.len() {
        grid.row(columns.iter().filter_map(|column| column.cells.get(row)).map(|(text, role)| match role {
            Some(role) => meaning(text, *role),
            None => cell(text),
        }));
    }
    grid.render()
}

/// Cuts commands and images, then leaves whole columns out, until a line fits.
fn fit(columns: &mut Vec<Column>, most: usize) {
    let width = |columns: &[Column], least: bool| {
        let each = columns.iter().map(|column| match column.heading {
            "COMMAND" | "IMAGE" if least => column.width().min(LEAST),
            _ => column.width(),
        });
        each.sum::<usize>() + columns.len().saturating_sub(1) * usize::from(GAP)
    };
    for dispensable in ["CREATED", "PROFILE", "IMAGE", "CACHE", "KIND"] {
        if width(columns, true) <= most {
            break;
        }
        columns.retain(|column| column.heading != dispensable);
    }
    for heading in ["COMMAND", "IMAGE"] {
        let over = width(columns, false).saturating_sub(most);
        let Some(column) = columns.iter_mut().find(|column| column.heading == heading && over > 0) else { continue };
        let room = column.width().saturating_sub(over).max(LEAST);
        for (text, _) in &mut column.cells {
            *text = cut(text, room);
        }
    }
}

fn status(session: &Session) -> (String, Option<Role>) {
    let text = if session.status_text.raw().is_empty() { session.status.to_string() } else { session.status_text.to_string() };
    let role = match session.status {
        Status::Running => Some(Role::Good),
        Status::Dead | Status::Unknown => Some(Role::Danger),
        Status::Paused | Status::Restarting | Status::Removing => Some(Role::Caution),
        Status::Created | Status::Exited => None,
    };
    (text, role)
}

/// How long it has until it is stopped.
fn left(now: Timestamp, life: &Life) -> (String, Option<Role>) {
    let Some(at) = life.deadline else { return (String::new(), None) };
    let left = u64::try_from(at.duration_since(now).as_secs()).unwrap_or(0);
    (brief_span(left), Some(Role::Caution).filter(|_| left < 300))
}

fn drift(standing: &Standing) -> (String, Option<Role>) {
    (standing.words().join(", "), Some(drift_table::role(standing)).filter(|_| !standing.is_current()))
}

fn summary(session: &Session, posture: Option<&PostureSummary>) -> (String, Option<Role>) {
    match posture {
        Some(PostureSummary::Measured { enforced, total, verdict, failing }) => {
            let counts = format!("{enforced}/{total}");
            match verdict {
                Verdict::Enforced => (counts, Some(Role::Good)),
                Verdict::Unknown if !session.status.is_live() => ("not running".to_owned(), None),
                Verdict::Unknown => (format!("{counts} unknown"), Some(Role::Caution)),
                Verdict::Weaker | Verdict::Missing => {
                    let names: Vec<_> = failing.iter().map(|control| control.name()).collect();
                    (format!("{counts} {verdict}: {}", names.join(" ")), Some(Role::Danger))
                }
            }
        }
        Some(PostureSummary::Unmeasured { error }) => (format!("not measured: {}", error.message), Some(Role::Caution)),
        None => (String::new(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headless::cache::document::CacheShare;
    use crate::policy::controls::Control;

    const PIPE: Page = Page { colour: false, columns: None };

    #[test]
    fn a_list_is_a_line_for_each_session_whatever_it_calls_itself() {
        let session = Session {
            id: crate::units::SessionId::NIL,
            name: "web".parse().unwrap(),
            kind: Kind::Persistent,
            profile: "default".into(),
            status: Status::Running,
            status_text: "Up 5 minutes".into(),
            created: Timestamp::from_second(1).unwrap(),
            image: "日本\u{1b}[2J\nFAKE persistent".into(),
            command: "sh -c 'a very long command that goes on and on and on'".into(),
            container_id: String::new(),
        };
        let posture = PostureSummary::Measured { enforced: 20, total: 21, verdict: Verdict::Weaker, failing: vec![Control::PidsLimit] };
        let rows = [SessionRow {
            session,
            posture: Some(posture),
            cache: CacheShare::Nothing,
            drift: Standing::default().into(),
            limits: Limits::default(),
            life: Life::default(),
        }];
        let now = Timestamp::from_second(7_201).unwrap();
        let with_posture = Filter { posture: true, ..Filter::default() };
        let text = table(PIPE, now, &rows, &with_posture);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!(
            lines[0].split_whitespace().collect::<Vec<_>>(),
            ["NAME", "KIND", "STATUS", "POSTURE", "CACHE", "PROFILE", "IMAGE", "CREATED", "COMMAND"]
        );
        for shown in ["web ", "Up 5 minutes", "20/21 weaker: pids_limit", "日本\\u{1b}[2J\\u{a}FAKE", "2 hours ago", "…"] {
            assert!(lines[1].contains(shown), "{shown}: {text}");
        }
        assert!(!text.contains('\u{1b}') && !text.contains("on and on and on"));
        assert!(table(PIPE, now, &rows, &Filter { in_full: true, ..Filter::default() }).contains("on and on and on"));
        for columns in [80, 100, 120, 160] {
            let text = table(Page { columns: Some(columns), ..PIPE }, now, &rows, &with_posture);
            assert!(text.lines().all(|line| line.width() <= usize::from(columns)), "{columns}:\n{text}");
            assert!(text.lines().count() == 2 && text.contains("web ") && text.contains("20/21 weaker: pids_limit"), "{text}");
        }
    }
}
