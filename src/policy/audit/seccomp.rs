//! Whether a seccomp profile in the engine's JSON is at least as strong as what was asked for.

use serde::Deserialize;

use crate::policy::Seccomp;

/// Only an attack on the kernel, or its administrator, needs these: no profile may allow them without a capability.
const NEVER: [&str; 14] = [
    "acct",
    "add_key",
    "delete_module",
    "finit_module",
    "init_module",
    "ioperm",
    "iopl",
    "kexec_file_load",
    "kexec_load",
    "open_by_handle_at",
    "pivot_root",
    "reboot",
    "swapon",
    "userfaultfd",
];
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
    args: Option<serde_json::Value>,
    #[serde(default)]
    includes: Conditions,
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
    let denied: &[&str] = match wanted {
        Seccomp::Default => &NEVER,
        Seccomp::Strict => &NOT_IN_STRICT,
    };
    let names = |rule: &Rule, call: &str| rule.name == call || rule.names.iter().any(|name| name == call);
    // A rule for holders of a capability does nothing for who has none; one that looks at arguments allows some.
    let allows = |rule: &&Rule| lets_through(&rule.action) && rule.includes.caps.is_empty() && !is_narrow(rule.args.as_ref());
    let allowed: Vec<&str> =
        denied.iter().copied().filter(|call| profile.syscalls.iter().filter(allows).any(|rule| names(rule, call))).collect();
    Ok((!allowed.is_empty()).then(|| format!("it allows {}", allowed.join(", "))))
}

fn is_narrow(args: Option<&serde_json::Value>) -> bool {
    args.and_then(serde_json::Value::as_array).is_some_and(|args| !args.is_empty())
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
            (profile(errno, &["keyctl"], r#","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]"#), Seccomp::Strict, None),
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
