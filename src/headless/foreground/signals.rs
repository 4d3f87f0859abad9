use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

use crate::failure::{Failure, Result};

/// A signal that is passed on to the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "signal(7) says what they are")]
pub enum Signal {
    Int,
    Term,
    Hup,
    Quit,
    Usr1,
    Usr2,
}

impl Signal {
    const ALL: [Self; 6] = [Self::Int, Self::Term, Self::Hup, Self::Quit, Self::Usr1, Self::Usr2];

    /// As the engine takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "SIGINT",
            Self::Term => "SIGTERM",
            Self::Hup => "SIGHUP",
            Self::Quit => "SIGQUIT",
            Self::Usr1 => "SIGUSR1",
            Self::Usr2 => "SIGUSR2",
        }
    }

    /// Linux's number for it, the same on every architecture that an engine runs on.
    pub const fn number(self) -> u8 {
        match self {
            Self::Hup => 1,
            Self::Int => 2,
            Self::Quit => 3,
            Self::Usr1 => 10,
            Self::Usr2 => 12,
            Self::Term => 15,
        }
    }

    /// The exit code of a program that it ended.
    pub const fn exit_code(self) -> u8 {
        128 + self.number()
    }

    fn kind(self) -> SignalKind {
        SignalKind::from_raw(i32::from(self.number()))
    }
}

/// The signals that come to this program from now on.
pub struct Signals {
    listeners: Vec<(Signal, Listener)>,
    #[cfg(test)]
    script: Option<tokio::sync::mpsc::UnboundedReceiver<Signal>>,
}

impl Signals {
    /// Listens, except for those that whoever started us had set to be ignored: `nohup` means it.
    pub fn listen() -> Result<Self> {
        let ignored = ignored_at_start();
        let mut listeners = Vec::new();
        for one in Signal::ALL {
            if ignored >> (one.number() - 1) & 1 == 0 {
                let listener = signal(one.kind()).map_err(|error| Failure::io(format_args!("listen for {}", one.name()), &error))?;
                listeners.push((one, listener));
            }
        }
        Ok(Self {
            listeners,
            #[cfg(test)]
            script: None,
        })
    }

    /// Those of a test, and none of the process's own.
    #[cfg(test)]
    pub fn scripted() -> (tokio::sync::mpsc::UnboundedSender<Signal>, Self) {
        let (sender, script) = tokio::sync::mpsc::unbounded_channel();
        (sender, Self { listeners: Vec::new(), script: Some(script) })
    }

    /// The next one.
    pub async fn next(&mut self) -> Signal {
        std::future::poll_fn(|context| {
            for (one, listener) in &mut self.listeners {
                if let std::task::Poll::Ready(Some(())) = listener.poll_recv(context) {
                    return std::task::Poll::Ready(*one);
                }
            }
            #[cfg(test)]
            if let Some(std::task::Poll::Ready(Some(one))) = self.script.as_mut().map(|script| script.poll_recv(context)) {
                return std::task::Poll::Ready(one);
            }
            std::task::Poll::Pending
        })
        .await
    }
}

/// The mask of ignored signals, bit 0 for signal 1; nothing where it cannot be read.
#[expect(clippy::disallowed_methods, reason = "the only way without unsafe code to ask what our own signals are set to")]
fn ignored_at_start() -> u64 {
    std::fs::read_to_string("/proc/self/status").map_or(0, |status| mask(&status))
}

fn mask(status: &str) -> u64 {
    status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nohup_ignores_is_read_from_the_kernel() {
        let ignored = mask("Name:\tpalisade\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0\n");
        assert_eq!(ignored >> (Signal::Hup.number() - 1) & 1, 1);
        assert_eq!(ignored >> (Signal::Int.number() - 1) & 1, 0);
    }

    #[tokio::test]
    async fn a_signal_to_this_process_arrives_by_name() {
        let mut signals = Signals::listen().unwrap();
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGUSR2).unwrap();
        assert_eq!(signals.next().await, Signal::Usr2);
        assert_eq!((Signal::Int.exit_code(), Signal::Term.exit_code()), (130, 143));
    }
}
