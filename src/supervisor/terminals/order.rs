//! What a terminal is told, and what is told of it.

use std::time::Duration;

use tokio::time::Instant;

use super::client::say_and_close;
use super::guest::Guest;
use crate::terminal::Size;
use crate::terminal::wire::{Held, Refusal, Told, Why};

/// What a terminal is told to do.
pub enum Order {
    /// Somebody comes to look on, from a terminal of this size.
    Attach(Guest, Option<Size>),
    /// A client has left.
    Left(u64),
    /// A client's own terminal has another size.
    Resize(u64, Size),
    /// It shall end, and somebody wants to know when it has.
    End(Option<Guest>),
    /// To say this to who looks on.
    Say(String),
    /// What ran in it has ended and was reaped.
    Exited(i32),
}

/// What a list says of a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub id: u32,
    pub pid: i32,
    pub command: Vec<String>,
    pub size: Size,
    pub began: Instant,
    pub used: Instant,
    pub clients: u32,
}

impl Facts {
    /// As it is told.
    pub fn held(&self) -> Held {
        let since = |then: Instant| then.elapsed().as_secs();
        Held {
            id: self.id,
            pid: self.pid,
            command: self.command.clone(),
            size: self.size,
            age_s: since(self.began),
            idle_s: since(self.used),
            clients: self.clients,
        }
    }
}

/// Says why not, and closes.
pub async fn refuse(guest: Guest, why: Why, message: String) {
    // Who does not listen has it otherwise.
    let _ = tokio::time::timeout(Duration::from_secs(2), say_and_close(guest.writes, &Told::Refused(Refusal { why, message }))).await;
}
