//! `audit`: what was done, by whom, and whether the record of it holds together.

use serde::Serialize;

use super::document::Document;
use super::table::{Grid, cell};
use super::{Context, Done};
use crate::audit_log::{AuditLog, Entry, Verdict};
use crate::failure::{Code, Failure};
use crate::units::Untrusted;

/// `audit`.
#[derive(Debug, Serialize)]
pub struct Entries {
    /// The oldest first.
    entries: Vec<Entry>,
}

/// `audit verify`.
#[derive(Debug, Serialize)]
pub struct Proof {
    verdict: Verdict,
}

/// Shows the entries, those of one session where it is named.
pub fn show(context: &Context, log: &AuditLog, session: Option<&str>, last: Option<usize>) -> Done {
    let wanted = |entry: &Entry| {
        session.is_none_or(|who| entry.session.as_ref().is_some_and(|session| session.name == who || session.id.starts_with(who)))
    };
    let entries = log.entries(wanted, last).map_err(|error| unreadable(log, &error))?;
    if context.output.is_json() {
        context.output.document(&Document::new(Entries { entries }));
        return Ok(0);
    }
    if entries.is_empty() {
        context.output.note("nothing is in the audit log");
        return Ok(0);
    }
    let mut grid = Grid::new(&["#", "TIME", "BY", "ACTION", "SESSION", "DETAIL"], context.output.page()).whole(&[0, 1, 3]);
    for entry in &entries {
        let session = entry.session.as_ref().map(|session| session.name.clone()).unwrap_or_default();
        grid.row([
            cell(entry.seq.to_string()),
            cell(format!("{:.0}", entry.time)),
            cell(&entry.by),
            cell(&entry.action),
            cell(session),
            cell(detail(entry)),
        ]);
    }
    context.output.text(&grid.render());
    Ok(0)
}

/// Proves the log, line by line.
pub fn verify(context: &Context, log: &AuditLog) -> Done {
    let verdict = log.verify().map_err(|error| unreadable(log, &error))?;
    let faults = verdict.faults.len();
    let failure = (!verdict.is_sound()).then(|| {
        let message = format!("the audit log does not hold together: {faults} {}", if faults == 1 { "fault" } else { "faults" });
        let listed = verdict.faults.iter().map(|fault| format!("line {}: {}", fault.line, fault.kind.sentence()));
        listed.fold(Failure::new(Code::Refused, message).detail(format!("log: {}", log.path().display())), Failure::detail)
    });
    let (entries, hash) = (verdict.end.entries, verdict.end.hash.clone());
    if context.output.is_json() {
        context.output.document(&Document::with_error(Proof { verdict }, failure.as_ref().map(Into::into)));
        return Ok(u8::from(failure.is_some()));
    }
    if let Some(failure) = failure {
        return Err(super::Stop { failure, exit: 1 });
    }
    context.output.text(&format!("{entries} entries hold together\nhash {hash}\n"));
    Ok(0)
}

/// What an action says in its own fields, but for what fills a page.
fn detail(entry: &Entry) -> String {
    let Some(fields) = entry.detail.as_object() else { return String::new() };
    let short = fields.iter().filter(|(_, value)| !value.is_object() && !value.is_null());
    let shown: Vec<String> = short.map(|(name, value)| format!("{name}={value}")).collect();
    Untrusted::new(shown.join(" ")).to_string()
}

fn unreadable(log: &AuditLog, error: &std::io::Error) -> Failure {
    Failure::io(format!("read the audit log {}", log.path().display()), error)
}
