//! The JSON documents about the cache and the depot, as `docs/json.md` describes them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::backend::depot::DepotStatus;
use crate::depot::control::ControlReport;
use crate::depot::ledger::{Counters, FetchedArtifact, Log, StoreFacts, Summary, UpstreamFacts};
use crate::depot::promise::Ecosystem;
use crate::headless::document::ErrorBody;
use crate::session::Session;
use crate::units::SessionId;

/// `cache status`.
#[derive(Debug, Serialize)]
pub struct CacheStatus {
    /// `None` where no depot has counted anything.
    pub cache: Option<CacheFigures>,
}

/// What the depot counted.
#[derive(Debug, Serialize)]
pub struct CacheFigures {
    /// When the depot that counts began to serve.
    pub started: Timestamp,
    /// When these figures were written.
    pub updated: Timestamp,
    /// Of everything.
    pub total: Figures,
    /// By ecosystem.
    pub ecosystems: BTreeMap<Ecosystem, Figures>,
    /// By session: those that are there by name, then those that are gone.
    pub sessions: Vec<SessionFigures>,
    /// The store.
    pub store: StoreFacts,
    /// The registries.
    pub upstreams: Vec<Upstream>,
    /// Connections that showed no token, or a wrong one.
    pub strangers: u64,
}

/// Counters, and what they make.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// As counted.
    #[serde(flatten)]
    pub counters: Counters,
    /// Hits of all files served, 0 to 1.
    pub hit_rate: Option<f64>,
}

impl From<Counters> for Figures {
    fn from(counters: Counters) -> Self {
        Self { counters, hit_rate: counters.hit_rate() }
    }
}

/// One session's figures.
#[derive(Debug, Serialize)]
pub struct SessionFigures {
    /// Which.
    pub id: SessionId,
    /// `None` for one that is gone.
    pub name: Option<String>,
    /// Of everything.
    pub total: Figures,
    /// By ecosystem.
    pub ecosystems: BTreeMap<Ecosystem, Figures>,
}

/// A registry.
#[derive(Debug, Serialize)]
pub struct Upstream {
    /// Of which ecosystem.
    pub ecosystem: Ecosystem,
    /// Its address.
    pub url: String,
    /// `None` while it answers.
    pub away: Option<Away>,
}

/// Since when a registry has been away.
#[derive(Debug, Serialize)]
pub struct Away {
    /// Since when.
    pub since: Timestamp,
    /// How it showed.
    pub reason: String,
}

impl CacheFigures {
    /// Of a summary, with the names of the sessions that are there.
    pub fn of(summary: Summary, sessions: &[Session]) -> Self {
        let figures =
            |all: BTreeMap<Ecosystem, Counters>| (all.values().sum::<Counters>().into(), all.into_iter().map(|(e, c)| (e, c.into())));
        let (total, ecosystems) = figures(summary.totals);
        let mut rows: Vec<_> = summary
            .sessions
            .into_iter()
            .map(|(id, counters)| {
                let name = sessions.iter().find(|session| session.id == id).map(|session| session.name.to_string());
                let (total, ecosystems) = figures(counters);
                SessionFigures { id, name, total, ecosystems: ecosystems.collect() }
            })
            .collect();
        rows.sort_by(|a, b| a.name.is_none().cmp(&b.name.is_none()).then_with(|| a.name.cmp(&b.name)).then_with(|| a.id.cmp(&b.id)));
        let upstream =
            |UpstreamFacts { ecosystem, url, away }| Upstream { ecosystem, url, away: away.map(|(since, reason)| Away { since, reason }) };
        Self {
            started: summary.started,
            updated: summary.updated,
            total,
            ecosystems: ecosystems.collect(),
            sessions: rows,
            store: summary.store,
            upstreams: summary.upstreams.into_iter().map(upstream).collect(),
            strangers: summary.strangers,
        }
    }
}

/// What the cache saved one session, in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum CacheShare {
    /// Counted.
    Counted {
        /// Files from the store.
        hits: u64,
        /// Files fetched.
        misses: u64,
        /// Hits of all files served, 0 to 1.
        hit_rate: Option<f64>,
        /// Bytes of files from the store.
        saved_bytes: u64,
        /// An estimate.
        saved_ms_estimated: u64,
    },
    /// It asked for nothing.
    Nothing,
    /// The depot's figures could not be read.
    Unknown {
        /// Why.
        error: ErrorBody,
    },
}

/// `cache log`.
#[derive(Debug, Serialize)]
pub struct CacheLog {
    /// What the session asked for.
    pub cache_log: SessionLog,
}

/// What one session asked for.
#[derive(Debug, Serialize)]
pub struct SessionLog {
    /// Which.
    pub session: SessionId,
    /// `None` for one that is gone.
    pub name: Option<String>,
    /// What its journal says.
    #[serde(flatten)]
    pub log: Log,
}

/// `cache verify`, `prune`, `clear`.
#[derive(Debug, Serialize)]
pub struct CacheControl {
    /// `verify`, `prune`, `clear`.
    pub action: &'static str,
    /// What was done.
    #[serde(flatten)]
    pub report: ControlReport,
}

/// `depot status`, `start`, `stop`.
#[derive(Debug, Serialize)]
pub struct DepotShown {
    /// How it stands.
    pub depot: DepotStatus,
}

/// `cache warm`.
#[derive(Debug, Serialize)]
pub struct Warmed {
    /// The session that fetched; it is gone.
    pub session: SessionId,
    /// What it fetched, from upstream (`misses`) or from the store (`hits`).
    pub warmed: Vec<FetchedArtifact>,
}
