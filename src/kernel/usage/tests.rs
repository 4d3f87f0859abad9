#![expect(clippy::disallowed_methods, reason = "the tests make hierarchies of files")]

use super::*;
use crate::units::Bytes;

const ID: &str = "1dfc904e11d5176e412fb49f7471294c5a065204a97cc0aab1e8ad19c009fc21";
const OTHER: &str = "2dfc904e11d5176e412fb49f7471294c5a065204a97cc0aab1e8ad19c009fc21";
const THIRD: &str = "3dfc904e11d5176e412fb49f7471294c5a065204a97cc0aab1e8ad19c009fc21";

/// A machine's control groups, as files.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new(mounts: &[&str]) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        machine.write("proc/self/mountinfo", &mounts.join("\n"));
        machine
    }

    fn version_2() -> Self {
        Self::new(&["30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"])
    }

    /// Version 1 with the unified hierarchy beside it, which holds no controller.
    fn hybrid() -> Self {
        Self::new(&[
            "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
            "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
            "39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids",
            "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
        ])
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn remove(&self, path: &str) {
        std::fs::remove_dir_all(self.0.path().join(path)).unwrap();
    }

    fn group_2(&self, path: &str, pids: u64) {
        for (name, text) in [
            ("cpu.stat", "usage_usec 1234\nuser_usec 1000\nsystem_usec 234\n"),
            ("memory.current", "5000\n"),
            ("memory.stat", "anon 10\nfile 20\nfile_mapped 3\ninactive_anon 7\nactive_file 9\ninactive_file 2000\n"),
            ("memory.max", "4294967296\n"),
            ("pids.current", &format!("{pids}\n")),
            ("pids.max", "100\n"),
        ] {
            self.write(&format!("cgroup/{path}/{name}"), text);
        }
    }

    fn reader(&self) -> UsageReader {
        // A file that was removed can be read on as long as it is open; a control group's cannot.
        UsageReader { most_open: 0, ..UsageReader::new(self.0.path().join("proc"), self.0.path().join("cgroup")) }
    }
}

#[test]
fn version_2_is_read_wherever_the_engine_put_the_group() {
    for path in [
        format!("system.slice/docker-{ID}.scope"),
        format!("docker/{ID}"),
        format!("user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope"),
        format!("our.slice/nested/{ID}"),
    ] {
        let machine = Machine::version_2();
        machine.group_2(&path, 12);
        let expected =
            Usage { cpu_ns: 1_234_000, memory: Bytes::new(3000), memory_limit: Some(Bytes::gib(4)), pids: 12, pids_limit: Some(100) };
        assert_eq!(machine.reader().read(&[ID]), [Ok(expected)], "{path}");
    }
}

#[test]
fn hybrid_is_read_from_three_hierarchies_and_no_limit_is_none() {
    let machine = Machine::hybrid();
    for (path, text) in [
        ("cpu,cpuacct/cpuacct.usage", "77\n"),
        ("memory/memory.usage_in_bytes", "5000\n"),
        ("memory/memory.stat", "cache 9\ninactive_file 1\ntotal_inactive_file 4000\n"),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ("pids/pids.current", "3\n"),
        ("pids/pids.max", "max\n"),
    ] {
        let (hierarchy, name) = path.split_once('/').unwrap();
        machine.write(&format!("cgroup/{hierarchy}/docker/{ID}/{name}"), text);
    }
    machine.write(&format!("cgroup/unified/docker/{ID}/cgroup.procs"), "");
    let expected = Usage { cpu_ns: 77, memory: Bytes::new(1000), memory_limit: None, pids: 3, pids_limit: None };
    assert_eq!(machine.reader().read(&[ID]), [Ok(expected)]);
}

