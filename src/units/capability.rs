use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::{ParseError, sanitise, serde_as_text};

/// The kernel's names in bit order (`include/uapi/linux/capability.h`); the index is the bit.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// One Linux capability, written as Docker writes it: `NET_ADMIN`, with or without `CAP_` when read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(u8);

impl Capability {
    /// The bit in the kernel's masks.
    pub const fn bit(self) -> u8 {
        self.0
    }

    /// The name without `CAP_`.
    pub fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("?")
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Capability {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let upper = text.to_ascii_uppercase();
        let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
        NAMES
            .iter()
            .position(|name| *name == bare)
            .and_then(|bit| u8::try_from(bit).ok())
            .map(Self)
            .ok_or_else(|| ParseError(format!("'{}' is not a Linux capability: see capabilities(7) for the names", sanitise(text))))
    }
}

serde_as_text!(Capability);

/// A set of capabilities as the kernel holds it: one bit each, unknown newer bits kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct CapSet(pub u64);

impl CapSet {
    /// No capability.
    pub const EMPTY: Self = Self(0);

    /// Whether every capability here is in `other` too.
    pub const fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The names, with `bit N` for one that is newer than this program.
    pub fn names(self) -> Vec<String> {
        (0..64u8)
            .filter(|bit| self.0 >> bit & 1 == 1)
            .map(|bit| NAMES.get(usize::from(bit)).map_or_else(|| format!("bit {bit}"), |name| (*name).to_owned()))
            .collect()
    }
}

impl FromIterator<Capability> for CapSet {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        Self(capabilities.into_iter().fold(0, |mask, capability| mask | 1 << capability.bit()))
    }
}

impl From<&BTreeSet<Capability>> for CapSet {
    fn from(capabilities: &BTreeSet<Capability>) -> Self {
        capabilities.iter().copied().collect()
    }
}

impl fmt::Display for CapSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("none") } else { f.write_str(&self.names().join(" ")) }
    }
}

impl serde::Serialize for CapSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.names().serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for CapSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names.iter().try_fold(Self::EMPTY, |set, name| {
            let bit = match name.strip_prefix("bit ") {
                Some(number) => number.parse().ok().filter(|bit: &u8| *bit < 64).ok_or("a capability's bit is below 64"),
                None => name.parse::<Capability>().map(Capability::bit).map_err(|_| "not a capability"),
            };
            bit.map(|bit| Self(set.0 | 1 << bit)).map_err(serde::de::Error::custom)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bits_are_the_kernels() {
        for (name, bit) in [("CHOWN", 0), ("net_admin", 12), ("CAP_SYS_ADMIN", 21), ("CHECKPOINT_RESTORE", 40)] {
            assert_eq!(name.parse::<Capability>().unwrap().bit(), bit);
        }
        assert!("ROOT".parse::<Capability>().is_err());
        assert_eq!(CapSet(1 << 21 | 1 << 60).to_string(), "SYS_ADMIN bit 60");
    }
    #[test]
    fn a_set_reads_back_from_json_with_bits_newer_than_this_program() {
        for set in [CapSet::EMPTY, CapSet(0x1ff_ffff_ffff), CapSet(1 << 63 | 1)] {
            let json = serde_json::to_string(&set).unwrap();
            assert_eq!(serde_json::from_str::<CapSet>(&json).unwrap(), set);
        }
        for json in [r#"["ROOT"]"#, r#"["bit 64"]"#, r#"["bit -1"]"#, r#"["bit 300"]"#] {
            assert!(serde_json::from_str::<CapSet>(json).is_err(), "{json}");
        }
    }
}
