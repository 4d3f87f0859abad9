//! The terminals that a session's supervisor holds: opened, listed, taken up again and ended. They are the session's, not ours: they
//! outlive whoever looks at them.

use std::time::Duration;

use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use serde::Serialize;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::engine::{Attached, ExecRequest, Input, OutputKind, OutputStream};
use super::measure::requested_of;
use super::{Backend, Within};
use crate::failure::{Code, Failure, Result};
use crate::policy::plan::SUPERVISOR;
use crate::session::{ContainerFacts, Session};
use crate::state::sessions::Use;
use crate::terminal::Grants;
use crate::terminal::wire::{Frames, Held, Refusal, Say, Told, Want, Why};
use crate::units::sanitise;

/// What an end without an answer said on its standard error, at most.
const LONGEST_LAST_WORDS: usize = 1024;
/// For a supervisor's answer: a session may have next to no CPU time.
pub(super) const ANSWERING: Duration = Duration::from_secs(20);
/// Characters of a terminal's command that are written down.
const LONGEST_COMMAND: usize = 200;

/// A terminal that is attached to. Dropped, it is left; what runs in it goes on.
pub struct Terminal {
    /// Which, as its session says.
    pub held: Held,
    /// What the session may do beside drawing, by its profile.
    pub grants: Grants,
    /// What is seen: [`Told::Anew`], [`Told::Output`] and at last [`Told::Ended`]. An end without that is a lost connection.
    pub output: BoxStream<'static, Result<Told>>,
    /// What is typed.
    pub input: Typing,
    /// Where it is.
    pub within: Within,
}

/// What is typed into a terminal.
pub struct Typing(Input);

impl Typing {
    /// Sends keys.
    pub async fn keys(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.say(&Say::Input(bytes.to_vec())).await
    }

    /// Tells how large the operator's terminal is now.
    pub async fn resize(&mut self, size: crate::terminal::Size) -> std::io::Result<()> {
        self.say(&Say::Resize(size)).await
    }

    async fn say(&mut self, say: &Say) -> std::io::Result<()> {
        self.0.write_all(&say.encode()).await?;
        self.0.flush().await
    }
}

impl Backend {
    /// Opens a terminal in a live session ([`Want::Open`]), or takes up one that is there ([`Want::Attach`]).
    pub async fn terminal(&self, who: &str, want: Want) -> Result<Terminal> {
        let mut asked = self.ask_supervisor(who, want).await?;
        match asked.answer().await? {
            Some(Told::Attached(held)) => {
                self.used(&asked.session, Use::Attach).await;
                self.record("attach", &asked.session, json!({ "terminal": held.id, "command": clipped(&held.command), "way": asked.way }));
                let (grants, within) = (grants_of(&asked.facts), Within::of(asked.session, &asked.facts));
                Ok(Terminal { held, grants, output: asked.told, input: Typing(asked.input), within })
            }
            other => Err(unexpected(asked.session.name.as_str(), other)),
        }
    }

    /// The terminals of a live session; one with the number 0 is its own command's.
    pub async fn terminals(&self, who: &str) -> Result<Vec<Held>> {
        let mut asked = self.ask_supervisor(who, Want::List).await?;
        match asked.answer().await? {
            Some(Told::List(held)) => Ok(held),
            other => Err(unexpected(asked.session.name.as_str(), other)),
        }
    }

    /// Ends a terminal: what runs in it is hung up on.
    pub async fn end_terminal(&self, who: &str, id: u32) -> Result<()> {
        let mut asked = self.ask_supervisor(who, Want::End { id }).await?;
        // What runs in it has the session's grace to end in.
        match asked.told.try_next().await? {
            Some(Told::Ended(_)) => {
                self.record("end_terminal", &asked.session, json!({ "terminal": id }));
                Ok(())
            }
            other => Err(unexpected(asked.session.name.as_str(), other)),
        }
    }

    /// What a session may do to the operator's terminal beside drawing.
    pub async fn grants(&self, who: &str) -> Result<Grants> {
        let session = self.find(who).await?;
        let facts = self.engine.inspect(&session.container_id).await?;
        Ok(grants_of(&facts))
    }

    pub(super) async fn ask_supervisor(&self, who: &str, want: Want) -> Result<Asked> {
        let (session, facts) = self.running(who).await?;
        let (way, Attached { output, input }) = match self.directly(&session, &facts).await? {
            Some(attached) => (Way::Direct, attached),
            None => (Way::Engine, self.by_exec(&session).await?),
        };
        let mut typing = Typing(input);
        // A peer that is gone already says why in what it wrote.
        let _ = typing.say(&Say::Want(want)).await;
        // Whoever asked may have named it by its id.
        let told = told(session.name.to_string(), output);
        Ok(Asked { session, facts, way, told, input: typing.0 })
    }

