use super::*;

#[test]
fn file_systems_are_compared_by_what_they_let_through() {
    use Control::{Devices, Mounts, ReadOnlyRootfs, SystemPaths, Tmpfs};
    use Verdict::{Missing, Unknown, Weaker};
    spoiled(ReadOnlyRootfs, Missing, "writable", |_, _, kernel| kernel.mounts[0].options = vec!["rw".to_owned()]);
    spoiled(ReadOnlyRootfs, Missing, "writable", |_, engine, _| engine.read_only_rootfs = false);
    holds(|requested, engine, kernel| {
        requested.read_only_rootfs = false;
        engine.read_only_rootfs = false;
        kernel.mounts[0].options = vec!["rw".to_owned()];
    });
    let tmp = kernel().mounts.len() - 1;
    spoiled(Tmpfs, Weaker, "not nosuid", |_, _, kernel| kernel.mounts[tmp].options = vec!["rw".to_owned(), "nodev".to_owned()]);
    spoiled(Tmpfs, Weaker, "128 MiB where 64 MiB", |_, _, kernel| kernel.mounts[tmp].super_options = vec!["size=131072k".into()]);
    spoiled(Tmpfs, Weaker, "half of the memory", |_, _, kernel| kernel.mounts[tmp].super_options.clear());
    spoiled(Tmpfs, Weaker, "option suid", |_, engine, _| {
        engine.tmpfs.insert("/tmp".to_owned(), "size=64m,suid".to_owned());
    });
    spoiled(Tmpfs, Missing, "no tmpfs stands at /tmp", |_, _, kernel| {
        kernel.mounts.truncate(tmp);
    });
    spoiled(Devices, Missing, "devices were given", |_, engine, _| engine.devices.push("/dev/kvm".to_owned()));
    spoiled(Devices, Missing, "host's own /dev", |_, _, kernel| kernel.mounts[2].fs_type = "devtmpfs".to_owned());
    spoiled(SystemPaths, Weaker, "in reach: /proc/keys", |_, _, kernel| kernel.mounts.retain(|mount| mount.target.raw() != "/proc/keys"));
    spoiled(SystemPaths, Missing, "/proc/sys", |_, _, kernel| kernel.mounts.retain(|mount| mount.target.raw() != "/proc/sys"));
    spoiled(SystemPaths, Missing, "/proc/kcore", |_, _, kernel| kernel.system_paths.push("/proc/kcore".to_owned()));
    spoiled(SystemPaths, Weaker, "/sys", |_, _, kernel| kernel.mounts[4].options = vec!["rw".to_owned()]);
    spoiled(SystemPaths, Missing, "hide nothing", |_, engine, _| engine.security_opt.push("systempaths=unconfined".to_owned()));
    spoiled(SystemPaths, Missing, "neither hidden", |_, engine, _| engine.masked_paths = Some(Vec::new()));
    spoiled(Mounts, Unknown, "may not look", |_, _, kernel| kernel.workspace = None);
}

