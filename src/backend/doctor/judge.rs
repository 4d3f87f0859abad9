//! From facts to checks: no engine, file or clock.

use jiff::{Timestamp, Unit};

use super::{Check, CheckState, EngineSide, Facts, ImageSide, SupervisorSide, packages};
use crate::backend::engine::architecture as engine_words;
use crate::backend::image::State;
use crate::failure::Failure;
use crate::units::{Bytes, sanitise};

/// The oldest API with everything that a plan asks for: private cgroup namespaces came with it.
const OLDEST_API: (u32, u32) = (1, 41);
/// An image build needs about a gigabyte; below five, sandboxes' own files soon meet the end.
const LITTLE_SPACE: Bytes = Bytes::gib(5);
const NO_SPACE: Bytes = Bytes::gib(1);
/// An image this old lacks a quarter's security updates.
const OLD_DAYS: f64 = 90.0;

/// Judges everything. Where no engine answers, what does not need one is judged all the same.
pub fn judge(facts: &Facts) -> Vec<Check> {
    let mut checks = Vec::new();
    match &facts.engine {
        Err(failure) => checks.push(failed("engine", failure.message.clone(), advice_of(failure))),
        Ok(engine) => {
            checks.extend([
                answers(engine),
                api(engine),
                architecture(engine, facts.host.architecture),
                cgroup(engine),
                limits(engine),
                swap(engine),
                seccomp(engine),
                apparmor(engine, facts),
                user_namespaces(engine),
                init(engine),
                storage(engine),
                kernel_facts(facts),
                terminals(facts),
                disk(facts),
                image(engine, facts.now),
                supervisor(engine),
                packages::depot(engine),
            ]);
            if !engine.info.warnings.is_empty() {
                let told: Vec<String> = engine.info.warnings.iter().map(ToString::to_string).collect();
                checks.push(warning("engine warnings", told.join("; "), "see the engine's own documentation"));
            }
        }
    }
    checks.extend([authorities(facts), packages::registries(facts)]);
    checks
}

pub(super) fn ok(name: &'static str, found: impl AsRef<str>) -> Check {
    Check { name, state: CheckState::Ok, found: sanitise(found.as_ref()), advice: None }
}

pub(super) fn warning(name: &'static str, found: impl AsRef<str>, advice: impl AsRef<str>) -> Check {
    Check { state: CheckState::Warning, advice: Some(sanitise(advice.as_ref())), ..ok(name, found) }
}

pub(super) fn failed(name: &'static str, found: impl AsRef<str>, advice: impl AsRef<str>) -> Check {
    Check { state: CheckState::Failed, ..warning(name, found, advice) }
}

pub(super) fn advice_of(failure: &Failure) -> String {
    failure.hint.clone().unwrap_or_else(|| {
        "start an engine, name one with --host or DOCKER_HOST, or run scripts/quickstart, which installs and starts one".to_owned()
    })
}

fn answers(engine: &EngineSide) -> Check {
    let (endpoint, version) = (&engine.endpoint, &engine.version);
    let found = format!("{} {} at {} ({})", version.product, version.version, endpoint.uri, endpoint.found_by);
    if version.os != "linux" {
        return failed("engine", format!("{found} runs {} containers", version.os), "switch it to Linux containers");
    }
    if engine.version.is_podman() {
        // Its API neither takes an owner for a tmpfs nor reports a bound of the log: every launch is refused.
        return failed("engine", found, "sessions need a Docker Engine: docs/engines.md says what Podman's API lacks");
    }
    ok("engine", found)
}

fn api(engine: &EngineSide) -> Check {
    let (major, minor) = engine.version.api;
    let found = format!("{major}.{minor}");
    if engine.version.api >= OLDEST_API {
        ok("api version", found)
    } else {
        failed("api version", found, format!("upgrade the engine: {}.{} (Docker 20.10) is the oldest", OLDEST_API.0, OLDEST_API.1))
    }
}

fn architecture(engine: &EngineSide, ours: &str) -> Check {
    let theirs = engine_words(&engine.version.architecture);
    if theirs == ours {
        ok("architecture", theirs)
    } else {
        failed(
            "architecture",
            format!("the engine runs {theirs}, this binary is for {ours}"),
            "the supervisor inside the sandboxes is this binary: use a palisade that was built for the engine's machine",
        )
    }
}

