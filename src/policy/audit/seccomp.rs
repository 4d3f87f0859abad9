//! Whether a seccomp profile in the engine's JSON is at least as strong as what was asked for.

use serde::Deserialize;

use crate::policy::Seccomp;
use crate::policy::controls::ADDABLE_CAPABILITIES;

/// What Docker's default profile allows to nobody, or to holders of a capability that no session has: only an attack
/// on the kernel, or its administrator, needs these.
const NEVER: [&str; 49] = [
    "_sysctl",
    "acct",
    "add_key",
    "bpf",
    "clock_settime",
    "clone3",
    "create_module",
    "delete_module",
    "fanotify_init",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "get_kernel_syms",
    "init_module",
    "ioperm",
    "iopl",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "mount",
    "mount_setattr",
    "move_mount",
    "nfsservctl",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pivot_root",
    "query_module",
    "quotactl",
    "quotactl_fd",
    "reboot",
    "request_key",
    "setdomainname",
    "sethostname",
    "setns",
    "settimeofday",
    "stime",
    "swapoff",
    "swapon",
    "syslog",
    "umount",
    "umount2",
    "unshare",
    "userfaultfd",
    "uselib",
    "vm86",
];
/// `clone` makes namespaces too, by these flags.
const NEW_NAMESPACES: u64 = 0x7E02_0000;
/// What `strict` denies beyond the engine's default.
const NOT_IN_STRICT: [&str; 8] =
    ["bpf", "io_uring_enter", "io_uring_register", "io_uring_setup", "keyctl", "perf_event_open", "ptrace", "userfaultfd"];

#[derive(Deserialize)]
struct Profile {
    #[serde(rename = "defaultAction")]
    default_action: String,
    #[serde(default)]
    syscalls: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(default)]
    names: Vec<String>,
    /// Docker before 1.13 wrote one name a rule.
    #[serde(default)]
    name: String,
    action: String,
    #[serde(default)]
    args: Option<Vec<Argument>>,
    #[serde(default)]
    includes: Conditions,
}

/// A comparison of one argument of the call.
#[derive(Deserialize)]
struct Argument {
    index: u32,
    #[serde(default)]
    value: u64,
    #[serde(default, rename = "valueTwo")]
    value_two: u64,
    op: String,
}

#[derive(Deserialize, Default)]
struct Conditions {
    #[serde(default)]
    caps: Vec<String>,
}

/// What the profile lacks; `Err` where it cannot be read as one.
pub(super) fn shortfall(json: &str, wanted: Seccomp) -> Result<Option<String>, String> {
    let profile: Profile = serde_json::from_str(json).map_err(|_| "the profile is not in Docker's JSON form".to_owned())?;
    if lets_through(&profile.default_action) {
        return Ok(Some(format!("its default action is {}: what it does not name is allowed", profile.default_action)));
    }
    let more: &[&str] = match wanted {
        Seccomp::Default => &[],
        Seccomp::Strict => &NOT_IN_STRICT,
    };
    let names = |rule: &Rule, call: &str| rule.name == call || rule.names.iter().any(|name| name == call);
    let rules = |call: &str| -> Vec<&Rule> { profile.syscalls.iter().filter(|rule| applies(rule) && names(rule, call)).collect() };
    // Arguments are no excuse: a comparison can be one that always holds, or two that hold between them.
    let mut allowed: Vec<&str> = NEVER.iter().chain(more).copied().filter(|call| !rules(call).is_empty()).collect();
    if rules("clone").iter().any(|rule| !makes_no_namespace(rule)) {
        allowed.push("clone with new namespaces");
    }
    allowed.sort_unstable();
    allowed.dedup();
    Ok((!allowed.is_empty()).then(|| format!("it allows {}", allowed.join(", "))))
}

/// Whether a rule lets a session's processes through: one for holders of a capability that no session has does not.
fn applies(rule: &Rule) -> bool {
    let can_be_had = |name: &String| ADDABLE_CAPABILITIES.contains(&name.strip_prefix("CAP_").unwrap_or(name));
    lets_through(&rule.action) && rule.includes.caps.iter().all(can_be_had)
}

/// Whether a rule for `clone` asks that no flag for a namespace is set. All comparisons of a rule must hold.
fn makes_no_namespace(rule: &Rule) -> bool {
    let none_set = |argument: &Argument| {
        argument.op == "SCMP_CMP_MASKED_EQ"
            && argument.value & NEW_NAMESPACES == NEW_NAMESPACES
            && argument.value_two == 0
            // The flags come second on s390x.
            && argument.index <= 1
    };
    rule.args.iter().flatten().any(none_set)
}

/// Allowed, or allowed with a note somewhere.
fn lets_through(action: &str) -> bool {
    matches!(action, "SCMP_ACT_ALLOW" | "SCMP_ACT_LOG")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(default_action: &str, allowed: &[&str], more: &str) -> String {
        format!(r#"{{"defaultAction":"{default_action}","syscalls":[{{"names":{allowed:?},"action":"SCMP_ACT_ALLOW"{more}}}]}}"#)
    }

    #[test]
    fn a_profile_is_judged_by_what_it_allows() {
        let errno = "SCMP_ACT_ERRNO";
        for (json, wanted, lacks) in [
            (profile(errno, &["read", "write"], ""), Seccomp::Strict, None),
            (profile(errno, &["read", "ptrace"], ""), Seccomp::Default, None),
            (profile(errno, &["read", "ptrace"], ""), Seccomp::Strict, Some("it allows ptrace")),
            (profile(errno, &["reboot"], ""), Seccomp::Default, Some("it allows reboot")),
            (profile(errno, &["bpf"], r#","includes":{"caps":["CAP_BPF"]}"#), Seccomp::Strict, None),
            (profile(errno, &["bpf"], r#","includes":{"caps":["CAP_CHOWN"]}"#), Seccomp::Default, Some("it allows bpf")),
            (
                profile(errno, &["reboot"], r#","args":[{"index":0,"value":0,"op":"SCMP_CMP_GE"}]"#),
                Seccomp::Default,
                Some("it allows reboot"),
            ),
            (profile(errno, &["unshare", "mount", "setns"], ""), Seccomp::Strict, Some("it allows mount, setns, unshare")),
            (profile(errno, &["clone"], ""), Seccomp::Default, Some("it allows clone with new namespaces")),
            (
                profile(errno, &["clone"], r#","args":[{"index":0,"value":2114060288,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"}]"#),
                Seccomp::Strict,
                None,
            ),
            (crate::policy::plan::strict_seccomp(), Seccomp::Strict, None),
            (profile("SCMP_ACT_ALLOW", &[], ""), Seccomp::Default, Some("its default action")),
            (profile("SCMP_ACT_LOG", &[], ""), Seccomp::Default, Some("its default action")),
        ] {
            let found = shortfall(&json, wanted).unwrap();
            assert_eq!(found.is_some(), lacks.is_some(), "{json}: {found:?}");
            assert!(found.unwrap_or_default().starts_with(lacks.unwrap_or_default()));
        }
        assert!(shortfall("/etc/profile.json", Seccomp::Default).is_err());
    }
}
