//! The one path by which every session comes up: **create → inspect → audit → start → measure**, then the gate opens.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::engine::{AttachOptions, Attached, OneShot, WaitFor};
use super::evidence::Seen;
use super::leftovers::{Stage, UnderWay, Work};
use super::listing::session_from_facts;
use super::measure::{Moment, refuse, requested_of};
use super::prepare::{Prepared, interrupted, random};
use super::{Backend, Launched, Order, Reporter, Running};
use crate::failure::{Code, Failure, Result};
use crate::policy::audit::audit;
use crate::policy::plan::{self, CACHE, HOME, Plan};
use crate::session::{ContainerFacts, ExitFacts, KernelFacts, Session, Status, labels};
use crate::supervisor::gate::{Frame, Stdin};
use crate::units::SessionName;

/// How what the session's command writes is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// By the session's own output.
    ByStreams,
    /// In a terminal that the supervisor holds. The session's own output is a copy for the log: attached to and not read, it would hold
    /// the command back.
    ByTerminal,
}

/// A session whose gate is open.
pub(super) struct Open {
    pub launched: Launched,
    pub facts: ContainerFacts,
    pub attached: Attached,
    pub exit: BoxFuture<'static, Result<i64>>,
}

impl Backend {
    /// Launches in the background.
    pub async fn launch(&self, order: &Order, reporter: &dyn Reporter) -> Result<Launched> {
        Ok(Box::pin(self.bring_up(order, Stdin::Null, reporter)).await?.launched)
    }

    /// Launches in the foreground.
    pub async fn run(&self, order: &Order, reporter: &dyn Reporter) -> Result<Running> {
        let open = Box::pin(self.bring_up(order, Stdin::Pass, reporter)).await?;
        let Open { launched, facts, attached, exit } = open;
        let exit = self.for_work(self.interrupt.clone()).told_by(launched.session.clone(), facts, exit);
        Ok(Running { launched, input: attached.input, output: attached.output, exit })
    }

