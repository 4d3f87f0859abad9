//! The loop and what runs beside it: the terminal, the tasks, the effects. The only part of the dashboard that waits.

#![expect(clippy::disallowed_methods, reason = "the dashboard's clock starts here, and the pager's process")]

mod input;
mod jobs;
mod kept;
mod logs;
mod measure;
mod pager;
mod panes;
mod plans;
mod reads;
mod sweep;
pub mod terminal;
mod usage;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::watch as latest;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::app::effect::{Effect, PaneId};
use super::app::link::Link as Standing;
use super::app::row::{ContainerId, Weight};
use super::app::state::State;
use super::app::subscription::{Subscription, subscriptions};
use super::app::{Message, update};
use crate::backend::Backend;
use crate::failure::Result;
use crate::headless::foreground::Signals;
use input::Keyboard;
use jobs::{Jobs, Work};
use panes::Panes;
use terminal::Terminal;

/// Between two frames that no key asked for: at most 30 in a second.
const FRAME: Duration = Duration::from_millis(33);
/// Messages that wait. What comes faster waits at its source.
const INBOX: usize = 64;
/// Messages are taken for so long before a frame is drawn: what a sandbox prints without end keeps nobody from the keys.
const BATCH: Duration = Duration::from_millis(8);
/// How often time is told.
const TICK: Duration = Duration::from_secs(1);
/// How long work under way gets to undo itself at the end.
const FAREWELL: Duration = Duration::from_secs(10);
/// The room of our volumes is counted so long after the start, when nobody waits for the engine.
const DISK_AFTER: Duration = Duration::from_secs(2);
/// How often the room of our volumes is counted: the engine walks through them.
const DISK_EVERY: Duration = Duration::from_mins(5);

/// What every task has: the backend to ask, the inbox to tell.
#[derive(Clone)]
pub struct Link {
    backend: Arc<Backend>,
    inbox: Sender<Message>,
}

impl Link {
    /// Tells it. Where nobody hears any more, nobody needs to.
    async fn tell(&self, message: Message) {
        let _ = self.inbox.send(message).await;
    }
}

/// Runs the dashboard until it is quit, and gives the exit code.
pub async fn run(backend: Backend, host: Option<&str>) -> Result<u8> {
    let now = Timestamp::now();
    let path = kept::file(&backend.paths().state);
    let (kept, aside) = kept::read(&path);
    let mut state = super::start::state(&backend, host, now, kept)?;
    if let Some(text) = aside {
        state.notices.add(now, Weight::Warning, text);
    }
    let mut signals = Signals::listen()?;
    let mut terminal = Terminal::open(backend.settings().dashboard.mouse)?;
    state.size = terminal.size()?;
    terminal.draw(&state)?;
    state.dirty = false;

    let (urgent, keys) = mpsc::channel(INBOX);
    let (inbox, messages) = mpsc::channel(INBOX);
    let link = Link { backend: Arc::new(backend), inbox };
    let mut running = Running::start(link, urgent.clone(), path);
    let mut inbox = Inbox { keys, messages, ticks: interval(TICK), panes_next: false };
    inbox.ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut drawn = Instant::now();
    let mut exit = 0;
    // A terminal into which something was typed: what it answers is drawn at once.
    let mut typed = None;
    loop {
        let (message, is_urgent) = tokio::select! {
            biased;
            signal = signals.next() => {
                exit = signal.exit_code();
                (Message::Terminated, true)
            }
            () = sleep_until(drawn + FRAME), if state.dirty => {
                terminal.draw(&state)?;
                state.dirty = false;
                drawn = Instant::now();
                continue;
            }
            next = inbox.next() => next,
            message = running.panes.next(shown(&state)) => (message, false),
        };
        // The first list is what the operator waits for.
        let mut is_urgent = is_urgent || state.link == Standing::Connecting || is_echo(&message, &mut typed);
        let mut effects = update(&mut state, message);
        let began = Instant::now();
        while began.elapsed() < BATCH {
            let Some((message, urgent)) = inbox.waiting(&mut running.panes, shown(&state)) else { break };
            is_urgent |= urgent || is_echo(&message, &mut typed);
            effects.extend(update(&mut state, message));
        }
        for effect in effects {
            match effect {
                Effect::Quit => {
                    running.end(&state).await;
                    return Ok(exit);
                }
                Effect::Redraw => terminal.redraw()?,
                Effect::Copy(text) => terminal.copy(&text)?,
                Effect::Bell => terminal.bell()?,
                Effect::Suspend => {
                    running.keyboard_off().await;
                    Terminal::leave();
                    pager::suspend();
                    again(&mut terminal, &mut running, &mut state)?;
                }
                Effect::Pager(target) => {
                    running.keyboard_off().await;
                    Terminal::leave();
                    let shown = pager::show(&running.link, &target).await;
                    again(&mut terminal, &mut running, &mut state)?;
                    if let Err(failure) = shown {
                        state.notices.fail(state.now, &failure);
                    }
                }
                Effect::PaneInput(id, bytes) => {
                    typed = Some(id);
                    running.panes.typed(id, bytes);
                }
                other => running.perform(&state, other),
            }
        }
        running.reconcile(subscriptions(&state));
        if state.dirty && (is_urgent || drawn.elapsed() >= FRAME) {
            terminal.draw(&state)?;
            state.dirty = false;
            drawn = Instant::now();
        }
    }
}

