//! Limits that sessions run into, told as they are run into: the kernel's counters and file systems are looked at once a second, where
//! they are this machine's, by whoever shows or writes down what happens. The engine is asked where it keeps its logs, once, and of a container
//! that began anew how often it did so by itself; nothing else.

mod log;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Backend;
use super::engine::Engine;
use crate::kernel::{Unreadable, UsageReader};
use crate::session::{ContainerFacts, EngineEvent, EventKind, Limit, LimitHit, LimitReading, Limits, Session, labels};
use crate::state::{Database, limits as kept};
use crate::supervisor::{EXIT_DISK, EXIT_TIMEOUT};
use crate::units::Untrusted;
pub use log::LogWatch;
use log::Logs;

/// How often limits are looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What goes on is told again no sooner than this: a fork bomb is refused thousands of times a second.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// From where on what a session ran into is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// From its start.
    Start,
    /// From the first look on; what is reached at that moment counts.
    Now,
}

/// Sessions whose limits are watched.
pub struct LimitWatch {
    looking: Looking,
    engine: Arc<dyn Engine>,
    /// Whether the engine's files can be this machine's at all.
    is_local: bool,
    state: Database,
    followed: BTreeMap<String, Followed>,
    /// What those ran into that have ended since the last look.
    ended: Vec<(String, LimitHit)>,
    /// Those that ended while they were followed, and those that the engine is asked about: they began again, or their time or a cap ended them.
    over: BTreeSet<String>,
    again: Vec<(String, Untrusted)>,
}

/// Who looks at the kernel's files and the engine's.
#[derive(Debug, Clone)]
struct Looking {
    reader: Arc<UsageReader>,
    logs: Arc<Mutex<Logs>>,
    /// The engine's folder on this machine; `None` until it was asked for.
    folder: Option<PathBuf>,
}

/// Where most engines keep their data.
const USUAL_FOLDER: &str = "/var/lib/docker";
/// Of so many containers that ended it is known that they did.
const MOST_OVER: usize = 4096;

type Readings = BTreeMap<String, Result<LimitReading, Unreadable>>;

impl Looking {
    fn new(backend: &Backend) -> Self {
        Self { reader: Arc::clone(&backend.usage), logs: Arc::default(), folder: None }
    }

    /// Where the engine keeps its logs. Without an answer there are none to see.
    async fn ask(&mut self, engine: &dyn Engine) {
        if self.folder.is_none() {
            self.folder = Some(engine.info().await.map(|info| info.root_dir.into()).unwrap_or_default());
        }
    }

    async fn look(&self, ids: Vec<String>) -> Readings {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.read(ids)).await.unwrap_or_default()
    }

    fn read(&self, ids: Vec<String>) -> Readings {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.retain(|container| ids.iter().any(|id| id == container));
        let read = self.reader.limits(&ids);
        // A list is not worth a request: of an engine that keeps its data elsewhere, what was seen before is told.
        let folder = self.folder.as_deref().unwrap_or(Path::new(USUAL_FOLDER));
        let folder = Some(folder).filter(|folder| folder.is_absolute());
        let with_log = |(id, read): (String, Result<LimitReading, Unreadable>)| {
            let rotations = folder.map_or(0, |folder| logs.rotations(folder, &id));
            (id, read.map(|reading| LimitReading { rotations, ..reading }))
        };
        ids.into_iter().zip(read).map(with_log).collect()
    }
}

#[derive(Debug)]
struct Followed {
    name: Untrusted,
    since: Since,
    last: Option<LimitReading>,
    told: BTreeMap<(Limit, Untrusted), Timestamp>,
}

impl Backend {
    /// A watch over no session yet.
    pub fn limit_watch(&self) -> LimitWatch {
        LimitWatch {
            looking: Looking::new(self),
            engine: Arc::clone(&self.engine),
            is_local: self.engine.endpoint().socket.is_some(),
            state: self.state.clone(),
            followed: BTreeMap::new(),
            ended: Vec::new(),
            over: BTreeSet::new(),
            again: Vec::new(),
        }
    }
}

