//! What a project's profile may say over the layers below it: as much or less, in every field.

use super::cpuset::CpuList;
use super::fault::{Fault, Kind};
use super::profile::Profile;
use super::range::exact;
use super::{Seccomp, package};
use crate::units::{Bytes, Cpus, Seconds};

/// Every value of `project` that asks for more than `given`, which decides every field.
pub(super) fn faults(project: &Profile, given: &Profile) -> Vec<Fault> {
    let mut faults = Vec::new();
    let has = given.cap_add.as_deref().unwrap_or_default();
    for capability in project.cap_add.iter().flatten().filter(|capability| !has.contains(capability)) {
        faults.push(Fault::new(Kind::Capability, "cap_add", capability.to_string(), "not given"));
    }

    let mut wider = |field, value: String, limit: String| faults.push(Fault::new(Kind::Wider, field, value, limit));
    let size = |size: &Bytes| exact(*size);
    most(&mut wider, "pids_limit", project.pids_limit, given.pids_limit, u64::to_string);
    most(&mut wider, "memory", project.memory, given.memory, size);
    most(&mut wider, "cpus", project.cpus, given.cpus, Cpus::to_string);
    most(&mut wider, "nofile", project.nofile, given.nofile, u64::to_string);
    most(&mut wider, "tmp_size", project.tmp_size, given.tmp_size, size);
    most(&mut wider, "run_size", project.run_size, given.run_size, size);
    most(&mut wider, "shm_size", project.shm_size, given.shm_size, size);
    most(&mut wider, "log_max_size", project.log_max_size, given.log_max_size, size);
    most(&mut wider, "log_max_file", project.log_max_file, given.log_max_file, u64::to_string);
    most(&mut wider, "stop_grace", project.stop_grace, given.stop_grace, Seconds::to_string);
    for (field, asked, given) in
        [("timeout", project.timeout, given.timeout), ("ttl", project.ttl, given.ttl), ("idle", project.idle, given.idle)]
    {
        if let (Some(asked), Some(given)) = (asked, given)
            && span(asked) > span(given)
        {
            wider(field, endless(asked), format!("above {}", endless(given)));
        }
    }
    let (asked, has) = (project.disk.unwrap_or_default(), given.disk.unwrap_or_default());
    for (field, asked, has) in [("disk.soft", asked.soft, has.soft), ("disk.hard", asked.hard, has.hard)] {
        if let (Some(asked), Some(has)) = (asked, has)
            && room(asked) > room(has)
        {
            wider(field, unbounded(asked), format!("above {}", unbounded(has)));
        }
    }
    let (asked, has) = (project.terminal.unwrap_or_default(), given.terminal.unwrap_or_default());
    for (field, asked, has) in [("terminal.title", asked.title, has.title), ("terminal.clipboard", asked.clipboard, has.clipboard)] {
        if asked == Some(true) && has != Some(true) {
            wider(field, "true".to_owned(), "its base is false".to_owned());
        }
    }
    if let (Some(asked), Some(given)) = (asked.idle, has.idle)
        && span(asked) > span(given)
    {
        wider("terminal.idle", endless(asked), format!("above {}", endless(given)));
    }
    if project.seccomp == Some(Seccomp::Default) && given.seccomp != Some(Seccomp::Default) {
        wider("seccomp", "default".to_owned(), "its base is strict".to_owned());
    }
    if let (Some(asked), Some(given)) = (project.network, given.network)
        && asked > given
    {
        wider("network", asked.to_string(), format!("its base is {given}"));
    }
    if let (Some(asked), Some(given)) = (project.min_age, given.min_age)
        && asked < given
    {
        wider("min_age", asked.to_string(), format!("below {given}"));
    }
    let allowed = package::identities(given.min_age_allow.iter().flatten());
    for name in project.min_age_allow.iter().flatten() {
        if package::parse(name).is_ok_and(|named| !named.is_subset(&allowed)) {
            wider("min_age_allow", name.clone(), "its base does not leave it alone".to_owned());
        }
    }
    if project.read_only_rootfs == Some(false) && given.read_only_rootfs != Some(false) {
        wider("read_only_rootfs", "false".to_owned(), "its base is true".to_owned());
    }
    if project.workspace_read_only == Some(false) && given.workspace_read_only != Some(false) {
        wider("workspace_read_only", "false".to_owned(), "its base is true".to_owned());
    }
    if let (Some(asked), Some(given)) = (&project.cpuset, &given.cpuset)
        && let (Ok(asked), Ok(given)) = (asked.parse::<CpuList>(), given.parse::<CpuList>())
        && !asked.is_within(&given)
    {
        wider("cpuset", format!("'{asked}'"), format!("beyond '{given}'"));
    }

    if project.image.is_some() && project.image != given.image {
        let image = project.image.clone().unwrap_or_default();
        faults.push(Fault::new(Kind::NotAProjects, "image", image, "a project cannot choose the image"));
    }
    for (name, value) in project.env.iter().flatten() {
        if given.env.as_ref().and_then(|env| env.get(name)) != Some(value) {
            faults.push(Fault::new(Kind::NotAProjects, "env", name.clone(), "a project cannot set variables"));
        }
    }
    faults
}

fn most<T: PartialOrd>(
    wider: &mut impl FnMut(&'static str, String, String),
    field: &'static str,
    asked: Option<T>,
    given: Option<T>,
    show: impl Fn(&T) -> String,
) {
    if let (Some(asked), Some(given)) = (asked, given)
        && asked > given
    {
        wider(field, show(&asked), format!("above {}", show(&given)));
    }
}

/// 0 is without end: the widest.
fn span(timeout: Seconds) -> u64 {
    if timeout.get() == 0 { u64::MAX } else { timeout.get() }
}

/// 0 is without bound: the widest.
fn room(cap: Bytes) -> u64 {
    if cap.get() == 0 { u64::MAX } else { cap.get() }
}

fn unbounded(cap: Bytes) -> String {
    if cap.get() == 0 { "0, which is without bound".to_owned() } else { exact(cap) }
}

fn endless(timeout: Seconds) -> String {
    if timeout.get() == 0 { "0, which is without end".to_owned() } else { timeout.to_string() }
}
