//! Containers by the `docker` command, removed when they go out of scope, and what the engine says of them.
use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use palisade::kernel::{HostReader, ProbeReport};
use palisade::policy::audit::{Requested, audit};
use palisade::policy::{Network, Posture, Seccomp};
use palisade::session::{ContainerFacts, KernelFacts, LogFacts, MountFacts, ProcessFacts, UlimitFacts};
use serde_json::Value;

const IMAGE: &str = "test-base:1";

/// Runs `docker`, and fails the test with what it said.
#[track_caller]
pub fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The flags of a hardened session.
pub fn hardened() -> Vec<String> {
    let flags = "--init --user 1000:1000 --cap-drop ALL --security-opt no-new-privileges --pids-limit 100 --memory 256m \
        --memory-swap 256m --cpus 0.5 --read-only --tmpfs /tmp:rw,nosuid,nodev,size=16m --network none --ipc private \
        --cgroupns private --ulimit nofile=4096:4096 --ulimit core=0 --log-opt max-size=1m --log-opt max-file=2";
    flags.split_whitespace().map(str::to_owned).collect()
}

/// What those flags ask for.
pub fn requested() -> Requested {
    Requested {
        cap_add: Vec::new(),
        seccomp: Seccomp::Default,
        user: (1000, 1000),
        pids_limit: 100,
        memory: 256 << 20,
        nano_cpus: 500_000_000,
        cpuset: String::new(),
        nofile: 4096,
        read_only_rootfs: true,
        tmpfs: BTreeMap::from([("/tmp".to_owned(), 16 << 20)]),
        mounts: BTreeMap::new(),
        workspace: None,
        network: Network::None,
        min_age: palisade::units::Seconds::new(0),
        min_age_allow: std::collections::BTreeSet::new(),
        terminal: palisade::terminal::Grants::default(),
        log: (1 << 20, 2),
    }
}

pub struct Sandbox {
    pub name: String,
    pub id: String,
    pub pid: u32,
}

impl Sandbox {
    pub fn run(story: &str, flags: &[String], command: &[&str]) -> Self {
        base_image();
        Self::run_image(story, IMAGE, flags, command)
    }

    pub fn run_image(story: &str, image: &str, flags: &[String], command: &[&str]) -> Self {
        let name = format!("palisade-test-kernel-{story}-{}", std::process::id());
        let mut arguments = vec!["run", "-d", "--name", &name];
        arguments.extend(flags.iter().map(String::as_str));
        arguments.push(image);
        arguments.extend(command);
        let id = docker(&arguments);
        let pid = docker(&["inspect", "-f", "{{.State.Pid}}", &id]).parse().unwrap();
        let sandbox = Self { name, id, pid };
        if flags.iter().any(|flag| flag == "--init") {
            sandbox.wait_for_processes(2);
        }
        sandbox
    }

    pub fn facts(&self) -> KernelFacts {
        HostReader::default().read(&self.id, self.pid).unwrap()
    }

    pub fn posture(&self) -> Posture {
        self.audit(&self.facts())
    }

    pub fn audit(&self, facts: &KernelFacts) -> Posture {
        audit(Some(&requested()), &self.engine_facts(), Ok(facts))
    }

    /// This program as the probe, as the backend would start it.
    pub fn probe(&self, more: &[&str]) -> ProbeReport {
        let binary = format!("{}:/palisade/palisade:ro", env!("CARGO_BIN_EXE_palisade"));
        let pid_mode = format!("container:{}", self.id);
        let name = format!("{}-probe", self.name);
        let mut arguments = vec!["run", "--rm", "--name", &name, "--network", "none", "--read-only", "--user", "0:0"];
        arguments.extend(["--cap-drop", "ALL", "--cap-add", "SYS_PTRACE", "--security-opt", "no-new-privileges"]);
        arguments.extend(["--pid", &pid_mode, "-v", &binary, "-v", "/sys/fs/cgroup:/sys/fs/cgroup:ro"]);
        arguments.extend(["--entrypoint", "/palisade/palisade", IMAGE, "probe", "--container", &self.id]);
        arguments.extend(more);
        serde_json::from_str(&docker(&arguments)).unwrap()
    }

    pub fn wait_for_processes(&self, count: usize) -> Vec<ProcessFacts> {
        wait(|| Some(self.facts().processes).filter(|processes| processes.len() >= count && processes.iter().all(is_settled)))
    }

    pub fn wait_for_name(&self, name: &str) {
        wait(|| self.facts().processes.iter().any(|process| process.name.raw() == name).then_some(()));
    }