impl Backend {
    /// A watch over a container's log for who follows it; `None` where the engine's files are not this machine's.
    pub(super) async fn log_watch(&self, container: &str) -> Option<LogWatch> {
        self.engine.endpoint().socket.as_ref()?;
        let folder = PathBuf::from(self.engine.info().await.ok()?.root_dir);
        Some(folder).filter(|folder| folder.is_absolute()).map(|folder| LogWatch::of(folder, container.to_owned()))
    }

    /// What these sessions ran into, in the order given.
    pub async fn limits(&self, sessions: &[Session]) -> Vec<Limits> {
        let live: Vec<String> =
            sessions.iter().filter(|session| session.status.is_live()).map(|session| session.container_id.clone()).collect();
        let mut read = self.limit_readings(live).await;
        let ids: Vec<String> = sessions.iter().map(|session| session.container_id.clone()).collect();
        let look_up = move |state: &Database| state.read(|db| ids.iter().map(|id| kept::of(db, id)).collect::<Result<Vec<_>, _>>());
        let mut seen = self.kept(look_up).await.unwrap_or_default().into_iter();
        let told = |session: &Session| {
            if !session.status.is_live() {
                return Limits { hits: Vec::new(), unknown: Some("it does not run: what nobody saw meanwhile is not known".into()) };
            }
            match read.remove(&session.container_id).unwrap_or(Err(Unreadable::NotLocal)) {
                Ok(reading) => Limits { hits: reading.hits(), unknown: reading.hidden.map(Into::into) },
                Err(error) => Limits { hits: Vec::new(), unknown: Some(error.to_string().into()) },
            }
        };
        let mut all: Vec<Limits> = sessions.iter().map(told).collect();
        for limits in &mut all {
            for hit in seen.next().unwrap_or_default() {
                limits.add(hit);
            }
        }
        all
    }

    pub(super) async fn limit_readings(&self, ids: Vec<String>) -> Readings {
        if self.engine.endpoint().socket.is_none() || ids.is_empty() {
            return Readings::new();
        }
        Looking::new(self).look(ids).await
    }
}

impl LimitWatch {
    /// Follows those of these sessions that have processes, and nobody else.
    pub fn follow_all(&mut self, sessions: &[Session], since: Since) {
        let live = || sessions.iter().filter(|session| session.status.is_live());
        self.followed.retain(|id, _| live().any(|session| session.container_id == *id));
        for session in live() {
            self.follow(&session.container_id, &format!("{}{}", labels::CONTAINER_PREFIX, session.name).into(), since);
        }
    }

    /// What the engine told of a container: one that ended, or began anew, is not followed any more.
    pub fn hear(&mut self, event: &EngineEvent) {
        if matches!(event.what, EventKind::Started | EventKind::Died { .. } | EventKind::Destroyed) {
            let last = self.followed.remove(&event.container).and_then(|followed| followed.last);
            let hits = last.map(|last| last.hits()).unwrap_or_default();
            self.ended.extend(hits.into_iter().map(|hit| (event.container.clone(), hit)));
        }
        if [EXIT_DISK, EXIT_TIMEOUT].iter().any(|code| event.what == EventKind::Died { exit_code: Some((*code).into()) }) {
            self.again.push((event.container.clone(), event.name.clone()));
        }
        match event.what {
            EventKind::Died { .. } if self.over.len() < MOST_OVER => _ = self.over.insert(event.container.clone()),
            EventKind::Destroyed => _ = self.over.remove(&event.container),
            // Who started it is not said: the engine counts what it starts by itself.
            EventKind::Started if self.over.remove(&event.container) => self.again.push((event.container.clone(), event.name.clone())),
            _ => {}
        }
        if let (EventKind::Renamed { .. }, Some(followed)) = (&event.what, self.followed.get_mut(&event.container)) {
            followed.name = event.name.clone();
        }
    }

