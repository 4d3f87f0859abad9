//! `stop`, `start`, `restart`, `pause`, `unpause`, `rename`, `rm`: one word to several sessions, each on its own.

use super::document::{ActionResult, Actions, ErrorBody};
use super::failing::{document_of_several, end_of_several};
use super::{Context, Done, posture_table};
use crate::backend::{Backend, Launched};
use crate::failure::{Code, Failure, Result};
use crate::policy::Posture;
use crate::session::Session;
use crate::units::{Seconds, sanitise};

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// SIGTERM, the grace, SIGKILL.
    Stop {
        /// `None` for the session's own.
        grace_s: Option<u64>,
    },
    /// Start again.
    Start {
        /// `NAME[=ENV]`.
        secrets: Vec<String>,
    },
    /// Stop, then start.
    Restart {
        /// `None` for the session's own.
        grace_s: Option<u64>,
        /// `NAME[=ENV]`.
        secrets: Vec<String>,
    },
    /// Freeze.
    Pause,
    /// Let go on.
    Unpause,
    /// Give another name.
    Rename {
        /// Which.
        new: String,
    },
    /// Move its deadline.
    Renew {
        /// To so long from now; `None` for as long as at its start.
        ttl: Option<Seconds>,
    },
    /// Remove.
    Remove {
        /// Also what runs.
        force: bool,
    },
}

impl Action {
    const fn word(&self) -> &'static str {
        match self {
            Self::Stop { .. } => "stop",
            Self::Start { .. } => "start",
            Self::Restart { .. } => "restart",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Rename { .. } => "rename",
            Self::Renew { .. } => "renew",
            Self::Remove { .. } => "rm",
        }
    }

    /// Does it to one session, which may be named by its container's id. What was removed by force and is gone is no failure.
    pub async fn on(&self, backend: &Backend, who: &str) -> Result<(Option<Session>, Option<Posture>)> {
        match self {
            Self::Stop { grace_s } => Ok((Some(backend.stop(who, *grace_s).await?), None)),
            Self::Start { secrets } => began(backend.start(who, secrets).await),
            Self::Restart { grace_s, secrets } => began(backend.restart(who, *grace_s, secrets).await),
            Self::Pause => Ok((Some(backend.pause(who).await?), None)),
            Self::Unpause => Ok((Some(backend.unpause(who).await?), None)),
            Self::Rename { new } => Ok((Some(backend.rename(who, new).await?), None)),
            Self::Renew { ttl } => Ok((Some(backend.renew(who, *ttl).await?.session), None)),
            Self::Remove { force } => match backend.remove(who, *force).await {
                Ok(session) => Ok((Some(session), None)),
                Err(failure) if *force && failure.code == Code::NotFound => Ok((None, None)),
                Err(failure) => Err(failure),
            },
        }
    }
}

fn began(launched: Result<Launched>) -> Result<(Option<Session>, Option<Posture>)> {
    launched.map(|launched| (Some(launched.session), Some(launched.posture)))
}

/// Does it to each; one that fails does not keep the others from it.
pub async fn act(context: &Context, backend: &Backend, action: &Action, names: &[String]) -> Done {
    let mut results = Vec::with_capacity(names.len());
    for name in names {
        let result = action.on(backend, name).await;
        if !context.output.is_json() {
            tell(context, name, &result);
        }
        results.push((name.clone(), result));
    }
    report(context, action.word(), results)
}

/// The name where something was done, and what a session came up with.
fn tell(context: &Context, name: &str, result: &Result<(Option<Session>, Option<Posture>)>) {
    match result {
        Ok((Some(session), posture)) => {
            context.output.text(&format!("{}\n", sanitise(name)));
            if let Some(posture) = posture {
                context.output.note(&posture_table::note(session, posture));
            }
        }
        Ok((None, _)) => context.output.note(&format!("no session is called '{name}'")),
        Err(_) => {}
    }
}

/// One name and what came of it.
pub type Outcome = (String, Result<(Option<Session>, Option<Posture>)>);

/// Tells what came of each, and ends with the first failure's exit code.
pub fn report(context: &Context, action: &'static str, results: Vec<Outcome>) -> Done {
    let failures: Vec<Failure> = results.iter().filter_map(|(_, result)| result.as_ref().err().cloned()).collect();
    if context.output.is_json() {
        let document = Actions { action, results: results.into_iter().map(row).collect() };
        return Ok(document_of_several(&context.output, document, &failures));
    }
    end_of_several(&context.output, &failures)
}

fn row((name, result): Outcome) -> ActionResult {
    match result {
        Ok((session, posture)) => ActionResult { name, session, posture, error: None },
        Err(failure) => ActionResult { name, session: None, posture: None, error: Some(ErrorBody::from(&failure)) },
    }
}
