//! Who keeps the terminals: takes connections, opens terminals, knows which there are, and reaps what ran in them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::bounds::Bounds;
use super::client::say_and_close;
use super::guest::{Guest, Slot};
use super::line;
use super::log::Log;
use super::open::{Opened, open};
use super::order::{Facts, Order, refuse};
use super::peer::Peer;
use super::terminal::Terminal;
use crate::supervisor::life::Life;
use crate::terminal::Size;
use crate::terminal::wire::{Held, Refusal, Told, Want, Why};

/// The number of the session's own command's terminal.
pub const MAIN: u32 = 0;
/// Before asking again for a descriptor that was not to be had.
const NO_DESCRIPTOR_PAUSE: Duration = Duration::from_millis(100);

/// What the holder is asked.
pub enum Ask {
    /// By whom has connected.
    Want(Guest, Want),
    /// To hold the session's own command.
    Hold(Opened, Vec<OsString>, Size, Option<Log>),
    /// To say this in every terminal.
    Say(String),
    /// To tell who waits for it that it cannot be run.
    CannotRun(String),
    /// To tell everybody that the session's own command has ended.
    MainEnded(i32),
}

/// The terminals of a session.
pub struct Holder {
    bounds: Bounds,
    terminals: BTreeMap<u32, Entry>,
    tasks: JoinSet<u32>,
    next: u32,
    main: Main,
    /// How large the first is that waits for the session's own command.
    awaited: watch::Sender<Option<Size>>,
    /// How many of those that were opened from inside there are.
    opened_inside: Arc<Semaphore>,
    /// How long the session lives.
    life: Life,
}

/// The session's own command, where it has a terminal.
enum Main {
    /// It has none.
    None,
    /// It is not started yet, and these wait for it.
    Awaited(Vec<(Guest, Option<Size>)>),
    /// It is, or was, held.
    Held,
}

struct Entry {
    /// `None` once reaped; the session's own command is not reaped here.
    pid: Option<Pid>,
    /// Those who look on are being told.
    has_ended: bool,
    facts: watch::Receiver<Facts>,
    orders: mpsc::Sender<Order>,
    _inside: Option<OwnedSemaphorePermit>,
}

impl Holder {
    /// None yet. Where the session's own command is to have a terminal, who asks for it waits until it does.
    pub fn new(bounds: Bounds, has_main: bool, awaited: watch::Sender<Option<Size>>, life: Life) -> Self {
        let main = if has_main { Main::Awaited(Vec::new()) } else { Main::None };
        let opened_inside = Arc::new(Semaphore::new(bounds.inside));
        Self { bounds, terminals: BTreeMap::new(), tasks: JoinSet::new(), next: MAIN + 1, main, awaited, opened_inside, life }
    }

    /// Holds them, and ends when everybody has been told that the session's own command has ended.
    pub async fn hold(mut self, mut asks: mpsc::Receiver<Ask>, reap: Arc<Notify>) {
        let mut ending = false;
        loop {
            tokio::select! {
                Some(ask) = asks.recv() => match ask {
                    Ask::Want(guest, want) => self.want(guest, want).await,
                    Ask::Hold(opened, command, size, log) => self.hold_main(opened, &command, size, log).await,
                    Ask::Say(text) => {
                        let ids: Vec<u32> = self.terminals.keys().copied().collect();
                        for id in ids {
                            self.order(id, Order::Say(text.clone())).await;
                        }
                    }
                    Ask::CannotRun(message) => {
                        self.cannot_run(&message).await;
                        return;
                    }
                    Ask::MainEnded(code) => {
                        ending = true;
                        self.ended(MAIN, code).await;
                    }
                },
                () = reap.notified() => self.reap().await,
                Some(ended) = self.tasks.join_next() => if let Ok(id) = ended {
                    self.terminals.remove(&id);
                },
            }
            if ending && !self.terminals.contains_key(&MAIN) {
                return;
            }
        }
    }

