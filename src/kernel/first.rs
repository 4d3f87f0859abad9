//! A container's first process, looked at by its number alone.

use std::path::PathBuf;

use super::procfs::Procfs;

/// Whether this process is this container's and has its memory still. A first process gives that up before the kernel ends those that it
/// leaves behind: who was ended with it finds it without.
pub fn is_alive(pid: u32, container: &str) -> bool {
    alive(&Procfs::new(PathBuf::from("/proc")), pid, container)
}

fn alive(proc: &Procfs, pid: u32, container: &str) -> bool {
    // Not its command line: to read that, one waits for the process.
    let has_memory = |status: &str| status.lines().any(|line| line.starts_with("VmSize:"));
    !container.is_empty()
        && proc.read(pid, "cgroup").is_ok_and(|groups| groups.contains(container))
        && proc.read(pid, "status").is_ok_and(|status| has_memory(&status))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests' own files")]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_containers_and_has_its_memory() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("7");
        std::fs::create_dir(&folder).unwrap();
        let proc = Procfs::new(root.path().to_owned());
        let looks = |groups: &str, status: &str| {
            std::fs::write(folder.join("cgroup"), groups).unwrap();
            std::fs::write(folder.join("status"), status).unwrap();
            alive(&proc, 7, "c0ffee")
        };
        assert!(looks("4:pids:/docker/c0ffee\n", "Name:\tdocker-init\nState:\tS (sleeping)\nVmSize:\t  976 kB\n"));
        assert!(
            !looks("4:pids:/docker/c0ffee\n", "Name:\tdocker-init\nState:\tS (sleeping)\n"),
            "it waits for those that it leaves behind"
        );
        assert!(!looks("4:pids:/\n", "Name:\tdocker-init\nState:\tZ (zombie)\n"));
        assert!(!looks("4:pids:/docker/another\n", "VmSize:\t  976 kB\n"));
        assert!(!alive(&proc, 8, "c0ffee"));
    }
}
