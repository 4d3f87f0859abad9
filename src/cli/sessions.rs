//! The commands about sessions that are there.

use std::path::PathBuf;

use clap::Args;

use super::attaching::Showing;
use super::log_part::LogPart;
use super::words::{KindWord, StatusWord};
use crate::failure::{Code, Failure, Result};
use crate::headless::copy::Way;
use crate::units::{Bytes, Seconds};

/// List the sessions of this engine, running or not
#[derive(Debug, Args)]
#[command(visible_aliases = ["list", "ps"], after_long_help = "\
Examples:
  palisade ls
  palisade ls --posture                 with how many controls are in force, measured now
  palisade ls --kind ephemeral --status running
  palisade rm -f $(palisade ls -q --status exited)")]
pub(super) struct Ls {
    /// Only sessions of this kind
    #[arg(long, value_enum, value_name = "KIND")]
    pub kind: Option<KindWord>,

    /// Only sessions with this status (repeatable)
    #[arg(long, value_enum, value_name = "STATUS")]
    pub status: Vec<StatusWord>,

    /// Measure each session and show how many controls are enforced
    #[arg(long)]
    pub posture: bool,

    /// Show commands and images in full
    #[arg(long)]
    pub no_trunc: bool,
}

/// Show everything about a session: what the engine reports, and its posture measured now
#[derive(Debug, Args)]
#[command(
    visible_alias = "show",
    after_long_help = "\
Examples:
  palisade inspect web
  palisade inspect web --json | jq .container.mounts"
)]
pub(super) struct Inspect {
    /// Session by name, id, or the beginning of its id
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Measure what is in force: for each control what was requested, what the engine reports, what the kernel shows
///
/// The kernel's side covers every process in the container, not only the first. A privileged or root exec, a process
/// put in from outside, and a limit changed behind our back all show.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade verify web
  palisade verify                        every session
  palisade verify --all --json | jq '.verified[] | select(.weaker) | .session.name'

Exit codes:
  0 every control holds, or cannot be read (the reason is shown)
  5 a control is weaker than requested, or missing")]
pub(super) struct Verify {
    /// Sessions by name or id; all of them where absent
    #[arg(value_name = "NAME", conflicts_with = "all")]
    pub names: Vec<String>,

    /// Every session
    #[arg(short, long)]
    pub all: bool,

    /// Show controls that hold, too, where several sessions are verified
    #[arg(long)]
    pub full: bool,
}

/// Run a command in a running session
///
/// It has the session's own user and rights: there is no way to ask for more. Input, output and exit code are passed as
/// for 'run'. The engine has no way to signal such a command: on SIGINT, SIGTERM or SIGHUP its input is closed and this
/// program ends with 128 and the number of the signal; the command itself goes on until it ends or the session stops.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade exec web -- pytest -q
  palisade exec web -w /workspace/api -e CI=1 -- make test
  palisade exec web -- cat /etc/os-release
  palisade exec -it web -- python3
  echo 'print(1)' | palisade exec web -- python3 -

Exit codes:
  the command's own; 125 when the fault is ours, 126 when the command cannot
  be executed, 127 when it is not found, 137 when it was killed: standard error
  says so where the session ended. Before the command begins also 2 (usage),
  3 (no engine answers) and 4 (refused).")]
pub(super) struct Exec {
    /// Session by name or id
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Pass input on; it always is, and this is taken for docker's sake
    #[arg(short, long)]
    pub interactive: bool,

    /// In a terminal, shown at yours
    #[arg(short, long)]
    pub tty: bool,

    /// Environment variable; without '=VALUE' yours is passed on (repeatable)
    #[arg(short, long, value_name = "KEY[=VALUE]")]
    pub env: Vec<String>,

    /// Working directory inside [default: the session's]
    #[arg(short, long, value_name = "DIR")]
    pub workdir: Option<String>,

    #[command(flatten)]
    pub showing: Showing,

