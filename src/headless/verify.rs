//! `verify`: what is in force.

use futures_util::{StreamExt, stream};

use super::document::{Document, ErrorBody, Verification, Verified};
use super::list::NOTHING_THERE;
use super::paint::{Role, paint};
use super::{Context, Done, Stop, drift_table, posture_table};
use crate::backend::{Backend, Today};
use crate::failure::{Code, Failure, Result};
use crate::policy::Posture;
use crate::policy::drift::Standing;
use crate::session::Session;
use crate::units::sanitise;

/// Sessions measured at once.
const AT_ONCE: usize = 8;

/// What was found of one session.
type Measured = (Session, Posture, Standing);

/// Measures these sessions, all of them where none is named. `every` shows controls that hold for several, too.
pub async fn verify(context: &Context, backend: &Backend, names: &[String], every: bool) -> Done {
    // By container: a session made by hand has no id, or another's.
    let whom: Vec<(String, String)> = if names.is_empty() {
        let sessions = backend.sessions().await?;
        sessions.into_iter().map(|session| (session.name.to_string(), session.container_id)).collect()
    } else {
        names.iter().map(|name| (name.clone(), name.clone())).collect()
    };
    let all = names.is_empty();
    let today = &Today::default();
    let results: Vec<(String, Result<Measured>)> = stream::iter(whom)
        .map(|(name, who)| async move {
            let result = backend.verify(&who, today).await;
            (name, result)
        })
        .buffered(AT_ONCE)
        // One of all that went in the meantime is no failure.
        .filter(|(_, result)| {
            let gone = all && matches!(result, Err(failure) if failure.code == Code::NotFound);
            async move { !gone }
        })
        .collect()
        .await;
    let failure = verdict(&results);
    if context.output.is_json() {
        let verified = results.into_iter().map(verification).collect();
        context.output.document(&Document::with_error(Verified { verified }, failure.as_ref().map(ErrorBody::from)));
    } else {
        if results.is_empty() {
            context.output.note(NOTHING_THERE);
        }
        let every = every || results.len() == 1;
        for (name, result) in &results {
            show(context, name, result, every);
        }
    }
    match failure {
        None => Ok(0),
        // The document and the tables have said it already, where there was anything to show.
        Some(failure) if context.output.is_json() || failure.code == Code::PostureWeaker => Ok(failure.code.exit_code()),
        Some(failure) => Err(Stop::from(failure)),
    }
}

/// A weaker posture counts for more than a session that could not be measured.
fn verdict(results: &[(String, Result<Measured>)]) -> Option<Failure> {
    let mut weaker = Failure::new(Code::PostureWeaker, "a posture is weaker than requested");
    let mut other: Option<Failure> = None;
    for (name, result) in results {
        match result {
            Ok((_, posture, _)) => {
                for control in posture.failing() {
                    let reason = control.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
                    weaker.details.push(format!("{name}: {} {}{reason}", control.control, control.verdict));
                }
                for deviant in posture.deviants.iter().filter(|_| posture.is_weaker()) {
                    weaker
                        .details
                        .push(format!("{name}: process {} '{}': {} {}", deviant.pid, deviant.name, deviant.control, deviant.reason));
                }
            }
            Err(failure) => other = other.or_else(|| Some(failure.clone())),
        }
    }
    if weaker.details.is_empty() { other } else { Some(weaker) }
}

fn verification((name, result): (String, Result<Measured>)) -> Verification {
    match result {
        Ok((session, posture, standing)) => {
            let weaker = Some(posture.is_weaker());
            Verification { name, session: Some(session), posture: Some(posture), weaker, drift: Some(standing.into()), error: None }
        }
        Err(failure) => {
            Verification { name, session: None, posture: None, weaker: None, drift: None, error: Some(ErrorBody::from(&failure)) }
        }
    }
}

fn show(context: &Context, name: &str, result: &Result<Measured>, every: bool) {
    let page = context.output.page();
    let colour = page.colour;
    match result {
        Ok((session, posture, standing)) => {
            let role = if posture.is_weaker() { Role::Danger } else { Role::Good };
            let title = paint(colour, Role::Heading, session.name.as_str());
            context.output.text(&format!("{title}: {}\n", paint(colour, role, &posture_table::sentence(posture))));
            if !context.output.is_quiet() {
                context.output.text(&posture_table::table(posture, page, every));
                if every || !standing.is_current() {
                    context.output.text(&format!("{}{}", drift_table::line(standing, page), drift_table::table(standing, page)));
                }
            }
        }
        Err(failure) => {
            let title = paint(colour, Role::Heading, &sanitise(name));
            context.output.text(&format!("{title}: {}\n", paint(colour, Role::Caution, &sanitise(&failure.message))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::controls::Control;
    use crate::policy::{ControlPosture, Verdict};

    fn session() -> Session {
        Session {
            id: crate::units::SessionId::NIL,
            name: "web".parse().unwrap(),
            kind: crate::session::Kind::Persistent,
            profile: "default".into(),
            status: crate::session::Status::Running,
            status_text: "Up".into(),
            created: jiff::Timestamp::UNIX_EPOCH,
            image: "i".into(),
            command: "c".into(),
            container_id: String::new(),
        }
    }

    fn posture(verdict: Verdict) -> Posture {
        let control = ControlPosture {
            control: Control::PidsLimit,
            requested: "100".into(),
            engine: "500".into(),
            kernel: "500".into(),
            verdict,
            reason: Some("500 is more than 100".into()),
        };
        Posture { controls: vec![control], deviants: Vec::new() }
    }

    #[test]
    fn a_weaker_posture_outweighs_a_session_that_could_not_be_measured() {
        let gone = || ("api".to_owned(), Err(Failure::new(Code::NotFound, "no session 'api'")));
        let weak = ("web".to_owned(), Ok((session(), posture(Verdict::Weaker), Standing::default())));
        let failure = verdict(&[gone(), weak]).unwrap();
        assert_eq!((failure.code.exit_code(), &failure.details[0][..]), (5, "web: pids_limit weaker: 500 is more than 100"));
        assert_eq!(verdict(&[gone()]).unwrap().code, Code::NotFound);
        assert_eq!(verdict(&[("web".to_owned(), Ok((session(), posture(Verdict::Unknown), Standing::default())))]), None);
    }
}