#[test]
fn nothing_of_the_host_is_mounted_but_what_was_asked_for() {
    use Control::Mounts;
    use Verdict::{Missing, Weaker};
    spoiled(Mounts, Missing, "holds the host", |_, engine, _| engine.mounts.push(bind("bind", "/var/run/docker.sock", "/s", false)));
    spoiled(Mounts, Missing, "a system folder", |_, engine, _| engine.mounts[0].source = "/proc/".into());
    spoiled(Mounts, Missing, "engine's own data", |_, engine, _| engine.mounts[0].source = "/var/lib/docker/overlay2".into());
    spoiled(Mounts, Weaker, "not requested", |_, engine, _| engine.mounts.push(bind("bind", "/srv/other", "/other", false)));
    spoiled(Mounts, Weaker, "writable where read-only", |_, engine, _| engine.mounts[1].read_write = true);
    spoiled(Mounts, Weaker, "/other is mounted (ext4, /srv/other)", |_, _, kernel| {
        kernel.mounts.push(mount("/other", "/srv/other", "ext4", "rw"));
    });
    spoiled(Mounts, Weaker, "/x is mounted", |_, _, kernel| kernel.mounts.push(mount("/x", "/docker.sock", "tmpfs", "rw")));
    spoiled(Mounts, Weaker, "/proc/x holds", |_, _, kernel| kernel.mounts.push(mount("/proc/x", "/srv", "ext4", "ro")));
    spoiled(Mounts, Weaker, "/palisade/below is writable", |_, _, kernel| {
        kernel.mounts.push(mount("/palisade/below", "/", "ext4", "rw"));
    });
    spoiled(Mounts, Missing, "shows the host's proc", |_, _, kernel| {
        kernel.mounts.push(mount("/workspace/chroot/proc", "/", "proc", "rw"));
    });
    spoiled(Mounts, Missing, "replaced between check and start", |_, _, kernel| {
        kernel.workspace.as_mut().unwrap().inode = 43;
    });
    spoiled(Mounts, Weaker, "/other is a folder of the host that was not judged", |requested, engine, kernel| {
        requested.mounts.insert("/other".to_owned(), false);
        engine.mounts.push(bind("bind", "/srv/other", "/other", true));
        kernel.mounts.push(mount("/other", "/srv/other", "ext4", "rw"));
    });
    spoiled(Mounts, Weaker, "/workspace is a folder of the host that was not judged", |requested, _, _| requested.workspace = None);
    spoiled(Mounts, Missing, "where keys are kept", |_, engine, _| engine.mounts[0].source = "/home/alice/.ssh".into());
    spoiled(Mounts, Weaker, "/palisade shows /etc where the engine has a volume", |_, _, kernel| kernel.mounts[7].root = "/etc".into());
    spoiled(Mounts, Weaker, "/palisade is covered by another mount", |_, _, kernel| {
        kernel.mounts.push(mount("/palisade", "/", "ext4", "ro"));
    });
    spoiled(Mounts, Weaker, "below /palisade and was not requested", |_, _, kernel| {
        kernel.mounts.push(mount("/palisade/below", "/", "ext4", "ro"));
    });
    spoiled(Mounts, Weaker, "/workspace/x shows /root/.ssh", |_, _, kernel| {
        kernel.mounts.push(mount("/workspace/x", "/root/.ssh", "ext4", "rw"));
    });
    holds(|_, _, kernel| kernel.mounts.push(mount("/workspace/disk", "/", "ext4", "rw")));
    // An engine that stands in a container itself, and a volume with a file system of its own.
    holds(|_, _, kernel| kernel.mounts[7].root = "/srv/outer/_data/volumes/palisade/_data".into());
    holds(|_, _, kernel| (kernel.mounts[7].root, kernel.mounts[7].fs_type) = ("/".into(), "tmpfs".to_owned()));
    // A file of the engine's own is not of the engine's own when a user put it there.
    let mut engine = engine();
    engine.mounts.push(bind("bind", "/srv/hosts", "/etc/hosts", true));
    assert_eq!(of(&audit(Some(&requested()), &engine, Ok(&kernel())), Mounts).verdict, Weaker);
}

#[test]
fn surroundings_are_compared() {
    use Control::{LogCap, Namespaces, Network as NetworkControl, RestartPolicy};
    use Verdict::{Missing, Unknown, Weaker};
    spoiled(NetworkControl, Missing, "interfaces besides lo: eth0", |_, _, kernel| kernel.interfaces.push("eth0".into()));
    spoiled(NetworkControl, Missing, "attached to a network", |_, engine, _| engine.network_mode = "bridge".to_owned());
    spoiled(NetworkControl, Missing, "attached to a network", |requested, engine, _| {
        requested.network = Network::Packages;
        engine.network_mode = "bridge".to_owned();
    });
    spoiled(NetworkControl, Missing, "interfaces besides lo: eth0", |requested, _, kernel| {
        requested.network = Network::Packages;
        kernel.interfaces.push("eth0".into());
    });
    spoiled(NetworkControl, Missing, "host's network", |requested, engine, _| {
        requested.network = Network::Open;
        engine.network_mode = "host".to_owned();
    });
    spoiled(NetworkControl, Weaker, "ports are published", |_, engine, _| engine.ports.push("80/tcp".to_owned()));
    for (name, at, verdict) in [("cgroup", 0, Weaker), ("ipc", 1, Missing), ("pid", 4, Missing), ("uts", 6, Missing)] {
        spoiled(Namespaces, verdict, &format!("host's {name} namespace"), |_, _, kernel| kernel.namespaces[at].is_host = Some(true));
    }
    spoiled(Namespaces, Missing, "shares the host's pid", |_, engine, _| engine.pid_mode = "host".to_owned());
    spoiled(Namespaces, Weaker, "may join", |_, engine, _| engine.ipc_mode = "shareable".to_owned());
    spoiled(Namespaces, Missing, "another's ipc", |_, engine, _| engine.ipc_mode = "container:x".to_owned());
    spoiled(Namespaces, Unknown, "may not see", |_, _, kernel| kernel.namespaces.iter_mut().for_each(|fact| fact.is_host = None));
    spoiled(RestartPolicy, Missing, "start it again", |_, engine, _| engine.restart_policy = "always".to_owned());
    spoiled(LogCap, Missing, "no limit", |_, engine, _| engine.log.options.clear());
    spoiled(LogCap, Weaker, "larger than requested", |_, engine, _| {
        engine.log.options.insert("max-size".to_owned(), "1g".to_owned());
    });
    spoiled(LogCap, Unknown, "journald", |_, engine, _| engine.log.driver = "journald".to_owned());
}
