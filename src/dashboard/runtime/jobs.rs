//! Long work: each piece in a task of its own, told of as it goes, given up when the operator says so.

use std::collections::HashMap;
use std::sync::Mutex;

use futures_util::{StreamExt, stream};
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Link;
use crate::backend::engine::Progress;
use crate::backend::{Backend, BuildOrder, Reporter};
use crate::dashboard::app::Message;
use crate::dashboard::app::effect::{Deed, JobId, Target};
use crate::depot::control::ControlVerb;
use crate::failure::{Code, Failure};
use crate::headless::actions::Action;
use crate::headless::cache;
use crate::units::Bytes;

/// Sessions worked on at once.
const AT_ONCE: usize = 4;

/// What can be begun.
pub enum Work {
    /// Launch.
    Launch(Box<crate::backend::Order>),
    /// The same to each.
    Act(Deed, Vec<Target>),
    /// Another name.
    Rename(Target, String),
    /// Packages ahead of time.
    Warm(Vec<String>),
    /// A smaller store.
    Prune(Bytes),
    /// The sandbox image.
    BuildImage,
}

/// The work under way.
#[derive(Default)]
pub struct Jobs {
    running: HashMap<JobId, CancellationToken>,
    tasks: JoinSet<()>,
}

impl Jobs {
    /// Begins a piece of work; its end is a message.
    pub fn begin(&mut self, link: &Link, id: JobId, work: Work) {
        let token = CancellationToken::new();
        self.running.insert(id, token.clone());
        let (link, backend) = (link.clone(), link.backend.for_work(token.clone()));
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(async move {
            let reporter = MessageReporter { id, inbox: link.inbox.clone(), step: Mutex::default() };
            let done = done(&backend, work, &reporter, &token).await;
            for what in backend.settled().into_iter().chain(backend.unrecorded()) {
                link.tell(Message::JobWarned(id, what)).await;
            }
            link.tell(Message::JobEnded(id, done)).await;
        });
    }

    /// Gives it up: it is undone, and its end says so.
    pub fn cancel(&mut self, id: JobId) {
        if let Some(token) = self.running.get(&id) {
            token.cancel();
        }
    }

    /// Gives everything up that is under way.
    pub fn cancel_all(&mut self) {
        self.running.values().for_each(CancellationToken::cancel);
    }

    /// Waits until the last has ended.
    pub async fn ended(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn done(backend: &Backend, work: Work, reporter: &MessageReporter, token: &CancellationToken) -> Result<String, Vec<Failure>> {
    match work {
        Work::Launch(order) => {
            let launched = backend.launch(&order, reporter).await.map_err(|failure| vec![failure])?;
            let (held, all) = (launched.posture.enforced(), launched.posture.controls.len());
            Ok(format!("'{}' runs: {held} of {all} controls are in force", launched.session.name))
        }
        Work::Act(deed, targets) => act(backend, deed, targets, reporter, token).await,
        Work::Rename(target, name) => {
            let session = backend.rename(&target.id, &name).await.map_err(|failure| vec![failure])?;
            Ok(format!("'{}' is called '{}' now", target.name, session.name))
        }
        Work::Warm(names) => cache::warm_quietly(backend, names, reporter).await.map_err(|failure| vec![failure]),
        Work::Prune(keep) => {
            let verb = ControlVerb::Prune { keep: Some(keep), unused_for: None };
            let mut progress = |done, total| reporter.amount(done, Some(total));
            let report = backend.cache_control(&verb, &mut progress).await.map_err(|failure| vec![failure])?;
            Ok(format!("the depot's store is pruned: {} files, {} are left", report.blobs, Bytes::new(report.bytes)))
        }
        Work::BuildImage => {
            let ensured = backend.build_image(&BuildOrder::default(), reporter).await.map_err(|failure| vec![failure])?;
            Ok(format!("the image '{}' is built", ensured.image.reference))
        }
    }
}

async fn act(
    backend: &Backend,
    deed: Deed,
    targets: Vec<Target>,
    reporter: &MessageReporter,
    token: &CancellationToken,
) -> Result<String, Vec<Failure>> {
    let all = targets.len();
    let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
    let each = targets.into_iter().map(|target| async move {
        if token.is_cancelled() {
            return Err(Failure::new(Code::Interrupted, format!("'{}' was left as it is", target.name)));
        }
        // By id: what has another name by now is the same session.
        let done = match deed {
            Deed::Stop => Action::Stop { grace_s: None }.on(backend, &target.id).await.map(drop),
            Deed::Start => Action::Start { secrets: Vec::new() }.on(backend, &target.id).await.map(drop),
            Deed::Restart => Action::Restart { grace_s: None, secrets: Vec::new() }.on(backend, &target.id).await.map(drop),
            Deed::Remove => Action::Remove { force: true }.on(backend, &target.id).await.map(drop),
            Deed::Update => backend.update(&target.id, true, reporter).await.map(drop),
            Deed::Pause => backend.pause(&target.id).await.map(drop),
            Deed::Unpause => backend.unpause(&target.id).await.map(drop),
        };
        done.map_err(|failure| failure.detail(format!("session '{}'", target.name)))
    });
    let mut results = stream::iter(each).buffer_unordered(AT_ONCE);
    let (mut failures, mut finished) = (Vec::new(), 0);
    while let Some(result) = results.next().await {
        finished += 1;
        failures.extend(result.err());
        if all > 1 {
            reporter.amount(finished, Some(all as u64));
        }
    }
    let (_, done) = deed.words();
    match (failures.is_empty(), names.as_slice()) {
        (true, [one]) => Ok(format!("'{one}' is {done}")),
        (true, several) => Ok(format!("{} sessions are {done}", several.len())),
        (false, _) => Err(failures),
    }
}

/// Tells of a job by messages. Steps are for looking at: one that finds no room is left out.
struct MessageReporter {
    id: JobId,
    inbox: Sender<Message>,
    step: Mutex<String>,
}

impl MessageReporter {
    fn amount(&self, done: u64, total: Option<u64>) {
        let _ = self.inbox.try_send(Message::JobStepped(self.id, String::new(), Some((done, total))));
    }
}

impl Reporter for MessageReporter {
    fn step(&self, text: &str) {
        if let Ok(mut step) = self.step.lock() {
            text.clone_into(&mut step);
        }
        let _ = self.inbox.try_send(Message::JobStepped(self.id, text.to_owned(), None));
    }

    fn progress(&self, progress: &Progress) {
        let step = self.step.lock().map(|step| step.clone()).unwrap_or_default();
        let item = if progress.item.raw().is_empty() { String::new() } else { format!(" {}", progress.item) };
        let text = format!("{step}:{item} {}", progress.text);
        let _ = self.inbox.try_send(Message::JobStepped(self.id, text, progress.amount));
    }

    fn warning(&self, text: &str) {
        let _ = self.inbox.try_send(Message::JobWarned(self.id, text.to_owned()));
    }
}
