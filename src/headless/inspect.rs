//! `inspect`: everything about one session.

use jiff::Timestamp;

use super::cache::{share, summary_in_time};
use super::document::{CacheVolume, Document, ErrorBody, Inspected};
use super::paint::{Role, paint};
use super::table::{Fields, Grid, cell};
use super::{Context, Done};
use super::{drift_table, posture_table};
use crate::backend::limits::of_facts;
use crate::backend::{Backend, Details, PrivateCache};
use crate::policy::plan::CACHE;
use crate::session::{ContainerFacts, labels};
use crate::units::{Bytes, Seconds, age, brief_span};

/// Shows it.
pub async fn inspect(context: &Context, backend: &Backend, who: &str) -> Done {
    let (details, figures) = tokio::join!(backend.details(who), summary_in_time(backend));
    let Details { session, container, posture, standing, cache: own, life } = details?;
    let mut limits = backend.limits(std::slice::from_ref(&session)).await.pop().unwrap_or_default();
    for hit in of_facts(&container) {
        limits.add(hit);
    }
    let cache = share(&figures, session.id);
    if context.output.is_json() {
        let cache_volume = own.map(cache_volume);
        context.output.document(&Document::new(Inspected {
            session,
            container,
            posture,
            drift: standing.into(),
            cache,
            limits,
            cache_volume,
            life,
        }));
        return Ok(0);
    }
    let page = context.output.page();
    let time = |time: Timestamp| format!("{time:.0} ({})", age(context.now, time));
    let mut fields = Fields::new(page);
    fields.add("name", session.name.as_str());
    fields.add("id", session.id.to_string());
    fields.add("kind", session.kind.to_string());
    fields.add("profile", session.profile.raw());
    fields.add("status", session.status_text.raw());
    fields.add("created", time(session.created));
    fields.add("started", container.started.map_or_else(String::new, time));
    let or_none = |span: Seconds| if span == Seconds::new(0) { "none".to_owned() } else { span.to_string() };
    let stops = life.deadline.map_or_else(String::new, |at| format!(", stopped in {}", brief_span(seconds_until(context.now, at))));
    fields.add("ttl", format!("{}{stops}", or_none(life.ttl)));
    fields.add("idle", or_none(life.idle));
    if let (Some(at), Some(how)) = (life.last_used, &life.last_use) {
        fields.add("last used", format!("{} by {how}", time(at)));
    }
    if !life.former_names.is_empty() {
        fields.add("was called", life.former_names.join(", "));
    }
    if let Some(exit) = &container.exit {
        let why = if exit.oom_killed { ", out of memory" } else { "" };
        fields.add("exit", format!("{}{why} {}", exit.code, exit.error.raw()).trim_end());
    }
    fields.add("image", session.image.raw());
    fields.add("image id", &container.image_id);
    fields.add("command", session.command.raw());
    fields.add("working dir", container.working_dir.raw());
    fields.add("user", container.user.raw());
    fields.add("container", &session.container_id);
    fields.add("runtime", &container.runtime);
    fields.add("pid", container.pid.map_or_else(String::new, |pid| pid.to_string()));
    fields.add("packages", cache.sentence());
    fields.add("own caches", own.as_ref().map_or_else(String::new, size));
    fields.add("disk", caps(&container));
    for (at, hit) in limits.hits.iter().enumerate() {
        fields.add(if at == 0 { "ran into" } else { "" }, hit.sentence());
    }
    if let Some(why) = limits.unknown.filter(|_| limits.hits.is_empty()) {
        fields.add("ran into", format!("unknown: {why}"));
    }
    context.output.text(&fields.render());

    if !container.mounts.is_empty() {
        let mut grid = Grid::new(&["MOUNT", "KIND", "FROM", "ACCESS"], page).whole(&[1, 3]);
        for mount in &container.mounts {
            let from = if mount.name.is_empty() { mount.source.raw() } else { &mount.name };
            let access = if mount.read_write { "read-write" } else { "read-only" };
            grid.row([cell(mount.destination.raw()), cell(&mount.kind), cell(from), cell(access)]);
        }
        context.output.text(&format!("\n{}", grid.render()));
    }
    context.output.text(&format!("\n{}: {}\n", paint(page.colour, Role::Heading, "posture"), posture_table::sentence(&posture)));
    context.output.text(&posture_table::table(&posture, page, true));
    context.output.text(&format!("\n{}{}", drift_table::line(&standing, page), drift_table::table(&standing, page)));
    Ok(0)
}

fn caps(facts: &ContainerFacts) -> String {
    let cap = |name, what: &str| match facts.labels.get(name).and_then(|cap| cap.raw().parse().ok()) {
        Some(cap) if cap > 0 => format!("{what} above {}", Bytes::new(cap)),
        _ => format!("never {what}"),
    };
    format!("{}, {}", cap(labels::DISK_SOFT, "warned of"), cap(labels::DISK_HARD, "stopped"))
}

fn seconds_until(now: Timestamp, then: Timestamp) -> u64 {
    u64::try_from(then.as_second().saturating_sub(now.as_second())).unwrap_or(0)
}

fn size(cache: &PrivateCache) -> String {
    match &cache.size {
        Ok(size) => format!("{size} at {CACHE}"),
        Err(failure) => format!("of unknown size: {}", failure.message),
    }
}

fn cache_volume(PrivateCache { volume, size }: PrivateCache) -> CacheVolume {
    let (bytes, error) = match size {
        Ok(size) => (Some(size.get()), None),
        Err(failure) => (None, Some(ErrorBody::from(&failure))),
    };
    CacheVolume { name: volume, bytes, error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Code, Failure};

    #[test]
    fn a_size_is_told_or_why_it_is_not_known() {
        let cache = |size| PrivateCache { volume: "palisade-web-cache".to_owned(), size };
        let known = cache(Ok(Bytes::mib(3)));
        assert_eq!(size(&known), "3 MiB at /cache");
        assert_eq!(cache_volume(known).bytes, Some(3 << 20));
        let slow = cache(Err(Failure::new(Code::EngineError, "the engine had not counted its files within 3 s")));
        assert_eq!(size(&slow), "of unknown size: the engine had not counted its files within 3 s");
        let shown = cache_volume(slow);
        assert!(shown.bytes.is_none() && shown.error.is_some());
    }
}