fn cgroup(engine: &EngineSide) -> Check {
    let (version, driver) = (engine.info.cgroup_version.as_str(), engine.info.cgroup_driver.as_str());
    match (version, driver) {
        (_, "none") => failed(
            "cgroup",
            "the engine uses no cgroups, so no limit holds",
            "a rootless engine needs cgroup version 2 and systemd's delegation of its controllers",
        ),
        ("1" | "2", driver) => ok("cgroup", format!("version {version}, driver {driver}")),
        _ => warning("cgroup", format!("version unknown, driver '{driver}'"), "the limits are still measured at each launch"),
    }
}

fn limits(engine: &EngineSide) -> Check {
    let info = &engine.info;
    let missing: Vec<&str> = [("pids", info.supports_pids_limit), ("memory", info.supports_memory_limit), ("cpu", info.supports_cpu_quota)]
        .into_iter()
        .filter_map(|(name, supported)| (!supported).then_some(name))
        .collect();
    if missing.is_empty() {
        return ok("limits", "pids, memory and cpu can be limited");
    }
    failed(
        "limits",
        format!("the engine cannot limit: {}", missing.join(", ")),
        "turn these controllers on: boot with cgroup_enable=memory where memory is missing; \
         for a rootless engine delegate them (Delegate=cpu cpuset io memory pids in user@.service)",
    )
}

fn swap(engine: &EngineSide) -> Check {
    if engine.info.supports_swap_limit {
        return ok("swap limit", "swap can be limited");
    }
    warning(
        "swap limit",
        "the engine cannot limit swap: a sandbox may use this host's swap beyond its memory limit",
        "boot with swapaccount=1, move to cgroup version 2, or turn swap off",
    )
}

fn option<'a>(engine: &'a EngineSide, name: &str) -> Option<&'a str> {
    engine.info.security_options.iter().find_map(|option| {
        let rest = option.strip_prefix("name=").unwrap_or(option).strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with(',')).then(|| rest.trim_start_matches(','))
    })
}

fn seccomp(engine: &EngineSide) -> Check {
    let with_profile = "a launch names its own profile; set the engine's default back (no 'seccomp-profile' in daemon.json)";
    match option(engine, "seccomp") {
        None => failed(
            "seccomp",
            "the engine does not filter system calls",
            "use a kernel with CONFIG_SECCOMP_FILTER and an engine built with it",
        ),
        Some("profile=unconfined") => warning("seccomp", "on, but unconfined by default", with_profile),
        Some("") => ok("seccomp", "on"),
        Some(profile) => ok("seccomp", format!("on, {}", profile.replace('=', " "))),
    }
}

fn apparmor(engine: &EngineSide, facts: &Facts) -> Check {
    if option(engine, "apparmor").is_some() {
        return ok("apparmor", "on");
    }
    if facts.is_local() && facts.host.apparmor == Some(true) {
        return warning(
            "apparmor",
            "this kernel has it, the engine does not use it",
            "install the package apparmor and restart the engine",
        );
    }
    ok("apparmor", "the engine's host does not have it; the other controls do not depend on it")
}

fn user_namespaces(engine: &EngineSide) -> Check {
    let rootless = option(engine, "rootless").is_some();
    if rootless || option(engine, "userns").is_some() {
        return ok("user namespaces", if rootless { "rootless engine" } else { "remapped" });
    }
    Check {
        advice: Some("'userns-remap' in daemon.json, or a rootless engine, would be one more wall".to_owned()),
        ..ok("user namespaces", "not remapped; no sandbox runs as root")
    }
}

fn init(engine: &EngineSide) -> Check {
    match engine.info.init_binary.as_str() {
        "" if engine.version.is_podman() => {
            warning("init", "Podman does not name its init", "install catatonit: a launch is refused without an init")
        }
        "" => warning("init", "the engine names no init", "a launch is refused without one: install docker-init (tini)"),
        name => ok("init", name),
    }
}

fn storage(engine: &EngineSide) -> Check {
    match engine.info.storage_driver.as_str() {
        driver @ "vfs" => warning("storage driver", driver, "it copies the image for every sandbox: use overlay2"),
        // Podman's name for what Docker calls overlay2.
        driver @ "overlay" if engine.version.is_podman() => ok("storage driver", driver),
        driver @ ("aufs" | "devicemapper" | "overlay") => {
            warning("storage driver", format!("{driver}, which newer engines no longer have"), "move to overlay2")
        }
        "" => ok("storage driver", "not named"),
        driver => ok("storage driver", driver),
    }
}

