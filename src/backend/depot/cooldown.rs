//! Which sessions reach the depot, and what a session's token says: who it is, and how young a version it may see.

use super::DepotAccess;
use crate::backend::measure::requested_of;
use crate::backend::{Backend, Reporter};
use crate::depot::SOCKET_DIR;
use crate::depot::token::Claims;
use crate::depot::wire;
use crate::failure::{Code, Failure, Result};
use crate::policy::{Network, Policy};
use crate::session::{ContainerFacts, Session};
use crate::units::SessionId;

/// Whether a session of this network reaches the depot.
pub fn reaches_depot(network: Network) -> bool {
    match network {
        Network::None => false,
        Network::Packages | Network::Open => true,
    }
}

impl Backend {
    /// The depot, for a launch that needs it; `None` for one that does not.
    pub(in crate::backend) async fn depot_for(&self, network: Network, reporter: &dyn Reporter) -> Result<Option<DepotAccess>> {
        if !reaches_depot(network) {
            return Ok(None);
        }
        self.ensure_depot(reporter).await.map(Some).map_err(without)
    }

    /// The token of a session that is started again, where it was launched with a way to the depot.
    pub(in crate::backend) async fn token_again(&self, session: &Session, facts: &ContainerFacts) -> Result<Option<String>> {
        let Some(mount) = facts.mounts.iter().find(|mount| mount.destination.raw() == SOCKET_DIR) else { return Ok(None) };
        let ours = super::socket_volume(&self.settings);
        if mount.name != ours {
            return Err(Failure::new(Code::Conflict, format!("'{}' was launched with another depot than this one", session.name))
                .detail(format!("it mounts the volume {}, the settings' depot has {ours}", crate::units::sanitise(&mount.name)))
                .hint("set 'depot.name' as it was, or launch a new session"));
        }
        let access = self.ensure_depot(&Quiet).await.map_err(|failure| named(failure, "palisade depot status tells of it"))?;
        token(&access, &claims_again(session.id, facts)).map(Some)
    }
}

/// The token of a new session.
pub(in crate::backend) fn first_token(access: &DepotAccess, session: SessionId, policy: &Policy) -> Result<String> {
    token(access, &claims(session, policy))
}

fn claims(session: SessionId, policy: &Policy) -> Claims {
    Claims { session, min_age: policy.min_age, min_age_allow: policy.min_age_allow.iter().cloned().collect() }
}

/// By what the session's label keeps of its launch. One that cannot be read is refused by the
/// audit before it starts.
fn claims_again(session: SessionId, facts: &ContainerFacts) -> Claims {
    let (min_age, min_age_allow) =
        requested_of(facts).map_or_else(Default::default, |requested| (requested.min_age, requested.min_age_allow));
    Claims { session, min_age, min_age_allow: min_age_allow.into_iter().collect() }
}

fn token(access: &DepotAccess, claims: &Claims) -> Result<String> {
    let token = access.key.sign(claims);
    if wire::greeting(&token).len() > wire::LONGEST {
        return Err(Failure::new(Code::Refused, "the packages that 'min_age' is to leave alone do not fit into a session's token")
            .detail(format!("'min_age_allow': {} names", claims.min_age_allow.len()))
            .hint("name fewer"));
    }
    Ok(token)
}

fn without(failure: Failure) -> Failure {
    named(failure, "--network none launches without packages; palisade depot status tells of the depot")
}

/// A failure that came of the depot says so, and keeps its own way out.
fn named(failure: Failure, way_out: &str) -> Failure {
    if failure.code == Code::Interrupted {
        return failure;
    }
    let hint = failure.hint.as_ref().map_or_else(|| way_out.to_owned(), |own| format!("{own}; {way_out}"));
    Failure { message: format!("there is no package depot: {}", failure.message), ..failure }.hint(hint)
}

/// A start says nothing until it is done.
struct Quiet;

impl Reporter for Quiet {
    fn step(&self, _: &str) {}
    fn progress(&self, _: &crate::backend::engine::Progress) {}
    fn warning(&self, _: &str) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::depot::token::Key;
    use crate::units::Seconds;

    fn access() -> DepotAccess {
        DepotAccess { key: Key::new([7; 32]), socket_volume: "palisade-depot-socket".to_owned() }
    }

    #[test]
    fn a_token_says_whose_it_is_to_the_depot_that_has_the_key() {
        let claims = Claims { session: SessionId::from_parts(1, 2), min_age: Seconds::new(60), min_age_allow: vec!["npm:a".to_owned()] };
        assert_eq!(access().key.verify(&token(&access(), &claims).unwrap()), Some(claims));
    }

    #[test]
    fn a_token_that_no_connection_could_show_is_refused_at_launch() {
        let names = (0..500).map(|at| format!("npm:package-{at}")).collect();
        let claims = Claims { session: SessionId::NIL, min_age: Seconds::new(60), min_age_allow: names };
        assert_eq!(token(&access(), &claims).unwrap_err().code, Code::Refused);
    }

    #[test]
    fn a_launch_without_a_depot_is_told_how_to_go_without_one() {
        let failure = without(Failure::new(Code::Conflict, "a container is there").hint("rename it"));
        assert!(failure.message.starts_with("there is no package depot: "));
        assert_eq!(failure.code, Code::Conflict);
        let hint = failure.hint.unwrap();
        assert!(hint.starts_with("rename it; ") && hint.contains("--network none") && hint.contains("palisade depot status"), "{hint}");
    }
}
