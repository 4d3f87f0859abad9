use std::io::{self, BufRead, Read};

use serde::Serialize;

use super::chain::{self, Link};
use super::head::Kept;

/// A line at most: a launch is written down with its whole plan.
const LONGEST: u64 = 16 << 20;
/// Faults that are listed one by one.
const LISTED: usize = 100;

/// Whether a log holds together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Where its chain ends, as far as it was read.
    pub end: Link,
    /// What is wrong, in order; a hundred at most.
    pub faults: Vec<Fault>,
}

/// Something that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The line where it shows, from 1; one past the last for what is missing at the end.
    pub line: u64,
    /// Of which kind.
    pub kind: FaultKind,
}

/// The ways in which a log is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The line is not as it was written.
    Changed,
    /// The line is sound, but does not follow from the one before: lines were removed, added or moved here.
    Unlinked,
    /// Lines at the end are gone.
    Cut,
    /// Lines at the end were not written by an owner of the log.
    Added,
    /// The file that says where the log ends is not as it was written.
    Head,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

impl FaultKind {
    /// In words.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Changed => "the line is not as it was written",
            Self::Unlinked => "the line does not follow from the one before: lines were removed, added or moved here",
            Self::Cut => "lines are missing at the end",
            Self::Added => "more lines follow than were written",
            Self::Head => "the file that says where the log ends (audit.head) is damaged or gone",
        }
    }
}

/// Reads a log from its beginning.
pub fn verify(mut log: impl BufRead, head: Kept) -> io::Result<Verdict> {
    let mut verdict = Verdict { end: Link::default(), faults: Vec::new() };
    let (mut line, mut bytes) = (0, 0);
    // Whether what the next line has before it is known.
    let mut follows = true;
    let mut fault = |line, kind| {
        if verdict.faults.len() < LISTED {
            verdict.faults.push(Fault { line, kind });
        }
    };
    let mut end = Link::default();
    let mut text = Vec::new();
    let known = if let Kept::Head(head) = &head { head.link.entries } else { 0 };
    // How the log stands where its head says that it ends.
    let mut there = None;
    loop {
        text.clear();
        let read = log.by_ref().take(LONGEST).read_until(b'\n', &mut text)?;
        if read == 0 {
            break;
        }
        line += 1;
        bytes += read as u64;
        let entry = text.strip_suffix(b"\n").and_then(|text| std::str::from_utf8(text).ok()).and_then(chain::read);
        let Some((entry, hash)) = entry else {
            fault(line, FaultKind::Changed);
            // It may have been one entry: what follows is held to the number alone.
            end = Link { entries: end.entries + 1, hash: String::new() };
            follows = false;
            continue;
        };
        let is_next = entry.seq == end.entries + 1 && (entry.prev == end.hash || !follows);
        if !is_next {
            fault(line, FaultKind::Unlinked);
        }
        end = Link { entries: entry.seq, hash };
        follows = true;
        if end.entries == known {
            there = Some((bytes, end.hash.clone()));
        }
    }
    let is_sound = verdict.faults.is_empty();
    let at_end = match head {
        Kept::Nothing if line == 0 => None,
        Kept::Nothing | Kept::Damaged => Some((line + 1, FaultKind::Head)),
        Kept::Head(head) if head.link.entries > end.entries || head.length > bytes => Some((line + 1, FaultKind::Cut)),
        // One more than the head knows of is what a process leaves that is killed between the two.
        Kept::Head(head) if end.entries > head.link.entries + 1 => Some((head.link.entries + 1, FaultKind::Added)),
        // With a fault before, neither is what it was.
        Kept::Head(head) => (is_sound && there != Some((head.length, head.link.hash))).then_some((line + 1, FaultKind::Head)),
    };
    verdict.faults.extend(at_end.map(|(line, kind)| Fault { line, kind }));
    verdict.end = end;
    Ok(verdict)
}
