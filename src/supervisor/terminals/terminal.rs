//! One terminal: the PTY, its screen, what is typed, who looks on. It ends with what runs in it.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::bounds::Bounds;
use super::client::{Client, Flushed, Purpose, anew};
use super::guest::Guest;
use super::log::Log;
use super::order::{Facts, Order, refuse};
use super::pty::Pty;
use super::waits::{flush, read, until, write, written_down};
use crate::supervisor::pace::Pace;
use crate::terminal::wire::{PIECE, Told, Why};
use crate::terminal::{Screen, Size};

/// Lines that have scrolled off and are remembered.
const PAST: usize = 1000;
/// Typed and not taken by the program: more waits where it was typed.
const TYPED: usize = 64 << 10;
/// Of that, answers to the program's own questions: a program that asks and does not read gets no more.
const ANSWERS: usize = 4 << 10;
/// What a kernel keeps of a program's output, and more.
const REST: usize = 256 << 10;
/// Typed at once by a person: no key says more.
const KEY: usize = 32;
/// For a key's echo: as long as a sleeper takes to be awake, and some.
const ECHO: Duration = Duration::from_micros(200);
/// For everybody to take the last of it, however slowly.
const FAREWELL: Duration = Duration::from_secs(10);

/// A terminal with a program in it.
pub struct Terminal {
    facts: Facts,
    published: watch::Sender<Facts>,
    bounds: Bounds,
    /// `None` once it is hung up.
    pty: Option<Pty>,
    screen: Screen,
    clients: Vec<Client>,
    next_client: u64,
    log: Option<Log>,
    /// Of what goes to the log while nobody looks on; until when the program waits for that.
    pace: Pace,
    rests_until: Option<Instant>,
    /// What the program has not taken yet, and of it, how much is answers.
    typed: Vec<u8>,
    answers: usize,
    orders: mpsc::Receiver<Order>,
    orders_sender: mpsc::WeakSender<Order>,
    keys: mpsc::Receiver<Vec<u8>>,
    keys_sender: mpsc::Sender<Vec<u8>>,
    /// When what did not end at the hang-up is killed.
    kill_at: Option<Instant>,
    exit: Option<i32>,
    /// When nobody is waited for any more, once it has ended.
    over_at: Instant,
}

enum Event {
    Order(Option<Order>),
    Keys(Vec<u8>),
    Read(io::Result<usize>),
    Written(io::Result<usize>),
    Flushed(usize, Flushed),
    Logged,
    Due,
}

impl Terminal {
    /// Around a program that was just started in `pty`.
    pub fn new(facts: Facts, pty: Pty, bounds: Bounds, log: Option<Log>) -> (Self, mpsc::Sender<Order>, watch::Receiver<Facts>) {
        let (orders_sender, orders) = mpsc::channel(16);
        let (keys_sender, keys) = mpsc::channel(1);
        let (published, facts_seen) = watch::channel(facts.clone());
        let terminal = Self {
            screen: Screen::new(facts.size, PAST),
            facts,
            published,
            bounds,
            pty: Some(pty),
            clients: Vec::new(),
            next_client: 0,
            log,
            pace: Pace::new(Instant::now().into_std()),
            rests_until: None,
            typed: Vec::new(),
            answers: 0,
            orders,
            orders_sender: orders_sender.downgrade(),
            keys,
            keys_sender,
            kill_at: None,
            exit: None,
            over_at: Instant::now(),
        };
        (terminal, orders_sender, facts_seen)
    }

    /// Holds it until it has ended and everybody has been told.
    pub async fn hold(mut self) {
        let mut buffer = vec![0; PIECE].into_boxed_slice();
        while !self.is_over() {
            let due = self.due();
            let takes_keys = self.typed.len() < TYPED;
            let reads = self.exit.is_none() && self.rests_until.is_none() && !self.is_held_back();
            let event = tokio::select! {
                order = self.orders.recv() => Event::Order(order),
                Some(keys) = self.keys.recv(), if takes_keys => Event::Keys(keys),
                read = read(self.pty.as_ref(), &mut buffer), if reads => Event::Read(read),
                written = write(self.pty.as_ref(), &self.typed) => Event::Written(written),
                (at, flushed) = flush(&mut self.clients) => Event::Flushed(at, flushed),
                () = written_down(self.log.as_mut()) => Event::Logged,
                () = until(due) => Event::Due,
            };
            match event {
                Event::Order(Some(order)) => {
                    self.obey(order, &mut buffer);
                    // Each may cost a screen's worth of work: the others have their turn.
                    tokio::task::yield_now().await;
                }
                // The holder is gone, and with it this session.
                Event::Order(None) => return,
                Event::Keys(keys) => {
                    self.typed.extend_from_slice(&keys);
                    self.used();
                }
                Event::Read(Ok(read)) => {
                    self.wrote(&buffer[..read]);
                    if read == buffer.len() {
                        tokio::task::yield_now().await;
                    }
                }
                Event::Written(Ok(written)) => {
                    self.typed.drain(..written);
                    self.answers = self.answers.min(self.typed.len());
                    if reads && written <= KEY && self.typed.is_empty() {
                        self.await_echo(&mut buffer);
                    }
                }
                // Cannot be while the other side is held open; were it to, the program would have lost its terminal.
                Event::Read(Err(_)) | Event::Written(Err(_)) => self.hang_up(),
                Event::Flushed(at, flushed) => self.flushed(at, &flushed),
                Event::Logged => {}
                Event::Due => self.on_time(),
            }
        }
        // Who asked for it just then is told so too.
        self.orders.close();
        while let Some(order) = self.orders.recv().await {
            self.obey(order, &mut buffer);
        }
    }

