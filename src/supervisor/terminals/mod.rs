//! The terminals of a session, held by its supervisor: they outlive whoever looks at them.
//!
//! Each is a PTY, the program in it and a [`Screen`](crate::terminal::Screen), which answers the program's questions and from which
//! whoever comes gets what is to be seen. It listens at an abstract Unix socket: no process of the sandbox can take that away or put
//! another in its place. A manager that may enter the sandbox's network namespace connects to it; any other comes by an engine's exec
//! of [`bridge`], which passes its bytes. Every process of the sandbox can connect, too, so everything is bounded: what it costs is the
//! sandbox's own.
//!
//! It must not know engines, managers or policies.

mod bounds;
pub mod bridge;
mod client;
mod guest;
mod holder;
mod line;
mod log;
mod open;
mod order;
mod peer;
mod pty;
mod shell;
mod terminal;
mod waits;

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener as StdListener};
use std::sync::Arc;

use nix::errno::Errno;
use nix::unistd::Pid;
use tokio::net::UnixListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;

pub use bounds::Bounds;
use holder::{Ask, Holder};
use log::Log;

use crate::supervisor::life::Life;
use crate::terminal::Size;

/// The socket's name, in the sandbox's own network namespace.
pub const SOCKET: &str = "palisade-terminals";

/// The holder, from where the supervisor is.
pub struct Terminals {
    asks: mpsc::Sender<Ask>,
    reap: Arc<Notify>,
    awaited: watch::Receiver<Option<Size>>,
    holder: JoinHandle<()>,
}

impl Terminals {
    /// Listens at the socket of this name from now on, among the supervisor's duties.
    pub fn listen(name: &str, bounds: Bounds, has_main: bool, life: Life) -> io::Result<Self> {
        let listener = StdListener::bind_addr(&SocketAddr::from_abstract_name(name)?)?;
        listener.set_nonblocking(true)?;
        let listener = UnixListener::from_std(listener)?;
        let (asks, asked) = mpsc::channel(16);
        let (awaited_sender, awaited) = watch::channel(None);
        let reap = Arc::new(Notify::new());
        let holder = tokio::spawn(Holder::new(bounds, has_main, awaited_sender, life.clone()).hold(asked, Arc::clone(&reap)));
        tokio::spawn(holder::accept(listener, bounds, life, asks.clone()));
        Ok(Self { asks, reap, awaited, holder })
    }

    /// Says something in every terminal, where there is room for it.
    pub fn say(&self, text: &str) {
        let _ = self.asks.try_send(Ask::Say(text.to_owned()));
    }

    /// Some child has ended.
    pub fn reap(&self) {
        self.reap.notify_one();
    }

    /// Waits until somebody wants to see the session's own command, and says how large their terminal is.
    pub async fn awaited(&mut self) -> Size {
        match self.awaited.wait_for(Option::is_some).await {
            Ok(size) => size.unwrap_or(Size::USUAL),
            Err(_) => Size::USUAL,
        }
    }

    /// Starts the session's own command in a terminal of this size; `log` gets what it writes, too.
    pub fn start_main(&self, argv: &[OsString], size: Size, log: OwnedFd) -> Result<Pid, Errno> {
        let opened = open::start_in(argv, &[], size).map_err(|why| match why {
            open::Why::Command(errno) | open::Why::Folder(errno) => errno,
            open::Why::Terminal(_) => Errno::ENOTTY,
        })?;
        let pid = opened.pid;
        // The holder has not been asked for more than it can remember by now.
        let _ = self.asks.try_send(Ask::Hold(opened, argv.to_vec(), size, Log::new(log).ok()));
        Ok(pid)
    }

    /// Tells who waits for the session's own command that it cannot be run.
    pub async fn cannot_run(&mut self, message: String) {
        let _ = self.asks.send(Ask::CannotRun(message)).await;
        let _ = (&mut self.holder).await;
    }

    /// Tells everybody that the session's own command has ended, and waits until they know, or take too long.
    pub async fn finish(&mut self, code: u8) {
        let _ = self.asks.send(Ask::MainEnded(code.into())).await;
        let _ = (&mut self.holder).await;
    }
}

#[cfg(test)]
mod tests;
