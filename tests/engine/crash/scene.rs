//! An engine of the test's own with decoys, a palisade that is killed at one of its requests, and what is there after one next command.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::decoys;
use super::killer::{Killer, Point};
use crate::engine::Engine;
use crate::support::{text, until_had};

/// An ELF program for x86-64 that ends at once, and well: a shell to which every step of a recipe is one that succeeds.
const SHELL: [u8; 132] = {
    let mut file = [0; 132];
    let head: [u8; 64] = [
        0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 62, 0, 1, 0, 0, 0, 0x78, 0, 0x40, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0,
    ];
    let segment: [u8; 56] = [
        1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 132, 0, 0, 0, 0, 0, 0, 0,
        132, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0,
    ];
    // mov edi, 0; mov eax, 60; syscall
    let code: [u8; 12] = [0xbf, 0, 0, 0, 0, 0xb8, 60, 0, 0, 0, 0x0f, 0x05];
    let mut at = 0;
    while at < file.len() {
        file[at] = if at < 64 {
            head[at]
        } else if at < 120 {
            segment[at - 64]
        } else {
            code[at - 120]
        };
        at += 1;
    }
    file
};

/// On which a sandbox image is built in a second.
pub const BASE: &str = "shell-only:latest";

pub struct Scene {
    pub engine: Engine,
    pub killer: Killer,
    /// Of its operator. Another for each palisade that is killed: what is looked for again and again would be requests, too.
    state: RefCell<tempfile::TempDir>,
    config: tempfile::TempDir,
    /// Where a palisade is told that the engine is.
    pub host: String,
}

impl Scene {
    pub fn new() -> Self {
        let engine = Engine::new();
        let killer = Killer::before(engine.socket());
        let host = killer.address.clone();
        Self::with(engine, killer, host)
    }

    /// With nothing before the engine.
    pub fn at(engine: Engine) -> Self {
        let (killer, host) = (Killer::before(engine.socket()), engine.address());
        Self::with(engine, killer, host)
    }

    fn with(engine: Engine, killer: Killer, host: String) -> Self {
        let (state, config) = (RefCell::new(tempfile::tempdir().unwrap()), tempfile::tempdir().unwrap());
        let scene = Self { engine, killer, state, config, host };
        std::fs::create_dir_all(scene.config.path().join("palisade/profiles")).unwrap();
        scene.set("");
        decoys::plant(&scene.engine);
        // The supervisor's volume stays, as it does for an operator.
        scene.succeed(&["launch", "first", "--image", "tiny:latest", "--network", "none"]);
        scene.succeed(&["rm", "-f", "first"]);
        scene
    }

    /// The binary on this engine, with the journal of this scene's operator.
    pub fn palisade(&self) -> Command {
        self.palisade_of(self.state.borrow().path())
    }