    /// The exit code, and the end told with it: whoever waits for it is the one to hear it.
    fn told_by(
        self,
        session: Session,
        mut facts: ContainerFacts,
        exit: BoxFuture<'static, Result<i64>>,
    ) -> BoxFuture<'static, Result<i64>> {
        Box::pin(async move {
            let code = exit.await?;
            facts.status = Some(Status::Exited);
            facts.exit = Some(ExitFacts { code, finished: Some(now()), ..ExitFacts::default() });
            self.run_ended(&session, Some(&facts), Seen { by: "run", exit_code: Some(code) }).await;
            Ok(code)
        })
    }

    async fn bring_up(&self, order: &Order, stdin: Stdin, reporter: &dyn Reporter) -> Result<Open> {
        self.settle().await;
        let prepared = self.prepare(order, reporter).await?;
        // Before anything exists: a frame that does not fit is the operator's to mend.
        let key: [u8; 32] = random()?;
        let frame = encode(stdin, &prepared, &key)?;
        let shown = if order.tty { Shown::ByTerminal } else { Shown::ByStreams };
        let plan = &prepared.plan;
        let mut work = self.begin(Work::Launch { session: plan.id, name: plan.name.clone(), kind: plan.kind })?;
        let created = match self.engine.create(&plan.create.clone().made_by(&work.label())).await {
            Ok(created) => created,
            Err(failure) if failure.code == Code::Conflict => {
                work.done();
                return Err(name_taken(&plan.name, failure));
            }
            // An engine that failed half-way, or whose answer was lost, may have made it or its volumes.
            Err(failure) => return Err(self.abandon(work, failure).await),
        };
        for warning in &created.warnings {
            reporter.warning(&format!("the engine says: {warning}"));
        }
        match self.take_up(&created.id, plan, &frame, shown, &mut work).await {
            Ok(open) => {
                let launched = &open.launched;
                self.began(&launched.session, key, prepared.plan.policy.ttl, prepared.plan.policy.idle).await;
                self.record("launch", &launched.session, json!({ "plan": plan, "posture": launched.posture }));
                self.run_began(&launched.session, &open.facts, &launched.posture, Some(plan)).await;
                work.done();
                Ok(open)
            }
            Err(failure) => {
                let failure = if plan.create.auto_remove { failure } else { self.unless_removed(&created.id, &plan.name, failure).await };
                // What was begun is given up as a whole, wherever it failed.
                work.reached(Stage::GivenUp);
                Err(self.abandon(work, failure).await)
            }
        }
    }

    /// From a created container to an open gate.
    async fn take_up(&self, id: &str, plan: &Plan, frame: &[u8], shown: Shown, work: &mut UnderWay) -> Result<Open> {
        self.give_volumes_to_their_user(id, plan, &work.label()).await?;
        let facts = self.engine.inspect(id).await?;
        let paper = audit(requested_of(&facts).as_ref(), &facts, Err("not started yet"));
        if paper.is_weaker() {
            return Err(refuse(&plan.name, &paper));
        }
        self.go_on()?;
        let until = if plan.create.auto_remove { WaitFor::Removed } else { WaitFor::NextExit };
        self.open_gate(id, until, &plan.name, frame, shown, Some(work)).await
    }

    /// Attaches, starts, measures and, if the kernel shows what was asked, opens the gate. For new and stopped containers alike; of a new
    /// one it writes down that it may have run.
    pub(super) async fn open_gate(
        &self,
        id: &str,
        until: WaitFor,
        name: &SessionName,
        frame: &[u8],
        shown: Shown,
        work: Option<&mut UnderWay>,
    ) -> Result<Open> {
        let options = AttachOptions { stdin: true, output: shown == Shown::ByStreams };
        let mut attached = self.engine.attach(id, options).await?;
        let exit = self.exit_of(id, until);
        self.engine.start(id).await.map_err(|failure| not_started(name, failure))?;
        let (facts, kernel) = self.measure_at_gate(id).await?;
        let posture = audit(requested_of(&facts).as_ref(), &facts, Ok(&kernel));
        if posture.is_weaker() {
            return Err(refuse(name, &posture));
        }
        self.go_on()?;
        let gone = |error: std::io::Error| Failure::new(Code::EngineError, format!("'{name}' ended before its command began: {error}"));
        if let Some(work) = work {
            work.reached(Stage::Opening);
        }
        attached.input.write_all(frame).await.map_err(gone)?;
        attached.input.flush().await.map_err(gone)?;
        let session = session_from_facts(&facts)
            .ok_or_else(|| Failure::new(Code::Internal, format!("the container of '{name}' does not carry its labels")))?;
        Ok(Open { launched: Launched { session, posture }, facts, attached, exit })
    }

    /// Inspect and kernel facts of a container that was just started and whose supervisor holds its command back.
    async fn measure_at_gate(&self, id: &str) -> Result<(ContainerFacts, KernelFacts)> {
        let facts = self.engine.inspect(id).await?;
        if facts.status != Some(Status::Running) {
            return Err(self.ended_early(&facts));
        }
        match self.kernel_facts(&facts, Moment::AtGate).await {
            Ok(kernel) => Ok((facts, kernel)),
            Err(why) => {
                let now = self.engine.inspect(id).await?;
                if now.status == Some(Status::Running) {
                    return Err(Failure::new(Code::AuditFailed, format!("what the kernel enforces could not be measured: {why}"))
                        .hint("palisade doctor says what measuring needs; nothing was run"));
                }
                Err(self.ended_early(&now))
            }
        }
    }

    #[expect(clippy::unused_self, reason = "reads beside the other steps")]
    fn ended_early(&self, facts: &ContainerFacts) -> Failure {
        let exit = facts.exit.clone().unwrap_or_default();
        let mut failure =
            Failure::new(Code::EngineError, format!("the session ended before its command began, with exit code {}", exit.code));
        if !exit.error.raw().is_empty() {
            failure = failure.detail(exit.error.to_string());
        }
        if exit.oom_killed {
            failure = failure.detail("the kernel ended it for want of memory: --memory gives more");
        }
        failure
    }

    /// Begins to wait at once, so that an end right after the start is not missed.
    fn exit_of(&self, id: &str, until: WaitFor) -> BoxFuture<'static, Result<i64>> {
        let (engine, id) = (Arc::clone(&self.engine), id.to_owned());
        let waiting = tokio::spawn(async move { engine.wait(&id, until).await });
        Box::pin(async move {
            waiting
                .await
                .unwrap_or_else(|error| Err(Failure::new(Code::Internal, format!("the wait for the session's end broke: {error}"))))
        })
    }

    pub(super) fn go_on(&self) -> Result<()> {
        if self.interrupt.is_cancelled() { Err(interrupted()) } else { Ok(()) }
    }

    /// A fresh volume belongs to root unless the image has a folder of the right owner to copy, and pip leaves a cache
    /// unused that its user does not own. An archive changes the owner of what is below the folder that it is unpacked
    /// in, so it is unpacked at the root: of a container of ours beside the session's, whose own root file system is
    /// read-only.
    pub(super) async fn give_volumes_to_their_user(&self, id: &str, plan: &Plan, maker: &str) -> Result<()> {
        let is_given = |uid: Option<u32>| uid.is_some_and(|uid| plan.create.user == format!("{uid}:{uid}"));
        let folders: Vec<&str> = [(HOME, plan.image.home_uid), (CACHE, plan.image.cache_uid)]
            .into_iter()
            .filter(|(_, uid)| !is_given(*uid))
            .map(|(folder, _)| folder)
            .collect();
        if folders.is_empty() {
            return Ok(());
        }
        let Some((uid, gid)) = plan.create.user.split_once(':').and_then(|(uid, gid)| Some((uid.parse().ok()?, gid.parse().ok()?))) else {
            return Err(Failure::new(Code::Internal, format!("the plan's user '{}' is not uid:gid", plan.create.user)));
        };
        let archive = folder_entries(&folders, uid, gid).map_err(|error| Failure::io("pack the session's folders", &error))?;
        let helper = OneShot {
            name: format!("palisade-home-{}", plan.id),
            image: plan.create.image.clone(),
            entrypoint: vec![plan::SUPERVISOR.to_owned()],
            user: "65534:65534".to_owned(),
            labels: [(labels::SCHEMA, labels::SCHEMA_VALUE), (labels::ROLE, labels::ROLE_HOME), (labels::MAKER, maker)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            cap_add: Vec::new(),
            pid_mode: String::new(),
            volumes_from: Some(id.to_owned()),
            volumes: Vec::new(),
            binds: Vec::new(),
        };
        let helper = self.engine.create_one_shot(&helper).await?.id;
        let stream = futures_util::stream::iter([Ok(bytes::Bytes::from(archive))]);
        let given = self.engine.upload(&helper, "/", Box::pin(stream)).await.map_err(|failure| in_the_way(&folders, failure));
        let removed = self.engine.remove(&helper).await;
        given.and(removed)
    }
}

