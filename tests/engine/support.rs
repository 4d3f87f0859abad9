//! One way to call the binary, sessions that go when their test ends, and waiting for conditions.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Folders of this run's own, shared by its tests as an operator's would be.
fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("operator")
}

/// This run's depot and the settings that name it: an operator's own depot is not touched, nor that of another run,
/// whose program may be another. Both go when the run has ended, however it ends.
struct Shared {
    config: PathBuf,
    /// Removes it all when its standard input ends, which is when this process has.
    _sweeper: Child,
}

fn shared() -> &'static Shared {
    // Whatever carries the run's number: a create that the engine had taken from a manager that a test killed may be
    // carried out after that test.
    const SWEEP: &str = r#"cat > /dev/null
        for terminal in "${TMUX_TMPDIR:-/tmp}/tmux-$(id -u)/test-$0-"*; do tmux -S "$terminal" kill-server; done
        for engine in "${TMPDIR:-/tmp}/palisade-test-$0-"*; do kill "$(cat "$engine/pid")"; done
        images=$(docker ps -aq --filter "name=^/(palisade-)?(test|adapter)-$0-" --filter label=palisade.role=depot | xargs -r docker inspect --format '{{.Image}}')
        docker ps -aq --filter "name=^/(palisade-)?(test|adapter)-$0-" | xargs -r docker rm -fv
        docker volume ls --format '{{.Name}} {{.Label "palisade.session.name"}}' | grep -e "^palisade-test-$0-" -e " test-$0-" | cut -d' ' -f1 | xargs -r docker volume rm
        test -z "$images" || docker rmi $images
        rm -r "$1""#;
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let run = std::process::id().to_string();
        let config = home().join(format!("config-{}", std::process::id()));
        std::fs::create_dir_all(config.join("palisade")).unwrap();
        std::fs::write(config.join("palisade/config.toml"), format!("depot.name = \"palisade-test-{run}-depot\"\n")).unwrap();
        let mut sweeper = Command::new("sh");
        sweeper.args(["-c", SWEEP, &run]).arg(&config);
        // A group of its own: what interrupts the run must not interrupt this.
        sweeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Shared { _sweeper: sweeper.spawn().unwrap(), config }
    })
}

/// Waits until the run's depot listens, for a test that is about what comes after it.
pub fn with_depot() {
    static LISTENS: OnceLock<()> = OnceLock::new();
    LISTENS.get_or_init(|| {
        succeed(&["depot", "start"]);
    });
}

/// The binary with an operator's environment of the tests' own, in an empty folder.
pub fn palisade() -> Command {
    let home = home();
    let work = home.join("work");
    std::fs::create_dir_all(&work).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.current_dir(work).stdin(Stdio::null());
    for (name, folder) in [("XDG_STATE_HOME", "state"), ("XDG_CACHE_HOME", "cache")] {
        command.env(name, home.join(folder));
    }
    command.env("XDG_CONFIG_HOME", &shared().config);
    command
}

/// The binary as another program's argument: what `timeout` ends, what `env` prepares.
pub fn palisade_under(program: &str, options: &[&str]) -> Command {
    let whole = palisade();
    let mut command = Command::new(program);
    command.args(options).arg(whole.get_program()).stdin(Stdio::null());
    command.envs(whole.get_envs().filter_map(|(key, value)| Some((key, value?))));
    if let Some(folder) = whole.get_current_dir() {
        command.current_dir(folder);
    }
    command
}

/// A call and its output.
pub fn call(args: &[&str]) -> Output {
    palisade().args(args).output().unwrap()
}

