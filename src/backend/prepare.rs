//! From an order to a plan: everything that is read and judged before the engine is asked for anything.

use std::collections::BTreeMap;
use std::path::Path;

use super::engine::ProgressStream;
use super::{Backend, Order, Pull, Reporter, depot, workspace};
use crate::config::{env_files, profiles};
use crate::failure::{Code, Failure, Result};
use crate::policy::plan::{self, Plan};
use crate::policy::workspace::{Caller, FolderFacts, judge};
use crate::policy::{Asked, ImageFacts, Policy, Request, RunAs, SecretSource, WorkspaceMode, WorkspaceMount, env};
use crate::session::labels;
use crate::units::{Cpus, SessionId, SessionName};
use futures_util::StreamExt;

/// A plan, and what must not be in it.
pub(super) struct Prepared {
    pub plan: Plan,
    /// Secrets by file name.
    pub secrets: BTreeMap<String, Vec<u8>>,
    /// The session's token for the depot, where it reaches one.
    pub depot: Option<String>,
}

/// Volumes that are there before the session is.
pub(super) struct Volumes {
    pub supervisor: String,
    pub depot_socket: Option<String>,
}

/// What does not need the engine.
pub(super) struct Judged {
    pub policy: Policy,
    env: BTreeMap<String, String>,
    secrets: BTreeMap<String, SecretSource>,
    workspace: Option<WorkspaceMount>,
    run_as: RunAs,
    asked: Asked,
}

impl Backend {
    /// What a launch would ask of the engine. The id is the nil one, so equal orders give equal bytes.
    pub async fn plan(&self, order: &Order) -> Result<Plan> {
        let judged = self.judge(order, None)?;
        let name = name_of(order, SessionId::NIL, &self.settings.depot.name)?;
        let image = match self.engine.image(&judged.policy.image).await {
            Err(failure) if failure.code == Code::NotFound => {
                ImageFacts { reference: judged.policy.image.clone(), ..ImageFacts::default() }
            }
            found => found?,
        };
        let volumes = Volumes {
            supervisor: self.planned_supervisor_volume()?,
            depot_socket: depot::reaches_depot(judged.policy.network).then(|| depot::socket_volume(&self.settings)),
        };
        plan::plan(&judged.policy, &self.request(order, &judged, SessionId::NIL, name, image, volumes))
    }

    /// Everything that a launch needs, with the image and the supervisor in place.
    pub(super) async fn prepare(&self, order: &Order, reporter: &dyn Reporter) -> Result<Prepared> {
        let judged = self.judge(order, None)?;
        let id = mint()?;
        let name = name_of(order, id, &self.settings.depot.name)?;
        let secrets = self.secret_values(&judged.secrets)?;
        self.prepare_as(order, judged, (id, name, None), secrets, reporter).await
    }

    /// The same for a session that is there: another container is to take the place of `replaces`. It is given its secrets at its start.
    pub(super) async fn prepare_again(
        &self,
        order: &Order,
        beside: Option<&Path>,
        (id, name, replaces): (SessionId, SessionName, String),
        reporter: &dyn Reporter,
    ) -> Result<Plan> {
        let judged = self.judge(order, beside)?;
        Ok(self.prepare_as(order, judged, (id, name, Some(replaces)), BTreeMap::new(), reporter).await?.plan)
    }

    async fn prepare_as(
        &self,
        order: &Order,
        mut judged: Judged,
        (id, name, replaces): (SessionId, SessionName, Option<String>),
        secrets: BTreeMap<String, Vec<u8>>,
        reporter: &dyn Reporter,
    ) -> Result<Prepared> {
        self.within_the_engine(&mut judged.policy, reporter).await?;
        // Each to its end: a depot that is half made must not be left because an image is missing.
        let (image, supervisor, depot) = tokio::join!(
            self.image_for(&judged.policy.image, order.pull, reporter),
            self.ready_supervisor_volume(),
            self.depot_for(judged.policy.network, reporter)
        );
        let (image, supervisor, depot) = (image?, supervisor?, depot?);
        let token = depot.as_ref().map(|access| depot::first_token(access, id, &judged.policy)).transpose()?;
        let supervisor = match supervisor {
            Some(volume) => volume,
            None => self.fill_supervisor_volume(&image.id).await?,
        };
        let volumes = Volumes { supervisor, depot_socket: depot.map(|access| access.socket_volume) };
        let request = Request { replaces, ..self.request(order, &judged, id, name, image, volumes) };
        let plan = plan::plan(&judged.policy, &request)?;
        Ok(Prepared { plan, secrets, depot: token })
    }