    /// Gives a key's echo as soon as it is there.
    fn await_echo(&mut self, buffer: &mut [u8]) {
        if let Some(read) = self.pty.as_ref().and_then(|pty| pty.read_soon(buffer, ECHO)) {
            self.wrote(&buffer[..read]);
        }
    }

    fn is_over(&self) -> bool {
        self.exit.is_some() && self.clients.is_empty() && self.log.as_ref().is_none_or(Log::is_done)
    }

    /// Whether the program has to wait for somebody to take what it wrote.
    fn is_held_back(&self) -> bool {
        let patience = self.bounds.patience;
        self.clients.iter().any(|client| client.holds_back(patience).is_some())
            || self.log.as_ref().is_some_and(|log| log.holds_back(patience).is_some())
    }

    /// When something is to be done although nothing happens.
    fn due(&self) -> Option<Instant> {
        let patience = self.bounds.patience;
        let over = self.exit.is_some();
        let clients =
            self.clients.iter().filter_map(|client| if over { Some(client.is_waited_for(patience)) } else { client.holds_back(patience) });
        let log = self.log.as_ref().and_then(|log| if over { Some(log.is_waited_for(patience)) } else { log.holds_back(patience) });
        clients.chain(log).chain(self.kill_at).chain(self.rests_until).chain(self.unused_at()).chain(over.then_some(self.over_at)).min()
    }

    /// When a terminal that nobody looks at has not been used for too long. The session's own command has all the time it wants.
    fn unused_at(&self) -> Option<Instant> {
        let is_waiting = self.facts.id != 0 && self.facts.clients == 0 && self.pty.is_some() && self.exit.is_none();
        self.bounds.idle.filter(|_| is_waiting).and_then(|idle| self.facts.used.checked_add(idle))
    }

    fn on_time(&mut self) {
        let (now, patience) = (Instant::now(), self.bounds.patience);
        if self.exit.is_some() {
            let over = self.over_at <= now;
            self.clients.retain(|client| !over && client.is_waited_for(patience) > now);
            if self.log.as_ref().is_some_and(|log| over || log.is_waited_for(patience) <= now) {
                self.log = None;
            }
            return;
        }
        for client in &mut self.clients {
            if client.holds_back(patience).is_some_and(|until| until <= now) {
                client.drop_backlog();
            }
        }
        if let Some(log) = &mut self.log
            && log.holds_back(patience).is_some_and(|until| until <= now)
        {
            log.drop_backlog();
        }
        self.rests_until = self.rests_until.filter(|until| *until > now);
        if self.unused_at().is_some_and(|at| at <= now) {
            self.hang_up();
        }
        if self.kill_at.is_some_and(|at| at <= now) {
            self.kill_at = None;
            let _ = killpg(Pid::from_raw(self.facts.pid), Signal::SIGKILL);
        }
    }

    fn obey(&mut self, order: Order, buffer: &mut [u8]) {
        match order {
            Order::Attach(guest, _) | Order::End(Some(guest)) if self.exit.is_some() => {
                tokio::spawn(refuse(guest, Why::NotFound, format!("terminal {} has ended", self.facts.id)));
            }
            Order::Attach(guest, _) if self.pty.is_none() => {
                tokio::spawn(refuse(guest, Why::NotFound, format!("terminal {} is ending", self.facts.id)));
            }
            Order::Attach(guest, size) => {
                if let Some(size) = size {
                    self.resize(size, None);
                }
                self.attach(guest, Purpose::Watch);
            }
            Order::Left(number) => self.leave(number),
            Order::Resize(number, size) => self.resize(size, Some(number)),
            Order::End(guest) => {
                if let Some(guest) = guest {
                    self.attach(guest, Purpose::Await);
                }
                self.hang_up();
            }
            Order::Say(text) => self.wrote(format!("\r\n{text}\r\n").as_bytes()),
            Order::Exited(code) => self.exited(code, buffer),
        }
    }