/// A call that must succeed, and its standard output.
pub fn succeed(args: &[&str]) -> String {
    let output = call(args);
    assert!(output.status.success(), "palisade {args:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// A call with `--json`: its exit code and document.
pub fn json(args: &[&str]) -> (i32, Value) {
    let output = call(&[&["--json"], args].concat());
    let document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("palisade {args:?}: {error}: {}{}", text(&output.stdout), text(&output.stderr)));
    (output.status.code().unwrap(), document)
}

/// The socket of the engine that the tests are run on.
pub fn engine_socket() -> String {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    if host.is_empty() {
        "/var/run/docker.sock".to_owned()
    } else {
        host.strip_prefix("unix://").expect("a socket of this machine's").to_owned()
    }
}

/// `docker ARGS`, which must succeed.
pub fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().unwrap();
    assert!(output.status.success(), "docker {args:?}: {}", text(&output.stderr));
    text(&output.stdout).trim().to_owned()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A name that no other test, run or operator uses.
pub fn name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Waits for a condition, as long as a loaded machine may need.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_mins(1), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits for something to be had; what there is instead is shown when it never comes.
pub fn until_had<T>(what: &str, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match attempt() {
            Ok(had) => return had,
            Err(instead) => assert!(began.elapsed() < Duration::from_mins(1), "waited in vain until {what}: {instead}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A persistent session that is removed when the test ends, however it ends.
pub struct Session {
    pub name: String,
}

impl Session {
    pub fn launch(options: &[&str], command: &[&str]) -> Self {
        let session = Self { name: name() };
        succeed(&[&["launch", session.name.as_str()], options, &["--"], command].concat());
        session
    }

    /// One that sleeps.
    pub fn asleep() -> Self {
        Self::launch(&[], &["sleep", "600"])
    }

    pub fn container(&self) -> String {
        format!("palisade-{}", self.name)
    }

    /// PID of its first process on this host.
    pub fn pid(&self) -> u32 {
        docker(&["inspect", "--format", "{{.State.Pid}}", &self.container()]).parse().unwrap()
    }

    /// A shell line run in it: exit code, output, errors.
    pub fn sh(&self, line: &str) -> (i32, String, String) {
        let output = call(&["exec", &self.name, "--", "sh", "-c", line]);
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "-fv", &self.container()]).output();
        let _ = palisade().args(["rm", "-f", &self.name]).output();
        let filter = format!("label=palisade.session.name={}", self.name);
        let volumes = docker(&["volume", "ls", "-q", "--filter", &filter]);
        for volume in volumes.lines() {
            let _ = Command::new("docker").args(["volume", "rm", volume]).output();
        }
    }
}

/// Containers and volumes that carry a session's name in a label: what a failed launch must not leave.
pub fn left_behind(name: &str) -> Vec<String> {
    let filter = format!("label=palisade.session.name={name}");
    let containers = docker(&["ps", "-aq", "--filter", &filter]);
    let volumes = docker(&["volume", "ls", "-q", "--filter", &filter]);
    containers.lines().chain(volumes.lines()).map(str::to_owned).collect()
}

/// The lines of `/proc/PID/status` as this test reads them itself, apart from the product's readers.
pub fn status_line(pid: u32, key: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(&format!("{key}:")));
    line.unwrap_or_else(|| panic!("{key} in {status}")).trim().to_owned()
}

/// The verdict on one control in the document of `verify --json`.
pub fn verdict(document: &Value, control: &str) -> String {
    let controls = document.pointer("/verified/0/posture/controls").and_then(Value::as_array).unwrap();
    let found = controls.iter().find(|found| found["control"] == control).unwrap();
    found["verdict"].as_str().unwrap().to_owned()
}

/// Controls that some process escapes, by the process's host PID.
pub fn escapes(document: &Value, pid: u32) -> Vec<String> {
    let deviants = document.pointer("/verified/0/posture/deviants").and_then(Value::as_array).unwrap();
    deviants.iter().filter(|deviant| deviant["pid"] == pid).map(|deviant| deviant["control"].as_str().unwrap().to_owned()).collect()
}

/// An image of its own with something planted in it by root, removed when its test ends.
pub struct Image {
    pub tag: String,
}

impl Image {
    /// The sandbox image after a shell line.
    pub fn planted(line: &str) -> Self {
        let maker = name();
        let image = Self { tag: format!("palisade-{maker}:planted") };
        docker(&["run", "--name", &maker, "--user", "0", "--entrypoint", "/bin/sh", "palisade-sandbox:latest", "-c", line]);
        docker(&["commit", &maker, &image.tag]);
        docker(&["rm", &maker]);
        image
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", &self.tag]).output();
    }
}
