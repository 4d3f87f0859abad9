//! The list of controls: their names, what each stops, and the floor.

use std::fmt;

use serde::Serialize;

/// One hardening measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is explained by `Control::stops`, which the program shows")]
pub enum Control {
    CapDrop,
    NoNewPrivileges,
    Seccomp,
    User,
    Init,
    PidsLimit,
    Memory,
    MemorySwap,
    Cpus,
    Nofile,
    CoreDumps,
    ReadOnlyRootfs,
    Tmpfs,
    Mounts,
    Devices,
    Network,
    Namespaces,
    SystemPaths,
    LogCap,
    RestartPolicy,
    Apparmor,
}

impl Control {
    /// Every control, in the order in which they are shown.
    pub const ALL: [Self; 21] = [
        Self::CapDrop,
        Self::NoNewPrivileges,
        Self::Seccomp,
        Self::User,
        Self::Init,
        Self::PidsLimit,
        Self::Memory,
        Self::MemorySwap,
        Self::Cpus,
        Self::Nofile,
        Self::CoreDumps,
        Self::ReadOnlyRootfs,
        Self::Tmpfs,
        Self::Mounts,
        Self::Devices,
        Self::Network,
        Self::Namespaces,
        Self::SystemPaths,
        Self::LogCap,
        Self::RestartPolicy,
        Self::Apparmor,
    ];

    /// The name in JSON, tables and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CapDrop => "cap_drop",
            Self::NoNewPrivileges => "no_new_privileges",
            Self::Seccomp => "seccomp",
            Self::User => "user",
            Self::Init => "init",
            Self::PidsLimit => "pids_limit",
            Self::Memory => "memory",
            Self::MemorySwap => "memory_swap",
            Self::Cpus => "cpus",
            Self::Nofile => "nofile",
            Self::CoreDumps => "core_dumps",
            Self::ReadOnlyRootfs => "read_only_rootfs",
            Self::Tmpfs => "tmpfs",
            Self::Mounts => "mounts",
            Self::Devices => "devices",
            Self::Network => "network",
            Self::Namespaces => "namespaces",
            Self::SystemPaths => "system_paths",
            Self::LogCap => "log_cap",
            Self::RestartPolicy => "restart_policy",
            Self::Apparmor => "apparmor",
        }
    }

    /// What the measure stops, in one sentence for operators.
    pub const fn stops(self) -> &'static str {
        match self {
            Self::CapDrop => {
                "Without capabilities even a process that becomes root cannot mount, trace, change owners or touch the network stack."
            }
            Self::NoNewPrivileges => "A set-uid program or file capability in the image gives nothing to who runs it.",
            Self::Seccomp => "System calls that only an attack on the kernel needs are refused before they reach it.",
            Self::User => "What breaks out of the container arrives as an ordinary user, not as root.",
            Self::Init => "Orphaned processes are reaped and signals reach the command, so a session always stops when told.",
            Self::PidsLimit => "A fork bomb ends at its own limit, not at the host's.",
            Self::Memory => "A process that takes memory without end is killed inside its session, not the host's services.",
            Self::MemorySwap => "The session cannot push the host into swapping.",
            Self::Cpus => "A busy loop takes its share of CPU time and no more.",
            Self::Nofile => "A flood of open files cannot use up the host's table.",
            Self::CoreDumps => "A crash writes no memory image, with secrets in it, to any disk.",
            Self::ReadOnlyRootfs => "Programs in the image cannot be replaced by what runs in it.",
            Self::Tmpfs => "Scratch space is bounded, and set-uid files and device nodes in it are inert.",
            Self::Mounts => "Nothing of the host is in reach but what was given: no engine socket, no keys, no system folder.",
            Self::Devices => "No device of the host and no privileged mode.",
            Self::Network => "Nothing leaves and nothing comes in but by the ways that the policy opened.",
            Self::Namespaces => "The session sees its own processes, names, users and shared memory, not the host's.",
            Self::SystemPaths => "Kernel settings and memory under /proc and /sys are hidden or read-only.",
            Self::LogCap => "Output without end fills a bounded log, not the host's disk: logs escape every cgroup limit.",
            Self::RestartPolicy => "A session that was killed stays dead.",
            Self::Apparmor => "Where the host has AppArmor, its container profile bounds what even a kernel fault can reach.",
        }
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Capabilities that the operator's own config or flag may give back: none of them reaches past the session's
/// own namespaces. `SYS_ADMIN`, `SYS_PTRACE`, `BPF` and the like are not on the list and cannot be had.
pub const ADDABLE_CAPABILITIES: [&str; 10] =
    ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_ADMIN", "NET_BIND_SERVICE", "NET_RAW", "SETGID", "SETUID"];