#[expect(clippy::disallowed_methods, reason = "an end has a time")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn encode(stdin: Stdin, prepared: &Prepared, key: &[u8]) -> Result<Vec<u8>> {
    Frame::new(stdin, &prepared.secrets, prepared.depot.clone())
        .renewed_by(key)
        .encode()
        .map_err(|error| Failure::new(Code::Refused, error.to_string()).detail("'--secret'"))
}

/// The engine's words name the container by an id that is gone by the time they are read.
fn not_started(name: &SessionName, failure: Failure) -> Failure {
    if failure.code != Code::EngineError {
        return failure;
    }
    let failure = Failure { message: format!("the engine cannot start '{name}'"), ..failure };
    if failure.hint.is_some() {
        return failure;
    }
    failure.hint("where it says that it may not set a limit, ask for less than the engine itself has, such as --nofile 4096")
}

/// The engine names the helper by an id that is gone, and what it says is about the image.
fn in_the_way(folders: &[&str], failure: Failure) -> Failure {
    if failure.code != Code::EngineError {
        return failure;
    }
    let message = "the session's own folders cannot be made in this image".to_owned();
    let hint = format!("in an image, {} must be a folder or not be there at all", folders.join(" and "));
    Failure { message, ..failure }.hint(hint)
}

fn name_taken(name: &SessionName, failure: Failure) -> Failure {
    Failure::new(Code::Conflict, format!("the name '{name}' is taken"))
        .detail(failure.message)
        .hint(format!("choose another, or see what has it: palisade inspect {name}"))
}

/// A tar archive of empty folders and their owner.
fn folder_entries(folders: &[&str], uid: u64, gid: u64) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for folder in folders {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        header.set_mode(0o700);
        header.set_uid(uid);
        header.set_gid(gid);
        archive.append_data(&mut header, folder.trim_start_matches('/'), std::io::empty())?;
    }
    archive.into_inner()
}
