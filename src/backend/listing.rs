//! Sessions as the engine lists them, and finding one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::engine::ContainerSummary;
use super::leftovers::is_abandoned;
use super::{Backend, Details, PrivateCache, Today};
use crate::failure::{Code, Failure, Result};
use crate::policy::plan::CACHE;
use crate::session::{ContainerFacts, Kind, Session, Status, labels};
use crate::units::{Bytes, SessionId, SessionName, Untrusted, sanitise};

/// How long what is shown of a session waits for the size of its caches.
const COUNTING: Duration = Duration::from_secs(3);

impl Backend {
    /// Every session, by name.
    pub async fn sessions(&self) -> Result<Vec<Session>> {
        Ok(self.survey().await?.sessions)
    }

    /// Every session, by name, and how much a killed manager left.
    pub async fn survey(&self) -> Result<Survey> {
        let containers = self.engine.our_containers().await?;
        // What the journal tells of has mostly a container, too.
        let abandoned = containers.iter().filter(|container| is_abandoned(container)).count().max(self.unsettled());
        let hidden = second_of_two(&containers);
        let shown = containers.into_iter().filter(|container| !hidden.contains(&container.id));
        let mut sessions: Vec<Session> = shown.filter_map(session_of).collect();
        sessions.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.container_id.cmp(&b.container_id)));
        Ok(Survey { sessions, abandoned })
    }

    /// One session by its name, its id, or an unambiguous beginning of its id.
    pub async fn find(&self, who: &str) -> Result<Session> {
        pick(&self.sessions().await?, who)
    }

    /// Everything about one session.
    pub async fn details(&self, who: &str) -> Result<Details> {
        let session = self.find(who).await?;
        let container = self.engine.inspect(&session.container_id).await?;
        let ((posture, kernel), cache, life) =
            tokio::join!(self.measured(&container), self.private_cache(&container), self.life(&session, &container));
        let standing = self.standing(&container, kernel.as_ref(), &Today::default()).await;
        self.noticed(&container, &posture, &standing).await;
        Ok(Details { session, container, posture, standing, cache, life })
    }

    /// The session's own caches: their size is told where it can be had in time.
    async fn private_cache(&self, container: &ContainerFacts) -> Option<PrivateCache> {
        let mount = container.mounts.iter().find(|mount| mount.destination.raw() == CACHE && !mount.name.is_empty())?;
        let size = self.engine.volume_size(&mount.name, COUNTING).await;
        Some(PrivateCache { volume: mount.name.clone(), size: size.map(Bytes::new) })
    }
}

/// What the engine has of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// By name.
    pub sessions: Vec<Session>,
    /// What managers left half done that were killed; the next command that changes something settles it.
    pub abandoned: usize,
}

/// Of the two containers that a session has during an update, the one that is not the session: the new one until it has the name, then
/// the old one.
fn second_of_two(containers: &[ContainerSummary]) -> BTreeSet<String> {
    let is = |container: &ContainerSummary, prefix| container.name.raw().starts_with(prefix);
    let replaces = |container: &ContainerSummary, old: &str| container.labels.get(labels::REPLACES).is_some_and(|id| id.raw() == old);
    let has_place = |old: &ContainerSummary| containers.iter().any(|new| replaces(new, &old.id) && !is(new, labels::NEXT_PREFIX));
    let second = containers.iter().filter(|one| is(one, labels::NEXT_PREFIX) || (is(one, labels::OLD_PREFIX) && has_place(one)));
    second.map(|container| container.id.clone()).collect()
}

/// The session that `who` names.
fn pick(sessions: &[Session], who: &str) -> Result<Session> {
    let exact: Vec<&Session> = sessions.iter().filter(|session| session.name.as_str() == who).collect();
    let matches = if exact.is_empty() { by_id(sessions, who) } else { exact };
    match matches.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let known: Vec<&str> = sessions.iter().map(|session| session.name.as_str()).take(8).collect();
            let hint = if known.is_empty() {
                "there is none yet; launch one with: palisade launch NAME".to_owned()
            } else {
                format!("there are {}{}; see palisade ls", known.join(", "), if sessions.len() > 8 { ", …" } else { "" })
            };
            Err(Failure::new(Code::NotFound, format!("no session is called '{}'", sanitise(who))).hint(hint))
        }
        several => Err(several
            .iter()
            .fold(Failure::new(Code::Conflict, format!("'{}' names more than one session", sanitise(who))), |failure, session| {
                failure.detail(format!("{} {} ({})", session.name, session.id, session.container_id))
            })
            .hint("give the id of the one that is meant")),
    }
}

fn by_id<'a>(sessions: &'a [Session], who: &str) -> Vec<&'a Session> {
    // Shorter than this, a beginning of an id is as likely a mistyped name.
    const LEAST: usize = 4;
    let who = who.to_ascii_lowercase();
    if who.len() < LEAST {
        return Vec::new();
    }
    sessions
        .iter()
        .filter(|session| {
            session.container_id.starts_with(&who) || (session.id != SessionId::NIL && session.id.to_string().starts_with(&who))
        })
        .collect()
}

/// A listed container as a session, where its labels say that it is one.
fn session_of(container: ContainerSummary) -> Option<Session> {
    let who = identity(&container.labels, &container.name, &container.id)?;
    Some(Session {
        id: who.id,
        name: who.name,
        kind: who.kind,
        profile: who.profile,
        status: container.status,
        status_text: container.status_text,
        created: container.created,
        image: who.image.unwrap_or(container.image),
        command: shown_command(&container.command),
        container_id: container.id,
    })
}