    async fn by_exec(&self, session: &Session) -> Result<Attached> {
        let request = ExecRequest { command: [SUPERVISOR, "terminal"].map(str::to_owned).to_vec(), stdin: true, ..ExecRequest::default() };
        let (_, attached) = self.engine.exec(&session.container_id, &request).await?;
        Ok(attached)
    }
}

fn grants_of(facts: &ContainerFacts) -> Grants {
    requested_of(facts).map(|requested| requested.terminal).unwrap_or_default()
}

/// By which a supervisor was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    /// From this process to it.
    Direct,
    /// By an exec of the engine's.
    Engine,
}

pub(super) struct Asked {
    session: Session,
    facts: ContainerFacts,
    way: Way,
    pub told: BoxStream<'static, Result<Told>>,
    input: Input,
}

impl Asked {
    /// Waits for a word that needs nothing but a supervisor that works.
    pub async fn answer(&mut self) -> Result<Option<Told>> {
        match tokio::time::timeout(ANSWERING, self.told.try_next()).await {
            Ok(told) => told,
            Err(_) => Err(unanswered(self.session.name.as_str())),
        }
    }

    /// Asks for something more.
    pub async fn ask(&mut self, want: Want) -> std::io::Result<()> {
        self.input.write_all(&Say::Want(want).encode()).await?;
        self.input.flush().await
    }
}

/// Frames out of the engine's output, the first failure last.
fn told(who: String, output: OutputStream) -> BoxStream<'static, Result<Told>> {
    struct Reading {
        who: String,
        output: OutputStream,
        frames: Frames,
        /// What stood where the first frame should.
        first_words: Vec<u8>,
        last_words: Vec<u8>,
        spoke: bool,
    }
    let (first_words, last_words) = (Vec::new(), Vec::new());
    let reading = Reading { who, output, frames: Frames::default(), first_words, last_words, spoke: false };
    stream::unfold(Some(reading), |reading| async move {
        let mut reading = reading?;
        loop {
            match reading.frames.told() {
                Ok(Some(told)) => {
                    reading.spoke = true;
                    return Some((Ok(told), Some(reading)));
                }
                Err(_) if !reading.spoke && is_the_engines(&reading.first_words) => {
                    while reading.first_words.len() < LONGEST_LAST_WORDS
                        && let Some(Ok(piece)) = reading.output.next().await
                    {
                        keep(&mut reading.first_words, &piece.bytes);
                    }
                    return Some((Err(cannot_run(&reading.who, &reading.first_words)), None));
                }
                Err(garbled) => return Some((Err(Failure::new(Code::EngineError, format!("'{}': {garbled}", reading.who))), None)),
                Ok(None) => {}
            }
            match reading.output.next().await {
                Some(Ok(piece)) if piece.kind == OutputKind::Stdout => {
                    if !reading.spoke {
                        keep(&mut reading.first_words, &piece.bytes);
                    }
                    reading.frames.push(&piece.bytes);
                }
                Some(Ok(piece)) => keep(&mut reading.last_words, &piece.bytes),
                Some(Err(failure)) => return Some((Err(failure), None)),
                None if reading.spoke => return None,
                None if is_the_engines(&reading.first_words) => return Some((Err(cannot_run(&reading.who, &reading.first_words)), None)),
                None => return Some((Err(no_terminals(&reading.who, &reading.last_words)), None)),
            }
        }
    })
    .boxed()
}

fn keep(words: &mut Vec<u8>, bytes: &[u8]) {
    let room = LONGEST_LAST_WORDS.saturating_sub(words.len());
    words.extend_from_slice(&bytes[..room.min(bytes.len())]);
}

/// Whether the engine, which could not begin what was to speak, speaks in its place.
fn is_the_engines(words: &[u8]) -> bool {
    // 'OCI runtime exec failed', 'cannot exec': as much of it as a frame's head is long.
    words.starts_with(b"OCI r") || words.starts_with(b"canno")
}

fn cannot_run(who: &str, words: &[u8]) -> Failure {
    let words = sanitise(String::from_utf8_lossy(words).trim());
    // As the kernel says it, and as the C library does.
    let message = if words.to_ascii_lowercase().contains("resource temporarily unavailable") {
        format!("'{who}' can begin no process more: those that run are as many as its pids_limit lets it have")
    } else {
        format!("the engine cannot begin a terminal in '{who}'")
    };
    Failure::new(Code::Refused, message).detail(format!("the engine says: {words}"))
}

