use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::policy::profile::Profile;
use crate::policy::{Policy, Request, WorkspaceMode};
use crate::units::{Bytes, Seconds, hex};

/// The program that the session's first process is: another one is no change of anybody's policy.
pub(super) const SUPERVISOR: &str = "supervisor";
/// The session's user.
pub(super) const USER: &str = "user";
/// The image by its content.
pub(super) const IMAGE_ID: &str = "image_id";
/// What a policy's variable is called by here.
pub(super) const ENV: &str = "env.";

/// Everything in which two plans for one request can differ, field by field: what the profile comes to, by its own keys, and what was
/// found on engine and machine. A label keeps it, so that a later day's plan can be compared without either plan at hand.
///
/// Of a variable there is only a digest: its value may be for nobody's eyes but the session's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Terms(pub(super) BTreeMap<String, String>);

impl Terms {
    /// Of the plan that these two come to.
    pub fn of(policy: &Policy, request: &Request) -> Self {
        let mut terms = BTreeMap::new();
        let profile = Profile { cap_drop: None, env: None, ..Profile::from(policy) };
        flatten("", &serde_json::to_value(profile).unwrap_or_default(), &mut terms);
        // What the request sets is the request's: no profile changes it.
        for (name, value) in policy.env.iter().filter(|(name, _)| !request.env.contains_key(*name)) {
            let mut digest = hex(&Sha256::digest(value));
            digest.truncate(12);
            terms.insert(format!("{ENV}{name}"), digest);
        }
        terms.insert("profile".to_owned(), policy.profile.clone());
        terms.insert(IMAGE_ID.to_owned(), request.image.id.clone());
        terms.insert(USER.to_owned(), request.run_as.to_string());
        terms.insert(SUPERVISOR.to_owned(), request.supervisor_volume.clone());
        let volumes: BTreeSet<&str> = request.image.volumes.iter().map(String::as_str).collect();
        if !volumes.is_empty() {
            terms.insert("image_volumes".to_owned(), volumes.into_iter().collect::<Vec<_>>().join(" "));
        }
        if let Some(depot) = request.depot_socket_volume.as_ref().filter(|_| policy.network.has_depot()) {
            terms.insert("depot".to_owned(), depot.clone());
        }
        if let Some(workspace) = &request.workspace {
            let is_read_only = policy.workspace_read_only || workspace.mode == WorkspaceMode::ReadOnly;
            let mode = if is_read_only { "ro" } else { "rw" };
            terms.insert("workspace".to_owned(), format!("{}:{mode}", workspace.source));
            terms.insert("workspace_folder".to_owned(), format!("device {}, inode {}", workspace.device, workspace.inode));
        }
        Self(terms)
    }

    /// For the label.
    pub fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From the label; `None` where it holds none.
    pub fn read(label: &str) -> Option<Self> {
        serde_json::from_str(label).ok()
    }

    /// Of everything but the program, which is no change of anybody's policy.
    pub fn digest(&self) -> String {
        let of_policy: BTreeMap<_, _> = self.0.iter().filter(|(field, _)| *field != SUPERVISOR).collect();
        hex(&Sha256::digest(serde_json::to_string(&of_policy).unwrap_or_default()))
    }

    /// A field as it is compared.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    /// A field that is a whole number.
    pub fn number(&self, field: &str) -> Option<u64> {
        self.get(field)?.parse().ok()
    }
}

fn flatten(at: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    let text = match value {
        Value::Null => return,
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(&if at.is_empty() { key.clone() } else { format!("{at}.{key}") }, value, into);
            }
            return;
        }
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect::<Vec<_>>().join(" ")
        }
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    };
    into.insert(at.to_owned(), text);
}

/// A field's value in words: with its unit, and `none` where it is empty or not there.
pub(super) fn shown(field: &str, value: Option<&str>) -> String {
    const SIZES: [&str; 8] = ["memory", "memory_swap", "tmp_size", "run_size", "shm_size", "log_max_size", "disk.soft", "disk.hard"];
    const SPANS: [&str; 6] = ["timeout", "stop_grace", "min_age", "terminal.idle", "ttl", "idle"];
    let Some(value) = value.filter(|value| !value.is_empty()) else { return "none".to_owned() };
    match value.parse::<u64>() {
        Ok(number) if SIZES.contains(&field) => Bytes::new(number).to_string(),
        Ok(number) if SPANS.contains(&field) => Seconds::new(number).to_string(),
        Ok(_) | Err(_) if field.starts_with(ENV) => format!("set ({value})"),
        Ok(_) | Err(_) => value.to_owned(),
    }
}
