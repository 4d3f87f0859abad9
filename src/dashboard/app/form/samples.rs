//! A machine, its plans and a form for tests.

use std::collections::BTreeMap;

use super::{Form, Ground, Outcome, Remembered};
use crate::backend::Order;
use crate::config::profiles::ProfileSummary;
use crate::dashboard::app::effect::Effect;
use crate::failure::Failure;
use crate::policy::plan::{Plan, plan};
use crate::policy::profile::Profile;
use crate::policy::resolve::{Layer, Trust, resolve};
use crate::policy::{Asked, ImageFacts, Request, RunAs, WorkspaceMode, WorkspaceMount};
use crate::units::SessionId;

const DEFAULT: &str = include_str!("../../../../config/profiles/default.toml");
const STRICT: &str = include_str!("../../../../config/profiles/strict.toml");

fn layer(toml: &str) -> Layer {
    Layer { profile: toml::from_str(toml).unwrap(), origin: "a test".to_owned(), trust: Trust::Operator }
}

fn profile(name: &str, layers: &[Layer]) -> ProfileSummary {
    let description = layers.last().unwrap().profile.description.clone().unwrap_or_default();
    ProfileSummary { name: name.to_owned(), description, origin: "embedded".to_owned(), policy: resolve(name, layers).unwrap() }
}

pub(crate) fn ground() -> Ground {
    Ground {
        profiles: vec![profile("default", &[layer(DEFAULT)]), profile("strict", &[layer(DEFAULT), layer(STRICT)])],
        default_profile: "default".to_owned(),
        folder: "/home/alice/web".to_owned(),
        program: Vec::new(),
    }
}

pub(crate) fn form() -> Form {
    Form::new(&ground(), &Remembered::default())
}

/// The plan of an order, as the backend makes it of what is here.
pub(crate) fn planned(order: &Order) -> Result<Box<Plan>, Failure> {
    let ground = ground();
    let name = order.profile.as_deref().unwrap_or("default");
    let policy = &ground.profiles.iter().find(|profile| profile.name == name).unwrap().policy;
    let layer = |profile| Layer { profile, origin: "the command line".to_owned(), trust: Trust::Operator };
    let policy = resolve(name, &[layer(Profile::from(policy)), layer(order.overrides.clone())])?;
    let workspace = order.workspace.as_ref().map(|spec| WorkspaceMount {
        source: format!("/home/alice/{}", spec.trim_end_matches(":ro")),
        device: 1,
        inode: 2,
        mode: if spec.ends_with(":ro") { WorkspaceMode::ReadOnly } else { WorkspaceMode::ReadWrite },
    });
    let request = Request {
        id: SessionId::NIL,
        name: order.name.as_deref().unwrap_or("run-00000000").parse().unwrap(),
        kind: order.kind,
        image: ImageFacts { reference: policy.image.clone(), id: "sha256:0123456789abcdef".to_owned(), ..ImageFacts::default() },
        command: order.command.clone(),
        tty: false,
        env: BTreeMap::new(),
        run_as: RunAs::SANDBOX,
        workspace,
        secrets: BTreeMap::new(),
        working_dir: order.working_dir.clone().unwrap_or_default(),
        creator: "1000@host".to_owned(),
        asked: Asked::default(),
        replaces: None,
        supervisor_volume: "palisade-supervisor-0123".to_owned(),
        depot_socket_volume: Some("palisade-depot-socket".to_owned()),
    };
    plan(&policy, &request).map(Box::new)
}

/// Presses keys by their names, blanks between them; `` `text` `` types a text. Plans are answered at once.
pub(crate) fn press(form: &mut Form, next: &mut u64, keys: &str) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for (at, part) in keys.split('`').enumerate() {
        let keys: Vec<String> = match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => part.chars().map(|c| if c == ' ' { "space".to_owned() } else { c.to_string() }).collect(),
        };
        for key in keys {
            let outcome = form.key(key.parse().unwrap(), next);
            if let Outcome::Stay(effects) = &outcome {
                answer(form, effects);
            }
            outcomes.push(outcome);
        }
    }
    outcomes
}

/// Answers what asks for a plan.
pub(crate) fn answer(form: &mut Form, effects: &[Effect]) {
    for effect in effects {
        if let Effect::Preview(number, order) = effect {
            form.previewed(*number, planned(order));
        }
    }
}
