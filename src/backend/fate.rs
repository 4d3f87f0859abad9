//! What became of a session while a command ran in it: the end of the session ends the command with SIGKILL and no word, and who started it
//! sees no more than that.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use super::Backend;
use super::engine::WaitFor;
use super::limits::of_facts;
use super::renew::spans_of;
use crate::failure::Code;
use crate::kernel::is_alive;
use crate::session::{ContainerFacts, Kind, Limit, Limits, Session};
use crate::supervisor::EXIT_TIMEOUT;

/// For the engine to note an end that the kernel shows already.
const NOTED_WITHIN: Duration = Duration::from_secs(30);
/// For the end of a session whose first process cannot be seen from here: until then it may end, or go on.
const SEEN_WITHIN: Duration = Duration::from_secs(1);
/// For the end of a session to which a connection broke: its supervisor ends a moment before it does.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// Between two looks while it is waited for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The run of a session in which a command was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    session: Session,
    started: Option<Timestamp>,
    /// Its first process, where that is this machine's.
    first: Option<u32>,
}

/// How the command was parted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It was killed.
    Killed,
    /// The connection to it broke.
    Lost,
}

/// What became of the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fate {
    /// In a word.
    pub state: Became,
    /// How its own command ended, where it did.
    pub exit_code: Option<i64>,
    /// What it ran into.
    pub limits: Limits,
    /// In words, a line each.
    pub said: Vec<String>,
}

/// What became of it, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Became {
    /// It goes on, and ran into a limit.
    Running,
    /// It ended.
    Ended,
    /// It ended, and was started again.
    Restarted,
    /// It is gone.
    Removed,
}

impl Within {
    /// The run that these facts are of.
    pub(crate) fn of(session: Session, facts: &ContainerFacts) -> Self {
        let first = facts.pid.filter(|pid| is_alive(*pid, &facts.id));
        Self { session, started: facts.started, first }
    }

    fn goes_on(&self, facts: &ContainerFacts) -> bool {
        facts.status.is_some_and(crate::session::Status::is_live) && facts.started == self.started
    }
}

impl Fate {
    /// Whether what ran in the session was ended with it.
    pub fn is_over(&self) -> bool {
        self.state != Became::Running
    }
}

impl Backend {
    /// Asks what became of a session in which a command was cut short; `None` where nothing did, or the engine does not say.
    pub async fn fate(&self, within: &Within, cut: Cut) -> Option<Fate> {
        let id = &within.session.container_id;
        let mut facts = self.inspected(id).await?;
        if facts.as_ref().is_some_and(|facts| within.goes_on(facts)) {
            // The kernel ends what runs in a session before its first process, and the engine notes that last.
            // Asked each time: the first process may end while it is waited for.
            let patience = || match (cut, within.first.map(|first| is_alive(first, id))) {
                (Cut::Killed, Some(true)) => Duration::ZERO,
                (_, Some(false)) => NOTED_WITHIN,
                (Cut::Killed, None) => SEEN_WITHIN,
                (Cut::Lost, _) => ENDS_WITHIN,
            };
            let began = Instant::now();
            while facts.as_ref().is_some_and(|facts| within.goes_on(facts))
                && let Some(left) = patience().checked_sub(began.elapsed())
                && !left.is_zero()
            {
                // One that was started again meanwhile would be waited for until it ends once more.
                let a_while = LOOK_AGAIN.min(left);
                let waited = tokio::time::timeout(a_while, self.engine.wait(id, WaitFor::NotRunning)).await;
                facts = self.inspected(id).await?;
                if let Ok(Err(_)) = waited {
                    break;
                }
            }
        }
        match facts {
            Some(facts) if within.goes_on(&facts) => {
                let read = self.limit_readings(vec![id.clone()]).await.remove(id)?.ok()?;
                let hits = read.hits().into_iter().filter(|hit| hit.limit == Limit::Memory).collect();
                running(&within.session, Limits { hits, unknown: None })
            }
            facts => Some(over(&within.session, facts.as_ref())),
        }
    }

    /// The engine's facts; nothing inside where the container is gone.
    async fn inspected(&self, container: &str) -> Option<Option<ContainerFacts>> {
        match self.engine.inspect(container).await {
            Ok(facts) => Some(Some(facts)),
            Err(failure) if failure.code == Code::NotFound => Some(None),
            Err(_) => None,
        }
    }
}

fn running(session: &Session, limits: Limits) -> Option<Fate> {
    let name = &session.name;
    let said: Vec<String> =
        limits.hits.iter().map(|hit| format!("'{name}' goes on, and ran into this since its start: {}", hit.sentence())).collect();
    (!said.is_empty()).then_some(Fate { state: Became::Running, exit_code: None, limits, said })
}

