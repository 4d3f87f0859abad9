//! A profile as written: TOML, every field optional, layered.
//!
//! Knows what each key takes, so that an error can say it; `range` checks it and `resolve` lays the layers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::controls::ADDABLE_CAPABILITIES;
use super::policy_type::{Network, Policy, Seccomp, Timeout};
use crate::units::{Bytes, Capability, Cpus, ParseError, Seconds};

/// Every key of a profile with what it takes, as errors say it.
pub const KEYS: [(&str, &str); 31] = [
    ("description", "a text of at most 200 characters"),
    ("base", "the name of another profile"),
    ("image", "an image reference such as debian:trixie-slim"),
    ("cap_add", "a list of capabilities from the short list that can be given back"),
    ("cap_drop", "a list of capabilities"),
    ("seccomp", "\"default\" or \"strict\""),
    ("pids_limit", "a whole number from 16 to 4096, never unlimited"),
    ("memory", "a size from 16 MiB to 1 PiB"),
    ("cpus", "a number from 0.01 to 1024"),
    ("cpuset", "a list of CPUs such as \"0-1,3\", or \"\" for all"),
    ("nofile", "a whole number from 64 to 1048576"),
    ("read_only_rootfs", "true or false"),
    ("tmp_size", "a size from 1 MiB to 1 TiB"),
    ("run_size", "a size from 1 MiB to 1 TiB"),
    ("shm_size", "a size from 1 MiB to 1 TiB"),
    ("network", "\"none\", \"packages\" or \"open\""),
    ("min_age", "a span of whole seconds up to 10 years, such as \"3d\", or 0 for none"),
    ("min_age_allow", "a list of packages, each NAME, \"pypi:NAME\" or \"npm:@SCOPE/NAME\", of at most 2 KiB in all"),
    ("log_max_size", "a size from 64 KiB to 10 GiB"),
    ("log_max_file", "a whole number from 1 to 100"),
    ("timeout", "a span of whole seconds up to 10 years, such as \"30m\", or 0 for as long as it likes"),
    ("ttl", "a span of whole seconds up to 10 years, such as \"8h\", or 0 for as long as it likes"),
    ("idle", "a span of whole seconds up to 10 years, such as \"2h\", or 0 for as long as it likes"),
    ("stop_grace", "a span of whole seconds up to an hour"),
    ("workspace_read_only", "true or false"),
    ("disk.soft", "a size from 1 MiB to 1 PiB, or 0 for none"),
    ("disk.hard", "a size from 1 MiB to 1 PiB, or 0 for none"),
    ("terminal.title", "true or false"),
    ("terminal.clipboard", "true or false"),
    ("terminal.idle", "a span of whole seconds up to 10 years, such as \"8h\", or 0 for as long as it likes"),
    ("env", "a table of texts by variable name"),
];

/// What a key takes, as errors say it.
pub fn takes(key: &str) -> &'static str {
    KEYS.iter().find(|(name, _)| *name == key).map_or("", |(_, takes)| takes)
}

/// A whole number as an operator types it; which ones a limit takes is `range`'s to say.
pub fn whole_number(text: &str) -> Result<u64, ParseError> {
    text.parse().map_err(|_| ParseError("give a whole number, never unlimited".to_owned()))
}

/// What a profile file, or the command line, may say. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// One line for `palisade profiles`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The profile that this one starts from; `default` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Image for sessions that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Capabilities given back, added to those of the layers below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap_add: Option<Vec<Capability>>,
    /// Capabilities taken away again from those of the layers below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap_drop: Option<Vec<Capability>>,
    /// `default` or `strict`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seccomp: Option<Seccomp>,
    /// 16 to 4096.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids_limit: Option<u64>,
    /// At least 16 MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// At least 0.01.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<Cpus>,
    /// `0-1,3`; empty for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpuset: Option<String>,
    /// 64 to 1048576.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nofile: Option<u64>,
    /// Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only_rootfs: Option<bool>,
    /// Size of `/tmp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmp_size: Option<Bytes>,
    /// Size of `/run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_size: Option<Bytes>,
    /// Size of `/dev/shm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shm_size: Option<Bytes>,
    /// `none`, `packages` or `open`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Package versions younger than this are hidden; 0 hides none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_age: Option<Seconds>,
    /// Packages that `min_age` leaves alone, in place of those of the layers below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_age_allow: Option<Vec<String>>,
    /// Size of one log file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_max_size: Option<Bytes>,
    /// Log files kept, 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_max_file: Option<u64>,
    /// How long the command may run; 0 for as long as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Seconds>,
    /// How long the session may run from its start; 0 for as long as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Seconds>,
    /// How long nobody may use it before it is stopped; 0 for as long as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<Seconds>,
    /// Between SIGTERM and SIGKILL, at most an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_grace: Option<Seconds>,
    /// Whether workspaces are read-only whatever the launch says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_read_only: Option<bool>,
    /// What its files may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<Disk>,
    /// Terminals in the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminal: Option<Terminals>,
    /// Environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
}

/// What a profile may say of the room that a session's files take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// Above this it is warned of; 0 for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft: Option<Bytes>,
    /// Above this it is stopped; 0 for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard: Option<Bytes>,
}

/// What a profile may say of terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terminals {
    /// Whether programs may set the title of the operator's terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<bool>,
    /// Whether programs may write to the operator's clipboard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clipboard: Option<bool>,
    /// A shell that nobody has used for so long ends; 0 for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<Seconds>,
}

/// The capabilities that can be given back.
fn addable() -> impl Iterator<Item = Capability> {
    ADDABLE_CAPABILITIES.into_iter().filter_map(|name| name.parse().ok())
}

impl From<&Policy> for Profile {
    /// The profile that decides every field as the policy does, whatever is below it.
    fn from(policy: &Policy) -> Self {
        Self {
            description: None,
            base: None,
            image: Some(policy.image.clone()),
            cap_add: Some(policy.cap_add.iter().copied().collect()),
            cap_drop: Some(addable().filter(|capability| !policy.cap_add.contains(capability)).collect()),
            seccomp: Some(policy.seccomp),
            pids_limit: Some(policy.pids_limit.get().into()),
            memory: Some(policy.memory),
            cpus: Some(policy.cpus),
            cpuset: Some(policy.cpuset.clone()),
            nofile: Some(policy.nofile.into()),
            read_only_rootfs: Some(policy.read_only_rootfs),
            tmp_size: Some(policy.tmp_size),
            run_size: Some(policy.run_size),
            shm_size: Some(policy.shm_size),
            network: Some(policy.network),
            min_age: Some(policy.min_age),
            min_age_allow: Some(policy.min_age_allow.iter().cloned().collect()),
            log_max_size: Some(policy.log.max_size),
            log_max_file: Some(policy.log.max_file.into()),
            timeout: Some(match policy.timeout {
                Timeout::Never => Seconds::new(0),
                Timeout::After(seconds) => seconds,
            }),
            ttl: Some(policy.ttl),
            idle: Some(policy.idle),
            stop_grace: Some(policy.stop_grace),
            workspace_read_only: Some(policy.workspace_read_only),
            disk: Some(Disk { soft: Some(policy.disk.soft), hard: Some(policy.disk.hard) }),
            terminal: Some(Terminals {
                title: Some(policy.terminal.title),
                clipboard: Some(policy.terminal.clipboard),
                idle: Some(policy.terminal.idle),
            }),
            env: Some(policy.env.clone()),
        }
    }
}