    /// Follows one container.
    pub fn follow(&mut self, container: &str, name: &Untrusted, since: Since) {
        if self.is_local {
            let new = || Followed { name: name.clone(), since, last: None, told: BTreeMap::new() };
            self.followed.entry(container.to_owned()).or_insert_with(new);
        }
    }

    /// Looks once, and tells what was run into since the look before.
    pub async fn look(&mut self, now: Timestamp) -> Vec<EngineEvent> {
        let ids: Vec<String> = self.followed.keys().cloned().collect();
        let mut read = Readings::new();
        if !ids.is_empty() {
            self.looking.ask(self.engine.as_ref()).await;
            read = self.looking.look(ids).await;
        }
        let mut events = self.told(read, now);
        events.extend(self.by_the_engine(now).await);
        self.keep(&events, now).await;
        events
    }

    /// What the engine knows of those that it started again by itself, and of those that their time or a cap ended.
    async fn by_the_engine(&mut self, now: Timestamp) -> Vec<EngineEvent> {
        let mut events = Vec::new();
        for (container, name) in std::mem::take(&mut self.again) {
            // One that is gone again has nothing more to say.
            let Ok(facts) = self.engine.inspect(&container).await else { continue };
            let hits = of_facts(&facts).into_iter().filter(|hit| matches!(hit.limit, Limit::Restart | Limit::DiskHard | Limit::Timeout));
            let (container, name) = (&container, &name);
            events.extend(hits.map(|hit| EngineEvent {
                at: now,
                container: container.clone(),
                name: name.clone(),
                what: EventKind::LimitReached { hit },
            }));
        }
        events
    }

    /// Writes down what was seen: the kernel's counts end with the container's group.
    async fn keep(&mut self, events: &[EngineEvent], now: Timestamp) {
        let told = events.iter().filter_map(|event| match &event.what {
            EventKind::LimitReached { hit } => Some((event.container.clone(), hit.clone())),
            _ => None,
        });
        let mut hits = std::mem::take(&mut self.ended);
        hits.extend(told);
        if !hits.is_empty() {
            let state = self.state.clone();
            let write = move || state.write(|db| hits.iter().try_for_each(|(container, hit)| kept::saw(db, container, hit, now)));
            // Who watches has told it. A state that cannot be written says so where something is done.
            let _ = tokio::task::spawn_blocking(write).await;
        }
    }

    fn told(&mut self, read: Readings, now: Timestamp) -> Vec<EngineEvent> {
        let mut events = Vec::new();
        for (id, reading) in read {
            let (Some(followed), Ok(reading)) = (self.followed.get_mut(&id), reading) else { continue };
            for hit in followed.hits(reading, now) {
                events.push(EngineEvent {
                    at: now,
                    container: id.clone(),
                    name: followed.name.clone(),
                    what: EventKind::LimitReached { hit },
                });
            }
        }
        events
    }
}

impl Followed {
    fn hits(&mut self, reading: LimitReading, now: Timestamp) -> Vec<LimitHit> {
        // Kernel counts that went back are of a group made anew.
        let before = self.last.take().filter(|before| before.periods <= reading.periods && before.refused <= reading.refused);
        let mut hits = match (before, self.since) {
            (Some(before), _) => reading.since(&before),
            (None, Since::Start) => reading.hits(),
            // What was counted is told already; what is full is full now.
            (None, Since::Now) => {
                let counted = LimitReading { full: BTreeMap::new(), files: None, disk: BTreeMap::new(), ..reading.clone() };
                reading.since(&counted)
            }
        };
        // Held back for a second is held back hard only where it goes on.
        self.last = Some(reading);
        hits.retain(|hit| {
            let key = (hit.limit, hit.place.clone());
            let is_new = self.told.get(&key).is_none_or(|told| now.duration_since(*told) >= AGAIN);
            if is_new {
                self.told.insert(key, now);
            }
            is_new
        });
        hits
    }
}

/// A number that the supervisor was given.
fn of_ours(facts: &ContainerFacts, option: &str) -> Option<u64> {
    let ours = facts.command.iter().map(Untrusted::raw).take_while(|argument| *argument != "--");
    ours.skip_while(|argument| *argument != option).nth(1).and_then(|number| number.parse().ok())
}