    /// `beside` is where a project's file is looked for without a workspace; `None` for the current folder.
    pub(super) fn judge(&self, order: &Order, beside: Option<&Path>) -> Result<Judged> {
        let folder = order.workspace.as_deref().map(|spec| self.observe(spec)).transpose()?;
        let beside = beside.unwrap_or(&self.environment.cwd);
        let project = folder.as_ref().map_or(beside, |(facts, _)| facts.canonical.as_path());
        let project = (!order.ignore_project).then_some(project);
        let policy = profiles::resolved(&self.paths, &self.settings, order.profile.as_deref(), project, order.overrides.clone())?;
        let mut asked = self.asked(order, project);
        let (workspace, run_as) = match folder {
            None => (None, RunAs::SANDBOX),
            Some((facts, mode)) => {
                let word = if mode == WorkspaceMode::ReadOnly { "ro" } else { "rw" };
                asked.workspace = Some(format!("{}:{word}", facts.canonical.display()));
                // As the mode that will hold: a root-owned folder may be read where it may not be written.
                let mode = if policy.workspace_read_only { WorkspaceMode::ReadOnly } else { mode };
                let rules = workspace::rules(&self.environment, &self.paths, &self.settings, self.engine.endpoint());
                let caller = Caller { uid: self.environment.uid, gid: self.environment.gid };
                let (mount, run_as) = judge(&facts, mode, &rules, caller)?;
                (Some(mount), run_as)
            }
        };
        let env = env::environment(&env_files(&order.env_files)?, &order.env, &self.environment.vars)?;
        asked.env = env.keys().cloned().collect();
        Ok(Judged { policy, env, secrets: env::secrets(&order.secrets)?, workspace, run_as, asked })
    }

    /// What was asked for, so that it means the same from any folder.
    fn asked(&self, order: &Order, project: Option<&Path>) -> Asked {
        let whole = |profile: &String| {
            if profiles::is_file(profile) { self.environment.absolute(profile).display().to_string() } else { profile.clone() }
        };
        Asked {
            profile: order.profile.as_ref().map(whole),
            overrides: order.overrides.clone(),
            project: project.and_then(Path::to_str).map(str::to_owned),
            command: order.command.clone(),
            tty: order.tty,
            working_dir: order.working_dir.clone().unwrap_or_default(),
            ..Asked::default()
        }
    }

    fn observe(&self, spec: &str) -> Result<(FolderFacts, WorkspaceMode)> {
        if self.engine.endpoint().socket.is_none() {
            return Err(Failure::new(Code::Refused, "a workspace needs an engine on this machine")
                .detail(format!("'--workspace' {spec}; the engine is at {}", self.engine.endpoint().uri))
                .hint("copy files in and out with palisade cp"));
        }
        workspace::observe(spec, &self.environment)
    }

    /// The engine refuses more CPUs than it has, where fewer only narrow.
    async fn within_the_engine(&self, policy: &mut Policy, reporter: &dyn Reporter) -> Result<()> {
        if self.is_within_this_machine(policy) {
            return Ok(());
        }
        let most = self.most_cpus().await?;
        if most.as_milli() > 0 && policy.cpus > most {
            let noun = if most == Cpus::milli(1000) { "CPU" } else { "CPUs" };
            reporter.warning(&format!("the engine has {most} {noun}: 'cpus' is {most} and not {}", policy.cpus));
            policy.cpus = most;
        }
        Ok(())
    }

    /// Whether the engine is here, and this machine has the CPUs: then it need not be asked.
    pub(super) fn is_within_this_machine(&self, policy: &Policy) -> bool {
        let here = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.engine.endpoint().socket.is_some() && u64::from(policy.cpus.as_milli()) <= here as u64 * 1000
    }

    /// The engine's CPUs.
    pub(super) async fn most_cpus(&self) -> Result<Cpus> {
        Ok(Cpus::milli(self.engine.info().await?.cpus.saturating_mul(1000)))
    }

    /// The values of secrets, from the variables that they name.
    pub(super) fn secret_values(&self, sources: &BTreeMap<String, SecretSource>) -> Result<BTreeMap<String, Vec<u8>>> {
        let value = |(name, source): (&String, &SecretSource)| match self.environment.var(&source.env) {
            Some(value) => Ok((name.clone(), value.as_bytes().to_vec())),
            None => Err(Failure::new(Code::Refused, format!("the secret '{name}' has no value"))
                .detail(format!("'--secret' {name}={}: the environment variable {} is not set", source.env, source.env))
                .hint(format!("set it: {}=… palisade …", source.env))),
        };
        sources.iter().map(value).collect()
    }

