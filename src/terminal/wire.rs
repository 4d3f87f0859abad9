//! What a manager and the supervisor of a session say to each other over a terminal: frames, each with a kind, a length and so
//! many bytes. The manager's peer is inside the sandbox: what it says is bounded and believed of its own screen alone.
//!
//! ```text
//! kind (1 byte) · length (4 bytes, big endian) · payload
//! ```

use serde::{Deserialize, Serialize};

use super::size::Size;

/// The longest payload: a command line with its arguments, or a piece of output.
pub const LONGEST: usize = 256 << 10;
/// Output travels in pieces of so much at most.
pub const PIECE: usize = 32 << 10;

const HEAD: usize = 5;

/// What a manager says first where it comes straight from outside of the sandbox, by no engine's exec. No frame begins so.
pub const GREETING: [u8; HEAD] = *b"D\0\0\0\0";
/// The answer to who does come from there; anyone else is told something else. Frames follow it.
pub const WELCOME: u8 = b'+';

/// What the manager says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// The first word: what this connection is for.
    Want(Want),
    /// What was typed.
    Input(Vec<u8>),
    /// The operator's terminal has another size.
    Resize(Size),
}

/// What a connection is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Want {
    /// A new terminal with this in it, and to be attached to it.
    Open {
        /// Command and arguments; none for the session's shell.
        command: Vec<String>,
        /// `KEY=VALUE`, beside the session's own.
        env: Vec<String>,
        /// Where it starts; empty for the session's own folder.
        working_dir: String,
        /// How large it is born.
        size: Size,
    },
    /// To be attached to one that is there.
    Attach {
        /// Which.
        id: u32,
        /// How large the operator's terminal is; `None` leaves the size as it is.
        size: Option<Size>,
    },
    /// To know how long the session has left; then, on the same connection, perhaps to renew it.
    Life,
    /// To move its deadline: the second word after [`Want::Life`].
    Renew {
        /// So many seconds from now; `None` for as many as at its start.
        ttl_s: Option<u64>,
        /// That whoever asks has the key, in hexadecimal: over the challenge that was told and what is asked.
        proof: String,
    },
    /// To know which there are.
    List,
    /// To end one: its processes get SIGHUP, as when a terminal is closed.
    End {
        /// Which.
        id: u32,
    },
}

/// What the supervisor says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Attached to this one; its screen follows.
    Attached(Held),
    /// The screen from its beginning: what was seen before does not count any more.
    Anew(Vec<u8>),
    /// What was written since.
    Output(Vec<u8>),
    /// The terminal is no more: the exit code of what ran in it.
    Ended(i32),
    /// Which terminals there are.
    List(Vec<Held>),
    /// How long the session has left.
    Life(Life),
    /// It cannot be done.
    Refused(Refusal),
}

/// A terminal that a supervisor holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its number: 0 is the session's own command.
    pub id: u32,
    /// What runs in it, from the sandbox's point of view.
    pub pid: i32,
    /// Command and arguments.
    pub command: Vec<String>,
    /// How large it is.
    pub size: Size,
    /// Since so many seconds.
    pub age_s: u64,
    /// Nobody typed and nothing was written for so many seconds.
    pub idle_s: u64,
    /// Attached to it now.
    pub clients: u32,
}

/// How long a session has left, as its supervisor keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Life {
    /// Until its deadline; `None` where it has none.
    pub left_s: Option<u64>,
    /// Nobody has used it for so long; `None` where that does not matter.
    pub idle_for_s: Option<u64>,
    /// After so long unused it is stopped.
    pub idle_s: Option<u64>,
    /// What a proof for renewing is made over; empty where nothing renews this run.
    pub challenge: String,
}

/// Why something cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Of which kind.
    pub why: Why,
    /// In words.
    pub message: String,
}

/// The kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// There is no such terminal.
    NotFound,
    /// There are as many as there can be.
    Full,
    /// It could not be started.
    Failed,
    /// What was said is not understood.
    Unclear,
    /// Whoever asks may not.
    Denied,
}

