//! Whether each value of a profile is one that its key takes, whoever wrote it: the floor, field by field.

use std::ops::RangeInclusive;

use super::PidsLimit;
use super::controls::ADDABLE_CAPABILITIES;
use super::cpuset::CpuList;
use super::env;
use super::fault::{Fault, Kind};
use super::package;
use super::profile::{Profile, takes};
use crate::units::{Bytes, Cpus, Seconds};

/// Below this the engine's own shim does not start.
pub(super) const MEMORY: RangeInclusive<Bytes> = Bytes::mib(16)..=Bytes::new(1 << 50);
/// Below a hundredth the scheduler's quota is under its own minimum.
pub(super) const CPUS: RangeInclusive<Cpus> = Cpus::milli(10)..=Cpus::milli(1_024_000);
pub(super) const NOFILE: RangeInclusive<u64> = 64..=1 << 20;
/// A tmpfs of size 0 is one without a limit.
pub(super) const TMPFS: RangeInclusive<Bytes> = Bytes::mib(1)..=Bytes::new(1 << 40);
pub(super) const DISK: RangeInclusive<Bytes> = Bytes::mib(1)..=Bytes::new(1 << 50);
pub(super) const LOG_SIZE: RangeInclusive<Bytes> = Bytes::new(64 * Bytes::KIB)..=Bytes::gib(10);
pub(super) const LOG_FILES: RangeInclusive<u64> = 1..=100;
/// Far enough for any command, near enough that adding it to a moment cannot overflow.
const TIMEOUT: RangeInclusive<Seconds> = Seconds::new(0)..=Seconds::new(10 * 365 * 24 * 3600);
const STOP_GRACE: RangeInclusive<Seconds> = Seconds::new(0)..=Seconds::new(3600);
const DESCRIPTION: usize = 200;
/// What engines take of a reference, with its registry, tag and digest.
const IMAGE: usize = 512;

/// Every value that its key does not take.
pub(super) fn faults(profile: &Profile) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |field, value: String| faults.push(Fault::new(Kind::OutOfRange, field, value, format!("takes {}", takes(field))));

    if let Some(text) = profile.description.as_ref().filter(|text| text.chars().count() > DESCRIPTION) {
        refuse("description", format!("{} characters", text.chars().count()));
    }
    if let Some(image) = profile.image.as_ref().filter(|image| !is_image(image)) {
        refuse("image", format!("'{}'", image.chars().take(80).collect::<String>()));
    }
    if let Some(cpuset) = profile.cpuset.as_ref().filter(|cpuset| cpuset.parse::<CpuList>().is_err()) {
        refuse("cpuset", format!("'{}'", cpuset.chars().take(80).collect::<String>()));
    }
    let size = |size: &Bytes| exact(*size);
    let pids = u64::from(PidsLimit::MIN)..=u64::from(PidsLimit::MAX);
    check(&mut refuse, "pids_limit", profile.pids_limit, &pids, u64::to_string);
    check(&mut refuse, "memory", profile.memory, &MEMORY, size);
    check(&mut refuse, "cpus", profile.cpus, &CPUS, Cpus::to_string);
    check(&mut refuse, "nofile", profile.nofile, &NOFILE, u64::to_string);
    check(&mut refuse, "tmp_size", profile.tmp_size, &TMPFS, size);
    check(&mut refuse, "run_size", profile.run_size, &TMPFS, size);
    check(&mut refuse, "shm_size", profile.shm_size, &TMPFS, size);
    check(&mut refuse, "log_max_size", profile.log_max_size, &LOG_SIZE, size);
    check(&mut refuse, "log_max_file", profile.log_max_file, &LOG_FILES, u64::to_string);
    let disk = profile.disk.unwrap_or_default();
    for (field, cap) in [("disk.soft", disk.soft), ("disk.hard", disk.hard)] {
        check(&mut refuse, field, cap.filter(|cap| cap.get() > 0), &DISK, size);
    }
    check(&mut refuse, "timeout", profile.timeout, &TIMEOUT, Seconds::to_string);
    check(&mut refuse, "ttl", profile.ttl, &TIMEOUT, Seconds::to_string);
    check(&mut refuse, "idle", profile.idle, &TIMEOUT, Seconds::to_string);
    check(&mut refuse, "stop_grace", profile.stop_grace, &STOP_GRACE, Seconds::to_string);
    check(&mut refuse, "terminal.idle", profile.terminal.and_then(|terminal| terminal.idle), &TIMEOUT, Seconds::to_string);
    check(&mut refuse, "min_age", profile.min_age, &TIMEOUT, Seconds::to_string);
    for name in profile.min_age_allow.iter().flatten().filter(|name| package::parse(name).is_err()) {
        refuse("min_age_allow", format!("'{}'", name.chars().take(80).collect::<String>()));
    }
    let names = package::identities(profile.min_age_allow.iter().flatten());
    let length: usize = names.iter().map(|name| name.len() + 3).sum();
    if length > package::LONGEST_LIST {
        refuse("min_age_allow", format!("{} packages in {length} bytes", names.len()));
    }

    for (name, value) in profile.env.iter().flatten() {
        if let Err(error) = env::check(name, value) {
            faults.push(Fault::new(Kind::OutOfRange, "env", name.chars().take(60).collect(), error.to_string()));
        }
    }
    for capability in profile.cap_add.iter().flatten() {
        if !ADDABLE_CAPABILITIES.contains(&capability.name()) {
            faults.push(Fault::new(Kind::NeverGiven, "cap_add", capability.to_string(), "can be given to no session"));
        }
        if profile.cap_drop.iter().flatten().any(|dropped| dropped == capability) {
            faults.push(Fault::new(Kind::OutOfRange, "cap_add", capability.to_string(), "is in 'cap_drop' too"));
        }
    }
    faults
}

