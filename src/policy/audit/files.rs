//! Controls over what the session sees of file systems: root, tmpfs, mounts, devices, `/proc` and `/sys`.

use std::collections::BTreeSet;

use super::source::Source;
use super::{Audit, mounts};
use crate::session::KernelMount;
use crate::units::Bytes;

/// Requested, engine, kernel.
type Columns = (String, Source, Source);

/// What every engine hides, where the kernel has it.
const MASKED: [&str; 9] = [
    "/proc/acpi",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/firmware",
];
/// What every engine makes read-only, where the kernel has it.
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

impl Audit<'_> {
    pub(super) fn read_only_rootfs(&mut self) -> Columns {
        let wanted = self.wanted.read_only_rootfs;
        let state = |read_only: bool| if read_only { "read-only" } else { "writable" };
        let judged = |read_only: bool| {
            let mut source = Source::showing(state(read_only));
            if wanted && !read_only {
                source.missing("the root file system is writable");
            }
            source
        };
        let kernel = self.sandbox_kernel(|facts, source| {
            *source = match KernelMount::at(&facts.mounts, "/") {
                Some(root) => judged(mounts::is_read_only(root)),
                None => Source::unknown("no root in the mount table", "the mount table shows no root"),
            };
        });
        (state(wanted).to_owned(), judged(self.engine.read_only_rootfs), kernel)
    }

    pub(super) fn tmpfs(&mut self) -> Columns {
        let wanted = &self.wanted.tmpfs;
        let words: Vec<String> = wanted.iter().map(|(path, size)| format!("{path} {}", Bytes::new(*size))).collect();
        let requested = if words.is_empty() { "none".to_owned() } else { format!("{}; nosuid, nodev", words.join(", ")) };
        let paths: BTreeSet<&str> = wanted.keys().chain(self.engine.tmpfs.keys()).map(String::as_str).collect();
        let kernel = self.sandbox_kernel(|facts, source| {
            let mut shown = Vec::new();
            for path in &paths {
                let Some(mount) = KernelMount::at(&facts.mounts, path).filter(|mount| mount.fs_type == "tmpfs") else {
                    source.missing(format!("no tmpfs stands at {path}"));
                    continue;
                };
                let size = mounts::tmpfs_size(mount);
                shown.push(size.map_or_else(|| format!("{path} unbounded"), |size| format!("{path} {}", Bytes::new(size))));
                judge_tmpfs(source, path, size, wanted.get(*path).copied());
                for flag in ["nosuid", "nodev"] {
                    if !mount.options.iter().any(|option| option == flag) {
                        source.weaker(format!("the tmpfs at {path} is not {flag}"));
                    }
                }
            }
            source.text = if shown.is_empty() { "none".to_owned() } else { shown.join(", ") };
        });
        (requested, self.engine_tmpfs(), kernel)
    }

    fn engine_tmpfs(&self) -> Source {
        let mut source = Source::default();
        let mut shown = Vec::new();
        for (path, options) in &self.engine.tmpfs {
            let size = options.split(',').find_map(|option| option.strip_prefix("size=")).and_then(|size| size.parse::<Bytes>().ok());
            shown.push(tmpfs_words(path, size, options));
            judge_tmpfs(&mut source, path, size.map(Bytes::get), self.wanted.tmpfs.get(path).copied());
            // The engine adds nosuid and nodev itself unless it is told otherwise.
            for option in options.split(',').filter(|option| matches!(*option, "suid" | "dev")) {
                source.weaker(format!("the tmpfs at {path} has the option {option}"));
            }
        }
        let is_mounted = |path: &str| self.engine.mounts.iter().any(|mount| mount.kind == "tmpfs" && mount.destination.raw() == path);
        for path in self.wanted.tmpfs.keys().filter(|path| !self.engine.tmpfs.contains_key(*path)) {
            if !is_mounted(path) {
                source.missing(format!("the engine has no tmpfs at {path}"));
            } else if self.kernel.is_err() {
                source.note_unknown(format!("the engine does not say how large the tmpfs at {path} may grow"));
            }
        }
        source.text = if shown.is_empty() { "none".to_owned() } else { shown.join("; ") };
        source
    }

    pub(super) fn devices(&mut self) -> Columns {
        let mut engine = Source::showing(if self.engine.devices.is_empty() { "none".to_owned() } else { self.engine.devices.join(", ") });
        if self.engine.privileged {
            engine.show("privileged: all");
            engine.missing("the container is privileged: every device of the host is in it");
        } else if !self.engine.devices.is_empty() {
            engine.missing("devices were given to it");
        }
        let kernel = self.sandbox_kernel(|facts, source| match KernelMount::at(&facts.mounts, "/dev") {
            Some(dev) if dev.fs_type == "tmpfs" => source.show("/dev is a tmpfs of its own"),
            Some(dev) => {
                source.text = format!("/dev is {}", dev.fs_type);
                source.missing("the host's own /dev stands in it");
            }
            None => {
                source.show("nothing is mounted at /dev");
            }
        });
        ("none".to_owned(), engine, kernel)
    }

    pub(super) fn system_paths(&mut self) -> Columns {
        let kernel = self.sandbox_kernel(|facts, source| {
            let has = |path: &&str| facts.system_paths.iter().any(|known| known == *path);
            let bare: Vec<&str> = MASKED.into_iter().filter(has).filter(|path| KernelMount::at(&facts.mounts, path).is_none()).collect();
            let writable: Vec<&str> =
                READ_ONLY.into_iter().filter(has).chain(["/sys"]).filter(|path| !is_read_only_below(&facts.mounts, path)).collect();
            if bare.contains(&"/proc/kcore") || writable.contains(&"/proc/sys") {
                source.missing(format!("in reach: {}", words(&[&bare[..], &writable[..]].concat())));
            } else if !bare.is_empty() || !writable.is_empty() {
                source.weaker(format!("in reach: {}", words(&[&bare[..], &writable[..]].concat())));
            }
            source.text = if bare.is_empty() && writable.is_empty() {
                "hidden or read-only, where this kernel has them".to_owned()
            } else {
                format!("not hidden: {}; writable: {}", words(&bare), words(&writable))
            };
        });
        ("hidden or read-only".to_owned(), self.engine_system_paths(), kernel)
    }

    fn engine_system_paths(&self) -> Source {
        let engine = self.engine;
        if engine.privileged || engine.security_opt.iter().any(|option| matches!(option.as_str(), "systempaths=unconfined" | "unmask=ALL"))
        {
            let mut source = Source::showing("none hidden");
            source.missing("the engine was told to hide nothing");
            return source;
        }
        let (Some(masked), Some(read_only)) = (&engine.masked_paths, &engine.readonly_paths) else {
            // Podman does not report them: the kernel's mount table decides.
            return if self.kernel.is_ok() {
                Source::showing("not reported")
            } else {
                Source::unknown("not reported", "the engine does not report them")
            };
        };
        let mut source = Source::showing(format!("{} hidden, {} read-only", masked.len(), read_only.len()));
        let lacking = |wanted: &[&'static str], listed: &[String]| -> Vec<&'static str> {
            wanted.iter().copied().filter(|path| !listed.iter().any(|known| known == path)).collect()
        };
        let bare = lacking(&MASKED, masked);
        let writable: Vec<&str> =
            lacking(&READ_ONLY, read_only).into_iter().filter(|path| !masked.iter().any(|known| known == path)).collect();
        if bare.len() == MASKED.len() || writable.contains(&"/proc/sys") {
            source.missing(format!("neither hidden nor read-only: {}", words(&[&bare[..], &writable[..]].concat())));
        } else if !bare.is_empty() || !writable.is_empty() {
            source.weaker(format!("neither hidden nor read-only: {}", words(&[&bare[..], &writable[..]].concat())));
        }
        source
    }
}