/// An inspected container as a session, where its labels say that it is one.
pub(super) fn session_from_facts(facts: &ContainerFacts) -> Option<Session> {
    let who = identity(&facts.labels, &facts.name, &facts.id)?;
    let command = facts.command.iter().map(Untrusted::raw).collect::<Vec<_>>().join(" ");
    Some(Session {
        id: who.id,
        name: who.name,
        kind: who.kind,
        profile: who.profile,
        status: facts.status.unwrap_or(Status::Unknown),
        status_text: Untrusted::default(),
        created: facts.created.unwrap_or_default(),
        image: who.image.unwrap_or_else(|| facts.image.clone()),
        command: shown_command(&Untrusted::new(command)),
        container_id: facts.id.clone(),
    })
}

struct Identity {
    id: SessionId,
    name: SessionName,
    kind: Kind,
    profile: Untrusted,
    image: Option<Untrusted>,
}

/// Labels can be written by anyone who may use the engine: what cannot be read gets a value that is safe to show.
fn identity(all: &BTreeMap<String, Untrusted>, container_name: &Untrusted, container_id: &str) -> Option<Identity> {
    let label = |name: &str| all.get(name).map(Untrusted::raw);
    if label(labels::SCHEMA) != Some(labels::SCHEMA_VALUE) || label(labels::ROLE) != Some(labels::ROLE_SESSION) {
        return None;
    }
    let is_put_aside = container_name.raw().starts_with(labels::OLD_PREFIX);
    let bare = container_name.raw().strip_prefix(labels::CONTAINER_PREFIX).unwrap_or(container_name.raw());
    let bare = label(labels::NAME).filter(|_| is_put_aside).unwrap_or(bare);
    let short: String = container_id.chars().filter(char::is_ascii_hexdigit).take(12).collect();
    let name = bare.parse().or_else(|_| format!("unnamed-{short}").parse()).ok()?;
    Some(Identity {
        id: label(labels::ID).and_then(|id| id.parse().ok()).unwrap_or(SessionId::NIL),
        name,
        kind: label(labels::KIND).and_then(|kind| kind.parse().ok()).unwrap_or(Kind::Persistent),
        image: all.get(labels::IMAGE).cloned(),
        profile: all.get(labels::PROFILE).cloned().unwrap_or_else(|| Untrusted::from("?")),
    })
}

/// The operator's command without the supervisor in front of it.
fn shown_command(command: &Untrusted) -> Untrusted {
    let raw = command.raw().trim_matches('"');
    match raw.split_once(" -- ") {
        Some((supervisor, rest)) if supervisor.contains("palisade supervise") => Untrusted::new(rest),
        None if raw.contains("palisade supervise") && raw.ends_with("--idle") => Untrusted::from("(idle)"),
        _ => Untrusted::new(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(name: &str, id: &str) -> Session {
        let mut all =
            BTreeMap::from([(labels::SCHEMA.to_owned(), Untrusted::from("1")), (labels::ROLE.to_owned(), Untrusted::from("session"))]);
        all.insert(labels::ID.to_owned(), Untrusted::from(id));
        let facts =
            ContainerFacts { id: format!("c0ffee{name}"), name: format!("palisade-{name}").into(), labels: all, ..Default::default() };
        session_from_facts(&facts).unwrap()
    }

    #[test]
    fn a_session_is_found_by_name_before_id_and_never_by_guess() {
        let all = || vec![session("web", "01arz3ndektsv4rrffq69g5fav"), session("01ar", "01bx5zzkbkactav9wevgemmvrz")];
        assert_eq!(pick(&all(), "web").unwrap().name.as_str(), "web");
        assert_eq!(pick(&all(), "01ar").unwrap().name.as_str(), "01ar");
        assert_eq!(pick(&all(), "01ARZ3").unwrap().name.as_str(), "web");
        assert_eq!(pick(&all(), "we").unwrap_err().code, Code::NotFound);
        assert_eq!(pick(&all(), "c0ffee").unwrap_err().code, Code::Conflict);
    }

    #[test]
    fn a_container_without_our_labels_is_no_session() {
        assert!(session_from_facts(&ContainerFacts { name: "palisade-web".into(), ..Default::default() }).is_none());
    }

    #[test]
    fn a_hostile_name_in_a_label_is_not_a_name() {
        let labels = BTreeMap::from([
            (labels::SCHEMA.to_owned(), Untrusted::from("1")),
            (labels::ROLE.to_owned(), Untrusted::from("session")),
            (labels::KIND.to_owned(), Untrusted::from("\u{1b}[2J")),
        ]);
        let who = identity(&labels, &Untrusted::from("\u{1b}]0;x"), "abc123").unwrap();
        assert_eq!(who.name.as_str(), "unnamed-abc123");
    }

    #[test]
    fn the_command_shown_is_the_operators() {
        let shown = |text: &str| shown_command(&Untrusted::from(text)).raw().to_owned();
        assert_eq!(shown("\"/palisade/palisade supervise --grace 10 -- sleep 5\""), "sleep 5");
        assert_eq!(shown("/palisade/palisade supervise --grace 10 --idle"), "(idle)");
        assert_eq!(shown("sh -c 'a -- b'"), "sh -c 'a -- b'");
    }
}