    fn attach(&mut self, guest: Guest, purpose: Purpose) {
        let Some(orders) = self.orders_sender.upgrade() else { return };
        let number = self.next_client;
        self.next_client += 1;
        let (slot, writes) = guest.attach(number, orders, self.keys_sender.clone());
        self.clients.push(Client::new(number, purpose, slot, writes));
        self.count_clients();
        let screen = match purpose {
            Purpose::Watch => self.screen_anew(),
            Purpose::Await => Vec::new(),
        };
        if let Some(client) = self.clients.last_mut() {
            client.show(&screen);
        }
    }

    /// What makes a client's screen this one.
    fn screen_anew(&mut self) -> Vec<Bytes> {
        let held = Bytes::from(Told::Attached(self.facts.held()).encode());
        std::iter::once(held).chain(anew(&self.screen.dump())).collect()
    }

    fn leave(&mut self, number: u64) {
        self.clients.retain(|client| client.number != number);
        self.count_clients();
    }

    fn count_clients(&mut self) {
        let watching = self.clients.iter().filter(|client| client.purpose == Purpose::Watch).count();
        self.facts.clients = u32::try_from(watching).unwrap_or(u32::MAX);
        self.rests_until = self.rests_until.filter(|_| !self.clients.iter().any(Client::is_waiting));
        self.used();
    }

    fn used(&mut self) {
        self.facts.used = Instant::now();
        let Facts { size, used, clients, .. } = self.facts;
        self.published.send_modify(|published| {
            published.size = size;
            published.used = used;
            published.clients = clients;
        });
    }

    /// The size is that of who came or changed last; everybody else has to learn it.
    fn resize(&mut self, size: Size, by: Option<u64>) {
        if size == self.facts.size {
            return;
        }
        if let Some(pty) = &self.pty {
            // A size that the kernel did not take is not the program's.
            if pty.resize(size).is_err() {
                return;
            }
        }
        self.facts.size = size;
        self.screen.resize(size);
        self.used();
        if self.clients.iter().any(|client| Some(client.number) != by && client.purpose == Purpose::Watch) {
            let screen = self.screen_anew();
            for client in self.clients.iter_mut().filter(|client| Some(client.number) != by && client.purpose == Purpose::Watch) {
                client.show(&screen);
            }
        }
    }

    /// The program wrote something.
    fn wrote(&mut self, bytes: &[u8]) {
        let asked = self.screen.feed(bytes);
        if self.answers + asked.answers.len() <= ANSWERS {
            self.answers += asked.answers.len();
            self.typed.extend_from_slice(&asked.answers);
        }
        let frame = Bytes::from(Told::Output(bytes.to_vec()).encode());
        for client in self.clients.iter_mut().filter(|client| client.purpose == Purpose::Watch) {
            client.tell(frame.clone());
        }
        if let Some(log) = &mut self.log {
            log.write(bytes);
            // A process of the sandbox could look on to be let go at full speed.
            if !self.clients.iter().any(Client::is_waiting) {
                let (now, wait) = (Instant::now(), self.pace.after(bytes, Instant::now().into_std()));
                self.rests_until = (!wait.is_zero()).then(|| now + wait);
            }
        }
        self.used();
    }

    fn flushed(&mut self, at: usize, flushed: &Flushed) {
        match flushed {
            Flushed::Some => {}
            Flushed::Again => {
                let screen = self.screen_anew();
                if let Some(client) = self.clients.get_mut(at) {
                    client.show(&screen);
                }
            }
            Flushed::Gone => {
                self.clients.remove(at);
                self.count_clients();
            }
        }
    }

    /// As when a terminal is closed: the kernel tells the session that leads it.
    fn hang_up(&mut self) {
        if self.pty.take().is_some() {
            self.typed.clear();
            self.kill_at = Some(Instant::now() + self.bounds.grace);
        }
    }

    /// What it wrote last is still to be read.
    fn exited(&mut self, code: i32, buffer: &mut [u8]) {
        if let Some(mut pty) = self.pty.take() {
            // A child that it left behind may write without end.
            let mut left = REST;
            while left > 0 {
                let read = pty.rest(buffer);
                if read == 0 {
                    break;
                }
                left = left.saturating_sub(read);
                self.wrote(&buffer[..read]);
            }
        }
        self.exit = Some(code);
        self.kill_at = None;
        self.over_at = Instant::now() + FAREWELL;
        let screen = if self.clients.iter().any(Client::is_behind) { self.screen_anew() } else { Vec::new() };
        let last = Bytes::from(Told::Ended(code).encode());
        for client in &mut self.clients {
            if client.is_behind() {
                client.show(&screen);
            }
            client.tell_last(last.clone());
        }
    }
}