    pub(super) fn request(
        &self,
        order: &Order,
        judged: &Judged,
        id: SessionId,
        name: SessionName,
        image: ImageFacts,
        volumes: Volumes,
    ) -> Request {
        Request {
            id,
            name,
            kind: order.kind,
            image,
            command: order.command.clone(),
            tty: order.tty,
            env: judged.env.clone(),
            run_as: judged.run_as,
            workspace: judged.workspace.clone(),
            secrets: judged.secrets.clone(),
            working_dir: order.working_dir.clone().unwrap_or_default(),
            creator: self.environment.operator(),
            asked: judged.asked.clone(),
            replaces: None,
            supervisor_volume: volumes.supervisor,
            depot_socket_volume: volumes.depot_socket,
        }
    }

    async fn image_for(&self, reference: &str, pull: Pull, reporter: &dyn Reporter) -> Result<ImageFacts> {
        if pull == Pull::Always {
            self.pull(reference, reporter).await?;
        }
        match self.engine.image(reference).await {
            Err(failure) if failure.code == Code::NotFound => {
                if reference == self.settings.image.tag {
                    return Err(Failure::new(Code::NotFound, format!("the sandbox image '{reference}' is not built yet"))
                        .hint("build it with: palisade image build"));
                }
                if pull == Pull::Never {
                    return Err(failure.hint("--pull missing fetches it"));
                }
                self.pull(reference, reporter).await?;
                self.engine.image(reference).await
            }
            found => found,
        }
    }

    async fn pull(&self, reference: &str, reporter: &dyn Reporter) -> Result<()> {
        reporter.step(&format!("pulling {reference}"));
        self.follow(self.engine.pull(reference), reporter).await
    }

    /// Tells of long work in the engine until it is done, or the operator gives it up.
    pub(super) async fn follow(&self, mut progress: ProgressStream, reporter: &dyn Reporter) -> Result<()> {
        loop {
            tokio::select! {
                step = progress.next() => match step {
                    Some(step) => reporter.progress(&step?),
                    None => return Ok(()),
                },
                () = self.interrupt.cancelled() => return Err(interrupted()),
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "an id holds the time at which it was minted")]
pub(super) fn mint() -> Result<SessionId> {
    let now = jiff::Timestamp::now().as_millisecond();
    Ok(SessionId::from_parts(u64::try_from(now).unwrap_or(0), u128::from_le_bytes(random()?)))
}

/// Bytes that nobody can guess.
#[expect(clippy::disallowed_methods, reason = "the kernel's own source of randomness")]
pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut random = [0; N];
    let mut source = std::fs::File::open("/dev/urandom").map_err(|error| Failure::io("open /dev/urandom", &error))?;
    std::io::Read::read_exact(&mut source, &mut random).map_err(|error| Failure::io("read /dev/urandom", &error))?;
    Ok(random)
}

/// The failure of what the operator gave up.
pub(super) fn interrupted() -> Failure {
    Failure::new(Code::Interrupted, "interrupted: what was begun has been undone")
}

fn name_of(order: &Order, id: SessionId, depot: &str) -> Result<SessionName> {
    match &order.name {
        None => Ok(id.default_name()),
        Some(text) => session_name(text, depot).map_err(|failure| failure.detail("'name' on the command line")),
    }
}

/// A name for a session, unless its container's would be the depot's.
pub(super) fn session_name(text: &str, depot: &str) -> Result<SessionName> {
    let name: SessionName = text.parse().map_err(|error| Failure::new(Code::Usage, format!("{error}")))?;
    if format!("{}{name}", labels::CONTAINER_PREFIX) == depot {
        return Err(Failure::new(Code::Usage, format!("a session cannot be called '{name}': its container would be the depot's"))
            .hint("give it another name, or 'depot.name' another value in config.toml"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::profile::Profile;
    use crate::session::Kind;

    fn called(name: Option<&str>) -> Result<SessionName> {
        let order = Order {
            name: name.map(str::to_owned),
            kind: Kind::Persistent,
            profile: None,
            overrides: Profile::default(),
            ignore_project: true,
            command: Vec::new(),
            tty: false,
            env: Vec::new(),
            env_files: Vec::new(),
            secrets: Vec::new(),
            workspace: None,
            working_dir: None,
            pull: Pull::Never,
        };
        name_of(&order, SessionId::from_parts(1, 1), "palisade-depot")
    }

    #[test]
    fn no_session_takes_the_depots_name() {
        let refused = called(Some("depot")).unwrap_err();
        assert_eq!(refused.code, Code::Usage);
        assert!(refused.message.contains("'depot'") && refused.hint.unwrap().contains("another name"));
        for name in ["depot2", "depot-store", "web"] {
            assert_eq!(called(Some(name)).unwrap().as_str(), name);
        }
        assert!(called(None).is_ok() && called(Some("-x")).is_err());
    }
}
