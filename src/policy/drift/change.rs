use serde::Serialize;

use super::{Standing, terms};
use crate::policy::cpuset::CpuList;
use crate::units::{Cpus, Untrusted};

/// What it takes to make a field as today's plan has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Needs {
    /// The engine changes it while the session runs.
    Live,
    /// The session is stopped and started.
    Restart,
    /// Another container takes its place, with the same home, caches, id and name.
    Recreate,
}

impl Needs {
    /// In one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Restart => "restart",
            Self::Recreate => "recreate",
        }
    }

    /// A limit is lowered live. Raised it would be above what the labels say was asked for, and no label of a container can be
    /// changed: every later audit would call it weaker.
    pub(super) fn of_wanted(field: &str, then: Option<&str>, now: Option<&str>) -> Self {
        let (Some(then), Some(now)) = (then, now) else { return Self::Recreate };
        let is_lower = match field {
            "pids_limit" | "memory" => lower(now.parse::<u64>().ok(), then.parse().ok()),
            "cpus" => lower(now.parse::<Cpus>().ok(), then.parse().ok()),
            "cpuset" => {
                matches!((now.parse::<CpuList>(), then.parse::<CpuList>()), (Ok(now), Ok(then)) if !now.to_string().is_empty() && now.is_within(&then))
            }
            _ => false,
        };
        if is_lower { Self::Live } else { Self::Recreate }
    }
}

fn lower<T: PartialOrd>(now: Option<T>, then: Option<T>) -> bool {
    matches!((now, then), (Some(now), Some(then)) if now < then)
}

/// One step of an update: a field from what it is to what today's plan has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// As a difference calls it.
    pub field: String,
    /// In the live container.
    pub from: Untrusted,
    /// In today's plan.
    pub to: Untrusted,
    /// What it takes.
    pub needs: Needs,
}

impl Standing {
    fn needs_recreate(&self) -> bool {
        self.outdated.iter().chain(&self.drifted).any(|difference| difference.needs == Needs::Recreate)
    }

    /// What an update would change, one line for each field.
    pub fn changes(&self) -> Vec<Change> {
        let mut changes: Vec<Change> = self
            .outdated
            .iter()
            .map(|wanted| {
                let live = self.drifted.iter().find(|live| live.field == wanted.field);
                let from = live.map_or_else(|| wanted.then.clone(), |live| live.now.clone());
                Change { field: wanted.field.clone(), from, to: wanted.now.clone(), needs: wanted.needs }
            })
            .collect();
        for live in self.drifted.iter().filter(|live| !self.outdated.iter().any(|wanted| wanted.field == live.field)) {
            changes.push(Change { field: live.field.clone(), from: live.now.clone(), to: live.then.clone(), needs: live.needs });
        }
        changes.sort_by(|a, b| a.field.cmp(&b.field));
        // What is changed live leaves the session's first process as it is.
        if self.another_palisade && changes.iter().all(|change| change.needs != Needs::Live || self.needs_recreate()) {
            let (from, to) = ("another palisade".into(), "this one".into());
            changes.push(Change { field: terms::SUPERVISOR.to_owned(), from, to, needs: Needs::Recreate });
        }
        changes
    }
}
