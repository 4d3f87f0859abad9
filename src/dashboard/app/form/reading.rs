//! From what is typed to the order that it makes, and what is wrong with it, field by field.
//!
//! It has no rule of its own: each text is parsed by the type that the command line parses it with, and each value is
//! laid over the chosen profile by `policy::resolve`, as a launch does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use super::field::{Field, IGNORED, READ_ONLY, READ_WRITE};
use super::ground::Ground;
use super::shell_words::split;
use super::values::Values;
use crate::backend::{Order, Pull};
use crate::policy::env::{EnvItem, secrets};
use crate::policy::profile::{Disk, Profile, whole_number};
use crate::policy::resolve::{Layer, Trust, resolve};
use crate::policy::{Network, Policy, Seccomp};
use crate::session::Kind;
use crate::units::{Capability, SessionName};

/// What `config::profiles` calls the layer that flags make; the words of a fault name it.
const COMMAND_LINE: &str = "the command line";

/// What the fields come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// What would be asked for. Fields with an error are left out.
    pub order: Order,
    /// What is wrong, beside its field.
    pub errors: BTreeMap<Field, String>,
    /// A name is all that is missing to launch: the plan can be shown.
    pub nameless: bool,
}

impl Reading {
    /// Reads the fields. `unkept` are variables whose values did not come back.
    pub(super) fn of(values: &Values, ground: &Ground, unkept: &BTreeSet<String>) -> Self {
        let mut reader = Reader { values, errors: BTreeMap::new() };
        let kind = if values.text(Field::Kind) == "ephemeral" { Kind::Ephemeral } else { Kind::Persistent };
        let nameless = kind == Kind::Persistent && values.text(Field::Name).trim().is_empty();
        let overrides = reader.overrides();
        reader.in_range(&overrides, ground);
        let order = Order {
            name: if nameless { None } else { reader.parsed::<SessionName>(Field::Name).map(|name| name.to_string()) },
            kind,
            profile: Some(values.text(Field::Profile)).filter(|name| *name != ground.default_profile).map(str::to_owned),
            overrides,
            ignore_project: values.text(Field::Project) == IGNORED,
            command: reader.words(Field::Command),
            tty: false,
            env: reader.env(unkept),
            env_files: reader.words(Field::EnvFiles).into_iter().map(PathBuf::from).collect(),
            secrets: reader.secrets(),
            workspace: reader.workspace(),
            working_dir: Some(values.text(Field::WorkingDir).to_owned()).filter(|text| !text.is_empty()),
            pull: match values.text(Field::Pull) {
                "always" => Pull::Always,
                "never" => Pull::Never,
                _ => Pull::Missing,
            },
        };
        Self { order, errors: reader.errors, nameless }
    }

    /// Why a session that needs a name has none, in the words of who checks names.
    pub(super) fn name_needed() -> String {
        "".parse::<SessionName>().err().map(|error| error.to_string()).unwrap_or_default()
    }
}

struct Reader<'a> {
    values: &'a Values,
    errors: BTreeMap<Field, String>,
}