    async fn want(&mut self, guest: Guest, want: Want) {
        match want {
            Want::List => {
                let list: Vec<Held> =
                    self.terminals.values().filter(|entry| !entry.has_ended).map(|entry| entry.facts.borrow().held()).collect();
                tokio::spawn(answer(guest, Told::List(list)));
            }
            Want::Life => _ = tokio::spawn(talk_of_life(guest, self.life.clone(), self.bounds.first_word)),
            Want::Renew { .. } => {
                tokio::spawn(refuse(guest, Why::Unclear, "to renew comes second, after a challenge".to_owned()));
            }
            Want::Attach { id: MAIN, size } if matches!(self.main, Main::Awaited(_)) => {
                if let Main::Awaited(waiting) = &mut self.main {
                    waiting.push((guest, size));
                }
                self.awaited.send_replace(Some(size.unwrap_or(Size::USUAL)));
            }
            Want::Attach { id, size } => self.send(id, Order::Attach(guest, size)).await,
            Want::End { id: MAIN } => {
                tokio::spawn(refuse(guest, Why::Failed, "terminal 0 is the session's own command: it ends with the session".to_owned()));
            }
            Want::End { id } => self.send(id, Order::End(Some(guest))).await,
            Want::Open { command, env, working_dir, size } => self.open(guest, &command, &env, &working_dir, size).await,
        }
    }

    /// Hands a guest to a terminal, or tells it that there is none such.
    async fn send(&mut self, id: u32, order: Order) {
        if let Err(Order::Attach(guest, _) | Order::End(Some(guest))) = self.try_order(id, order).await {
            let message = match id {
                MAIN => "its command has no terminal: it was not launched with -t".to_owned(),
                id => format!("there is no terminal {id}"),
            };
            tokio::spawn(refuse(guest, Why::NotFound, message));
        }
    }

    async fn order(&mut self, id: u32, order: Order) {
        let _ = self.try_order(id, order).await;
    }

    async fn ended(&mut self, id: u32, code: i32) {
        if let Some(entry) = self.terminals.get_mut(&id) {
            entry.has_ended = true;
        }
        self.order(id, Order::Exited(code)).await;
    }

    async fn try_order(&mut self, id: u32, order: Order) -> Result<(), Order> {
        match self.terminals.get(&id) {
            Some(entry) => entry.orders.send(order).await.map_err(|unsent| unsent.0),
            None => Err(order),
        }
    }

    async fn open(&mut self, guest: Guest, command: &[String], env: &[String], working_dir: &str, size: Size) {
        if self.terminals.len() >= self.bounds.terminals {
            let message = format!("it holds {} terminals, and more it cannot: end one first", self.bounds.terminals);
            tokio::spawn(refuse(guest, Why::Full, message));
            return;
        }
        let inside = if guest.slot.is_inside() {
            let Ok(permit) = Arc::clone(&self.opened_inside).try_acquire_owned() else {
                tokio::spawn(refuse(guest, Why::Full, "processes of the sandbox have as many terminals as they can have".to_owned()));
                return;
            };
            Some(permit)
        } else {
            None
        };
        match open(command, env, working_dir, size) {
            Ok((opened, command)) => {
                let id = self.next;
                self.next += 1;
                let pid = Some(opened.pid);
                self.begin(id, pid, opened, command, size, None, inside);
                self.order(id, Order::Attach(guest, None)).await;
            }
            Err(message) => _ = tokio::spawn(refuse(guest, Why::Failed, message)),
        }
    }

    async fn hold_main(&mut self, opened: Opened, command: &[OsString], size: Size, log: Option<Log>) {
        let command = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        self.begin(MAIN, None, opened, command, size, log, None);
        if let Main::Awaited(waiting) = std::mem::replace(&mut self.main, Main::Held) {
            for (guest, size) in waiting {
                self.order(MAIN, Order::Attach(guest, size)).await;
            }
        }
    }