fn no_terminals(who: &str, last_words: &[u8]) -> Failure {
    let failure = Failure::new(Code::Refused, format!("'{who}' holds no terminals"))
        .hint(format!("a session that an older palisade launched does not; this works there: palisade exec -it {who} -- sh"));
    match sanitise(String::from_utf8_lossy(last_words).trim()) {
        words if words.is_empty() => failure,
        words => failure.detail(format!("its supervisor says: {words}")),
    }
}

/// A process of the session runs as its supervisor's user, and may stop it; it cannot stop what ends the session in time.
pub(super) fn unanswered(who: &str) -> Failure {
    Failure::new(Code::Conflict, format!("the supervisor of '{who}' does not answer"))
        .detail(format!("waited for {} s; a process of the session may have stopped it, or leaves it no CPU time", ANSWERING.as_secs()))
        .hint(format!("this works without it: palisade exec -it {who} -- sh; it begins anew with: palisade restart {who}"))
}

pub(super) fn unexpected(who: &str, told: Option<Told>) -> Failure {
    match told {
        Some(Told::Refused(Refusal { why, message })) => {
            let code = match why {
                Why::NotFound => Code::NotFound,
                Why::Full | Why::Failed | Why::Unclear | Why::Denied => Code::Refused,
            };
            Failure::new(code, format!("'{who}': {}", sanitise(&message)))
        }
        Some(_) => Failure::new(Code::EngineError, format!("'{who}' answers something else than it was asked")),
        None => no_terminals(who, &[]),
    }
}

/// A command as the session gives it, which may be of any length.
fn clipped(command: &[String]) -> String {
    command.iter().flat_map(|word| word.chars().chain([' '])).take(LONGEST_COMMAND).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::backend::engine::Output;

    fn heard(pieces: &[(OutputKind, &[u8])]) -> BoxStream<'static, Result<Told>> {
        let pieces: Vec<_> = pieces.iter().map(|(kind, bytes)| Ok(Output { kind: *kind, bytes: Bytes::copy_from_slice(bytes) })).collect();
        told("web".to_owned(), stream::iter(pieces).boxed())
    }

    #[tokio::test]
    async fn a_session_of_an_older_program_is_told_by_its_words_and_what_works_there_is_said() {
        let words: &[u8] = b"error: unrecognized subcommand 'terminal'\n\x1b]0;x\x07";
        let failure = heard(&[(OutputKind::Stderr, words)]).try_next().await.unwrap_err();
        assert_eq!((failure.code, failure.message.as_str()), (Code::Refused, "'web' holds no terminals"));
        assert!(failure.details[0].contains("unrecognized subcommand") && !failure.to_string().contains('\x1b'), "{failure}");
        assert!(failure.hint.unwrap().ends_with("palisade exec -it web -- sh"));
    }

    #[tokio::test]
    async fn an_engine_that_speaks_where_a_frame_should_stand_is_heard() {
        let full: &[u8] = b"OCI runtime exec failed: exec failed: unable to start container process: fork/exec /proc/self/exe: resource temporarily unavailable\r\n";
        let failure = heard(&[(OutputKind::Stdout, &full[..9]), (OutputKind::Stdout, &full[9..])]).try_next().await.unwrap_err();
        assert!(failure.code == Code::Refused && failure.message.contains("pids_limit"), "{failure}");
        assert!(failure.details[0].contains("fork/exec"), "{failure}");
        let failure = heard(&[(OutputKind::Stdout, b"OCI runtime exec failed: \x1b[2Jno\r\n")]).try_next().await.unwrap_err();
        assert!(failure.message.contains("cannot begin a terminal") && !failure.to_string().contains('\x1b'), "{failure}");
        let failure = heard(&[(OutputKind::Stdout, b"not a frame")]).try_next().await.unwrap_err();
        assert_eq!(failure.code, Code::EngineError);
    }

    #[tokio::test]
    async fn a_connection_that_is_lost_after_a_word_is_just_over() {
        let frame = Told::Output(b"x".to_vec()).encode();
        let mut told = heard(&[(OutputKind::Stdout, &frame[..3]), (OutputKind::Stderr, b"noise"), (OutputKind::Stdout, &frame[3..])]);
        assert_eq!(told.try_next().await.unwrap(), Some(Told::Output(b"x".to_vec())));
        assert_eq!(told.try_next().await.unwrap(), None);
    }
}
