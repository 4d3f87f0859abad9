//! The dashboard in a terminal: keys and mouse in, the screen and every byte of it out.
//!
//! The terminal is tmux, with a server of the test's own. A shell runs in it, as an operator's would, and the dashboard is
//! typed there. tmux hands every byte that is written to the terminal to a file before it makes a screen of it: what
//! reaches an operator's terminal can be read raw.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{name, palisade, text, until, until_had};

/// What the shell says when it waits for a command.
const PROMPT: &str = "ready>";

pub struct Screen {
    server: String,
    folder: tempfile::TempDir,
}

impl Screen {
    /// A shell in a terminal of so many columns and lines.
    pub fn shell(columns: u16, lines: u16) -> Self {
        Self::with(columns, lines, &[])
    }

    /// The same, with more in its environment.
    pub fn with(columns: u16, lines: u16, env: &[(&str, &str)]) -> Self {
        let screen = Self { server: name(), folder: tempfile::tempdir().unwrap() };
        let whole = palisade();
        let mut tmux = screen.command();
        tmux.args(["-f", "/dev/null", "start-server", ";", "set", "-g", "status", "off", ";", "set", "-g", "escape-time", "0", ";"]);
        // What a program copies is in tmux's own buffer then.
        tmux.args(["set", "-s", "set-clipboard", "on", ";"]);
        tmux.args(["new-session", "-d", "-x", &columns.to_string(), "-y", &lines.to_string()]);
        tmux.args(["env", &format!("PS1={PROMPT} "), "bash", "--norc", "--noprofile", "-i"]);
        tmux.envs(whole.get_envs().filter_map(|(key, value)| Some((key, value?))));
        tmux.current_dir(whole.get_current_dir().unwrap());
        for unset in ["TMUX", "NO_COLOR", "LC_ALL", "PALISADE_LOG"] {
            tmux.env_remove(unset);
        }
        tmux.env("XDG_STATE_HOME", screen.state_home()).env("LANG", "C.UTF-8").env("PAGER", screen.pager());
        tmux.envs(env.iter().copied());
        let output = tmux.output().unwrap();
        assert!(output.status.success(), "tmux: {}", text(&output.stderr));
        screen.tmux(&["pipe-pane", &format!("cat >> {}", screen.file("raw").display())]);
        screen.prompted();
        screen
    }

    /// The dashboard in a terminal of that size, with the sessions listed that have this in their names, one at least.
    pub fn dashboard(columns: u16, lines: u16, part: &str) -> Self {
        let screen = Self::shell(columns, lines);
        screen.start();
        screen.filter(part);
        screen
    }

    /// Types the dashboard's command and waits for its list.
    pub fn start(&self) {
        self.line(env!("CARGO_BIN_EXE_palisade"));
        self.shows("NAME");
    }

    /// Lists the sessions with this in their names, of which there is one at least, and no others.
    pub fn filter(&self, part: &str) {
        self.keys(&["/", "ctrl-u"]);
        // A literal match, not a fuzzy one.
        self.typed(&format!("'{part}"));
        self.keys(&["enter"]);
        self.wait(&format!("only {part} is listed"), |screen| {
            let (own, others): (Vec<&str>, Vec<&str>) = sessions(screen).partition(|line| line.contains(part));
            !own.is_empty() && others.is_empty()
        });
    }

    /// The shell waits for a command.
    pub fn prompted(&self) {
        self.wait("the shell is back", |screen| screen.trim_end().ends_with(PROMPT));
    }

    /// Types a command line.
    pub fn line(&self, line: &str) {
        self.typed(line);
        self.keys(&["enter"]);
    }

    /// Presses keys by the names that the dashboard's keymap has for them.
    pub fn keys(&self, keys: &[&str]) {
        for key in keys {
            let name = tmux_key(key);
            let literal = name.chars().count() == 1;
            let args: &[&str] = if literal { &["send-keys", "-l", "--", &name] } else { &["send-keys", &name] };
            self.tmux(args);
        }
    }

    /// Types a text.
    pub fn typed(&self, text: &str) {
        self.tmux(&["send-keys", "-l", "--", text]);
    }

