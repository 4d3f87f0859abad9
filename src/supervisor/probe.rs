//! The probe: this program in a one-shot container of ours, in the PID namespace of a session whose engine is on
//! another machine. It reads what the host's reader would and prints it; it knows no policy and touches nothing.
//!
//! It needs uid 0 and `SYS_PTRACE`, without which the kernel hides the executables and namespaces of processes of
//! other users, and nothing else. It leaves itself out of what it reports.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::kernel::{GateProof, HostReader, ProbeReport};
use crate::units::hex;

/// Runs the probe with the arguments after `probe`: `--container ID`, and `--gate MILLISECONDS` to wait for the
/// supervisor to hold the command back first. Gives the exit code.
pub fn main(arguments: &[String]) -> u8 {
    let outcome = parse(arguments).and_then(|task| report(&task)).and_then(|report| print(&report));
    match outcome {
        Ok(()) => 0,
        Err(why) => {
            // Nobody is left to tell where even this fails.
            let _ = writeln!(std::io::stderr(), "{}", crate::units::sanitise(&why));
            1
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Task {
    container: String,
    gate: Option<Duration>,
}

fn parse(arguments: &[String]) -> Result<Task, String> {
    let mut task = Task { container: String::new(), gate: None };
    let mut arguments = arguments.iter();
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--container" => task.container.clone_from(value),
            "--gate" => {
                let wait = value.parse().map_err(|_| format!("'{value}' is not a number of milliseconds"))?;
                task.gate = Some(Duration::from_millis(wait));
            }
            _ => return Err(format!("the probe knows no '{flag}'")),
        }
    }
    if task.container.is_empty() { Err("the probe needs --container ID".to_owned()) } else { Ok(task) }
}

fn report(task: &Task) -> Result<ProbeReport, String> {
    let reader = HostReader::probe();
    let gate = match task.gate {
        None => None,
        Some(wait) => {
            let pid = reader.wait_for_gate(&task.container, 1, Instant::now() + wait).map_err(|why| why.to_string())?;
            let digest = reader.exe_digest(pid, None).map_err(|why| why.to_string())?;
            Some(GateProof { pid, exe_sha256: hex(&digest) })
        }
    };
    let facts = reader.read(&task.container, 1).map_err(|why| why.to_string())?;
    Ok(ProbeReport { facts, gate })
}

fn print(report: &ProbeReport) -> Result<(), String> {
    let json = serde_json::to_vec(report).map_err(|error| error.to_string())?;
    std::io::stdout().write_all(&json).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<Task, String> {
        parse(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_probe_is_told_whom_to_look_at() {
        assert_eq!(parsed("--container abc"), Ok(Task { container: "abc".to_owned(), gate: None }));
        let gated = Task { container: "abc".to_owned(), gate: Some(Duration::from_secs(5)) };
        assert_eq!(parsed("--gate 5000 --container abc"), Ok(gated));
        for words in ["", "--container", "--gate soon --container abc", "--verbose yes"] {
            assert!(parsed(words).is_err(), "{words}");
        }
    }

    #[test]
    fn a_probe_outside_of_any_session_says_why_and_fails() {
        assert_eq!(main(&["--container".to_owned(), "0".repeat(64)]), 1);
    }
}
