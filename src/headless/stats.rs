//! `stats`: what sessions use.

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::document::ErrorBody;
use super::failing::{document_of_several, end_of_several};
use super::list::NOTHING_THERE;
use super::paint::Role;
use super::table::{Grid, Page, cell, meaning};
use super::{Context, Done};
use crate::backend::Backend;
use crate::failure::{Code, Failure, Result};
use crate::session::{Session, Usage};

/// Between the two readings that make a share of CPU: long enough for the scheduler, short enough to wait for.
const INTERVAL: Duration = Duration::from_millis(500);
/// From this part of a limit on, in per cent, it is worth a look.
const NEAR: u64 = 80;

/// `stats`.
#[derive(Debug, Serialize)]
pub struct Stats {
    /// One for each session.
    pub stats: Vec<StatsRow>,
}

/// What one session uses, or why that is not known.
#[derive(Debug, Serialize)]
pub struct StatsRow {
    /// As given, or its name.
    pub name: String,
    /// The session, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// What it uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Used>,
    /// Why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

/// The figures.
#[derive(Debug, Serialize)]
pub struct Used {
    /// Of one CPU, over the interval.
    pub cpu_percent: f64,
    /// The second reading.
    #[serde(flatten)]
    pub usage: Usage,
}

/// A name, and the session that it means.
type Asked = (String, Result<Session>);

/// Shows them.
pub async fn stats(context: &Context, backend: &Backend, names: &[String]) -> Done {
    let asked = sessions(backend, names).await?;
    let running: Vec<String> = asked.iter().filter_map(|(_, session)| session.as_ref().ok()).map(|s| s.container_id.clone()).collect();
    let mut figures = figures(backend, &running).await.into_iter();
    let rows: Vec<(String, Option<Session>, Result<Used>)> = asked
        .into_iter()
        .map(|(name, session)| match session {
            Ok(session) => {
                let used = figures.next().unwrap_or_else(|| Err(Failure::new(Code::Internal, "a reading is missing")));
                (name, Some(session.clone()), used.map_err(|failure| told(failure, &session)))
            }
            Err(failure) => (name, None, Err(failure)),
        })
        // Of all that run, one that has ended meanwhile is none; of those that are named, it is a failure.
        .filter(|(.., used)| !names.is_empty() || used.as_ref().err().is_none_or(|failure| failure.code != Code::Conflict))
        .collect();
    let failures: Vec<Failure> = rows.iter().filter_map(|(.., used)| used.as_ref().err().cloned()).collect();
    if context.output.is_json() {
        let stats = rows.into_iter().map(row).collect();
        return Ok(document_of_several(&context.output, Stats { stats }, &failures));
    }
    let shown: Vec<(&str, &Used)> = rows
        .iter()
        .filter_map(|(name, session, used)| Some((session.as_ref().map_or(name.as_str(), |s| s.name.as_str()), used.as_ref().ok()?)))
        .collect();
    if !shown.is_empty() {
        context.output.text(&table(context.output.page(), &shown));
    } else if failures.is_empty() {
        context.output.note(if names.is_empty() { "no session is running; 'palisade ls' shows all of them" } else { NOTHING_THERE });
    }
    end_of_several(&context.output, &failures)
}

/// Those that are named, or all that run.
async fn sessions(backend: &Backend, names: &[String]) -> Result<Vec<Asked>> {
    if names.is_empty() {
        let all = backend.sessions().await?;
        return Ok(all
            .into_iter()
            .filter(|session| session.status.is_live())
            .map(|session| (session.name.to_string(), Ok(session)))
            .collect());
    }
    let mut asked = Vec::with_capacity(names.len());
    for name in names {
        let session = match backend.find(name).await {
            Err(failure) if failure.code == Code::EngineUnreachable => return Err(failure),
            found => found.and_then(live),
        };
        asked.push((name.clone(), session));
    }
    Ok(asked)
}

fn live(session: Session) -> Result<Session> {
    if session.status.is_live() {
        return Ok(session);
    }
    Err(Failure::new(Code::Conflict, format!("'{}' is not running but {}: it uses nothing", session.name, session.status))
        .hint(format!("start it with: palisade start {}", session.name)))
}

/// The reading knows its container alone; it ended between the list and the reading.
fn told(failure: Failure, session: &Session) -> Failure {
    match failure.code {
        Code::Conflict | Code::NotFound => Failure::new(Code::Conflict, format!("'{}' is not running any more", session.name)),
        _ => failure.detail(format!("session '{}'", session.name)),
    }
}

/// Two readings of each.
async fn figures(backend: &Backend, containers: &[String]) -> Vec<Result<Used>> {
    if containers.is_empty() {
        return Vec::new();
    }
    let before = backend.usage(containers).await;
    let began = Instant::now();
    sleep(INTERVAL).await;
    let after = backend.usage(containers).await;
    let elapsed = began.elapsed();
    let share = |((_, before), (_, after)): ((String, Result<Usage>), (String, Result<Usage>))| {
        let (before, usage) = (before?, after?);
        Ok(Used { cpu_percent: per_cent(usage.cpu_ns.saturating_sub(before.cpu_ns), elapsed), usage })
    };
    before.into_iter().zip(after).map(share).collect()
}

/// To a tenth.
fn per_cent(cpu_ns: u64, elapsed: Duration) -> f64 {
    let tenths = u128::from(cpu_ns) * 1000 / elapsed.as_nanos().max(1);
    f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0
}

fn row((name, session, used): (String, Option<Session>, Result<Used>)) -> StatsRow {
    match used {
        Ok(used) => StatsRow { name, session, usage: Some(used), error: None },
        Err(failure) => StatsRow { name, session, usage: None, error: Some(ErrorBody::from(&failure)) },
    }
}

fn table(page: Page, rows: &[(&str, &Used)]) -> String {
    let mut grid = Grid::new(&["NAME", "CPU", "MEMORY", "PIDS"], page).whole(&[0, 1, 2, 3]);
    for (name, Used { cpu_percent, usage }) in rows {
        let of = |text: String, used: u64, limit: Option<u64>| match limit {
            Some(limit) if u128::from(used) * 100 >= u128::from(limit) * u128::from(NEAR) => meaning(text, Role::Caution),
            _ => cell(text),
        };
        let memory = match usage.memory_limit {
            Some(limit) => format!("{} / {limit}", usage.memory),
            None => usage.memory.to_string(),
        };
        let pids = match usage.pids_limit {
            Some(limit) => format!("{}/{limit}", usage.pids),
            None => usage.pids.to_string(),
        };
        grid.row([
            cell(name),
            cell(format!("{cpu_percent:.1}%")),
            of(memory, usage.memory.get(), usage.memory_limit.map(crate::units::Bytes::get)),
            of(pids, usage.pids, usage.pids_limit),
        ]);
    }
    grid.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    #[test]
    fn a_share_of_cpu_is_of_one_cpu() {
        assert!((per_cent(500_000_000, Duration::from_millis(500)) - 100.0).abs() < f64::EPSILON);
        assert!((per_cent(1_000_000_000, Duration::from_millis(500)) - 200.0).abs() < f64::EPSILON);
        assert!((per_cent(617_000, Duration::from_millis(500)) - 0.1).abs() < f64::EPSILON);
        assert!(per_cent(u64::MAX, Duration::ZERO) > 100.0);
    }

    #[test]
    fn figures_stand_beside_their_limits_where_there_are_any() {
        let used = |pids_limit: Option<u64>| Used {
            cpu_percent: 12.5,
            usage: Usage { cpu_ns: 1, memory: Bytes::mib(12), memory_limit: pids_limit.map(|_| Bytes::gib(4)), pids: 81, pids_limit },
        };
        let (bounded, free) = (used(Some(100)), used(None));
        let text = table(Page::default(), &[("web", &bounded), ("api", &free)]);
        let lines: Vec<Vec<&str>> =
            text.lines().map(|line| line.split("  ").map(str::trim).filter(|part| !part.is_empty()).collect()).collect();
        assert_eq!(
            lines,
            [vec!["NAME", "CPU", "MEMORY", "PIDS"], vec!["web", "12.5%", "12 MiB / 4 GiB", "81/100"], vec!["api", "12.5%", "12 MiB", "81"]]
        );
    }
}
