//! The fields: how each is called, on the screen and on the command line, and what it takes.

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the table below says what each is, to the operator too")]
pub enum Field {
    Name,
    Kind,
    Profile,
    Image,
    Command,
    Timeout,
    Workspace,
    Mode,
    Env,
    Secrets,
    Network,
    Memory,
    Cpus,
    PidsLimit,
    TmpSize,
    Seccomp,
    MinAge,
    MinAgeAllow,
    CapAdd,
    Rootfs,
    ShmSize,
    Nofile,
    Cpuset,
    EnvFiles,
    WorkingDir,
    Pull,
    Project,
    Ttl,
    Idle,
    DiskSoft,
    DiskHard,
}

/// Under which heading a field stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "their titles say it")]
pub enum Section {
    Session,
    Files,
    Limits,
    More,
}

impl Section {
    /// The heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Session => "Session",
            Self::Files => "Files and environment",
            Self::Limits => "Limits and rights",
            Self::More => "Seldom needed",
        }
    }
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A line.
    Line,
    /// A folder of this machine, with completion.
    Folder,
    /// One of the machine's profiles.
    Profile,
    /// One of these; the first where nothing was chosen, and an empty one is the profile's.
    OneOf(&'static [&'static str]),
}

struct Entry {
    field: Field,
    section: Section,
    key: &'static str,
    label: &'static str,
    flag: &'static str,
    takes: Takes,
    help: &'static str,
}

const fn entry(
    field: Field,
    section: Section,
    key: &'static str,
    label: &'static str,
    flag: &'static str,
    takes: Takes,
    help: &'static str,
) -> Entry {
    Entry { field, section, key, label, flag, takes, help }
}

use Section::{Files, Limits, More, Session};
use Takes::{Folder, Line, OneOf};

/// `read-only`, as the mode says it.
pub(super) const READ_ONLY: &str = "read-only";
/// `read-write`, as the mode and the root file system say it.
pub(super) const READ_WRITE: &str = "read-write";
/// A project's file is left unread.
pub(super) const IGNORED: &str = "ignored";

