use std::os::unix::fs::MetadataExt;

use super::procfs::Procfs;
use crate::session::{InitProof, KernelMount};

/// What PID 1 is, by what cannot be forged from inside: the kernel's link to its executable, and the mount that
/// stands at that path. Its name can be set by anyone, and an image may hold a file of any name.
pub(super) fn prove(proc: &Procfs, pid: u32, mounts: &[KernelMount]) -> InitProof {
    let exe = proc.link(pid, "exe").unwrap_or_default();
    let running_on = std::fs::metadata(proc.path(pid, "exe")).ok().map(|file| file.dev());
    let mounted_from_host = mounted_from_outside(&exe, running_on, mounts);
    InitProof { exe: exe.into(), mounted_from_host }
}

/// Whether a read-only mount stands exactly at `exe` that is neither part of the root file system nor of anything
/// that the container may write, and is what really runs.
fn mounted_from_outside(exe: &str, running_on: Option<u64>, mounts: &[KernelMount]) -> bool {
    let (Some(mount), Some(root)) = (KernelMount::at(mounts, exe), KernelMount::at(mounts, "/")) else { return false };
    let is_read_only = mount.options.iter().any(|option| option == "ro");
    // btrfs numbers its subvolumes in `stat` and not in the mount table.
    let is_what_runs = running_on.is_none_or(|device| mount.fs_type == "btrfs" || device_name(device) == mount.device);
    let is_writable_elsewhere =
        mounts.iter().any(|other| other.options.iter().any(|option| option == "rw") && !std::ptr::eq(other, mount) && holds(other, mount));
    exe != "/" && is_read_only && is_what_runs && !holds(root, mount) && !is_writable_elsewhere
}

/// Whether what `inner` shows is also in reach through `outer`.
fn holds(outer: &KernelMount, inner: &KernelMount) -> bool {
    let (outer_root, inner_root) = (outer.root.raw(), inner.root.raw());
    let is_below = outer_root == "/" || inner_root.strip_prefix(outer_root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    outer.device == inner.device && is_below
}

/// `st_dev` as the mount table writes it.
fn device_name(device: u64) -> String {
    format!("{}:{}", nix::sys::stat::major(device), nix::sys::stat::minor(device))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::mounts;

    const DOCKER: &str = "72 48 0:39 / / ro,relatime - overlay overlay rw\n\
        89 72 254:0 /usr/bin/tini-static /usr/sbin/docker-init ro,relatime - ext4 /dev/vda rw\n\
        92 72 254:0 /var/lib/docker/volumes/home/_data /home/sandbox rw,relatime - ext4 /dev/vda rw\n";

    fn proves(exe: &str, table: &str) -> bool {
        mounted_from_outside(exe, None, &mounts::parse(table))
    }

    #[test]
    fn the_engines_own_init_is_known_by_its_mount() {
        assert!(proves("/usr/sbin/docker-init", DOCKER));
        let podman = "1 0 0:39 / / rw - overlay overlay rw\n2 1 8:1 /usr/libexec/podman/catatonit /run/podman-init ro - ext4 /dev/sda rw\n";
        assert!(proves("/run/podman-init", podman));
        let vfs = "1 0 8:1 /var/lib/docker/vfs/dir/abc / rw - ext4 /dev/sda rw\n2 1 8:1 /usr/bin/docker-init /sbin/docker-init ro - ext4 /dev/sda rw\n";
        assert!(proves("/sbin/docker-init", vfs), "a root on the host's own file system is told apart by its folder");
    }

    #[test]
    fn a_file_of_that_name_in_the_image_or_in_a_volume_is_no_init() {
        let image = "72 48 0:39 / / ro - overlay overlay rw\n";
        assert!(!proves("/sbin/docker-init", image));
        assert!(!proves("/home/sandbox/docker-init", DOCKER));
        assert!(!proves("/", image));
        assert!(!proves("", DOCKER));
    }

    #[test]
    fn a_mount_that_the_container_can_write_proves_nothing() {
        assert!(!proves("/usr/sbin/docker-init", &DOCKER.replace("docker-init ro,", "docker-init rw,")));
        let planted = DOCKER.replace("/usr/bin/tini-static", "/var/lib/docker/volumes/home/_data/tini");
        assert!(!proves("/usr/sbin/docker-init", &planted), "the same file is writable through the home volume");
    }

    #[test]
    fn what_runs_must_be_on_the_mount_that_stands_there() {
        let mounts = mounts::parse(DOCKER);
        assert!(mounted_from_outside("/usr/sbin/docker-init", Some(nix::sys::stat::makedev(254, 0)), &mounts));
        assert!(!mounted_from_outside("/usr/sbin/docker-init", Some(nix::sys::stat::makedev(0, 39)), &mounts));
    }
}