    /// Where the journal is.
    pub fn state(&self) -> std::cell::Ref<'_, tempfile::TempDir> {
        self.state.borrow()
    }

    /// With another operator's.
    pub fn palisade_of(&self, state: &Path) -> Command {
        let mut command = crate::support::palisade();
        command.env("XDG_STATE_HOME", state).env("XDG_CONFIG_HOME", self.config.path()).args(["--host", &self.host]);
        command
    }

    /// The folder of its operator's settings.
    pub fn config(&self) -> &Path {
        self.config.path()
    }

    /// Its operator's settings from now on.
    pub fn set(&self, settings: &str) {
        let settings = format!("depot.name = \"palisade-scene-depot\"\n{settings}");
        std::fs::write(self.config.path().join("palisade/config.toml"), settings).unwrap();
    }

    /// Its operator's profile from now on.
    pub fn profile(&self, text: &str) {
        std::fs::write(self.config.path().join("palisade/profiles/mine.toml"), text).unwrap();
    }

    pub fn call(&self, args: &[&str]) -> Output {
        self.palisade().args(args).output().unwrap()
    }

    pub fn succeed(&self, args: &[&str]) -> String {
        let output = self.call(args);
        assert!(output.status.success(), "palisade {args:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// Calls it to be killed at a point, and says at which request it was; `None` where it came to its end before.
    pub fn struck(&self, point: Point, args: &[&str]) -> Option<String> {
        self.anew();
        self.struck_here(point, args)
    }

    /// The same, with the state that there is.
    pub fn struck_here(&self, point: Point, args: &[&str]) -> Option<String> {
        self.killer.aim(Some(point));
        let mut command = self.palisade();
        let mut child = command.args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.killer.victim(child.id());
        child.wait().unwrap();
        self.killer.rest();
        self.killer.struck()
    }

    /// From now on with an empty journal.
    pub fn anew(&self) {
        self.state.replace(tempfile::tempdir().unwrap());
    }

    /// The lines of the requests that it takes.
    pub fn requests_of(&self, args: &[&str]) -> Vec<String> {
        self.anew();
        self.killer.aim(None);
        self.succeed(args);
        self.killer.calls()
    }

    /// One next command, which has nothing to do itself.
    pub fn next(&self) -> String {
        let output = self.call(&["stop", "nobody"]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        text(&output.stderr)
    }

    /// Everything that the engine has.
    pub fn everything(&self) -> BTreeSet<String> {
        let lists: [(&str, &[&str]); 3] = [
            ("container", &["ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}}"]),
            ("volume", &["volume", "ls", "--format", "{{.Name}}"]),
            ("image", &["images", "-a", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"]),
        ];
        let listed = lists.into_iter().flat_map(|(what, args)| {
            let output = self.engine.docker(args);
            assert!(output.status.success(), "{}", text(&output.stderr));
            let lines: Vec<String> = text(&output.stdout).lines().map(|line| format!("{what} {line}")).collect();
            lines
        });
        listed.filter(|line| !line.ends_with("  removing") || self.is_there(line)).collect()
    }

    /// Whether the engine has a container that it lists without a name and as being removed: of one that somebody asked about while it was
    /// removed its list can keep a picture for ever, and knows of none such otherwise (Docker Engine 20.10; moby issue 38835 is its like).
    fn is_there(&self, line: &str) -> bool {
        let id = line.split(' ').nth(1).unwrap();
        let output = self.engine.docker(&["inspect", "--type", "container", "--format", "{{.State.Status}}", id]);
        let said = text(&output.stdout) + &text(&output.stderr);
        !said.to_lowercase().contains("no such container")
    }

    /// Nothing is there that was not, and nothing is gone; an engine may still be about to remove a session that ended.
    pub fn is_as_before(&self, before: &BTreeSet<String>, what: &str) {
        until_had(&format!("everything is as before {what}"), || {
            let now = self.everything();
            if now == *before {
                return Ok(());
            }
            Err(format!("more {:#?} less {:#?}", now.difference(before), before.difference(&now)))
        });
    }

    /// The session in the list of sessions.
    pub fn listed(&self, name: &str) -> Option<Value> {
        let document: Value = serde_json::from_str(&self.succeed(&["ls", "--json"])).unwrap();
        document["sessions"].as_array().unwrap().iter().find(|row| row["name"] == name).cloned()
    }

    pub fn launch(&self, name: &str) {
        self.succeed(&["launch", name, "--image", "tiny:latest", "--network", "none"]);
    }

    /// A file in its home, on this host.
    pub fn home_file(&self, name: &str) -> PathBuf {
        self.file_in(name, "/home/sandbox")
    }

    /// A file in what is mounted there, on this host.
    pub fn file_in(&self, name: &str, destination: &str) -> PathBuf {
        let format = format!("{{{{range .Mounts}}}}{{{{if eq .Destination \"{destination}\"}}}}{{{{.Source}}}}{{{{end}}}}{{{{end}}}}");
        let output = self.engine.docker(&["inspect", "--format", &format, &format!("palisade-{name}")]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        PathBuf::from(text(&output.stdout).trim()).join("kept")
    }

    /// A base for images whose steps take no time.
    pub fn with_base(&self) {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, mode, content) in [("bin/sh", 0o755, &SHELL[..]), ("etc/passwd", 0o644, b"root:x:0:0::/:/\n")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(mode);
            archive.append_data(&mut header, path, content).unwrap();
        }
        let mut import = Command::new("docker");
        import.args(["--host", &self.engine.address(), "import", "-", BASE]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut import = import.spawn().unwrap();
        import.stdin.take().unwrap().write_all(&archive.into_inner().unwrap()).unwrap();
        assert!(import.wait().unwrap().success());
    }
}