    /// `docker inspect` in our terms, as far as these tests need it.
    pub fn engine_facts(&self) -> ContainerFacts {
        let all: Value = serde_json::from_str(&docker(&["inspect", &self.id])).unwrap();
        let (container, host) = (&all[0], &all[0]["HostConfig"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let texts = |value: &Value| value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
        let limit = |value: &Value| value.as_u64().filter(|limit| *limit > 0);
        let map = |value: &Value| value.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect();
        ContainerFacts {
            id: self.id.clone(),
            user: text(&container["Config"]["User"]).into(),
            runtime: text(&host["Runtime"]),
            cap_add: texts(&host["CapAdd"]).into_iter().collect(),
            cap_drop: texts(&host["CapDrop"]).into_iter().collect(),
            privileged: host["Privileged"] == true,
            security_opt: texts(&host["SecurityOpt"]),
            init: host["Init"] == true,
            pids_limit: limit(&host["PidsLimit"]),
            memory: limit(&host["Memory"]),
            memory_swap: limit(&host["MemorySwap"]),
            nano_cpus: limit(&host["NanoCpus"]),
            ulimits: host["Ulimits"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|one| UlimitFacts {
                    name: text(&one["Name"]),
                    soft: one["Soft"].as_i64().unwrap(),
                    hard: one["Hard"].as_i64().unwrap(),
                })
                .collect(),
            read_only_rootfs: host["ReadonlyRootfs"] == true,
            tmpfs: map(&host["Tmpfs"]),
            mounts: container["Mounts"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|one| MountFacts {
                    kind: text(&one["Type"]),
                    name: text(&one["Name"]),
                    source: text(&one["Source"]).into(),
                    destination: text(&one["Destination"]).into(),
                    read_write: one["RW"] == true,
                })
                .collect(),
            network_mode: text(&host["NetworkMode"]),
            ipc_mode: text(&host["IpcMode"]),
            pid_mode: text(&host["PidMode"]),
            uts_mode: text(&host["UTSMode"]),
            userns_mode: text(&host["UsernsMode"]),
            cgroupns_mode: text(&host["CgroupnsMode"]),
            log: LogFacts { driver: text(&host["LogConfig"]["Type"]), options: map(&host["LogConfig"]["Config"]) },
            restart_policy: text(&host["RestartPolicy"]["Name"]),
            masked_paths: Some(texts(&host["MaskedPaths"])),
            readonly_paths: Some(texts(&host["ReadonlyPaths"])),
            apparmor: text(&container["AppArmorProfile"]),
            ..ContainerFacts::default()
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "-f", "-v", &self.name]).output();
    }
}

/// Read whole: neither on its way in, where on a loaded machine a runtime's own stage is seen for longer than anyone waits for it, nor out.
fn is_settled(process: &ProcessFacts) -> bool {
    let is_program = |exe: &str| !exe.ends_with("/runc") && !exe.starts_with("/memfd:");
    process.exe.as_ref().is_some_and(|exe| is_program(exe.raw()))
        && !process.name.raw().starts_with("runc:[")
        && process.container_pid.is_some()
}

/// A process that `nsenter` put into a container, ended with its value.
pub struct Intruder {
    nsenter: Child,
    pub pid: u32,
}

/// `nsenter FLAGS sleep` into a container's namespaces, as root with everything that root has here.
pub fn intruder(sandbox: &Sandbox, flags: &[&str]) -> Intruder {
    let target = sandbox.pid.to_string();
    // The mark is how the sleeping process is found below nsenter, which forks for a PID namespace.
    let mark = format!("{}", 100_000 + u32::from(rand_byte()) * 1000 + sandbox.pid % 1000);
    let nsenter = Command::new("nsenter")
        .args(["-t", &target])
        .args(flags)
        .args(["sleep", &mark])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = wait(|| {
        std::fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            (line == format!("sleep\0{mark}\0").as_bytes()).then(|| entry.file_name().to_str()?.parse().ok()).flatten()
        })
    });
    Intruder { nsenter, pid }
}

fn rand_byte() -> u8 {
    Instant::now().elapsed().subsec_nanos().to_le_bytes()[0]
}

impl Drop for Intruder {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-9", &self.pid.to_string()]).output();
        let _ = self.nsenter.wait();
        gone(self.pid);
    }
}

/// Waits until a process has ended.
pub fn gone(pid: u32) {
    wait(|| (!std::path::Path::new(&format!("/proc/{pid}")).exists()).then_some(()));
}

#[track_caller]
fn wait<T>(mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain");
        std::thread::yield_now();
    }
}

pub struct Image(pub String);

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", "-f", &self.0]).output();
    }
}

/// The base image with a file of it under another name.
pub fn image_with(path: &str, from: &str) -> Image {
    base_image();
    let name = format!("palisade-test-kernel-{}", std::process::id());
    let tag = format!("{name}:planted");
    docker(&["create", "--name", &name, IMAGE, "true"]);
    let folder = tempfile::tempdir().unwrap();
    // With the folders that it is in, which the base image may lack.
    let path = path.trim_start_matches('/');
    let (file, top) = (folder.path().join(path), folder.path().join(path.split('/').next().unwrap()));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    docker(&["cp", "-L", &format!("{name}:{from}"), file.to_str().unwrap()]);
    docker(&["cp", top.to_str().unwrap(), &format!("{name}:/")]);
    docker(&["commit", &name, &tag]);
    docker(&["rm", "-f", &name]);
    Image(tag)
}

/// Where nobody has made it yet: the few programs of this machine that these tests run, with their libraries.
fn base_image() {
    static MADE: std::sync::OnceLock<()> = std::sync::OnceLock::new();
    MADE.get_or_init(|| {
        let is_there = Command::new("docker").args(["image", "inspect", IMAGE]).output().unwrap().status.success();
        if !is_there {
            let script = "set -e; files=$(for p in sh sleep true perl sha256sum; do which $p; done); \
                libraries=$(ldd $files | grep -o '/[^ )]*' | grep -v ':$' | sort -u); \
                tar -ch $files $libraries /etc/passwd | docker import - \"$0\"";
            assert!(Command::new("sh").args(["-c", script, IMAGE]).status().unwrap().success());
        }
    });
}