/// Whether this is what a terminal printed first after something was typed into it.
fn is_echo(message: &Message, typed: &mut Option<PaneId>) -> bool {
    let is_echo = matches!((message, &typed), (Message::PanePrinted(id, _), Some(typed)) if id == typed);
    if is_echo {
        *typed = None;
    }
    is_echo
}

/// The terminal that can be seen: what it prints comes before what others do.
fn shown(state: &State) -> Option<PaneId> {
    state.terminals.shown().map(|pane| pane.id)
}

/// The terminal is ours again.
fn again(terminal: &mut Terminal, running: &mut Running, state: &mut State) -> Result<()> {
    terminal.enter()?;
    running.keyboard_on();
    state.size = terminal.size()?;
    state.dirty = true;
    Ok(())
}

/// Everything that comes, what the operator does first.
struct Inbox {
    keys: Receiver<Message>,
    messages: Receiver<Message>,
    ticks: tokio::time::Interval,
    /// Whether it is the terminals' turn: neither they nor the engine keep the other waiting.
    panes_next: bool,
}

impl Inbox {
    async fn next(&mut self) -> (Message, bool) {
        tokio::select! {
            biased;
            Some(message) = self.keys.recv() => (message, true),
            Some(message) = self.messages.recv() => (message, false),
            _ = self.ticks.tick() => (Message::Tick(Timestamp::now()), false),
        }
    }

    /// What is there already.
    fn waiting(&mut self, panes: &mut Panes, shown: Option<PaneId>) -> Option<(Message, bool)> {
        if let Ok(message) = self.keys.try_recv() {
            return Some((message, true));
        }
        self.panes_next = !self.panes_next;
        let message = if self.panes_next {
            panes.waiting(shown).or_else(|| self.messages.try_recv().ok())
        } else {
            self.messages.try_recv().ok().or_else(|| panes.waiting(shown))
        };
        message.map(|message| (message, false))
    }
}

/// What runs beside the loop.
struct Running {
    link: Link,
    urgent: Sender<Message>,
    keyboard: Option<Keyboard>,
    tasks: JoinSet<()>,
    subscribed: BTreeMap<Subscription, JoinHandle<()>>,
    usage: latest::Sender<Vec<ContainerId>>,
    uncounted: latest::Sender<Vec<(ContainerId, u64)>>,
    wishes: Sender<()>,
    measuring: mpsc::UnboundedSender<Vec<ContainerId>>,
    jobs: Jobs,
    panes: Panes,
    kept: PathBuf,
}

impl Running {
    fn start(link: Link, urgent: Sender<Message>, kept: PathBuf) -> Self {
        let mut tasks = JoinSet::new();
        let (wishes, listing) = mpsc::channel(1);
        let (usage, wanted) = latest::channel(Vec::new());
        let (measuring, to_measure) = mpsc::unbounded_channel();
        tasks.spawn(watch::watch(link.clone(), listing));
        tasks.spawn(measure::measure(link.clone(), to_measure, wanted.clone()));
        tasks.spawn(plans::watch(link.clone()));
        tasks.spawn(sweep::sweep(link.clone()));
        tasks.spawn(usage::usage(link.clone(), wanted));
        tasks.spawn(usage::cache(link.clone()));
        let (uncounted, to_count) = latest::channel(Vec::new());
        tasks.spawn(usage::disk(link.clone(), DISK_AFTER, DISK_EVERY, to_count));
        let keyboard = Some(Keyboard::read(urgent.clone()));
        let (jobs, panes) = (Jobs::default(), Panes::default());
        Self { link, urgent, keyboard, tasks, subscribed: BTreeMap::new(), usage, uncounted, wishes, measuring, jobs, panes, kept }
    }