/// Every field, in the form's order. Keys are the profile's own where it has one, and what the state file keeps.
#[rustfmt::skip]
const TABLE: [Entry; 31] = [
    entry(Field::Name, Session, "name", "name", "--name", Line, "1 to 50 of a-z A-Z 0-9 _ . -"),
    entry(Field::Kind, Session, "kind", "kind", "--kind", OneOf(&["persistent", "ephemeral"]), "persistent stays until removed; ephemeral goes when its command ends"),
    entry(Field::Profile, Session, "profile", "profile", "--profile", Takes::Profile, "what is not said below is as this profile says"),
    entry(Field::Image, Session, "image", "image", "--image", Line, "any Linux image"),
    entry(Field::Command, Session, "command", "command", "--", Line, "words as in a shell, quotes too; for pipes: sh -c '…'"),
    entry(Field::Timeout, Session, "timeout", "timeout", "--timeout", Line, "such as 90s, 10m or 1h 30m; 0 for as long as it likes"),
    entry(Field::Workspace, Files, "workspace", "workspace", "--workspace", Folder, "folder of this machine, mounted at /workspace; tab completes"),
    entry(Field::Mode, Files, "mode", "mode", "--workspace", OneOf(&[READ_WRITE, READ_ONLY]), "whether the session may write to the workspace"),
    entry(Field::Env, Files, "env", "env", "--env", Line, "KEY=VALUE 'KEY=TWO WORDS' …; KEY alone passes yours on"),
    entry(Field::Secrets, Files, "secret", "secrets", "--secret", Line, "NAME or NAME=ENV …: your variable as /run/secrets/NAME"),
    entry(Field::Network, Limits, "network", "network", "--network", OneOf(&["", "none", "packages", "open"]), "packages: by the depot alone; open: what the host reaches"),
    entry(Field::Memory, Limits, "memory", "memory", "--memory", Line, "such as 512MiB or 4g; there is no swap beyond it"),
    entry(Field::Cpus, Limits, "cpus", "cpus", "--cpus", Line, "CPU time, such as 2 or 0.5"),
    entry(Field::PidsLimit, Limits, "pids_limit", "pids limit", "--pids-limit", Line, "processes and threads at once, 16 to 4096"),
    entry(Field::TmpSize, Limits, "tmp_size", "size of /tmp", "--tmp-size", Line, "such as 1GiB; it counts towards the memory as it fills"),
    entry(Field::Seccomp, Limits, "seccomp", "seccomp", "--seccomp", OneOf(&["", "default", "strict"]), "strict: also without io_uring, keyctl, ptrace, bpf, …"),
    entry(Field::MinAge, Limits, "min_age", "minimum age", "--min-age", Line, "hides package versions that are younger, such as 3d; 0 for none"),
    entry(Field::MinAgeAllow, More, "min_age_allow", "of any age", "--min-age-allow", Line, "packages that the age leaves alone: pypi:NAME npm:NAME …"),
    entry(Field::CapAdd, More, "cap_add", "capabilities", "--cap-add", Line, "given back, such as NET_RAW; the posture shows it"),
    entry(Field::Rootfs, More, "read_only_rootfs", "root files", "--read-write-rootfs", OneOf(&["", READ_WRITE]), "whether the image's own files can be written"),
    entry(Field::ShmSize, More, "shm_size", "size of shm", "--shm-size", Line, "of /dev/shm, such as 64MiB"),
    entry(Field::Nofile, More, "nofile", "open files", "--nofile", Line, "per process, 64 to 1048576"),
    entry(Field::Cpuset, More, "cpuset", "cpuset", "--cpuset", Line, "CPUs that are visible, such as 0-1,3"),
    entry(Field::EnvFiles, More, "env_file", "env files", "--env-file", Line, "files of KEY=VALUE lines, read before env"),
    entry(Field::WorkingDir, More, "workdir", "working dir", "--workdir", Line, "inside; else /workspace where there is one, else home"),
    entry(Field::Pull, More, "pull", "pull", "--pull", OneOf(&["missing", "always", "never"]), "when the image is pulled"),
    entry(Field::Project, More, "project", "project file", "--no-project", OneOf(&["read", IGNORED]), "a .palisade.toml in the workspace, or here; it can only narrow"),
    entry(Field::Ttl, More, "ttl", "time to live", "--ttl", Line, "stopped so long after each start, such as 8h; start begins it anew"),
    entry(Field::Idle, More, "idle", "idle time", "--idle", Line, "stopped once nobody has used it for so long, such as 2h"),
    entry(Field::DiskSoft, More, "disk.soft", "disk, soft", "--disk-soft", Line, "warned of above it: home and caches, such as 5GiB; 0 for no cap"),
    entry(Field::DiskHard, More, "disk.hard", "disk, hard", "--disk-hard", Line, "stopped above it: home and caches, such as 10GiB; 0 for no cap"),
];

impl Field {
    /// Every field, in the form's order.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        TABLE.iter().map(|entry| entry.field)
    }

    /// How many there are.
    pub const COUNT: usize = TABLE.len();

    fn entry(self) -> &'static Entry {
        // The table is in the enum's own order, which a test holds.
        &TABLE[self as usize]
    }

    /// The field of that key.
    pub fn of_key(key: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.key == key).map(|entry| entry.field)
    }

    /// The first field that this flag is of.
    pub fn of_flag(flag: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.flag == flag).map(|entry| entry.field)
    }

    /// Its place in the form.
    pub const fn place(self) -> usize {
        self as usize
    }

    /// What files and messages call it.
    pub fn key(self) -> &'static str {
        self.entry().key
    }

    /// What the screen calls it.
    pub fn label(self) -> &'static str {
        self.entry().label
    }

    /// Where it stands.
    pub fn section(self) -> Section {
        self.entry().section
    }

    /// What it takes.
    pub fn takes(self) -> Takes {
        self.entry().takes
    }

    /// One line for people.
    pub fn help(self) -> &'static str {
        self.entry().help
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::profile::KEYS;

    #[test]
    fn the_table_is_in_the_enums_order_and_keys_are_the_profiles_own() {
        for (at, entry) in TABLE.iter().enumerate() {
            assert_eq!(entry.field.place(), at, "{}", entry.key);
            assert_eq!(Field::of_key(entry.key), Some(entry.field));
            assert!(entry.label.chars().count() <= 12 && entry.help.chars().count() <= 76, "{}", entry.key);
        }
        let of_profiles = KEYS.iter().filter(|(key, _)| Field::of_key(key).is_some()).count();
        assert!(of_profiles >= 14, "{of_profiles}");
    }
}
