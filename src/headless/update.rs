//! `update`: sessions made as today's plan has them.

use super::document::{ErrorBody, UpdateResult, Updates};
use super::failing::{document_of_several, end_of_several};
use super::table::{Grid, cell};
use super::{Context, Done, Plain, TerminalReporter, posture_table};
use crate::backend::{Backend, Today, Update};
use crate::failure::{Failure, Result};
use crate::units::sanitise;

/// How to go about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// Only tell.
    pub dry_run: bool,
    /// What runs may be stopped.
    pub restart: bool,
}

/// Updates these, or every session of this operator where none is named; one that fails does not keep the others from it.
pub async fn update(context: &Context, backend: &Backend, names: &[String], manner: Manner) -> Done {
    let whom: Vec<(String, String)> = if names.is_empty() {
        backend.sessions().await?.into_iter().map(|session| (session.name.to_string(), session.container_id)).collect()
    } else {
        names.iter().map(|name| (name.clone(), name.clone())).collect()
    };
    let today = Today::default();
    let mut results = Vec::with_capacity(whom.len());
    for (name, who) in whom {
        let result = one(context, backend, &who, manner, &today).await;
        // Of all, those of others are not ours to update.
        if names.is_empty() && matches!(result, Ok(None)) {
            continue;
        }
        let result = result.and_then(|update| update.ok_or_else(|| not_yours(&name)));
        if !context.output.is_json() {
            tell(context, &name, &result, manner);
        }
        results.push((name, result));
    }
    report(context, results, manner)
}

async fn one(context: &Context, backend: &Backend, who: &str, manner: Manner, today: &Today) -> Result<Option<Update>> {
    if !backend.is_own(who).await? {
        return Ok(None);
    }
    if manner.dry_run {
        return backend.planned_update(who, today).await.map(Some);
    }
    let reporter = TerminalReporter::new(&context.output, Plain::Lines);
    let updated = backend.update(who, manner.restart, &reporter).await;
    reporter.finish();
    updated.map(Some)
}

fn not_yours(name: &str) -> Failure {
    Failure::new(crate::failure::Code::Conflict, format!("'{}' was launched by another operator", sanitise(name)))
        .hint("its profiles are not known here: it is theirs to update")
}

fn tell(context: &Context, name: &str, result: &Result<Update>, manner: Manner) {
    let Ok(update) = result else { return };
    let name = sanitise(name);
    let Some(needs) = update.needs() else {
        context.output.text(&format!("{name}: current\n"));
        return;
    };
    let word = if manner.dry_run { format!("takes {}", needs.word()) } else { format!("updated ({})", needs.word()) };
    context.output.text(&format!("{name}: {word}\n"));
    if context.output.is_quiet() {
        return;
    }
    let mut grid = Grid::new(&["FIELD", "FROM", "TO", "UPDATE"], context.output.page()).whole(&[0, 3]);
    for change in &update.changes {
        grid.row([cell(&change.field), cell(change.from.raw()), cell(change.to.raw()), cell(change.needs.word())]);
    }
    context.output.text(&grid.render());
    if let Some(posture) = &update.posture {
        context.output.note(&posture_table::note(&update.session, posture));
    }
}

fn report(context: &Context, results: Vec<(String, Result<Update>)>, manner: Manner) -> Done {
    let failures: Vec<Failure> = results.iter().filter_map(|(_, result)| result.as_ref().err().cloned()).collect();
    if context.output.is_json() {
        let updates = results.into_iter().map(|(name, result)| row(name, result)).collect();
        return Ok(document_of_several(&context.output, Updates { dry_run: manner.dry_run, updates }, &failures));
    }
    end_of_several(&context.output, &failures)
}

fn row(name: String, result: Result<Update>) -> UpdateResult {
    match result {
        Ok(update) => {
            let needs = update.needs();
            UpdateResult { name, session: Some(update.session), changes: update.changes, needs, posture: update.posture, error: None }
        }
        Err(failure) => {
            UpdateResult { name, session: None, changes: Vec::new(), needs: None, posture: None, error: Some(ErrorBody::from(&failure)) }
        }
    }
}