    async fn keyboard_off(&mut self) {
        if let Some(keyboard) = self.keyboard.take() {
            keyboard.stop().await;
        }
    }

    fn keyboard_on(&mut self) {
        self.keyboard = Some(Keyboard::read(self.urgent.clone()));
    }

    /// Starts what is wanted and does not run, ends what runs and is not wanted.
    fn reconcile(&mut self, wanted: Vec<Subscription>) {
        let (mut usage, mut uncounted) = (Vec::new(), Vec::new());
        let mut logs = Vec::new();
        for subscription in wanted {
            match subscription {
                Subscription::Usage(ids) => usage = ids,
                Subscription::Disk(ids) => uncounted = ids,
                Subscription::Log(_) => logs.push(subscription),
                // These run from the beginning to the end.
                Subscription::Events | Subscription::Cache => {}
            }
        }
        tell_others(&self.usage, usage);
        tell_others(&self.uncounted, uncounted);
        self.subscribed.retain(|subscription, task| {
            let stays = logs.contains(subscription);
            if !stays {
                task.abort();
            }
            stays
        });
        for subscription in logs {
            if let Subscription::Log(id) = &subscription
                && !self.subscribed.contains_key(&subscription)
            {
                let task = tokio::spawn(logs::follow(self.link.clone(), id.clone()));
                self.subscribed.insert(subscription, task);
            }
        }
    }

    /// Begins it; what comes of it is a message.
    fn perform(&mut self, state: &State, effect: Effect) {
        let link = self.link.clone();
        match effect {
            Effect::List => {
                // One wish that waits is enough.
                let _ = self.wishes.try_send(());
            }
            Effect::Measure(ids) => {
                let _ = self.measuring.send(ids);
            }
            Effect::Compare(measured) => {
                tokio::spawn(plans::compare(link, measured));
            }
            Effect::Read(id, part) => {
                if let Some(row) = state.list.rows.iter().find(|row| *row.id() == id) {
                    tokio::spawn(reads::part(link, id, row.session.id, part));
                }
            }
            Effect::Launch(id, order) => self.jobs.begin(&link, id, Work::Launch(order)),
            Effect::Act(id, deed, targets) => self.jobs.begin(&link, id, Work::Act(deed, targets)),
            Effect::Rename(id, target, name) => self.jobs.begin(&link, id, Work::Rename(target, name)),
            Effect::Warm(id, names) => self.jobs.begin(&link, id, Work::Warm(names)),
            Effect::Prune(id, keep) => self.jobs.begin(&link, id, Work::Prune(keep)),
            Effect::BuildImage(id) => self.jobs.begin(&link, id, Work::BuildImage),
            Effect::Cancel(id) => self.jobs.cancel(id),
            Effect::Preview(number, order) => {
                tokio::spawn(reads::preview(link, number, order));
            }
            Effect::CompletePath(number, text) => {
                tokio::spawn(reads::complete(link, number, text));
            }
            Effect::OpenPane(id, target, command, size) => self.panes.open(link, id, target, command, size),
            Effect::PaneResize(id, size) => self.panes.resized(id, size),
            Effect::PaneClose(id) => self.panes.close(id),
            Effect::AskFate(id, within, cut) => {
                tokio::spawn(panes::fate(link, id, within, cut));
            }
            Effect::EndTerminal(target, held) => {
                tokio::spawn(panes::end(link, target, held));
            }
            Effect::Save => kept::write(&self.kept, &state.kept()),
            // The loop's own.
            Effect::PaneInput(..) | Effect::Pager(_) | Effect::Copy(_) | Effect::Bell | Effect::Redraw | Effect::Suspend | Effect::Quit => {
            }
        }
    }

    /// Gives up what is under way, and lets it undo itself.
    async fn end(mut self, state: &State) {
        self.keyboard_off().await;
        Terminal::leave_for_good().await;
        self.tasks.abort_all();
        if !state.jobs.is_empty() {
            self.jobs.cancel_all();
            let Self { jobs, .. } = &mut self;
            let _ = tokio::time::timeout(FAREWELL, jobs.ended()).await;
        }
    }
}

/// Tells it where it is another than before.
fn tell_others<T: PartialEq>(sender: &latest::Sender<T>, now: T) {
    sender.send_if_modified(|before| {
        let is_other = *before != now;
        *before = now;
        is_other
    });
}
