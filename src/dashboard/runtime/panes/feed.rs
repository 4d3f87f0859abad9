//! What the open terminals print, each in a pipe of its own that is short: a terminal that prints without end waits, and its
//! program with it. The one that can be seen comes first, the others in turn.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::{Notify, mpsc};

use super::typing::{Order, TYPED};
use super::{Link, Message, Opening, PaneCommand, PaneId, Target};
use crate::terminal::Size;

/// Pieces that wait in a pipe.
const WAITING: usize = 16;
/// What is printed reaches the emulator in pieces of so many bytes: what a sandbox prints decides how long each takes.
const PIECE: usize = 8 << 10;
/// So many pieces of the terminal that is seen, then one of the others.
const TURNS: u32 = 4;

/// The near end of a terminal's pipe.
pub struct Feed {
    into: mpsc::Sender<Message>,
    wake: Arc<Notify>,
}

impl Feed {
    /// Tells it, once there is room.
    pub async fn tell(&self, message: Message) {
        // Nobody hears what was left.
        let _ = self.into.send(message).await;
        self.wake.notify_one();
    }

    /// Tells what was printed, in pieces.
    pub async fn print(&self, id: PaneId, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE) {
            self.tell(Message::PanePrinted(id, piece.to_vec())).await;
        }
    }
}

/// The first piece of what is printed, and the rest.
pub fn first_piece(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.len().min(PIECE))
}

/// The open terminals.
#[derive(Default)]
pub struct Panes {
    orders: HashMap<PaneId, mpsc::Sender<Order>>,
    /// The far ends of their pipes; whoever was served last is last.
    pipes: VecDeque<(PaneId, mpsc::Receiver<Message>)>,
    wake: Arc<Notify>,
    /// Pieces in a row of the one that is seen.
    in_a_row: u32,
}

impl Panes {
    /// Opens one.
    pub fn open(&mut self, link: Link, id: PaneId, target: Target, command: PaneCommand, size: (u16, u16)) {
        let (orders, taken) = mpsc::channel(TYPED);
        let (into, pipe) = mpsc::channel(WAITING);
        self.close(id);
        self.orders.insert(id, orders);
        self.pipes.push_back((id, pipe));
        let feed = Feed { into, wake: Arc::clone(&self.wake) };
        let opening = Opening { link, id, target, size: Size::from(size), feed };
        tokio::spawn(super::open(opening, command, taken));
    }

    /// Sends what was typed. A terminal that takes nothing loses what is more than a person types.
    pub fn typed(&self, id: PaneId, bytes: Vec<u8>) {
        self.order(id, Order::Typed(bytes));
    }

    /// Tells a terminal its size.
    pub fn resized(&self, id: PaneId, size: (u16, u16)) {
        self.order(id, Order::Resized(Size::from(size)));
    }

    /// Leaves a terminal: its input ends, and nothing that it prints is heard any more.
    pub fn close(&mut self, id: PaneId) {
        self.orders.remove(&id);
        self.pipes.retain(|(of, _)| *of != id);
    }

    fn order(&self, id: PaneId, order: Order) {
        if let Some(orders) = self.orders.get(&id) {
            let _ = orders.try_send(order);
        }
    }

    /// What waits in the pipes, of the shown terminal first.
    pub fn waiting(&mut self, shown: Option<PaneId>) -> Option<Message> {
        if self.in_a_row < TURNS
            && let Some(message) = self.take(|id| Some(id) == shown)
        {
            self.in_a_row += 1;
            return Some(message);
        }
        self.in_a_row = 0;
        self.take(|id| Some(id) != shown).or_else(|| self.take(|_| true))
    }

    fn take(&mut self, of: impl Fn(PaneId) -> bool) -> Option<Message> {
        let at = (0..self.pipes.len()).find(|at| of(self.pipes[*at].0) && !self.pipes[*at].1.is_empty())?;
        let (id, mut pipe) = self.pipes.remove(at)?;
        let message = pipe.try_recv().ok();
        self.pipes.push_back((id, pipe));
        message
    }

    /// The next message, once there is one.
    pub async fn next(&mut self, shown: Option<PaneId>) -> Message {
        loop {
            if let Some(message) = self.waiting(shown) {
                return message;
            }
            self.wake.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Panes whose pipes are full of pieces of their own number.
    fn flooded(panes: &mut Panes, ids: &[u64]) -> Vec<mpsc::Sender<Message>> {
        let pipe = |id: &u64| {
            let (into, pipe) = mpsc::channel(WAITING);
            panes.pipes.push_back((PaneId(*id), pipe));
            while into.try_send(Message::PanePrinted(PaneId(*id), Vec::new())).is_ok() {}
            into
        };
        ids.iter().map(pipe).collect()
    }

    fn printed_by(message: Option<Message>) -> u64 {
        match message {
            Some(Message::PanePrinted(PaneId(id), _)) => id,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_terminal_that_is_seen_comes_first_and_no_other_starves() {
        let mut panes = Panes::default();
        let _open = flooded(&mut panes, &[1, 2, 3]);
        let served: Vec<u64> = (0..15).map(|_| printed_by(panes.waiting(Some(PaneId(2))))).collect();
        assert_eq!(served, [2, 2, 2, 2, 1, 2, 2, 2, 2, 3, 2, 2, 2, 2, 1]);
    }

    #[test]
    fn what_is_left_is_not_heard_and_what_has_ended_is_heard_to_its_end() {
        let mut panes = Panes::default();
        let open = flooded(&mut panes, &[1, 2]);
        drop(open);
        panes.close(PaneId(1));
        let mut count = 0;
        while panes.waiting(None).is_some() {
            count += 1;
        }
        assert_eq!(count, WAITING);
    }
}