fn words(paths: &[&str]) -> String {
    if paths.is_empty() { "none".to_owned() } else { paths.join(" ") }
}

/// `/run 64 MiB noexec nosuid nodev`: what decides, without owners and modes.
fn tmpfs_words(path: &str, size: Option<Bytes>, options: &str) -> String {
    let size = size.map_or_else(|| "unbounded".to_owned(), |size| size.to_string());
    let flags = options.split(',').filter(|option| !option.is_empty() && *option != "rw" && !option.contains('='));
    flags.fold(format!("{path} {size}"), |words, flag| format!("{words} {flag}"))
}

fn judge_tmpfs(source: &mut Source, path: &str, size: Option<u64>, wanted: Option<u64>) {
    match (size, wanted) {
        (None, _) => source.weaker(format!("the tmpfs at {path} has no size of its own: it may take half of the memory")),
        (Some(size), Some(wanted)) if size > page_up(wanted) => {
            source.weaker(format!("the tmpfs at {path} may grow to {} where {} was requested", Bytes::new(size), Bytes::new(wanted)));
        }
        _ => {}
    }
}

/// A tmpfs has whole pages, the largest of which are 64 KiB.
fn page_up(size: u64) -> u64 {
    size.checked_next_multiple_of(64 << 10).unwrap_or(size)
}

/// Read-only by its own mount or by the nearest one above it; a path that is hidden cannot be written either.
fn is_read_only_below(table: &[KernelMount], path: &str) -> bool {
    let mut at = path;
    loop {
        if let Some(mount) = KernelMount::at(table, at) {
            return mounts::is_read_only(mount) || (at == path && path != "/sys" && mount.fs_type != "proc");
        }
        match at.rsplit_once('/') {
            Some(("", _)) | None => return KernelMount::at(table, "/").is_some_and(mounts::is_read_only),
            Some((parent, _)) => at = parent,
        }
    }
}
