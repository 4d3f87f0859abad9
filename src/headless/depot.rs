//! `depot`: the container through which sandboxes reach packages.

use super::cache::document::DepotShown;
use super::document::Document;
use super::paint::{Role, paint};
use super::progress::{Plain, TerminalReporter};
use super::table::Fields;
use super::{Context, Done, posture_table};
use crate::backend::Backend;
use crate::backend::depot::{DepotState, DepotStatus};
use crate::units::{SessionName, age};

/// Shows how it stands.
pub async fn status(context: &Context, backend: &Backend) -> Done {
    show(context, &backend.depot_status().await?);
    Ok(0)
}

/// Makes or starts it.
pub async fn start(context: &Context, backend: &Backend) -> Done {
    let reporter = TerminalReporter::new(&context.output, Plain::Silent);
    let started = backend.depot_start(&reporter).await;
    reporter.finish();
    done(context, &started?);
    Ok(0)
}

/// Stops it.
pub async fn stop(context: &Context, backend: &Backend, grace_s: Option<u64>) -> Done {
    done(context, &backend.depot_stop(grace_s).await?);
    Ok(0)
}

/// Its name where something was done.
fn done(context: &Context, depot: &DepotStatus) {
    if context.output.is_json() {
        return show(context, depot);
    }
    context.output.lines(std::iter::once(&depot.name));
    if let Some(posture) = &depot.posture {
        context.output.note(&format!("{}: {}", word(depot.state), posture_table::sentence(posture)));
    }
}

fn show(context: &Context, depot: &DepotStatus) {
    if context.output.is_json() {
        context.output.document(&Document::new(DepotShown { depot: depot.clone() }));
        return;
    }
    let page = context.output.page();
    let mut fields = Fields::new(page);
    fields.add("name", &depot.name);
    fields.add("state", word(depot.state));
    fields.add("started", depot.started.map_or_else(String::new, |time| format!("{time:.0} ({})", age(context.now, time))));
    fields.add("image", &depot.image);
    if depot.outdated {
        fields.add("outdated", format!("{}; the next launch replaces it", depot.outdated_because.unwrap_or("made by another version")));
    }
    if !depot.stranded.is_empty() {
        let names: Vec<&str> = depot.stranded.iter().map(SessionName::as_str).collect();
        fields.add(
            "stranded",
            format!("{0}: started with a depot whose store is gone; palisade restart {1}", names.join(", "), names.join(" ")),
        );
    }
    fields.add("store", &depot.store_volume);
    fields.add("socket", &depot.socket_volume);
    context.output.text(&fields.render());
    if let Some(posture) = &depot.posture {
        context.output.text(&format!("\n{}: {}\n", paint(page.colour, Role::Heading, "posture"), posture_table::sentence(posture)));
        context.output.text(&posture_table::table(posture, page, true));
    }
}

const fn word(state: DepotState) -> &'static str {
    match state {
        DepotState::Missing => "not there; the first launch that needs it makes it",
        DepotState::Stopped => "stopped; the next launch that needs it starts it",
        DepotState::Paused => "paused; nothing goes through it until docker unpause",
        DepotState::Running => "running",
    }
}