    async fn cannot_run(&mut self, message: &str) {
        if let Main::Awaited(waiting) = std::mem::replace(&mut self.main, Main::None) {
            for (guest, _) in waiting {
                refuse(guest, Why::Failed, message.to_owned()).await;
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a terminal is made of")]
    fn begin(
        &mut self,
        id: u32,
        pid: Option<Pid>,
        opened: Opened,
        command: Vec<String>,
        size: Size,
        log: Option<Log>,
        inside: Option<OwnedSemaphorePermit>,
    ) {
        let now = Instant::now();
        let facts = Facts { id, pid: opened.pid.as_raw(), command, size, began: now, used: now, clients: 0 };
        let (terminal, orders, facts) = Terminal::new(facts, opened.pty, self.bounds, log);
        self.tasks.spawn(async move {
            terminal.hold().await;
            id
        });
        self.terminals.insert(id, Entry { pid, has_ended: false, facts, orders, _inside: inside });
    }

    /// Asks after everything that runs in a terminal: signals that come together are one.
    async fn reap(&mut self) {
        let mut ended = Vec::new();
        for (id, entry) in &mut self.terminals {
            let Some(pid) = entry.pid else { continue };
            let code = match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(_, code)) => code,
                Ok(WaitStatus::Signaled(_, signal, _)) => 128 + signal as i32,
                Err(Errno::ECHILD) => 128,
                Ok(_) | Err(_) => continue,
            };
            entry.pid = None;
            ended.push((*id, code));
        }
        for (id, code) in ended {
            self.ended(id, code).await;
        }
    }
}

/// Takes connections for ever, as many at once as the bounds allow.
pub async fn accept(listener: UnixListener, bounds: Bounds, life: Life, asks: mpsc::Sender<Ask>) {
    let all = Arc::new(Semaphore::new(bounds.connections));
    let inside = Arc::new(Semaphore::new(bounds.inside));
    let pipes = Arc::new(Semaphore::new(bounds.pipes));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(NO_DESCRIPTOR_PAUSE).await;
            continue;
        };
        match slot((bounds.who)(&stream), &all, &inside, &life) {
            Some(slot) => {
                // A sandbox's own process could hand over anything; an engine's exec has what the engine gave it.
                let takes = if slot.peer() == Peer::Engine { Arc::clone(&pipes).try_acquire_owned().ok() } else { None };
                tokio::spawn(greet(stream, slot, takes, bounds.first_word, asks.clone()));
            }
            None => turn_away(&stream),
        }
    }
}

fn slot(peer: Peer, all: &Arc<Semaphore>, inside: &Arc<Semaphore>, life: &Life) -> Option<Slot> {
    let mut places = vec![Arc::clone(all).try_acquire_owned().ok()?];
    if peer == Peer::Inside {
        places.push(Arc::clone(inside).try_acquire_owned().ok()?);
    }
    Some(Slot::new(peer, places, life))
}

/// At once, and whether or not it listens.
fn turn_away(stream: &UnixStream) {
    let message = "there are as many connections to its terminals as there can be".to_owned();
    let _ = stream.try_write(&Told::Refused(Refusal { why: Why::Full, message }).encode());
}

async fn greet(stream: UnixStream, mut slot: Slot, takes: Option<OwnedSemaphorePermit>, patience: Duration, asks: mpsc::Sender<Ask>) {
    let begun = tokio::time::timeout(patience, line::begin(stream, slot.peer(), takes.is_some())).await;
    let Ok(Ok(begun)) = begun else { return };
    if let (line::Reads::Pipe(..), Some(permit)) = (&begun.reads, takes) {
        slot.add(permit);
    }
    let mut guest = Guest::new(begun, slot);
    match guest.want(patience).await {
        Some(Ok(want)) => _ = asks.send(Ask::Want(guest, want)).await,
        Some(Err(garbled)) => refuse(guest, Why::Unclear, garbled.to_string()).await,
        None => {}
    }
}

/// Tells how long the session has left, and renews it for who proves to have the key, at once.
async fn talk_of_life(mut guest: Guest, life: Life, patience: Duration) {
    let told = life.tell();
    let challenge = told.challenge.clone();
    if guest.say(&Told::Life(told)).await.is_err() {
        return;
    }
    match guest.want(patience).await {
        Some(Ok(Want::Renew { ttl_s, proof })) => match life.renew(&challenge, ttl_s, &proof) {
            Ok(life) => answer(guest, Told::Life(life)).await,
            Err(why) => refuse(guest, Why::Denied, why).await,
        },
        Some(_) => refuse(guest, Why::Unclear, "only a renewal can follow".to_owned()).await,
        None => {}
    }
}

async fn answer(guest: Guest, told: Told) {
    // Who does not listen has it otherwise.
    let _ = tokio::time::timeout(Duration::from_secs(2), say_and_close(guest.writes, &told)).await;
}