#[test]
fn what_a_container_ran_into_is_read_in_either_version_and_again_when_it_did_something_since() {
    let machine = Machine::version_2();
    machine.group_2(&format!("docker/{ID}"), 12);
    for (name, text) in [
        ("memory.events", "low 0\noom 2\noom_kill 3\n"),
        ("pids.events", "max 7\n"),
        ("cpu.stat", "usage_usec 5\nnr_periods 40\nnr_throttled 30\n"),
        ("cpu.max", "5000 100000\n"),
    ] {
        machine.write(&format!("cgroup/docker/{ID}/{name}"), text);
    }
    let reader = machine.reader();
    let read = reader.limits(&[ID]).remove(0).unwrap();
    assert_eq!((read.oom_kills, read.refused, read.periods, read.throttled), (3, 7, 40, 30));
    assert_eq!((read.memory, read.pids, read.nano_cpus), (Some(4 << 30), Some(100), Some(50_000_000)));
    assert!(read.hidden.is_some(), "nobody is in it to look by");
    assert_eq!(reader.limits(&[OTHER]), [Err(Unreadable::NotLocal)]);

    let machine = Machine::hybrid();
    for (path, text) in [
        ("cpu,cpuacct/cpuacct.usage", "77\n"),
        ("cpu,cpuacct/cpu.stat", "nr_periods 9\nnr_throttled 0\n"),
        ("memory/memory.usage_in_bytes", "5000\n"),
        ("memory/memory.stat", "total_inactive_file 4000\n"),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ("memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"),
        ("pids/pids.current", "3\n"),
        ("pids/pids.max", "max\n"),
        ("pids/cgroup.procs", "71\n"),
    ] {
        let (hierarchy, name) = path.split_once('/').unwrap();
        machine.write(&format!("cgroup/{hierarchy}/docker/{ID}/{name}"), text);
    }
    machine.write("proc/71/mountinfo", "1 0 0:1 / /tmp rw - tmpfs t rw\n");
    machine.write("proc/71/limits", "Max open files            2                    2                    files\n");
    for file in ["root/tmp/x", "fd/0"] {
        machine.write(&format!("proc/71/{file}"), "");
    }
    let reader = UsageReader::new(machine.0.path().join("proc"), machine.0.path().join("cgroup"));
    let read = reader.limits(&[ID]).remove(0).unwrap();
    assert_eq!((read.oom_kills, read.refused, read.memory, read.hidden.clone()), (1, 0, None, None));
    machine.write(&format!("cgroup/pids/docker/{ID}/pids.events"), "max 5\n");
    machine.write(&format!("cgroup/memory/docker/{ID}/memory.oom_control"), "oom_kill 2\n");
    assert_eq!(reader.limits(&[ID]), [Ok(read)], "who has used no CPU has done nothing");
    machine.write(&format!("cgroup/cpu,cpuacct/docker/{ID}/cpuacct.usage"), "78\n");
    assert_eq!(reader.limits(&[ID])[0].as_ref().unwrap().oom_kills, 2);
}

#[test]
fn a_group_that_is_gone_is_told_and_found_again_when_the_container_is_started_again() {
    let machine = Machine::version_2();
    let path = format!("our.slice/{ID}");
    machine.group_2(&path, 12);
    let reader = machine.reader();
    assert!(!reader.is_here());
    assert_eq!(reader.read(&[ID])[0].as_ref().unwrap().pids, 12);
    assert!(reader.is_here());
    machine.remove(&format!("cgroup/{path}"));
    assert_eq!(reader.read(&[ID]), [Err(Unreadable::Gone)]);
    assert_eq!(reader.read(&[ID]), [Err(Unreadable::NotLocal)]);
    machine.group_2(&path, 13);
    assert_eq!(reader.read(&[ID])[0].as_ref().unwrap().pids, 13, "where it was is where it is looked for first");
}

#[test]
fn who_is_new_is_found_beside_the_others_without_looking_through_everything_again() {
    let machine = Machine::version_2();
    machine.group_2(&format!("our.slice/box-{ID}.scope"), 1);
    let reader = machine.reader();
    assert!(reader.read(&[ID])[0].is_ok());
    machine.group_2(&format!("our.slice/box-{OTHER}.scope"), 2);
    machine.group_2(&format!("elsewhere.slice/{THIRD}"), 3);
    let found = reader.read(&[ID, OTHER, THIRD]);
    assert!(found[0].is_ok());
    assert_eq!(found[1].as_ref().unwrap().pids, 2);
    assert_eq!(found[2], Err(Unreadable::NotLocal), "all groups were looked through a moment ago");
}

#[test]
fn a_group_within_a_session_or_beside_it_is_not_its_own() {
    let machine = Machine::version_2();
    machine.group_2(&format!("a.slice/libpod-conmon-{ID}.scope"), 1);
    machine.group_2(&format!("z.slice/libpod-{ID}.scope"), 12);
    // What a session makes within its own group is looked at after what is outside of it.
    machine.group_2(&format!("b.slice/{OTHER}/{ID}"), 2);
    assert_eq!(machine.reader().read(&[ID])[0].as_ref().unwrap().pids, 12);
    for odd in ["", "x", "..", "../../etc"] {
        assert_eq!(machine.reader().read(&[odd]), [Err(Unreadable::NotLocal)], "{odd:?}");
    }
}

#[test]
fn what_cannot_be_read_or_makes_no_sense_is_no_figure() {
    let machine = Machine::version_2();
    machine.group_2(&format!("docker/{ID}"), 1);
    machine.write(&format!("cgroup/docker/{ID}/memory.current"), "lots\n");
    assert!(matches!(machine.reader().read(&[ID])[0], Err(Unreadable::Other(_))));
    assert_eq!(Machine::new(&[]).reader().read(&[ID]), [Err(Unreadable::NotLocal)]);
}