    /// The screen as text, line by line.
    pub fn text(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Every byte that was written to the terminal so far.
    pub fn raw(&self) -> Vec<u8> {
        std::fs::read(self.file("raw")).unwrap_or_default()
    }

    /// Waits until the screen is as it should be, gives it, and shows it where it never comes to that.
    pub fn wait(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        until_had(what, || {
            let screen = self.text();
            if holds(&screen) { Ok(screen) } else { Err(format!("the screen is\n{screen}")) }
        })
    }

    /// Waits until this stands on the screen.
    pub fn shows(&self, part: &str) -> String {
        self.wait(&format!("the screen shows '{part}'"), |screen| screen.contains(part))
    }

    /// Waits until it stands there no more.
    pub fn shows_not(&self, part: &str) -> String {
        self.wait(&format!("the screen no more shows '{part}'"), |screen| !screen.contains(part))
    }

    /// Waits until the line of a session shows this too.
    pub fn row_shows(&self, session: &str, part: &str) {
        let holds = |screen: &str| screen.lines().any(|line| line.contains(session) && line.contains(part));
        self.wait(&format!("{session}'s line shows '{part}'"), holds);
    }

    /// Where this stands on the screen: column and line, from 0.
    pub fn place(&self, part: &str) -> (u16, u16) {
        self.place_from(0, part)
    }

    /// The same, from a line on.
    pub fn place_from(&self, first: usize, part: &str) -> (u16, u16) {
        let screen = self.shows(part);
        let found = screen.lines().enumerate().skip(first).find_map(|(at, line)| Some((line[..line.find(part)?].chars().count(), at)));
        let (column, line) = found.unwrap_or_else(|| panic!("'{part}' is above line {first} only:\n{screen}"));
        (u16::try_from(column).unwrap(), u16::try_from(line).unwrap())
    }

    /// A click of the left button at a place, from 0.
    pub fn click(&self, (column, line): (u16, u16)) {
        // At once: a terminal that is told to report no more would not report the end of a click that it is busy with.
        self.mouse(&[(0, 'M'), (0, 'm')], (column, line));
    }

    /// A notch of the wheel.
    pub fn wheel(&self, down: bool, (column, line): (u16, u16)) {
        self.mouse(&[(if down { 65 } else { 64 }, 'M')], (column, line));
    }

    /// As terminals send it to who asked for SGR reports.
    fn mouse(&self, reports: &[(u8, char)], (column, line): (u16, u16)) {
        let reports = reports.iter().map(|(button, end)| format!("\u{1b}[<{button};{};{}{end}", column + 1, line + 1));
        let bytes: Vec<String> = reports.collect::<String>().bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut args = vec!["send-keys", "-H"];
        args.extend(bytes.iter().map(String::as_str));
        self.tmux(&args);
    }

    pub fn resize(&self, columns: u16, lines: u16) {
        self.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &lines.to_string()]);
    }

    /// What was copied last, by way of the terminal.
    pub fn clipboard(&self) -> String {
        let output = self.command().arg("show-buffer").output().unwrap();
        text(&output.stdout)
    }

    /// What the pager was given last.
    pub fn paged(&self) -> String {
        std::fs::read_to_string(self.file("paged")).unwrap_or_default()
    }

    /// Whether the terminal shows the alternate screen.
    pub fn is_alternate(&self) -> bool {
        self.tmux(&["display-message", "-p", "#{alternate_on}"]).trim() == "1"
    }

    /// Whether the terminal would report the mouse, or hides its cursor: what must be put back.
    pub fn modes(&self) -> String {
        let format = "#{alternate_on} #{mouse_any_flag} #{mouse_sgr_flag} #{cursor_flag} #{keypad_cursor_flag}";
        self.tmux(&["display-message", "-p", format]).trim().to_owned()
    }

    /// The dashboard's process: the shell's child.
    pub fn pid(&self) -> i32 {
        until_had("the dashboard runs", || {
            let shell = self.shell_pid();
            let output = Command::new("pgrep").args(["-P", &shell]).output().unwrap();
            text(&output.stdout).lines().next().and_then(|pid| pid.parse().ok()).ok_or_else(|| "no child of the shell".to_owned())
        })
    }

    pub fn shell_pid(&self) -> String {
        self.tmux(&["display-message", "-p", "#{pane_pid}"]).trim().to_owned()
    }

    /// Where the dashboard keeps its state.
    pub fn state_home(&self) -> PathBuf {
        self.file("state")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A pager that keeps what it was given and waits for a key, as pagers do.
    fn pager(&self) -> PathBuf {
        let path = self.file("pager");
        let script = format!(
            "#!/bin/sh\ncat \"$@\" > {0}.part && mv {0}.part {0}\nprintf 'the pager waits'\nread -r _ < /dev/tty\n",
            self.file("paged").display()
        );
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    fn command(&self) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-L", &self.server]);
        command
    }

    pub fn tmux(&self, args: &[&str]) -> String {
        let output = self.command().args(args).output().unwrap();
        assert!(output.status.success(), "tmux {args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Ends the terminal under the dashboard's feet, as closing its window does.
    pub fn close(&self) {
        let _ = self.command().arg("kill-server").output();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.close();
    }
}

/// The lines of the list's sessions: below its heads, above the tabs and the two lines at the bottom, of which one may tell what became of
/// another test's session.
pub fn sessions(screen: &str) -> impl Iterator<Item = &str> {
    let bottom = screen.trim_end().lines().count().saturating_sub(2);
    let below = screen.lines().take(bottom).skip_while(|line| !line.contains("NAME")).skip(1);
    below.take_while(|line| !line.contains("Overview") && !line.contains("filter: ")).filter(|line| !line.trim().is_empty())
}

/// tmux's name for a key.
fn tmux_key(key: &str) -> String {
    let named = [
        ("enter", "Enter"),
        ("esc", "Escape"),
        ("tab", "Tab"),
        ("shift-tab", "BTab"),
        ("backspace", "BSpace"),
        ("delete", "DC"),
        ("up", "Up"),
        ("down", "Down"),
        ("left", "Left"),
        ("right", "Right"),
        ("home", "Home"),
        ("end", "End"),
        ("pageup", "PageUp"),
        ("pagedown", "PageDown"),
        ("space", " "),
        ("f1", "F1"),
    ];
    if let Some((_, tmux)) = named.iter().find(|(ours, _)| *ours == key) {
        return (*tmux).to_owned();
    }
    key.strip_prefix("ctrl-").map_or_else(|| key.to_owned(), |letter| format!("C-{letter}"))
}

/// Waits until the terminal of the shell on the screen has become so large, as `stty size` says it. The change and what is typed
/// after it come to the shell by two ways: either may be first.
pub fn follows(screen: &Screen, size: &str) {
    screen.line(&format!("clear; until [ \"$(stty size)\" = '{size}' ]; do sleep 0.1; done; echo grown-$((40 + 2))"));
    screen.shows("grown-42");
}

/// Waits until a process is no more.
pub fn gone(pid: i32) {
    let ended = || std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "));
    until("the dashboard has ended", ended);
}

/// How long it took until something held, which must be within a minute: told, not judged.
#[expect(clippy::print_stderr, reason = "a measurement for whoever runs the tests")]
pub fn latency(what: &str, began: Instant) -> Duration {
    let took = began.elapsed();
    eprintln!("{what}: on the screen after {} ms", took.as_millis());
    took
}