fn restarted(facts: &ContainerFacts) -> Option<LimitHit> {
    (facts.restarts > 0).then(|| LimitHit::new(Limit::Restart, facts.restarts, None))
}

/// What the engine's facts of a container say of its limits: how it ended, where it did, and how often it began.
pub fn of_facts(facts: &ContainerFacts) -> Vec<LimitHit> {
    let mut hits = Vec::from_iter(restarted(facts));
    let Some(exit) = &facts.exit else { return hits };
    let hit = |limit, bound| LimitHit::new(limit, 1, bound);
    if exit.oom_killed {
        hits.push(hit(Limit::Memory, facts.memory));
    }
    // A command may end with 124 by itself: whether its time was over decides.
    let timeout = of_ours(facts, "--timeout");
    let capped = of_ours(facts, "--disk-hard");
    if exit.code == i64::from(EXIT_DISK) && capped.is_some() {
        hits.push(hit(Limit::DiskHard, capped));
    }
    let ran = exit.finished.zip(facts.started).map(|(finished, started)| finished.duration_since(started).as_secs());
    if let (Some(timeout), Some(ran), 124 | 137) = (timeout, ran, exit.code)
        && u64::try_from(ran).is_ok_and(|ran| ran >= timeout)
    {
        hits.push(hit(Limit::Timeout, Some(timeout)));
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::ExitFacts;

    fn followed(since: Since) -> Followed {
        Followed { name: "palisade-x".into(), since, last: None, told: BTreeMap::new() }
    }

    fn reading(refused: u64) -> LimitReading {
        LimitReading { refused, pids: Some(16), ..LimitReading::default() }
    }

    #[test]
    fn what_goes_on_is_told_once_and_again_after_a_while() {
        let mut one = followed(Since::Start);
        let mut at = |second: i64, refused| one.hits(reading(refused), Timestamp::from_second(second).unwrap()).len();
        assert_eq!([at(0, 0), at(1, 5), at(2, 9), at(3, 9), at(32, 20), at(33, 21), at(70, 21)], [0, 1, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn how_a_container_ended_says_whether_its_time_or_its_memory_was_over() {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let ended = |code, finished, oom_killed| {
            let command =
                ["/p", "supervise", "--timeout", "5", "--disk-hard", "9", "--", "x", "--timeout", "1"].map(Untrusted::from).into();
            let exit = Some(ExitFacts { code, oom_killed, finished: at(finished), ..ExitFacts::default() });
            let facts = ContainerFacts { command, exit, started: at(100), memory: Some(7), ..ContainerFacts::default() };
            of_facts(&facts).iter().map(|hit| (hit.limit, hit.bound)).collect::<Vec<_>>()
        };
        assert_eq!(ended(124, 105, false), [(Limit::Timeout, Some(5))]);
        assert_eq!(ended(124, 102, false), [], "it ended with that by itself");
        assert_eq!(ended(0, 110, false), []);
        assert_eq!(ended(137, 101, true), [(Limit::Memory, Some(7))]);
        assert_eq!(ended(122, 101, false), [(Limit::DiskHard, Some(9))]);
        assert_eq!(of_facts(&ContainerFacts::default()), []);
        let again = ContainerFacts { restarts: 2, ..ContainerFacts::default() };
        assert_eq!(of_facts(&again), [LimitHit::new(Limit::Restart, 2, None)]);
    }

    #[test]
    fn what_was_counted_before_is_told_to_who_watches_from_the_start_alone() {
        let now = Timestamp::UNIX_EPOCH;
        let full = LimitReading { full: BTreeMap::from([("/tmp".to_owned(), 1)]), ..reading(7) };
        assert_eq!(followed(Since::Start).hits(full.clone(), now).len(), 2);
        let told = followed(Since::Now).hits(full, now);
        assert_eq!((told.len(), told[0].limit), (1, Limit::Tmpfs));
    }
}