impl Reader<'_> {
    fn read<T, E: Display>(&mut self, field: Field, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let text = self.values.text(field).trim();
        if text.is_empty() {
            return None;
        }
        match parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.insert(field, error.to_string());
                None
            }
        }
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, field: Field) -> Option<T> {
        self.read(field, str::parse)
    }

    fn words(&mut self, field: Field) -> Vec<String> {
        self.read(field, split).unwrap_or_default()
    }

    fn overrides(&mut self) -> Profile {
        let capabilities: Vec<Capability> = self
            .read(Field::CapAdd, |text| split(text)?.iter().map(|word| word.parse()).collect::<Result<_, crate::units::ParseError>>())
            .unwrap_or_default();
        let packages = self.words(Field::MinAgeAllow);
        let disk = Disk { soft: self.parsed(Field::DiskSoft), hard: self.parsed(Field::DiskHard) };
        Profile {
            image: self.parsed(Field::Image),
            cap_add: (!capabilities.is_empty()).then_some(capabilities),
            seccomp: [Seccomp::Default, Seccomp::Strict].into_iter().find(|word| word.to_string() == self.values.text(Field::Seccomp)),
            pids_limit: self.read(Field::PidsLimit, whole_number),
            memory: self.parsed(Field::Memory),
            cpus: self.parsed(Field::Cpus),
            cpuset: self.parsed(Field::Cpuset),
            nofile: self.read(Field::Nofile, whole_number),
            read_only_rootfs: (self.values.text(Field::Rootfs) == READ_WRITE).then_some(false),
            tmp_size: self.parsed(Field::TmpSize),
            shm_size: self.parsed(Field::ShmSize),
            network: [Network::None, Network::Packages, Network::Open]
                .into_iter()
                .find(|word| word.to_string() == self.values.text(Field::Network)),
            min_age: self.parsed(Field::MinAge),
            min_age_allow: (!packages.is_empty()).then_some(packages),
            timeout: self.parsed(Field::Timeout),
            ttl: self.parsed(Field::Ttl),
            idle: self.parsed(Field::Idle),
            disk: (disk != Disk::default()).then_some(disk),
            ..Profile::default()
        }
    }

    /// Lays each override alone over the profile, so that what is wrong with it is known to be its own.
    fn in_range(&mut self, overrides: &Profile, ground: &Ground) {
        let Some(below) = policy_of(ground, self.values.text(Field::Profile)) else { return };
        let below = Layer { profile: Profile::from(below), origin: String::new(), trust: Trust::Operator };
        for (field, profile) in alone(overrides) {
            if profile == Profile::default() {
                continue;
            }
            let above = Layer { profile, origin: COMMAND_LINE.to_owned(), trust: Trust::Operator };
            if let Err(failure) = resolve("", &[below.clone(), above]) {
                let why = failure.details.first().unwrap_or(&failure.message);
                self.errors.insert(field, own_words(field, why).to_owned());
            }
        }
    }

    fn env(&mut self, unkept: &BTreeSet<String>) -> Vec<String> {
        let words = self.words(Field::Env);
        let fault = words.iter().find_map(|word| match EnvItem::parse(word) {
            Err(error) => Some(error.to_string()),
            Ok(EnvItem::Set { name, value }) if value.is_empty() && unkept.contains(&name) => {
                Some(format!("the value of '{name}' was not kept: give it again, or take {name}= out"))
            }
            Ok(_) => None,
        });
        self.errors.extend(fault.map(|fault| (Field::Env, fault)));
        words
    }

    fn secrets(&mut self) -> Vec<String> {
        let words = self.words(Field::Secrets);
        if let Err(failure) = secrets(&words) {
            let why = failure.details.first().unwrap_or(&failure.message);
            self.errors.insert(Field::Secrets, why.trim_start_matches("'--secret': ").to_owned());
        }
        words
    }

    /// As `--workspace` takes it. What ends like a mode and is none needs its own after it.
    fn workspace(&self) -> Option<String> {
        let path = self.values.text(Field::Workspace);
        if path.is_empty() {
            return None;
        }
        Some(if self.values.text(Field::Mode) == READ_ONLY {
            format!("{path}:ro")
        } else if path.ends_with(":ro") || path.ends_with(":rw") {
            format!("{path}:rw")
        } else {
            path.to_owned()
        })
    }
}

/// What a profile comes to on this machine.
pub(super) fn policy_of<'a>(ground: &'a Ground, name: &str) -> Option<&'a Policy> {
    ground.profiles.iter().find(|profile| profile.name == name).map(|profile| &profile.policy)
}

/// `'memory' in the command line: 8 MiB (takes …)` without what stands before it on the screen anyway.
pub(super) fn own_words(field: Field, detail: &str) -> &str {
    let named = format!("'{}' in {COMMAND_LINE}: ", field.key());
    detail.strip_prefix(&named).unwrap_or(detail)
}

/// Each override by itself.
fn alone(all: &Profile) -> Vec<(Field, Profile)> {
    macro_rules! each {
        ($($field:ident $key:ident)*) => {
            vec![$((Field::$field, Profile { $key: all.$key.clone(), ..Profile::default() })),*]
        };
    }
    let mut each = each!(
        Image image
        CapAdd cap_add
        PidsLimit pids_limit
        Memory memory
        Cpus cpus
        Cpuset cpuset
        Nofile nofile
        TmpSize tmp_size
        ShmSize shm_size
        MinAge min_age
        MinAgeAllow min_age_allow
        Timeout timeout
        Ttl ttl
        Idle idle
    );
    let disk = all.disk.unwrap_or_default();
    let with = |soft, hard| {
        let disk = Disk { soft, hard };
        Profile { disk: (disk != Disk::default()).then_some(disk), ..Profile::default() }
    };
    each.extend([(Field::DiskSoft, with(disk.soft, None)), (Field::DiskHard, with(None, disk.hard))]);
    each
}
