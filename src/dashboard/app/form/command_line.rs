//! The headless command that asks for the same: every flag, quoted for a shell.
//!
//! Writes what `cli::launching` reads; a property test there holds that it reads back as the same [`Order`].

use super::shell_words::join;
use crate::backend::{Order, Pull};
use crate::policy::profile::Profile;
use crate::session::Kind;
use crate::units::{Bytes, Seconds};

/// The line. `program` is how headless is called here: the program, with the global options that lead to the same engine.
///
/// A persistent order without a name has no line yet. Of the overrides it writes those that have a flag; the form
/// makes no others.
pub fn command_line(program: &[String], order: &Order) -> Option<String> {
    let mut line = Line { words: program.to_vec() };
    if line.words.is_empty() {
        line.words.push("palisade".to_owned());
    }
    match order.kind {
        Kind::Persistent => line.words.extend(["launch".to_owned(), order.name.clone()?]),
        Kind::Ephemeral => {
            line.words.push("run".to_owned());
            line.value("--name", order.name.as_ref());
        }
    }
    line.value("--profile", order.profile.as_ref());
    line.options(order);
    line.limits(&order.overrides);
    if !order.command.is_empty() {
        line.words.push("--".to_owned());
        line.words.extend(order.command.iter().cloned());
    }
    Some(join(line.words))
}

struct Line {
    words: Vec<String>,
}

impl Line {
    fn flag(&mut self, flag: &str, given: bool) {
        if given {
            self.words.push(flag.to_owned());
        }
    }

    fn value(&mut self, flag: &str, value: Option<impl ToString>) {
        let Some(value) = value.map(|value| value.to_string()) else { return };
        // By itself it would be read as a flag.
        if value.starts_with('-') {
            self.words.push(format!("{flag}={value}"));
        } else {
            self.words.extend([flag.to_owned(), value]);
        }
    }

    fn options(&mut self, order: &Order) {
        self.value("--image", order.overrides.image.as_ref());
        match order.pull {
            Pull::Missing => {}
            Pull::Always => self.value("--pull", Some("always")),
            Pull::Never => self.value("--pull", Some("never")),
        }
        self.value("--timeout", order.overrides.timeout.map(span));
        self.value("--ttl", order.overrides.ttl.map(span));
        self.value("--idle", order.overrides.idle.map(span));
        self.flag("--no-project", order.ignore_project);
        self.value("--workspace", order.workspace.as_ref());
        self.value("--workdir", order.working_dir.as_ref());
        for file in &order.env_files {
            self.value("--env-file", Some(file.display()));
        }
        for variable in &order.env {
            self.value("--env", Some(variable));
        }
        for secret in &order.secrets {
            self.value("--secret", Some(secret));
        }
    }

    fn limits(&mut self, overrides: &Profile) {
        self.value("--network", overrides.network);
        self.value("--memory", overrides.memory.map(size));
        self.value("--cpus", overrides.cpus);
        self.value("--pids-limit", overrides.pids_limit);
        self.value("--tmp-size", overrides.tmp_size.map(size));
        self.value("--seccomp", overrides.seccomp);
        self.value("--min-age", overrides.min_age.map(span));
        for package in overrides.min_age_allow.iter().flatten() {
            self.value("--min-age-allow", Some(package));
        }
        for capability in overrides.cap_add.iter().flatten() {
            self.value("--cap-add", Some(capability));
        }
        self.flag("--read-write-rootfs", overrides.read_only_rootfs == Some(false));
        self.value("--shm-size", overrides.shm_size.map(size));
        self.value("--nofile", overrides.nofile);
        self.value("--cpuset", overrides.cpuset.as_ref());
        let disk = overrides.disk.unwrap_or_default();
        self.value("--disk-soft", disk.soft.map(size));
        self.value("--disk-hard", disk.hard.map(size));
    }
}

/// A span without blanks: `1h30m`.
fn span(seconds: Seconds) -> String {
    seconds.to_string().replace(' ', "")
}

/// The largest unit of which it is a whole number: exact, where what is shown to people may be rounded.
fn size(bytes: Bytes) -> String {
    const UNITS: [(u64, &str); 4] = [(1 << 40, "TiB"), (Bytes::GIB, "GiB"), (Bytes::MIB, "MiB"), (Bytes::KIB, "KiB")];
    let unit = UNITS.iter().find(|(unit, _)| bytes.get() >= *unit && bytes.get().is_multiple_of(*unit));
    unit.map_or_else(|| bytes.get().to_string(), |(unit, name)| format!("{}{name}", bytes.get() / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_are_exact_and_need_no_quotes() {
        for (bytes, text) in [(4 << 30, "4GiB"), (3 << 29, "1536MiB"), ((4 << 30) + 1, "4294967297"), (0, "0"), (1 << 40, "1TiB")] {
            assert_eq!(size(Bytes::new(bytes)), text);
            assert_eq!(text.parse::<Bytes>().unwrap().get(), bytes);
        }
        for seconds in [0, 1, 90, 5400, 86_400, 90_061, 300 * 86_400] {
            assert_eq!(span(Seconds::new(seconds)).parse::<Seconds>().unwrap().get(), seconds, "{}", span(Seconds::new(seconds)));
        }
    }
}
