//! A depot of a test's own: its name, its settings, its sessions; gone when the test ends.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::registry::Registry;
use crate::support::{docker, name, text, until, until_had};

pub struct Lab {
    folder: tempfile::TempDir,
    /// The depot's container.
    pub depot: String,
}

impl Lab {
    /// A depot whose registries are both this one.
    pub fn new(registry: &Registry) -> Self {
        Self::with(&format!("[packages.pypi]\nurl = \"{0}/pypi/simple/\"\n[packages.npm]\nurl = \"{0}/npm/\"\n", registry.url))
    }

    /// A depot with settings of its own below `[depot] name`.
    pub fn with(settings: &str) -> Self {
        let lab = Self { folder: tempfile::tempdir().unwrap(), depot: format!("palisade-{}", name()) };
        lab.set(settings);
        lab
    }

    /// Other settings from now on.
    pub fn set(&self, settings: &str) {
        let config = self.folder.path().join("config/palisade");
        std::fs::create_dir_all(&config).unwrap();
        // Inline, so that it may stand before or after any table of the test's.
        std::fs::write(config.join("config.toml"), format!("depot.name = \"{}\"\n{settings}", self.depot)).unwrap();
    }

    pub fn palisade(&self) -> Command {
        let mut command = crate::support::palisade();
        command.env("XDG_CONFIG_HOME", self.folder.path().join("config"));
        command
    }

    pub fn call(&self, args: &[&str]) -> Output {
        self.palisade().args(args).output().unwrap()
    }

    pub fn succeed(&self, args: &[&str]) -> String {
        let output = self.call(args);
        assert!(output.status.success(), "palisade {args:?}: {}{}{}", text(&output.stdout), text(&output.stderr), self.log());
        text(&output.stdout)
    }

    pub fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.succeed(&[&["--json"], args].concat())).unwrap()
    }

    /// A session that sleeps.
    pub fn session(&self, options: &[&str]) -> Inside<'_> {
        let inside = Inside { lab: self, name: name() };
        self.succeed(&[&["launch", inside.name.as_str()], options, &["--", "sleep", "1800"]].concat());
        inside
    }

    /// What the depot said.
    pub fn log(&self) -> String {
        let output = Command::new("docker").args(["logs", &self.depot]).output().unwrap();
        text(&output.stderr) + &text(&output.stdout)
    }

    /// The summary once it satisfies a condition.
    pub fn summary(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        until_had(what, || {
            let summary = self.stored_json("/depot/ledger/summary.json");
            if holds(&summary) { Ok(summary) } else { Err(format!("{summary:#}")) }
        })
    }

    /// One figure of the totals, of both ecosystems together.
    pub fn total(summary: &Value, counter: &str) -> u64 {
        summary["totals"].as_object().unwrap().values().map(|counters| counters[counter].as_u64().unwrap()).sum()
    }

    /// One figure of one session, of both ecosystems together.
    pub fn figure(summary: &Value, session: &str, counter: &str) -> u64 {
        let ecosystems = summary["sessions"][session].as_object().into_iter().flatten();
        ecosystems.map(|(_, counters)| counters[counter].as_u64().unwrap()).sum()
    }

    pub fn stored_json(&self, path: &str) -> Value {
        let output = Command::new("docker").args(["cp", &format!("{}:{path}", self.depot), "-"]).output().unwrap();
        let mut archive = tar::Archive::new(output.stdout.as_slice());
        let Some(Ok(entry)) = archive.entries().ok().and_then(|mut entries| entries.next()) else { return Value::Null };
        serde_json::from_reader(entry).unwrap_or(Value::Null)
    }

    /// The store's folder on this host.
    pub fn store(&self) -> PathBuf {
        docker(&["volume", "inspect", "--format", "{{.Mountpoint}}", &format!("{}-store", self.depot)]).into()
    }

    /// Every file below a folder of the store.
    pub fn files(&self, below: &str) -> Vec<PathBuf> {
        fn walk(folder: PathBuf, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.file_type().unwrap().is_dir() { walk(entry.path(), found) } else { found.push(entry.path()) }
            }
        }
        let mut found = Vec::new();
        walk(self.store().join(below), &mut found);
        found
    }

    /// Ends the depot as a crash would; the engine starts it again.
    pub fn kill(&self) {
        let boots = || self.log().matches("listening").count();
        let before = boots();
        let pid = docker(&["inspect", "--format", "{{.State.Pid}}", &self.depot]);
        let child = text(&Command::new("pgrep").args(["-P", &pid]).output().unwrap().stdout);
        assert!(Command::new("kill").args(["-9", child.trim()]).status().unwrap().success());
        until("the engine has started the depot again", || boots() > before);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "-fv", &self.depot]).output();
        for volume in ["store", "socket"] {
            let _ = Command::new("docker").args(["volume", "rm", &format!("{}-{volume}", self.depot)]).output();
        }
    }
}

/// A session of a lab.
pub struct Inside<'a> {
    pub lab: &'a Lab,
    pub name: String,
}

impl Inside<'_> {
    /// By which the depot knows it.
    pub fn id(&self) -> String {
        self.lab.json(&["inspect", &self.name])["session"]["id"].as_str().unwrap().to_owned()
    }

    /// A file in its home.
    pub fn copy_in(&self, name: &str, content: &str) {
        let file = self.lab.folder.path().join(name.rsplit('/').next().unwrap());
        std::fs::write(&file, content).unwrap();
        self.lab.succeed(&["cp", file.to_str().unwrap(), &format!("{}:/home/sandbox/{name}", self.name)]);
    }

    /// A shell line: exit code, output, errors.
    pub fn sh(&self, line: &str) -> (i32, String, String) {
        let output = self.lab.call(&["exec", &self.name, "--", "sh", "-c", line]);
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }

    /// A shell line that must succeed.
    pub fn ok(&self, line: &str) -> String {
        let (code, output, errors) = self.sh(line);
        assert_eq!(code, 0, "{line}: {output}{errors}{}", self.lab.log());
        output
    }

    /// What curl gets: status and the body's SHA-256; status 0 where the answer breaks off.
    pub fn get(&self, path: &str) -> (u32, String) {
        let line = format!(
            "curl -s --path-as-is -o /tmp/got -w '%{{http_code}} %{{exitcode}}' 'http://127.0.0.1:7878{path}'; echo; sha256sum < /tmp/got; rm -f /tmp/got"
        );
        let (_, output, _) = self.sh(&line);
        let mut lines = output.lines();
        let (status, end) = lines.next().unwrap().split_once(' ').unwrap();
        let status = if end == "0" { status.parse().unwrap() } else { 0 };
        (status, lines.next().unwrap_or_default().trim_end_matches(" -").trim().to_owned())
    }

    /// Bytes sent to the depot's own socket, and what comes back.
    pub fn raw(&self, bytes: &[u8]) -> String {
        const PROGRAM: &str = "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.settimeout(20)\ns.connect('/run/palisade/depot.sock')\n\
            out=b''\ntry:\n  s.sendall(sys.stdin.buffer.read())\n  while b'\\r\\n\\r\\n' not in out:\n    part=s.recv(65536)\n    if not part: break\n    out+=part\n\
            except OSError: pass\nprint(out[:4000])";
        let mut child = self.lab.palisade();
        child.args(["exec", &self.name, "--", "python3", "-c", PROGRAM]);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // One that stops listening half-way has said enough.
        let _ = child.stdin.take().unwrap().write_all(bytes);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let _ = self.lab.call(&["rm", "-f", &self.name]);
    }
}