    /// Command and arguments
    #[arg(trailing_var_arg = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Show what a session has printed
///
/// Output and errors stay apart: each goes where the command wrote it. On a terminal, control characters are written out.
/// With --search only the lines with a match are shown; of a line longer than 64 KiB each such part counts as a line.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade logs web
  palisade logs -f --tail 20 web
  palisade logs -f -i --search 'error|panic' web
  palisade logs --since 10m -t web
  palisade logs --since 2026-01-31T08:00:00Z --until 2026-01-31T09:00:00Z web")]
pub(super) struct Logs {
    /// Session by name or id
    #[arg(value_name = "NAME")]
    pub name: String,

    #[command(flatten)]
    pub part: LogPart,

    /// Only lines that this regular expression matches; --tail counts the lines that are searched
    #[arg(long, value_name = "PATTERN")]
    pub search: Option<String>,

    /// Search without regard to upper and lower case
    #[arg(short, long, requires = "search")]
    pub ignore_case: bool,

    /// Pass control characters to the terminal as they are; what a sandbox prints can then act on it
    #[arg(long)]
    pub raw: bool,
}

/// Copy files into a session or out of it
///
/// One of the two is NAME:PATH with an absolute path inside. What comes out is judged as hostile: links that lead outside,
/// devices and sockets are left out and named, and more than --max-size is refused. A local path with a ':' in it is
/// written with './' or '/' before it.
///
/// '-' in place of the local path is a tar archive: of PATH to standard output, or from standard input into a folder that is there.
/// It is made anew from what is harmless in it, with links that stay inside, no set-id bits and one owner, so that it can be unpacked
/// anywhere. One that is not finished ends with a failure.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade cp ./data web:/home/sandbox
  palisade cp web:/home/sandbox/report.html .
  palisade cp --max-size 10GiB web:/workspace/out ./out
  palisade cp web:/workspace - | tar t
  palisade cp web:/workspace - | palisade cp - other:/home/sandbox
  tar c src | palisade cp - web:/home/sandbox")]
pub(super) struct Cp {
    /// NAME:PATH, a local path, or '-' for an archive from standard input
    #[arg(value_name = "SRC")]
    pub source: String,

    /// NAME:PATH, a local path, or '-' for an archive to standard output
    #[arg(value_name = "DST")]
    pub destination: String,

    /// The most that comes out of a session, or by an archive; for each 4 KiB of it one file or folder, 1000 of them at least
    #[arg(long, value_name = "SIZE", default_value = "1GiB")]
    pub max_size: Bytes,
}

/// Stop sessions: SIGTERM, their grace, SIGKILL
///
/// A persistent session stays, home and all, and can be started again. An ephemeral one is removed.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade stop web
  palisade stop --grace 0 web api
  palisade stop $(palisade ls -q --status running)")]
pub(super) struct Stop {
    /// Sessions by name or id
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,

    /// Between SIGTERM and SIGKILL [default: the session's own]
    #[arg(short, long, value_name = "TIME")]
    pub grace: Option<Seconds>,
}

/// Start stopped sessions again, and measure them as at launch
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade start web
  API_TOKEN=… palisade start --secret TOKEN=API_TOKEN api

Secrets are read again from the variables named at launch; --secret says otherwise.")]
pub(super) struct Start {
    /// Sessions by name or id
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,

    /// Secret, as at launch (repeatable)
    #[arg(long, value_name = "NAME[=ENV]")]
    pub secret: Vec<String>,
}

/// Stop sessions and start them again, measured as at launch
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade restart web
  palisade restart --grace 0 web api")]
pub(super) struct Restart {
    /// Sessions by name or id
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,

    /// Between SIGTERM and SIGKILL [default: the session's own]
    #[arg(short, long, value_name = "TIME")]
    pub grace: Option<Seconds>,

    /// Secret, as at launch (repeatable)
    #[arg(long, value_name = "NAME[=ENV]")]
    pub secret: Vec<String>,
}

/// Remove sessions with their volumes
///
/// A session that runs is removed only with --force. The workspace is yours and is not touched.
#[derive(Debug, Args)]
#[command(
    visible_alias = "remove",
    after_long_help = "\
Examples:
  palisade rm web
  palisade rm -f web api
  palisade rm $(palisade ls -q --status exited)"
)]
pub(super) struct Rm {
    /// Sessions by name or id
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,

