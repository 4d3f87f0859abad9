//! The overview: who the session is, what it may use and uses, how it ended.

use super::words::{badge, cpus, load, nano_cpus, share, status};
use super::{Line, Piece};
use crate::dashboard::app::State;
use crate::dashboard::app::row::{Over, Row, Sample};
use crate::dashboard::app::signs::Signs;
use crate::dashboard::text;
use crate::dashboard::theme::Role;
use crate::session::ContainerFacts;
use crate::units::{Bytes, age, brief_span};

/// Columns of the labels.
const LABEL: usize = 10;
/// Columns of a bar.
const BAR: u8 = 12;

/// Its lines.
pub fn lines(state: &State, row: &Row, width: u16) -> Vec<Line> {
    let session = &row.session;
    let facts = row.facts();
    let mut page = vec![
        field("name", [(session.name.to_string(), Role::Strong), (format!("  {}", session.kind), Role::Text)]),
        field("id", [(session.id.to_string(), Role::Text)]),
        field("container", [(session.container_id.chars().take(12).collect(), Role::Text)]),
        field("status", [status(state, row), (format!("  {}", session.status_text), Role::Muted)]),
    ];
    page.extend(ending(state, row));
    page.extend(life(state, row));
    page.extend(row.limits.hits.iter().enumerate().flat_map(|(at, hit)| reached(at == 0, &hit.sentence(), width)));
    page.push(field("posture", [badge(state, row)]));
    page.extend(drift(row, width));
    if let Some(failure) = row.measured.failure() {
        page.push(field("", [(format!("{} {}", Signs::of(state.ascii).bad, failure.message), Role::Danger)]));
    }
    page.push(field("created", [(format!("{} ({})", moment(session.created), age(state.now, session.created)), Role::Text)]));
    page.extend(long("profile", session.profile.raw(), width));
    page.extend(long("image", session.image.raw(), width));
    if let Some(facts) = facts.filter(|facts| !facts.image_id.is_empty()) {
        page.push(field("", [(facts.image_id.chars().take(19).collect(), Role::Muted)]));
    }
    page.extend(long("command", session.command.raw(), width));
    if let Some(network) = row.network() {
        let reach = if network.is_closed() { "nothing but loopback inside" } else { "whatever the host reaches" };
        page.push(field("network", [(network.to_string(), Role::Text), (format!("  {reach}"), Role::Muted)]));
    }
    page.push(Vec::new());
    page.extend(usage(state, row, usize::from(width)));
    page.extend(disk(state, row));
    if let Some(facts) = facts {
        page.push(Vec::new());
        page.extend(limits(facts));
        page.extend(mounts(facts));
    }
    page
}

/// In what it differs from its plan and from today's, a line for each field; nothing where it does not.
fn drift(row: &Row, width: u16) -> Vec<Line> {
    let Some(standing) = &row.standing else { return Vec::new() };
    let mut lines = Vec::new();
    for (word, role, all) in [("drifted", Role::Danger, &standing.drifted), ("outdated", Role::Warning, &standing.outdated)] {
        for one in all {
            let label = if lines.is_empty() { "drift" } else { "" };
            let values = format!(" {}: {} -> {}", one.field, one.then, one.now);
            let cut = text::fit(&values, usize::from(width).saturating_sub(LABEL + 12).max(10), "...");
            lines.push(field(label, [(word.to_owned(), role), (cut, Role::Text), (format!("  {}", one.needs.word()), Role::Muted)]));
        }
    }
    if standing.another_palisade {
        lines.push(field("", [("made by another palisade".to_owned(), Role::Muted)]));
    }
    lines
}

/// How long it lives, where that is bounded.
fn life(state: &State, row: &Row) -> Vec<Line> {
    let Some(life) = row.measured.last().map(|(measured, _)| &measured.life) else { return Vec::new() };
    let mut lines = Vec::new();
    if life.ttl.get() > 0 || life.deadline.is_some() {
        let role = if row.near(state.now) > 0 { Role::Warning } else { Role::Text };
        let left = row.left_s(state.now).map_or_else(String::new, |left| format!(", stopped in {}", brief_span(left.unsigned_abs())));
        lines.push(field("ttl", [(format!("{}{left}", life.ttl), role)]));
    }
    if life.idle.get() > 0 {
        let used = match (life.last_used, &life.last_use) {
            (Some(at), Some(how)) => format!("  last used {} by {how}", age(state.now, at)),
            _ => String::new(),
        };
        lines.push(field("idle", [(life.idle.to_string(), Role::Text), (used, Role::Muted)]));
    }
    lines
}

fn field(label: &str, pieces: impl IntoIterator<Item = Piece>) -> Line {
    std::iter::once((format!("{label:<LABEL$} "), Role::Muted)).chain(pieces).collect()
}

