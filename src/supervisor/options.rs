use std::ffi::OsString;
use std::time::Duration;

use super::disk::Caps;

/// What `palisade supervise` is told on its command line, which the plan writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// How long the command may run.
    pub timeout: Option<Duration>,
    /// How long the session may run.
    pub ttl: Option<Duration>,
    /// How long nobody may use it.
    pub unused: Option<Duration>,
    /// How much its volumes may take.
    pub disk: Caps,
    /// Whether the command runs in a terminal.
    pub tty: bool,
    /// A terminal that nobody has used for so long ends; `None` for never.
    pub shell_idle: Option<Duration>,
    /// What the socket for terminals is called, where another name than the usual is wanted: outside of a sandbox, several supervisors
    /// share a network namespace.
    pub terminals: Option<String>,
    /// Command and arguments; empty to hold the session open with none.
    pub command: Vec<OsString>,
}

impl Options {
    /// Reads `[--grace S] [--timeout S] [--ttl S] [--unused S] [--disk-soft N] [--disk-hard N] [--disk-at FOLDER]… [--shell-idle S]
    /// [--terminals NAME] [--tty] (--idle | -- COMMAND…)`.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut args = args.into_iter();
        let mut options = Self {
            grace: Duration::from_secs(10),
            timeout: None,
            ttl: None,
            unused: None,
            disk: Caps::default(),
            tty: false,
            shell_idle: None,
            terminals: None,
            command: Vec::new(),
        };
        let mut idle = false;
        while let Some(arg) = args.next() {
            let mut number = |of: &str| {
                let value = args.next().ok_or_else(|| format!("{} needs a number of {of}", arg.display()))?;
                let number = value.to_str().and_then(|text| text.parse::<u64>().ok());
                number.ok_or_else(|| format!("{} takes whole {of}, not {}", arg.display(), value.display()))
            };
            let mut seconds = || number("seconds").map(Duration::from_secs);
            match arg.to_str() {
                Some("--grace") => options.grace = seconds()?,
                Some("--timeout") => options.timeout = Some(seconds()?),
                Some("--ttl") => options.ttl = Some(seconds()?),
                Some("--unused") => options.unused = Some(seconds()?),
                Some("--shell-idle") => options.shell_idle = Some(seconds()?).filter(|span| !span.is_zero()),
                Some("--disk-soft") => options.disk.soft = Some(number("bytes")?),
                Some("--disk-hard") => options.disk.hard = Some(number("bytes")?),
                Some("--disk-at") => options.disk.places.extend(args.next().map(Into::into)),
                Some("--terminals") => options.terminals = args.next().and_then(|name| name.into_string().ok()),
                Some("--tty") => options.tty = true,
                Some("--idle") => idle = true,
                Some("--") => {
                    options.command = args.collect();
                    break;
                }
                _ => return Err(format!("unknown option {}", arg.display())),
            }
        }
        if options.command.is_empty() != idle {
            return Err("give either --idle or -- COMMAND".to_owned());
        }
        if options.tty && idle {
            return Err("there is no command to give a terminal to".to_owned());
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split(' ').map(OsString::from))
    }

    #[test]
    fn what_the_plan_writes_is_understood() {
        let options = parse("--grace 3 --timeout 60 -- python3 -c --timeout").unwrap();
        assert_eq!((options.grace.as_secs(), options.timeout.unwrap().as_secs()), (3, 60));
        assert_eq!(options.command, ["python3", "-c", "--timeout"]);
        assert!(parse("--idle").unwrap().command.is_empty());
        let options = parse("--shell-idle 3600 --tty -- sh").unwrap();
        assert_eq!((options.tty, options.shell_idle.unwrap().as_secs()), (true, 3600));
        let options = parse("--ttl 9 --unused 7 --idle").unwrap();
        assert_eq!((options.ttl.unwrap().as_secs(), options.unused.unwrap().as_secs()), (9, 7));
        let options = parse("--disk-soft 5 --disk-hard 9 --disk-at /cache --disk-at /home --idle").unwrap();
        assert_eq!(options.disk, Caps { soft: Some(5), hard: Some(9), places: vec!["/cache".into(), "/home".into()] });
        assert_eq!(parse("--shell-idle 0 --idle").unwrap().shell_idle, None);
    }

    #[test]
    fn a_line_that_says_nothing_to_run_or_both_is_refused() {
        for line in [
            "--grace 3",
            "--idle -- true",
            "--",
            "--grace x -- true",
            "--fast -- true",
            "--tty --idle",
            "--shell-idle -- true",
            "--disk-hard x --idle",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