fn kernel_facts(facts: &Facts) -> Check {
    match (facts.is_local(), facts.host.is_root) {
        (true, true) => ok("kernel facts", "read from this host's /proc and cgroup files"),
        (true, false) => Check {
            advice: Some("as root they are read directly, and processes that joined from outside are seen as well".to_owned()),
            ..ok("kernel facts", "read by a probe container: only root sees other users' processes in full")
        },
        (false, _) => ok("kernel facts", "read by a probe container: the engine is on another kernel"),
    }
}

fn terminals(facts: &Facts) -> Check {
    let host = &facts.host;
    match (facts.is_local(), host.is_root) {
        _ if !host.direct_terminals => ok("terminals", "each by an exec of the engine's: 'direct_terminals' is false"),
        (true, true) => ok("terminals", "reached past the engine, which may restart meanwhile"),
        (true, false) => Check {
            advice: Some(
                "root reaches them past the engine: keys are echoed sooner, and an engine that restarts interrupts nothing".to_owned(),
            ),
            ..ok("terminals", "each by an exec of the engine's")
        },
        (false, _) => ok("terminals", "each by an exec of the engine's, which is on another kernel"),
    }
}

fn disk(facts: &Facts) -> Check {
    let Some(free) = facts.host.disk_free else {
        return ok("disk", "the engine's data cannot be seen from here");
    };
    let found = format!("{free} free where the engine keeps its data");
    let advice = "free some: 'palisade image ls' and 'palisade ls' show what is palisade's";
    match free {
        free if free < NO_SPACE => failed("disk", found, advice),
        free if free < LITTLE_SPACE => warning("disk", found, advice),
        _ => ok("disk", found),
    }
}

fn image(engine: &EngineSide, now: Timestamp) -> Check {
    let (tag, found) = &engine.image;
    let build = "palisade image build";
    match found {
        Err(failure) => failed("image", format!("{tag}: {}", failure.message), advice_of(failure)),
        Ok(ImageSide { state: State::Missing, .. }) => warning("image", format!("{tag} is not there"), format!("{build}, or --image")),
        Ok(ImageSide { state: State::Outdated(_), .. }) => warning("image", format!("{tag} was built by another version's recipe"), build),
        Ok(ImageSide { state: State::Foreign(facts), .. }) => match facts.home_uid {
            Some(uid) => ok("image", format!("{tag} is not palisade's own; its home belongs to uid {uid}")),
            None => Check {
                advice: Some("its label palisade.image.home-uid would tell which uid owns its home folder".to_owned()),
                ..ok("image", format!("{tag} is not palisade's own"))
            },
        },
        Ok(ImageSide { state: State::Current(facts), .. }) if facts.home_uid.is_none() => {
            warning("image", format!("{tag} does not say which uid owns its home folder"), format!("{build} --no-cache"))
        }
        Ok(ImageSide { state: State::Current(facts), made }) => {
            let Some((made, size)) = made else { return ok("image", tag) };
            let days = now.since(*made).and_then(|age| age.total((Unit::Day, jiff::SpanRelativeTo::days_are_24_hours()))).unwrap_or(0.0);
            let uid = facts.home_uid.unwrap_or_default();
            let made = if days < 2.0 { "new".to_owned() } else { format!("{days:.0} days old") };
            let found = format!("{tag}, {size}, {made}, home of uid {uid}");
            if days > OLD_DAYS {
                warning("image", found, format!("{build} --no-cache brings its packages up to date"))
            } else {
                ok("image", found)
            }
        }
    }
}

fn supervisor(engine: &EngineSide) -> Check {
    let (volume, found) = &engine.supervisor;
    match found {
        Ok(SupervisorSide::Ours) => ok("supervisor", volume),
        Ok(SupervisorSide::Absent) => ok("supervisor", format!("{volume} is not there yet: the first launch makes it")),
        Ok(SupervisorSide::Foreign) => failed(
            "supervisor",
            format!("a volume {volume} is there that is not palisade's"),
            format!("look at what it is, and remove it: docker volume rm {volume}"),
        ),
        Err(failure) => failed("supervisor", format!("{volume}: {}", failure.message), advice_of(failure)),
    }
}

fn authorities(facts: &Facts) -> Check {
    match &facts.host.authorities {
        Ok(0) => warning(
            "ca bundle",
            "none is given to images: they trust Debian's authorities only",
            "behind a proxy that opens TLS, set 'ca_bundle' or install ca-certificates",
        ),
        Ok(count) => ok("ca bundle", format!("{count} certificate authorities for image builds")),
        Err(failure) => {
            let found = failure.details.iter().fold(failure.message.clone(), |found, line| format!("{found}, {line}"));
            failed("ca bundle", found, advice_of(failure))
        }
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
pub(super) mod tests;
