//! Where a path in a container lies: on a mount that the engine's archive calls see, in a tmpfs that they do not, or in
//! the image. Pure: it judges what the engine reported.

use crate::failure::{Code, Failure, Result};
use crate::session::ContainerFacts;
use crate::units::sanitise;

/// What the kernel mounts in every container.
const KERNELS: [&str; 3] = ["/dev", "/proc", "/sys"];

/// A path in a container as an operator types it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inside {
    /// Absolute, without `.`, `..` or doubled slashes; from the root where it began without one, as `docker cp` has it.
    pub(super) path: String,
    /// It ended in a slash.
    pub(super) must_be_folder: bool,
    /// It ended in `/.`: what is in the folder, not the folder.
    pub(super) contents: bool,
}

impl Inside {
    pub(super) fn parse(text: &str) -> Self {
        let mut parts: Vec<&str> = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                _ => parts.push(part),
            }
        }
        let contents = parts.is_empty() || text.ends_with("/.");
        Self { path: format!("/{}", parts.join("/")), must_be_folder: contents || text.ends_with('/'), contents }
    }

    /// The last part; empty for the root.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The folder that it is in.
    pub(super) fn parent(&self) -> String {
        match self.path.rsplit_once('/') {
            None | Some(("", _)) => "/".to_owned(),
            Some((parent, _)) => parent.to_owned(),
        }
    }
}

/// A path one step further down.
pub(super) fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

enum Ground<'a> {
    /// Memory, or the kernel's own: mounted in the container alone.
    Hidden(&'a str),
    /// A volume or a host folder.
    Mount { at: &'a str, writable: bool },
    /// The image.
    Root,
}

fn ground<'a>(facts: &'a ContainerFacts, path: &str) -> Ground<'a> {
    let hidden = KERNELS.into_iter().chain(facts.tmpfs.keys().map(String::as_str)).map(|at| (at, Ground::Hidden(at)));
    let mounts = facts.mounts.iter().map(|mount| {
        let at = mount.destination.raw();
        (at, if mount.kind == "tmpfs" { Ground::Hidden(at) } else { Ground::Mount { at, writable: mount.read_write } })
    });
    hidden
        .chain(mounts)
        .filter(|(at, _)| covers(at, path))
        .max_by_key(|(at, _)| at.trim_end_matches('/').len())
        .map_or(Ground::Root, |(_, ground)| ground)
}

fn covers(at: &str, path: &str) -> bool {
    path.strip_prefix(at.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Refuses what the engine's archive calls cannot see.
pub(super) fn visible(facts: &ContainerFacts, path: &str) -> Result<()> {
    match ground(facts, path) {
        Ground::Hidden(at) => Err(hidden(facts, path, at)),
        Ground::Mount { .. } | Ground::Root => Ok(()),
    }
}

/// Refuses what cannot be written either.
pub(super) fn writable(facts: &ContainerFacts, path: &str) -> Result<()> {
    let refuse = |why: &str| {
        Err(Failure::new(Code::Refused, format!("cannot copy to '{}': {why}", sanitise(path)))
            .hint(format!("writable: {}", folders(facts))))
    };
    match ground(facts, path) {
        Ground::Hidden(at) => Err(hidden(facts, path, at)),
        Ground::Mount { writable: true, .. } => Ok(()),
        Ground::Mount { at, .. } => refuse(&format!("'{}' is mounted read-only", sanitise(at))),
        Ground::Root if facts.read_only_rootfs => refuse("the root file system is read-only"),
        Ground::Root => Ok(()),
    }
}

fn hidden(facts: &ContainerFacts, path: &str, at: &str) -> Failure {
    Failure::new(
        Code::Refused,
        format!("cannot copy '{}': '{}' is in memory, mounted inside the sandbox alone", sanitise(path), sanitise(at)),
    )
    .detail("the engine copies to and from the image, volumes and mounted folders only")
    .hint(format!("copy by way of another folder ({}) and move it with `palisade exec`", folders(facts)))
}

/// The mounts that a copy can write.
fn folders(facts: &ContainerFacts) -> String {
    let mut at: Vec<String> =
        facts.mounts.iter().filter(|mount| mount.read_write && mount.kind != "tmpfs").map(|mount| mount.destination.to_string()).collect();
    at.sort();
    if at.is_empty() { "none".to_owned() } else { at.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::MountFacts;

    fn sandbox() -> ContainerFacts {
        let mount = |kind: &str, at: &str, read_write| MountFacts {
            kind: kind.into(),
            name: String::new(),
            source: "/x".into(),
            destination: at.into(),
            read_write,
        };
        ContainerFacts {
            read_only_rootfs: true,
            tmpfs: [("/tmp".to_owned(), String::new()), ("/run".to_owned(), String::new())].into(),
            mounts: vec![mount("volume", "/home/sandbox", true), mount("bind", "/workspace", true), mount("volume", "/palisade", false)],
            ..ContainerFacts::default()
        }
    }

    #[test]
    fn a_path_is_read_as_docker_cp_reads_it() {
        let parts = |text| {
            let inside = Inside::parse(text);
            (inside.path.clone(), inside.name().to_owned(), inside.parent(), inside.must_be_folder, inside.contents)
        };
        for (text, path, name, parent, folder, contents) in [
            ("/a/b", "/a/b", "b", "/a", false, false),
            ("a", "/a", "a", "/", false, false),
            ("/a//./b/", "/a/b", "b", "/a", true, false),
            ("/a/../../b/.", "/b", "b", "/", true, true),
            ("/", "/", "", "/", true, true),
            ("", "/", "", "/", true, true),
        ] {
            assert_eq!(parts(text), (path.to_owned(), name.to_owned(), parent.to_owned(), folder, contents), "{text}");
        }
    }

    #[test]
    fn only_mounts_that_may_be_written_are_written_and_the_refusal_names_them() {
        let facts = sandbox();
        for path in ["/home/sandbox", "/home/sandbox/a/b", "/workspace/x"] {
            writable(&facts, path).unwrap();
        }
        for path in ["/", "/etc/passwd", "/home", "/home/sandboxes", "/palisade/x", "/tmp/x", "/run", "/proc/1", "/dev/shm/x"] {
            let failure = writable(&facts, path).unwrap_err();
            assert_eq!(failure.code, Code::Refused);
            assert!(failure.to_string().contains("/home/sandbox, /workspace"), "{failure}");
        }
        writable(&ContainerFacts { read_only_rootfs: false, ..sandbox() }, "/etc/motd").unwrap();
    }

    #[test]
    fn memory_cannot_be_copied_and_the_refusal_says_so() {
        for path in ["/tmp/x", "/run/secrets/token", "/proc/1/environ"] {
            let failure = visible(&sandbox(), path).unwrap_err();
            assert!(failure.to_string().contains("is in memory"), "{failure}");
        }
        for path in ["/etc/passwd", "/tmpx", "/home/sandbox"] {
            visible(&sandbox(), path).unwrap();
        }
    }

    #[test]
    fn the_innermost_mount_decides() {
        let mut facts = sandbox();
        facts.tmpfs.insert("/workspace/.cache".into(), String::new());
        writable(&facts, "/workspace/.cache/x").unwrap_err();
        writable(&facts, "/workspace/src").unwrap();
    }
}
