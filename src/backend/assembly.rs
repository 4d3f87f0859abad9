//! Putting a backend together from what this machine says: where the engine is, how it answers.

use std::sync::Arc;

use super::Backend;
use super::doctor::{self, Check, DoctorInputs};
use super::engine::{DockerEngine, Engine};
use super::image::{self, Ensured, ImageSpec};
use super::leftovers::Work;
use super::{Reporter, supervisor_volume};
use crate::audit_log::AuditLog;
use crate::config::{Environment, Paths, Settings, engine_address};
use crate::evidence::Shelf;
use crate::failure::{Code, Failure, Result};
use crate::kernel::HostReader;

/// What this machine says before any engine is asked.
pub struct Machine {
    /// The environment that this program was started with.
    pub environment: Environment,
    /// Where this machine keeps our files.
    pub paths: Paths,
    /// What its operator set.
    pub settings: Settings,
}

/// What `image build` may say otherwise than the settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuildOrder {
    /// `None` for the settings' own.
    pub base: Option<String>,
    /// `None` for the settings' own.
    pub tag: Option<String>,
    /// Every step again.
    pub no_cache: bool,
    /// Only where it is missing or made by another recipe.
    pub if_needed: bool,
}

impl Machine {
    /// Reads environment and settings.
    pub fn read() -> Result<Self> {
        let environment = Environment::capture();
        let paths = Paths::find(&environment)?;
        let settings = Settings::load(&environment, &paths)?;
        Ok(Self { environment, paths, settings })
    }

    /// The operator's audit log.
    pub fn audit_log(&self) -> AuditLog {
        super::record::log_of(&self.paths, &self.environment)
    }

    /// The operator's evidence.
    pub fn evidence(&self) -> Shelf {
        super::evidence::shelf_of(&self.paths, &self.environment)
    }

    /// Finds the engine and says hello.
    pub async fn engine(&self, host: Option<&str>) -> Result<DockerEngine> {
        DockerEngine::connect(&engine_address::endpoint(host, &self.settings, &self.environment)?).await
    }

    /// Every check of `doctor`, and whether an engine answers.
    pub async fn examine(&self, host: Option<&str>, now: jiff::Timestamp) -> Result<(Vec<Check>, bool)> {
        let engine = self.engine(host).await;
        let inputs = DoctorInputs {
            image_tag: self.settings.image.tag.clone(),
            ca_bundle: self.settings.ca_bundle_file(&self.environment)?,
            supervisor_volume: supervisor_volume::name(&HostReader::default(), &self.paths)?,
            depot: self.settings.depot.name.clone(),
            direct_terminals: self.settings.direct_terminals,
            proxy: self.settings.registries(&self.environment).and_then(|_| self.settings.proxy(&self.environment)),
            now,
        };
        let checks = doctor::examine(engine.as_ref().map(|engine| engine as &dyn Engine), &inputs).await;
        Ok((checks, engine.is_ok()))
    }
}

impl Backend {
    /// A backend over the engine at `host`, or where the environment says.
    pub async fn connect(host: Option<&str>) -> Result<Self> {
        let machine = Machine::read()?;
        let engine = Arc::new(machine.engine(host).await?);
        Ok(Self::new(engine, machine.environment, machine.paths, machine.settings))
    }

    /// Builds the sandbox image; what an interrupt cuts short is left to the next build to sweep.
    pub async fn build_image(&self, order: &BuildOrder, reporter: &dyn Reporter) -> Result<Ensured> {
        let settings = &self.settings;
        let spec = ImageSpec {
            tag: order.tag.clone().unwrap_or_else(|| settings.image.tag.clone()),
            base: order.base.clone().unwrap_or_else(|| settings.image.base.clone()),
            suite: settings.image.suite.clone(),
            debian_mirror: settings.image.debian_mirror.clone(),
            pypi_url: settings.packages.pypi.url.clone(),
            npm_url: settings.packages.npm.url.clone(),
            ca_bundle: settings.ca_bundle_file(&self.environment)?,
            no_cache: order.no_cache,
        };
        self.settle().await;
        let superseded = image::superseded_by(self.engine.as_ref(), &spec.tag).await?;
        let under_way = self.begin(Work::Build { tag: spec.tag.clone(), begun: now(), superseded })?;
        let work = async {
            if order.if_needed {
                return image::ensure(self.engine.as_ref(), &spec, reporter).await;
            }
            Ok(Ensured { image: image::build(self.engine.as_ref(), &spec, reporter).await?, built: true })
        };
        let ended = tokio::select! {
            done = work => done,
            () = self.interrupt.cancelled() => Err(interrupted_build(&spec.tag)),
        };
        // The steps of a build that failed are where the next one goes on from; those that an engine lost with itself are nobody's.
        under_way.ended(&ended);
        ended
    }
}

#[expect(clippy::disallowed_methods, reason = "what a build makes on its way is known by having been made since")]
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn interrupted_build(tag: &str) -> Failure {
    Failure::new(Code::Interrupted, format!("the build of {tag} was interrupted; what had the tag before still has it"))
}