/// A field that may be longer than a line. What would fill the pane is cut: a sandbox's neighbour may have chosen it.
fn long(label: &str, words: &str, width: u16) -> Vec<Line> {
    const MOST: usize = 6;
    let room = usize::from(width).saturating_sub(LABEL + 3).max(10);
    let cut = text::fit(words, room * MOST, "...");
    let lines = text::wrap(&cut, room).into_iter().enumerate();
    lines.map(|(at, line)| field(if at == 0 { label } else { "" }, [(line, Role::Text)])).collect()
}

/// A limit that was run into.
fn reached(is_first: bool, words: &str, width: u16) -> Vec<Line> {
    let room = usize::from(width).saturating_sub(LABEL + 5).max(10);
    let lines = text::wrap(words, room).into_iter().enumerate();
    let line = |(at, line)| {
        field(if at == 0 && is_first { "ran into" } else { "" }, [(format!("{} {line}", if at == 0 { '!' } else { ' ' }), Role::Danger)])
    };
    lines.map(line).collect()
}

/// A time as people read it: to the second, in UTC.
pub fn moment(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// How it ended, where it did: a reason has a line of its own, so that no narrow terminal cuts it off.
fn ending(state: &State, row: &Row) -> Vec<Line> {
    let Some(exit) = row.facts().and_then(|facts| facts.exit.as_ref()).filter(|_| !row.session.status.is_live()) else {
        return Vec::new();
    };
    let role = if exit.code == 0 && !exit.oom_killed { Role::Text } else { Role::Danger };
    let mut first = vec![(format!("with {}{}", exit.code, meaning(exit.code)), role)];
    first.extend(exit.finished.map(|finished| (format!("  {}", age(state.now, finished)), Role::Muted)));
    let mut lines = vec![field("ended", first)];
    let sign = Signs::of(state.ascii).bad;
    if exit.oom_killed {
        lines.push(field("", [(format!("{sign} out of memory: the kernel ended it at its limit"), Role::Danger)]));
    }
    if !exit.error.raw().is_empty() {
        lines.push(field("", [(format!("{sign} {}", exit.error), Role::Danger)]));
    }
    lines
}

/// What an exit code says by custom.
const fn meaning(code: i64) -> &'static str {
    match code {
        124 => " (its time was up)",
        125 => " (it could not be run)",
        126 => " (the command cannot be executed)",
        127 => " (no such command)",
        130 => " (interrupted)",
        137 => " (killed)",
        139 => " (it crashed)",
        143 => " (asked to end)",
        _ => "",
    }
}

fn usage(state: &State, row: &Row, width: usize) -> Vec<Line> {
    let Some(sample) = row.sample() else {
        let why = match &row.usage_failure {
            Some(failure) => format!("{} {}", Signs::of(state.ascii).bad, failure.message),
            None if row.session.status.is_live() => format!("{} reading", Signs::of(state.ascii).waiting),
            None => "it does not run".to_owned(),
        };
        return vec![field("usage", [(why, Role::Muted)])];
    };
    let columns = width.saturating_sub(LABEL + 1 + usize::from(BAR) + 30).clamp(0, 60);
    let cpus = cpus(state, row);
    let cpu = sample.cpu.unwrap_or(0.0) / cpus;
    let mut cpu_line = gauge(state, "cpu", cpu, &format!("{:.1}% of {cpus} CPUs", cpu * 100.0));
    cpu_line.push((spark(state, row.usage.iter().map(|sample| sample.cpu.unwrap_or(0.0) / cpus), columns), Role::Chart));
    let of = |sample: &Sample| sample.memory_limit.map_or(0.0, |limit| share(sample.memory.get(), limit.get()));
    let limit = sample.memory_limit.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string());
    let mut memory_line = gauge(state, "memory", of(sample), &format!("{} of {limit}", sample.memory));
    let highest = row.usage.iter().map(|sample| sample.memory.get()).max().unwrap_or(1);
    memory_line.push((spark(state, row.usage.iter().map(|sample| share(sample.memory.get(), highest)), columns), Role::Chart));
    let limit = sample.pids_limit.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string());
    let pids = sample.pids_limit.map_or(0.0, |limit| share(sample.pids, limit));
    let mut pids_line = gauge(state, "pids", pids, &format!("{} of {limit}", sample.pids));
    if pids >= 1.0 {
        pids_line.push((format!("  {} the limit is reached: nothing more can be started", Signs::of(state.ascii).bad), Role::Danger));
    }
    let mut lines = vec![cpu_line, memory_line, pids_line];
    if let Some(failure) = &row.usage_failure {
        lines.push(field("", [(format!("{} {}", Signs::of(state.ascii).bad, failure.message), Role::Warning)]));
    }
    lines
}