/// What was received is no frame of this protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what came is no terminal's frame: {0}")]
pub struct Garbled(pub &'static str);

impl Say {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Want(want) => json(b'W', want),
            Self::Input(bytes) => frame(b'I', bytes),
            Self::Resize(size) => json(b'R', size),
        }
    }

    fn decode(kind: u8, payload: Vec<u8>) -> Result<Self, Garbled> {
        match kind {
            b'W' => read(&payload).map(Self::Want),
            b'I' => Ok(Self::Input(payload)),
            b'R' => read(&payload).map(Self::Resize),
            _ => Err(Garbled("of no known kind")),
        }
    }
}

impl Told {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Attached(held) => json(b'A', held),
            Self::Anew(bytes) => frame(b'N', bytes),
            Self::Output(bytes) => frame(b'O', bytes),
            Self::Ended(code) => json(b'E', code),
            Self::List(held) => json(b'L', held),
            Self::Life(life) => json(b'T', life),
            Self::Refused(refusal) => json(b'X', refusal),
        }
    }

    fn decode(kind: u8, payload: Vec<u8>) -> Result<Self, Garbled> {
        match kind {
            b'A' => read(&payload).map(Self::Attached),
            b'N' => Ok(Self::Anew(payload)),
            b'O' => Ok(Self::Output(payload)),
            b'E' => read(&payload).map(Self::Ended),
            b'L' => read(&payload).map(Self::List),
            b'T' => read(&payload).map(Self::Life),
            b'X' => read(&payload).map(Self::Refused),
            _ => Err(Garbled("of no known kind")),
        }
    }
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + payload.len());
    bytes.push(kind);
    bytes.extend(u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend(payload);
    bytes
}

fn json(kind: u8, value: &impl Serialize) -> Vec<u8> {
    frame(kind, &serde_json::to_vec(value).unwrap_or_default())
}

fn read<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, Garbled> {
    serde_json::from_slice(payload).map_err(|_| Garbled("not what its kind says"))
}

/// Frames out of a stream of bytes, however it is cut.
#[derive(Debug, Default)]
pub struct Frames {
    kept: Vec<u8>,
    /// Where in it the next frame begins.
    at: usize,
}

impl Frames {
    /// Takes what came.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.kept.drain(..self.at);
            self.at = 0;
        }
        self.kept.extend_from_slice(bytes);
    }

    /// The manager's next frame, once it is whole.
    pub fn say(&mut self) -> Result<Option<Say>, Garbled> {
        self.next()?.map(|(kind, payload)| Say::decode(kind, payload)).transpose()
    }

    /// The supervisor's next frame, once it is whole.
    pub fn told(&mut self) -> Result<Option<Told>, Garbled> {
        self.next()?.map(|(kind, payload)| Told::decode(kind, payload)).transpose()
    }

    fn next(&mut self) -> Result<Option<(u8, Vec<u8>)>, Garbled> {
        let rest = &self.kept[self.at..];
        let Some((head, rest)) = rest.split_first_chunk::<HEAD>() else { return Ok(None) };
        let [kind, length @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(Garbled("longer than any"));
        }
        let Some(payload) = rest.get(..length) else { return Ok(None) };
        let payload = payload.to_vec();
        self.at += HEAD + length;
        Ok(Some((kind, payload)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let said = [
            Say::Want(Want::Open { command: vec!["vim".into()], env: vec![], working_dir: String::new(), size: Size::new(80, 24) }),
            Say::Input(vec![0, 3, 255]),
            Say::Resize(Size::new(100, 40)),
            Say::Input(Vec::new()),
        ];
        let bytes: Vec<u8> = said.iter().flat_map(Say::encode).collect();
        for piece in [1, 2, 7, bytes.len()] {
            let mut frames = Frames::default();
            let mut got = Vec::new();
            for part in bytes.chunks(piece) {
                frames.push(part);
                while let Some(say) = frames.say().unwrap() {
                    got.push(say);
                }
            }
            assert_eq!(got, said, "in pieces of {piece}");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused_before_it_takes_room() {
        let mut frames = Frames::default();
        frames.push(b"O\xff\xff\xff\xff");
        assert!(frames.told().is_err());
        let mut frames = Frames::default();
        frames.push(&frame(b'?', b""));
        assert!(frames.told().is_err());
        let mut frames = Frames::default();
        frames.push(&frame(b'E', b"\"no code\""));
        assert!(frames.told().is_err());
    }
}
