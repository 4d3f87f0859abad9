//! `/proc/PID/status`, less what no control depends on.

use crate::session::SeccompMode;
use crate::units::{CapSet, Untrusted};

/// One thread's credentials and confinement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) name: Untrusted,
    /// Ended, and only waiting to be collected.
    pub(super) is_zombie: bool,
    pub(super) threads: u32,
    /// PIDs from the reader's namespace inwards.
    pub(super) pids: Vec<u32>,
    pub(super) rights: Rights,
}

/// What a thread may do: each thread of a process has its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) cap_eff: CapSet,
    pub(super) cap_prm: CapSet,
    pub(super) cap_inh: CapSet,
    pub(super) cap_bnd: CapSet,
    pub(super) cap_amb: CapSet,
    pub(super) no_new_privs: Option<bool>,
    pub(super) seccomp: Option<SeccompMode>,
    pub(super) seccomp_filters: Option<u32>,
    pub(super) uids: [u32; 4],
    pub(super) gids: [u32; 4],
    pub(super) groups: Vec<u32>,
}

impl Status {
    /// A process whose first thread has ended looks dead and is not while others run.
    pub(super) fn has_ended(&self) -> bool {
        self.is_zombie && self.threads <= 1
    }

    /// `None` where a field is absent that every Linux has; the ambient set and below are newer or runtime-dependent.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // One pass: the file has sixty lines, and a launch reads a handful of them.
        let mut fields = Fields::default();
        for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
            fields.take(key, value.trim());
        }
        let rights = Rights {
            cap_eff: fields.cap_eff?,
            cap_prm: fields.cap_prm?,
            cap_inh: fields.cap_inh?,
            cap_bnd: fields.cap_bnd?,
            cap_amb: fields.cap_amb.unwrap_or_default(),
            no_new_privs: fields.no_new_privs,
            seccomp: fields.seccomp,
            seccomp_filters: fields.seccomp_filters,
            uids: fields.uids?,
            gids: fields.gids?,
            groups: fields.groups,
        };
        Some(Self { name: fields.name?, is_zombie: fields.is_zombie, threads: fields.threads, pids: fields.pids, rights })
    }
}

#[derive(Default)]
struct Fields {
    name: Option<Untrusted>,
    is_zombie: bool,
    threads: u32,
    pids: Vec<u32>,
    cap_eff: Option<CapSet>,
    cap_prm: Option<CapSet>,
    cap_inh: Option<CapSet>,
    cap_bnd: Option<CapSet>,
    cap_amb: Option<CapSet>,
    no_new_privs: Option<bool>,
    seccomp: Option<SeccompMode>,
    seccomp_filters: Option<u32>,
    uids: Option<[u32; 4]>,
    gids: Option<[u32; 4]>,
    groups: Vec<u32>,
}

impl Fields {
    fn take(&mut self, key: &str, value: &str) {
        let numbers = || value.split_whitespace().filter_map(|number| number.parse().ok());
        let capabilities = || u64::from_str_radix(value, 16).ok().map(CapSet);
        match key {
            // The first line, and the only one whose value a process chooses: a newline in it is escaped by the kernel.
            "Name" if self.name.is_none() => self.name = Some(Untrusted::from(value)),
            "State" => self.is_zombie = value.starts_with(['Z', 'X']),
            "Threads" => self.threads = value.parse().unwrap_or_default(),
            "NSpid" => self.pids = numbers().collect(),
            "CapEff" => self.cap_eff = capabilities(),
            "CapPrm" => self.cap_prm = capabilities(),
            "CapInh" => self.cap_inh = capabilities(),
            "CapBnd" => self.cap_bnd = capabilities(),
            "CapAmb" => self.cap_amb = capabilities(),
            "NoNewPrivs" => self.no_new_privs = Some(value == "1"),
            "Seccomp" => {
                self.seccomp = match value {
                    "0" => Some(SeccompMode::Disabled),
                    "1" => Some(SeccompMode::Strict),
                    "2" => Some(SeccompMode::Filter),
                    _ => None,
                }
            }
            "Seccomp_filters" => self.seccomp_filters = value.parse().ok(),
            "Uid" => self.uids = numbers().collect::<Vec<_>>().try_into().ok(),
            "Gid" => self.gids = numbers().collect::<Vec<_>>().try_into().ok(),
            "Groups" => self.groups = numbers().collect(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HARDENED: &str = "Name:\tdocker-init\nState:\tS (sleeping)\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\n\
        Groups:\t1000 \nNSpid:\t22816\t1\nThreads:\t1\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n\
        CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n\
        Seccomp_filters:\t1\n";

    #[test]
    fn a_hardened_process_is_read_whole() {
        let status = Status::parse(HARDENED).unwrap();
        assert_eq!((status.name.raw(), status.pids.as_slice(), status.threads), ("docker-init", &[22816, 1][..], 1));
        assert_eq!(status.rights.uids, [1000; 4]);
        assert_eq!(status.rights.groups, [1000]);
        assert_eq!((status.rights.no_new_privs, status.rights.seccomp_filters), (Some(true), Some(1)));
        assert_eq!(status.rights.seccomp, Some(SeccompMode::Filter));
        assert!(!status.is_zombie);
    }

    #[test]
    fn an_old_kernel_and_gvisor_leave_lines_out_and_nothing_is_made_up() {
        let text: String = HARDENED
            .lines()
            .filter(|line| !line.contains("NoNew") && !line.contains("_filters"))
            .fold(String::new(), |all, line| all + line + "\n");
        let rights = Status::parse(&text).unwrap().rights;
        assert_eq!((rights.no_new_privs, rights.seccomp_filters), (None, None));
        assert!(Status::parse("Name:\tx\n").is_none());
    }

    #[test]
    fn a_name_cannot_pass_for_another_line() {
        let text = HARDENED.replace("docker-init", "x\\nCapEff:\\t0: NoNewPrivs:\t1");
        assert_eq!(Status::parse(&text).unwrap().name.raw(), "x\\nCapEff:\\t0: NoNewPrivs:\t1");
        let full = HARDENED.replace("CapEff:\t0000000000000000", "CapEff:\t000001ffffffffff");
        assert_eq!(Status::parse(&full).unwrap().rights.cap_eff, CapSet(0x1ff_ffff_ffff));
    }
}