fn over(session: &Session, facts: Option<&ContainerFacts>) -> Fate {
    let name = &session.name;
    let fate = |state, text: String| Fate { state, exit_code: None, limits: Limits::default(), said: vec![text] };
    let Some(facts) = facts else {
        return fate(
            Became::Removed,
            match session.kind {
                Kind::Ephemeral => format!("'{name}' ended or was removed while the command ran: 'palisade evidence {name}' tells how"),
                Kind::Persistent => format!("'{name}' was removed while the command ran"),
            },
        );
    };
    let Some(exit) = &facts.exit else {
        return fate(Became::Restarted, format!("'{name}' was restarted while the command ran"));
    };
    let mut hits = of_facts(facts);
    hits.retain(|hit| hit.limit != Limit::Restart);
    let how = match exit.code {
        130 | 143 => format!("'{name}' was stopped ({})", exit.code),
        137 => format!("'{name}' was killed (137)"),
        code => format!("'{name}' has ended ({code})"),
    };
    let said = match &hits[..] {
        [] => {
            let bounds = time(facts).filter(|_| exit.code == i64::from(EXIT_TIMEOUT));
            let why = bounds.map_or_else(String::new, |bounds| format!(": its time was over, by {bounds}"));
            vec![format!("{how} while the command ran{why}; 'palisade start {name}' begins it anew")]
        }
        hits => hits.iter().map(|hit| format!("{how} while the command ran: {}", hit.sentence())).collect(),
    };
    Fate { state: Became::Ended, exit_code: Some(exit.code), limits: Limits { hits, unknown: None }, said }
}

/// What bounds its time, beside a command's own timeout.
fn time(facts: &ContainerFacts) -> Option<String> {
    let (ttl, idle) = spans_of(facts);
    let ttl = (ttl.get() > 0).then(|| format!("--ttl ({ttl} unless renewed)"));
    let all: Vec<String> = ttl.into_iter().chain((idle.get() > 0).then(|| format!("--idle ({idle})"))).collect();
    (!all.is_empty()).then(|| all.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{ExitFacts, Status, labels};
    use crate::units::{SessionId, Untrusted};

    fn session(kind: Kind) -> Session {
        Session {
            id: SessionId::NIL,
            name: "web".parse().unwrap(),
            kind,
            profile: "default".into(),
            status: Status::Running,
            status_text: "Up 5 minutes".into(),
            created: Timestamp::UNIX_EPOCH,
            image: "i".into(),
            command: "c".into(),
            container_id: "c0ffee".into(),
        }
    }

    fn ended(code: i64, command: &[&str], spans: &[(&str, &str)]) -> Fate {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let exit = Some(ExitFacts { code, finished: at(200), ..ExitFacts::default() });
        let command = command.iter().copied().map(Untrusted::from).collect();
        let labels = spans.iter().map(|(label, seconds)| ((*label).to_owned(), Untrusted::from(*seconds))).collect();
        over(&session(Kind::Persistent), Some(&ContainerFacts { exit, started: at(100), command, labels, ..ContainerFacts::default() }))
    }

    #[test]
    fn an_end_is_told_with_what_brought_it_about() {
        let said = |fate: Fate| fate.said.join("\n");
        let anew = "; 'palisade start web' begins it anew";
        assert_eq!(
            said(ended(122, &["/p", "supervise", "--disk-hard", "4194304", "--", "x"], &[])),
            "'web' has ended (122) while the command ran: disk: its files took more room than they may, and it is stopped, at the limit of 4 MiB; --disk-hard sets the limit"
        );
        assert_eq!(
            said(ended(124, &["/p", "supervise", "--timeout", "60", "--", "x"], &[])),
            "'web' has ended (124) while the command ran: timeout: it ran for longer than it may, at the limit of 60 s; --timeout sets the limit"
        );
        assert_eq!(
            said(ended(124, &[], &[(labels::TTL, "3600"), (labels::IDLE, "60")])),
            format!("'web' has ended (124) while the command ran: its time was over, by --ttl (1h unless renewed) or --idle (1m){anew}")
        );
        assert_eq!(said(ended(124, &[], &[])), format!("'web' has ended (124) while the command ran{anew}"));
        assert_eq!(said(ended(143, &[], &[])), format!("'web' was stopped (143) while the command ran{anew}"));
        assert_eq!(said(ended(137, &[], &[])), format!("'web' was killed (137) while the command ran{anew}"));
    }

    #[test]
    fn one_that_is_gone_or_runs_again_is_told_as_that() {
        let gone = |kind| over(&session(kind), None);
        assert_eq!((gone(Kind::Persistent).state, gone(Kind::Persistent).exit_code), (Became::Removed, None));
        assert!(gone(Kind::Ephemeral).said[0].contains("palisade evidence web"));
        let again = over(&session(Kind::Persistent), Some(&ContainerFacts::default()));
        assert!(again.state == Became::Restarted && again.is_over());
        assert_eq!(running(&session(Kind::Persistent), Limits::default()), None, "nothing became of it");
    }
}
