//! How sessions stand to the plans that they were made from, and to today's for the same request.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use tokio::sync::Mutex;

use super::prepare::Judged;
use super::{Backend, Life, Order, Pull, depot};
use crate::failure::{Code, Failure, Result};
use crate::policy::drift::{Difference, Standing, Terms, drifted};
use crate::policy::{Asked, ImageFacts, Request};
use crate::session::{ContainerFacts, KernelFacts, Kind, Session, labels};
use crate::units::{Cpus, SessionId, SessionName, Untrusted};

/// What was looked up for one look at many sessions: each image once, the engine's size once.
#[derive(Default)]
pub struct Today {
    images: Mutex<HashMap<String, Result<ImageFacts>>>,
    most: Mutex<Option<Cpus>>,
}

/// A session's labels, as far as they say what it was made from.
pub(super) struct Made {
    pub id: SessionId,
    pub name: SessionName,
    pub kind: Kind,
    pub asked: Asked,
    pub terms: Terms,
    secrets: Vec<String>,
    creator: String,
}

impl Made {
    pub(super) fn read(all: &BTreeMap<String, Untrusted>) -> std::result::Result<Self, Untrusted> {
        let label = |name: &str| all.get(name).map(Untrusted::raw).unwrap_or_default();
        let made = || {
            Some(Self {
                id: label(labels::ID).parse().ok()?,
                name: label(labels::NAME).parse().ok()?,
                kind: label(labels::KIND).parse().ok()?,
                asked: Asked::read(label(labels::ASKED))?,
                terms: Terms::read(label(labels::TERMS))?,
                secrets: label(labels::SECRETS).split(',').filter(|secret| !secret.is_empty()).map(str::to_owned).collect(),
                creator: label(labels::CREATOR).to_owned(),
            })
        };
        made().ok_or_else(|| "its labels do not say what it was made from".into())
    }

    /// The same order again, with the values that its variables have in the container.
    pub(super) fn order(&self, env: &[Untrusted]) -> Order {
        let asked = &self.asked;
        let value = |name: &String| {
            let line = env.iter().map(Untrusted::raw).find(|line| line.split_once('=').is_some_and(|(of, _)| of == name));
            line.map_or_else(|| format!("{name}="), str::to_owned)
        };
        Order {
            name: Some(self.name.to_string()),
            kind: self.kind,
            profile: asked.profile.clone(),
            overrides: asked.overrides.clone(),
            ignore_project: asked.project.is_none(),
            command: asked.command.clone(),
            tty: asked.tty,
            env: asked.env.iter().map(value).collect(),
            env_files: Vec::new(),
            secrets: self.secrets.clone(),
            workspace: asked.workspace.clone(),
            working_dir: Some(asked.working_dir.clone()).filter(|folder| !folder.is_empty()),
            pull: Pull::Missing,
        }
    }
}

impl Backend {
    /// How a container stands. `kernel` is what the kernel shows of it, where that was read.
    pub async fn standing(&self, facts: &ContainerFacts, kernel: Option<&KernelFacts>, today: &Today) -> Standing {
        self.standing_by(facts, today, async |made| self.drifted_from(made, facts, kernel).await).await
    }

    /// The same of one that was measured before: only today's plan is looked up.
    pub async fn standing_again(&self, facts: &ContainerFacts, drifted: Vec<Difference>, today: &Today) -> Standing {
        self.standing_by(facts, today, async |_| drifted).await
    }

    async fn standing_by(&self, facts: &ContainerFacts, today: &Today, drifted: impl AsyncFnOnce(&Made) -> Vec<Difference>) -> Standing {
        let made = match Made::read(&facts.labels) {
            Err(why) => return Standing::untold(why.raw()),
            Ok(made) => made,
        };
        let terms = self.terms_today(&made, today).await;
        if let Ok(terms) = &terms {
            self.planned(&made, facts, terms).await;
        }
        Standing::new(&made.terms, drifted(&made).await, terms.as_ref().map_err(Clone::clone))
    }

    /// The same by its id alone: what the engine reports of it, and not what the kernel shows.
    pub async fn standing_of(&self, session: &Session, today: &Today) -> Result<(Standing, Life)> {
        let facts = self.engine.inspect(&session.container_id).await?;
        Ok((self.standing(&facts, None, today).await, self.life(session, &facts).await))
    }

    pub(super) async fn drifted_from(&self, made: &Made, facts: &ContainerFacts, kernel: Option<&KernelFacts>) -> Vec<Difference> {
        let name = self.name_by_plan(made, facts).await;
        drifted(&made.terms, &name, facts, kernel)
    }

    /// What the session is called by its labels, or by whoever renamed it from here since. A label cannot be changed.
    pub(super) async fn name_by_plan(&self, made: &Made, facts: &ContainerFacts) -> String {
        let labelled = made.name.to_string();
        if facts.name.raw().strip_prefix(labels::CONTAINER_PREFIX) == Some(labelled.as_str()) {
            return labelled;
        }
        self.called(made.id).await.unwrap_or(labelled)
    }

    /// What a plan for the same request would come to now.
    pub(super) async fn terms_today(&self, made: &Made, today: &Today) -> std::result::Result<Terms, Untrusted> {
        if made.creator != self.environment.operator() {
            return Err(format!("it was launched by {}, whose profiles are not known here", made.creator).into());
        }
        let told = |failure: Failure| Untrusted::from([vec![failure.message], failure.details].concat().join(": "));
        let (policy, request) = self.asked_again(made, today).await.map_err(told)?;
        Ok(Terms::of(&policy, &request))
    }

    async fn asked_again(&self, made: &Made, today: &Today) -> Result<(crate::policy::Policy, Request)> {
        let order = made.order(&[]);
        let mut judged = self.judge(&order, made.asked.project.as_deref().map(Path::new))?;
        if !self.is_within_this_machine(&judged.policy) {
            let mut most = today.most.lock().await;
            let cpus = match *most {
                Some(cpus) => cpus,
                None => *most.insert(self.most_cpus().await?),
            };
            if cpus.as_milli() > 0 {
                judged.policy.cpus = judged.policy.cpus.min(cpus);
            }
        }
        let image = self.image_today(&judged, today).await?;
        let volumes = super::prepare::Volumes {
            supervisor: self.planned_supervisor_volume()?,
            depot_socket: depot::reaches_depot(judged.policy.network).then(|| depot::socket_volume(&self.settings)),
        };
        let request = self.request(&order, &judged, made.id, made.name.clone(), image, volumes);
        Ok((judged.policy, request))
    }

    async fn image_today(&self, judged: &Judged, today: &Today) -> Result<ImageFacts> {
        let reference = &judged.policy.image;
        let mut images = today.images.lock().await;
        if let Some(found) = images.get(reference) {
            return found.clone();
        }
        let found = match self.engine.image(reference).await {
            Err(failure) if failure.code == Code::NotFound => Err(Failure::new(Code::NotFound, format!("the image '{reference}' is gone"))),
            found => found,
        };
        images.insert(reference.clone(), found.clone());
        found
    }
}
