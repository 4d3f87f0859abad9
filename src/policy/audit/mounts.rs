//! What is mounted into the session, and whether it is what was asked for.

use std::path::Path;

use super::Audit;
use super::source::Source;
use crate::policy::places::{is_shared, sensitive_in, system_folder};
use crate::session::{ContainerFacts, KernelFacts, KernelMount, MountFacts};

/// Requested, engine, kernel.
type Columns = (String, Source, Source);

/// Where a session's workspace stands.
const WORKSPACE: &str = "/workspace";
/// Files that engines put into every container.
const ENGINES_OWN: [&str; 5] = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/run/.containerenv", "/run/secrets"];
/// Where a tmpfs of the engine's own may stand unasked.
const SCRATCH: [&str; 3] = ["/run", "/tmp", "/var/tmp"];
/// File systems that are the kernel's own face: one of these below a host folder is the host's.
const KERNELS_OWN: [&str; 11] =
    ["proc", "sysfs", "cgroup", "cgroup2", "devtmpfs", "debugfs", "tracefs", "securityfs", "bpf", "configfs", "efivarfs"];

impl Audit<'_> {
    pub(super) fn mounts(&mut self) -> Columns {
        let requested = match &self.wanted.mounts {
            None => "no host folder".to_owned(),
            Some(wanted) if wanted.is_empty() => "none".to_owned(),
            Some(wanted) => {
                let word = |(target, read_only): (&String, &bool)| format!("{target}{}", if *read_only { " (ro)" } else { "" });
                wanted.iter().map(word).collect::<Vec<_>>().join(", ")
            }
        };
        let kernel = self.sandbox_kernel(|facts, source| {
            let mut others = Vec::new();
            self.judge_stacks(facts, source);
            for mount in &facts.mounts {
                self.judge_kernel_mount(facts, mount, source);
                if self.is_requested(mount.target.raw()) {
                    others.push(mount.target.to_string());
                }
            }
            // In one order, whatever the mount table's: equal sessions read alike.
            others.sort();
            source.text = if others.is_empty() { "none but the engine's own".to_owned() } else { others.join(", ") };
            self.judge_workspace(facts, source);
        });
        (requested, self.engine_mounts(), kernel)
    }

    fn engine_mounts(&self) -> Source {
        let mut source = Source::default();
        let mut shown = Vec::new();
        for mount in self.engine.mounts.iter().filter(|mount| mount.kind != "tmpfs") {
            let target = mount.destination.raw();
            let access = if mount.read_write { "" } else { " (ro)" };
            shown.push(format!("{} from {}{access}", mount.destination, origin(mount)));
            if mount.kind != "volume" {
                if let Some(why) = refused(mount.source.raw()) {
                    source.missing(format!("{} holds {}: {why}", mount.destination, mount.source));
                }
                // A label may list any target: the one folder of the host that a launch gives is judged and proved.
                if target != WORKSPACE || self.wanted.workspace.is_none() {
                    source.weaker(format!("{} is a folder of the host that was not judged", mount.destination));
                }
            }
            match self.wanted.mounts.as_ref().map(|wanted| wanted.get(target)) {
                Some(None) => source.weaker(format!("{} was mounted and not requested", mount.destination)),
                Some(Some(true)) if mount.read_write => {
                    source.weaker(format!("{} is writable where read-only was requested", mount.destination));
                }
                _ => {}
            }
        }
        shown.sort();
        source.text = if shown.is_empty() { "none".to_owned() } else { shown.join(", ") };
        source
    }

    /// No engine mounts twice at one place: the upper one came later, and covers what was asked for.
    fn judge_stacks(&self, facts: &KernelFacts, source: &mut Source) {
        let ours = self.wanted.mounts.iter().flatten().map(|(target, _)| target).chain(self.wanted.tmpfs.keys());
        for target in ours {
            if facts.mounts.iter().filter(|mount| mount.target.raw() == target).count() > 1 {
                source.weaker(format!("{target} is covered by another mount"));
            }
        }
    }

    fn judge_kernel_mount(&self, facts: &KernelFacts, mount: &KernelMount, source: &mut Source) {
        let target = mount.target.raw();
        let fs_type = mount.fs_type.as_str();
        let is_own_place = target == "/" || self.wanted.tmpfs.contains_key(target) || self.engine.tmpfs.contains_key(target);
        // Podman adds scratch space of its own to a read-only root.
        let is_scratch = fs_type == "tmpfs" && mount.root.raw() == "/" && SCRATCH.contains(&target);
        if is_own_place || is_scratch || is_engines_own(facts, self.engine, mount) {
            return;
        }
        if ["/proc", "/sys", "/dev"].iter().any(|top| is_at_or_below(target, top)) {
            // The container's own, masks over them, and the host's device nodes where a user namespace cannot make any.
            if !matches!(fs_type, "proc" | "sysfs" | "cgroup" | "cgroup2" | "tmpfs" | "devtmpfs" | "devpts" | "mqueue" | "binfmt_misc") {
                source.weaker(format!("{} holds a mount of the host's {fs_type}", mount.target));
            }
            return;
        }
        let volume = self.engine.mounts.iter().find(|known| known.kind == "volume" && known.destination.raw() == target);
        if volume.is_some_and(|volume| !is_of_volume(mount.root.raw(), volume.source.raw())) {
            source.weaker(format!("{} shows {} where the engine has a volume", mount.target, mount.root));
        }
        let above =
            self.wanted.mounts.iter().flatten().filter(|(wanted, _)| is_at_or_below(target, wanted)).max_by_key(|(wanted, _)| wanted.len());
        let Some((wanted, read_only)) = above else {
            let is_known_volume = self.wanted.mounts.is_none()
                && self.engine.mounts.iter().any(|known| known.kind == "volume" && is_at_or_below(target, known.destination.raw()));
            if !is_known_volume {
                source.weaker(format!("{} is mounted ({fs_type}, {}) and was not requested", mount.target, mount.root));
            }
            return;
        };
        if KERNELS_OWN.contains(&fs_type) {
            source.missing(format!("{} shows the host's {fs_type}", mount.target));
        } else if target != wanted {
            // A folder of the host brings what is mounted below it; into a volume of ours nothing is mounted.
            if wanted != WORKSPACE {
                source.weaker(format!("{} is mounted ({fs_type}, {}) below {wanted} and was not requested", mount.target, mount.root));
            } else if mount.root.raw() != "/"
                && let Some(why) = refused(mount.root.raw())
            {
                source.weaker(format!("{} shows {}: {why}", mount.target, mount.root));
            }
        }
        // A read-only bind does not make what is mounted below it read-only: older engines leave those writable.
        if *read_only && !is_read_only(mount) {
            source.weaker(format!("{} is writable where {wanted} was requested read-only", mount.target));
        }
    }

    fn judge_workspace(&self, facts: &KernelFacts, source: &mut Source) {
        let Some((device, inode)) = self.wanted.workspace else { return };
        match facts.workspace {
            Some(proof) if (proof.device, proof.inode) == (device, inode) => {}
            Some(proof) => source.missing(format!(
                "the folder was replaced between check and start: {WORKSPACE} is device {}, inode {} where device {device}, inode {inode} was judged",
                proof.device, proof.inode
            )),
            None if KernelMount::at(&facts.mounts, WORKSPACE).is_none() => source.missing(format!("nothing is mounted at {WORKSPACE}")),
            None => source.note_unknown(format!("the reader may not look into {WORKSPACE}")),
        }
    }

    fn is_requested(&self, target: &str) -> bool {
        match &self.wanted.mounts {
            Some(wanted) => wanted.contains_key(target),
            None => self.engine.mounts.iter().any(|mount| mount.destination.raw() == target),
        }
    }
}