/// What its volumes take, beside the caps that they are held to.
fn disk(state: &State, row: &Row) -> Vec<Line> {
    if row.facts().is_none() {
        return Vec::new();
    }
    let (soft, hard) = row.disk_caps();
    let caps = match (soft.get(), hard.get()) {
        (0, 0) => "(no caps)".to_owned(),
        (_, 0) => format!("of soft {soft}, no hard cap"),
        (0, _) => format!("of hard {hard}, no soft cap"),
        _ => format!("of soft {soft}, hard {hard}"),
    };
    let Some((bytes, at)) = row.disk else {
        let why = match state.totals.disk.failure() {
            Some(failure) => format!("? {caps}: {}", failure.message),
            None => format!("not counted yet {caps}"),
        };
        return vec![field("disk", [(why, Role::Muted)])];
    };
    let (role, above) = match row.over() {
        None => (Role::Text, None),
        Some(Over::Soft) if hard.get() > 0 => (Role::Warning, Some("! above its soft cap: above the hard one it is stopped")),
        Some(Over::Soft) => (Role::Warning, Some("! above its soft cap: --disk-soft sets it")),
        Some(Over::Hard) => (Role::Danger, Some("! above its hard cap: --disk-hard sets it, 'update' changes it")),
    };
    let most = if hard.get() > 0 { hard } else { soft };
    let mut line = gauge_in(state, "disk", share(bytes.get(), most.get()), &format!("{bytes} {caps}"), role);
    line.push((format!(" {}", age(state.now, at)), Role::Muted));
    std::iter::once(line).chain(above.map(|above| field("", [(above.to_owned(), role)]))).collect()
}

/// Label, bar and words, coloured by how full it is.
fn gauge(state: &State, label: &str, share: f64, words: &str) -> Line {
    gauge_in(state, label, share, words, load(share))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the bar's columns")]
fn gauge_in(state: &State, label: &str, share: f64, words: &str, said: Role) -> Line {
    let filled = (share.clamp(0.0, 1.0) * f64::from(BAR)).round() as usize;
    let role = match said {
        Role::Text => Role::Bar,
        role => role,
    };
    field(
        label,
        [
            (Signs::of(state.ascii).full.repeat(filled), role),
            (Signs::of(state.ascii).empty.repeat(usize::from(BAR) - filled), Role::Muted),
            (format!(" {words:<26} "), said),
        ],
    )
}

/// The latest of these shares, a column for each.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index from 0 to 8")]
pub fn spark(state: &State, shares: impl ExactSizeIterator<Item = f64>, columns: usize) -> String {
    let skipped = shares.len().saturating_sub(columns);
    let level = |share: f64| {
        let level = (share.clamp(0.0, 1.0) * 8.0).ceil() as usize;
        // A baseline tells that there is a reading, and that it is nothing.
        Signs::of(state.ascii).levels[level.clamp(1, 8)]
    };
    shares.skip(skipped).map(level).collect()
}

fn limits(facts: &ContainerFacts) -> Vec<Line> {
    let bytes = |limit: Option<u64>| limit.map_or_else(|| "unlimited".to_owned(), |limit| Bytes::new(limit).to_string());
    let cpus = facts.nano_cpus.map_or_else(|| "unlimited".to_owned(), |nano| nano_cpus(nano).to_string());
    let pids = facts.pids_limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    let words = format!("memory {}, with swap {}, CPUs {cpus}, processes {pids}", bytes(facts.memory), bytes(facts.memory_swap));
    let mut lines = vec![field("limits", [(words, Role::Text)])];
    let user = if facts.user.raw().is_empty() { "the image's own".to_owned() } else { facts.user.raw().to_owned() };
    lines.push(field("user", [(user, Role::Text), (format!("  runtime {}", facts.runtime), Role::Muted)]));
    if !facts.working_dir.raw().is_empty() {
        lines.push(field("folder", [(facts.working_dir.raw().to_owned(), Role::Text)]));
    }
    lines
}

fn mounts(facts: &ContainerFacts) -> Vec<Line> {
    let mut lines = Vec::new();
    for mount in &facts.mounts {
        let label = if lines.is_empty() { "mounts" } else { "" };
        let rights = if mount.read_write { "read-write" } else { "read-only " };
        let from = if mount.name.is_empty() { mount.source.raw() } else { &mount.name };
        lines.push(field(
            label,
            [
                (format!("{rights} "), if mount.read_write { Role::Warning } else { Role::Muted }),
                (mount.destination.raw().to_owned(), Role::Text),
                (format!("  {} {from}", mount.kind), Role::Muted),
            ],
        ));
    }
    for (path, options) in &facts.tmpfs {
        let label = if lines.is_empty() { "mounts" } else { "" };
        lines.push(field(
            label,
            [("tmpfs      ".to_owned(), Role::Muted), (path.clone(), Role::Text), (format!("  {options}"), Role::Muted)],
        ));
    }
    lines
}