fn check<T: PartialOrd>(
    refuse: &mut impl FnMut(&'static str, String),
    field: &'static str,
    value: Option<T>,
    range: &RangeInclusive<T>,
    show: impl Fn(&T) -> String,
) {
    if let Some(value) = value.filter(|value| !range.contains(value)) {
        refuse(field, show(&value));
    }
}

/// A size without rounding, so that an error never shows two different sizes as the same text.
pub(super) fn exact(bytes: Bytes) -> String {
    let shown = bytes.to_string();
    if shown.parse() == Ok(bytes) { shown } else { format!("{} bytes", bytes.get()) }
}

/// The characters of a reference, and no dash that an argument parser could take for a flag. Whether such an
/// image exists is the engine's to say.
fn is_image(image: &str) -> bool {
    image.len() <= IMAGE
        && image.starts_with(|c: char| c.is_ascii_alphanumeric())
        && image.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/' | b':' | b'@' | b'[' | b']' | b'+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(toml: &str) -> Vec<&'static str> {
        faults(&toml::from_str(toml).unwrap()).into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn each_field_takes_its_ends_and_nothing_beyond() {
        let at_the_ends = [
            "pids_limit = 16\nmemory = '16MiB'\ncpus = 0.01\nnofile = 64\ntmp_size = '1MiB'\nrun_size = '1MiB'\nshm_size = '1MiB'",
            "pids_limit = 4096\nmemory = '1024TiB'\ncpus = 1024\nnofile = 1048576\ntmp_size = '1TiB'\nrun_size = '1TiB'\nshm_size = '1TiB'",
            "log_max_size = '64KiB'\nlog_max_file = 1\ntimeout = 0\nstop_grace = 0\ncpuset = ''\nenv = { A = '' }",
            "disk.soft = 0\ndisk.hard = '1MiB'",
            "disk.soft = '1024TiB'",
            "log_max_size = '10GiB'\nlog_max_file = 100\ntimeout = '3650d'\nstop_grace = '1h'\ncpuset = '0-3'\nimage = 'r.io:5000/a/b@sha256:ab'",
        ];
        for text in at_the_ends {
            assert_eq!(fields(text), [""; 0], "{text}");
        }
        let beyond = [
            ("pids_limit", "15"),
            ("pids_limit", "4097"),
            ("pids_limit", "0"),
            ("memory", "16777215"),
            ("memory", "'1025TiB'"),
            ("memory", "0"),
            ("cpus", "0"),
            ("cpus", "0.009"),
            ("cpus", "1024.001"),
            ("nofile", "63"),
            ("nofile", "1048577"),
            ("tmp_size", "0"),
            ("run_size", "1"),
            ("shm_size", "'2TiB'"),
            ("disk.soft", "1023"),
            ("disk.hard", "'1025TiB'"),
            ("log_max_size", "'63KiB'"),
            ("log_max_size", "'11GiB'"),
            ("log_max_file", "0"),
            ("log_max_file", "101"),
            ("timeout", "'11years'"),
            ("stop_grace", "3601"),
            ("min_age", "'11years'"),
            ("min_age_allow", "['a b']"),
            ("min_age_allow", "['pypi:@scope/x']"),
            ("min_age_allow", "['crates:serde']"),
            ("cpuset", "'all'"),
            ("image", "''"),
            ("image", "'-v'"),
            ("image", "'a b'"),
            ("env", "{ HOME = '/' }"),
            ("env", "{ 'A-B' = '1' }"),
            ("cap_add", "['SYS_ADMIN']"),
        ];
        for (field, value) in beyond {
            assert_eq!(fields(&format!("{field} = {value}")), [field], "{value}");
        }
    }

    #[test]
    fn a_capability_cannot_be_added_and_dropped_at_once() {
        assert_eq!(fields("cap_add = ['CHOWN']\ncap_drop = ['CHOWN']"), ["cap_add"]);
        assert_eq!(fields("cap_add = ['CHOWN']\ncap_drop = ['SYS_ADMIN']"), [""; 0]);
    }

    #[test]
    fn a_size_is_never_rounded_to_its_own_limit() {
        assert_eq!(exact(Bytes::gib(4)), "4 GiB");
        assert_eq!(exact(Bytes::new((4 << 30) + 1)), "4294967297 bytes");
    }
}