/// The files that the engine itself mounts: names, addresses, and its init.
fn is_engines_own(facts: &KernelFacts, engine: &ContainerFacts, mount: &KernelMount) -> bool {
    let target = mount.target.raw();
    let is_users = engine.mounts.iter().any(|known| known.destination.raw() == target);
    let is_init = facts.init.mounted_from_host && target == facts.init.exe.raw();
    !is_users && (is_init || ENGINES_OWN.contains(&target))
}

fn origin(mount: &MountFacts) -> String {
    if mount.kind == "volume" { "a volume".to_owned() } else { mount.source.to_string() }
}

/// Why a host path is never given to a session.
fn refused(path: &str) -> Option<&'static str> {
    let trimmed = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    let file = trimmed.rsplit('/').next().unwrap_or_default();
    if ["docker.sock", "podman.sock", "containerd.sock", "crio.sock"].contains(&file) {
        return Some("who holds the engine's socket holds the host");
    }
    if ["/var/lib/docker", "/var/lib/containers", "/var/lib/containerd"].iter().any(|top| is_at_or_below(trimmed, top)) {
        return Some("the engine's own data");
    }
    let path = Path::new(trimmed);
    if sensitive_in(path).is_some() {
        return Some("a place where keys are kept");
    }
    (is_shared(path) || system_folder(path).is_some()).then_some("a system folder of the host")
}

/// Whether what stands at a mount is what the engine keeps for the volume. The paths before the volume's own two parts
/// may differ: the kernel counts from the root of a file system, and an engine may stand in a container itself. A
/// volume that is a file system of its own has no path in it.
fn is_of_volume(root: &str, source: &str) -> bool {
    let own = |path: &str| -> Vec<String> { path.trim_end_matches('/').rsplit('/').take(2).map(str::to_owned).collect() };
    root == "/" || source.is_empty() || own(root) == own(source)
}

fn is_at_or_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// By the mount's own flag or by that of the whole file system.
pub(super) fn is_read_only(mount: &KernelMount) -> bool {
    mount.options.iter().any(|option| option == "ro") || mount.super_options.iter().any(|option| option.raw() == "ro")
}

/// `size=` of a tmpfs in bytes.
pub(super) fn tmpfs_size(mount: &KernelMount) -> Option<u64> {
    let size = mount.super_options.iter().find_map(|option| option.raw().strip_prefix("size="))?;
    size.parse::<crate::units::Bytes>().ok().map(crate::units::Bytes::get)
}
