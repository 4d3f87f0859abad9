//! What the form says beside its fields and of the whole.

use super::field::{Field, Takes};
use super::preview::Standing;
use super::reading::{Reading, policy_of};
use super::summary::summary;
use super::wrap::wrap;
use super::{Focus, Form};
use crate::dashboard::app::row::Weight;
use crate::policy::{Policy, Timeout};
use crate::session::Kind;

/// A line of the preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A heading.
    Title(&'static str),
    /// A line of the command, wrapped where the pane ends.
    Command(String),
    /// One of the plan's, with what it is about; empty where it goes on from the line before.
    Plan(&'static str, String),
    /// Something that is not there yet, or no more true.
    Note(String),
}

/// Columns of what a line of the plan is about.
pub const ABOUT: u16 = 9;

impl Form {
    /// What is wrong with a field.
    pub fn error(&self, field: Field) -> Option<String> {
        if field == Field::Name && self.reading.nameless {
            return self.name_missed.then(Reading::name_needed);
        }
        if let Some(error) = self.reading.errors.get(&field) {
            return Some(error.clone());
        }
        if field == Field::Name && self.taken.contains(self.values.text(field).trim()) {
            return Some("a session has this name already".to_owned());
        }
        self.preview.error(field, self.values.text(field))
    }

    /// What holds where nothing was typed or chosen.
    pub fn placeholder(&self, field: Field) -> String {
        if let Some(policy) = self.policy_below(field)
            && let Some(value) = of_policy(field, policy)
        {
            return format!("{value} (profile)");
        }
        match (field, self.reading.order.kind) {
            (Field::Name, Kind::Persistent) => "needed",
            (Field::Name, Kind::Ephemeral) => "run- and eight characters",
            (Field::Command, Kind::Persistent) => "the image's own, else it idles",
            (Field::Command, Kind::Ephemeral) => "the image's own",
            (Field::WorkingDir, _) if self.reading.order.workspace.is_some() => "/workspace",
            (Field::WorkingDir, _) => "/home/sandbox",
            (Field::Workspace | Field::Secrets | Field::EnvFiles, _) => "none",
            (Field::Env, _) => "none but the profile's",
            _ if matches!(field.takes(), Takes::OneOf(_) | Takes::Line) => "as the profile says",
            _ => "",
        }
        .to_owned()
    }

    /// The policy that a field has its value from when nothing stands in it: that of the plan where it was made without
    /// this field, else the profile's, which a project's file may narrow still.
    fn policy_below(&self, field: Field) -> Option<&Policy> {
        let profile = policy_of(&self.ground, self.values.text(Field::Profile));
        let Some((texts, plan)) = self.preview.plan() else { return profile };
        let same = |field: Field| texts.get(field.place()).map(String::as_str) == Some(self.values.text(field));
        let made_without = texts.get(field.place()).is_some_and(String::is_empty);
        let still = made_without && [Field::Profile, Field::Workspace, Field::Project].into_iter().all(same);
        if still { Some(&plan.policy) } else { profile }
    }

    /// How the plan stands to what is typed.
    pub fn standing(&self) -> Standing {
        self.preview.standing(self.reading.errors.is_empty().then_some(&self.reading.order))
    }

    /// What is wrong with the whole, in lines of so many columns, and what the last key came to.
    pub fn alert(&self, columns: u16) -> Vec<(Weight, String)> {
        let refused = if self.reading.errors.is_empty() { self.preview.alert() } else { Vec::new() };
        let note = self.note.map(|(weight, note)| (weight, note.to_owned()));
        let in_lines = |(weight, text): (Weight, String)| wrap(&text, columns).into_iter().map(move |line| (weight, line));
        note.into_iter().chain(refused).flat_map(in_lines).collect()
    }

    /// One line on what has the focus.
    pub fn help(&self) -> String {
        match self.focus {
            Focus::Field(Field::Profile) => {
                let name = self.values.text(Field::Profile);
                let profile = self.ground.profiles.iter().find(|profile| profile.name == name);
                profile.map_or_else(|| Field::Profile.help().to_owned(), |profile| profile.description.clone())
            }
            Focus::Field(Field::Workspace) if !self.ground.folder.is_empty() => {
                format!("folder of this machine, from {}; tab completes", self.ground.folder)
            }
            Focus::Field(field) => field.help().to_owned(),
            Focus::Button(_) => "enter presses it; ctrl-s launches from anywhere".to_owned(),
        }
    }

    /// Command line and plan, in lines of so many columns. Headings have a line of their own where there is `room`.
    pub fn said(&self, columns: u16, room: bool) -> Vec<Said> {
        let mut lines = Vec::new();
        lines.extend(room.then_some(Said::Title("Command")));
        match self.command_line() {
            Some(line) => lines.extend(wrap(&line, columns).into_iter().map(Said::Command)),
            None if self.reading.errors.is_empty() => lines.push(Said::Note("it needs a name".to_owned())),
            None => lines.push(Said::Note("mend what is marked".to_owned())),
        }
        lines.extend(room.then_some(Said::Title("Plan")));
        let standing = self.standing();
        let plan = self.preview.plan();
        let note = match (standing, plan) {
            (Standing::Current, _) => "",
            (Standing::Working, None) => "being worked out",
            (Standing::Working, Some(_)) => "being worked out; this is the one before",
            (Standing::Without, None) => "none for what is typed",
            (Standing::Without, Some(_)) => "none for what is typed; this is the one before",
        };
        lines.extend(wrap(note, columns).into_iter().map(Said::Note));
        for (about, text) in plan.iter().flat_map(|(_, plan)| summary(plan)) {
            let mut about = about;
            for line in wrap(&text, columns.saturating_sub(ABOUT)) {
                lines.push(Said::Plan(about, line));
                about = "";
            }
        }
        lines
    }

    /// The lines of [`Form::said`] that are on the screen, in a pane of so many columns and lines, and whether there are
    /// more above and below them.
    pub fn said_within(&self, columns: u16, lines: u16) -> (Vec<Said>, (bool, bool)) {
        let (all, shown) = (self.said(columns, lines > 4), usize::from(lines));
        let skipped = self.scroll.min(all.len().saturating_sub(shown));
        let hidden = (skipped > 0, skipped + shown < all.len());
        (all.into_iter().skip(skipped).take(shown).collect(), hidden)
    }
}

/// A policy's value for a field.
fn of_policy(field: Field, policy: &Policy) -> Option<String> {
    Some(match field {
        Field::Image => policy.image.clone(),
        Field::Timeout => match policy.timeout {
            Timeout::Never => "never".to_owned(),
            Timeout::After(limit) => limit.to_string(),
        },
        Field::Ttl if policy.ttl.get() == 0 => "none".to_owned(),
        Field::Ttl => policy.ttl.to_string(),
        Field::Idle if policy.idle.get() == 0 => "none".to_owned(),
        Field::Idle => policy.idle.to_string(),
        Field::DiskSoft if policy.disk.soft.get() == 0 => "none".to_owned(),
        Field::DiskSoft => policy.disk.soft.to_string(),
        Field::DiskHard if policy.disk.hard.get() == 0 => "none".to_owned(),
        Field::DiskHard => policy.disk.hard.to_string(),
        Field::Network => policy.network.to_string(),
        Field::Memory => policy.memory.to_string(),
        Field::Cpus => policy.cpus.to_string(),
        Field::PidsLimit => policy.pids_limit.get().to_string(),
        Field::TmpSize => policy.tmp_size.to_string(),
        Field::Seccomp => policy.seccomp.to_string(),
        Field::MinAge if policy.min_age.get() == 0 => "none".to_owned(),
        Field::MinAge => policy.min_age.to_string(),
        Field::MinAgeAllow if policy.min_age_allow.is_empty() => "none".to_owned(),
        Field::MinAgeAllow => policy.min_age_allow.iter().cloned().collect::<Vec<_>>().join(" "),
        Field::CapAdd if policy.cap_add.is_empty() => "none".to_owned(),
        Field::CapAdd => policy.cap_add.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Field::Rootfs if policy.read_only_rootfs => "read-only".to_owned(),
        Field::Rootfs => "read-write".to_owned(),
        Field::ShmSize => policy.shm_size.to_string(),
        Field::Nofile => policy.nofile.to_string(),
        Field::Cpuset if policy.cpuset.is_empty() => "all".to_owned(),
        Field::Cpuset => policy.cpuset.clone(),
        Field::Name
        | Field::Kind
        | Field::Profile
        | Field::Command
        | Field::Workspace
        | Field::Mode
        | Field::Env
        | Field::Secrets
        | Field::EnvFiles
        | Field::WorkingDir
        | Field::Pull
        | Field::Project => return None,
    })
}