    /// Kill what runs, and do not mind what is already gone
    #[arg(short, long)]
    pub force: bool,
}

impl Cp {
    /// One end inside, with an absolute path, and one here.
    pub fn way(&self) -> Result<Way> {
        let max_size = self.max_size;
        let wrong = match (End::parse(&self.source), End::parse(&self.destination)) {
            (End::Inside { .. }, End::Inside { .. }) => "both are in a session",
            (End::Inside { path, .. }, _) | (_, End::Inside { path, .. }) if !path.starts_with('/') => "the path inside is not absolute",
            (End::Local(local), End::Inside { name: who, path: inside }) => return Ok(Way::In { local, who, inside }),
            (End::Inside { name: who, path: inside }, End::Local(local)) => {
                return Ok(Way::Out { who, inside, local, max_size });
            }
            (End::Stream, End::Inside { name: who, path: inside }) => return Ok(Way::Unpacked { who, inside, max_size }),
            (End::Inside { name: who, path: inside }, End::Stream) => return Ok(Way::Packed { who, inside, max_size }),
            (End::Local(_) | End::Stream, End::Local(_) | End::Stream) => "neither is in a session",
        };
        Err(Failure::new(Code::Usage, format!("cannot copy '{}' to '{}': {wrong}", self.source, self.destination))
            .hint("one of the two is NAME:/PATH, the other a path of this machine or '-'; write ./a:b for a local name with a colon"))
    }
}

/// Either end of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Inside {
        name: String,
        path: String,
    },
    Local(PathBuf),
    /// An archive, by standard input or output.
    Stream,
}

impl End {
    /// `-`; `NAME:PATH` unless what stands before the colon holds a `/`, begins with a `.`, or is nothing.
    fn parse(text: &str) -> Self {
        if text == "-" {
            return Self::Stream;
        }
        match text.split_once(':') {
            Some((name, path)) if !name.is_empty() && !name.contains('/') && !name.starts_with('.') => {
                Self::Inside { name: name.to_owned(), path: path.to_owned() }
            }
            _ => Self::Local(PathBuf::from(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(source: &str, destination: &str) -> Result<Way> {
        Cp { source: source.into(), destination: destination.into(), max_size: Bytes::gib(1) }.way()
    }

    #[test]
    fn a_colon_makes_an_end_inside_unless_a_slash_comes_first() {
        assert_eq!(way("./a:b", "web:/tmp/x"), Ok(Way::In { local: "./a:b".into(), who: "web".into(), inside: "/tmp/x".into() }));
        let out = Way::Out { who: "web".into(), inside: "/x".into(), local: ".".into(), max_size: Bytes::gib(1) };
        assert_eq!(way("web:/x", "."), Ok(out));
        let (who, inside, max_size) = ("web".to_owned(), "/x".to_owned(), Bytes::gib(1));
        assert_eq!(way("-", "web:/x"), Ok(Way::Unpacked { who: who.clone(), inside: inside.clone(), max_size }));
        assert_eq!(way("web:/x", "-"), Ok(Way::Packed { who, inside, max_size }));
        for local in ["./web:/tmp", "/a:b", "plain", ":x", "../a:b", ".", "./-"] {
            assert_eq!(End::parse(local), End::Local(local.into()), "{local}");
        }
    }

    #[test]
    fn a_copy_that_is_none_is_a_usage_error_that_says_why() {
        for (source, destination, why) in [
            ("a", "b", "neither"),
            ("-", "-", "neither"),
            ("a:/x", "b:/y", "both"),
            ("a", "web:x", "not absolute"),
            ("web:", "-", "not absolute"),
        ] {
            let failure = way(source, destination).unwrap_err();
            assert!(failure.code == Code::Usage && failure.message.contains(why), "{failure}");
        }
    }
}
