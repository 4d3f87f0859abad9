use tokio::net::UnixStream;

/// Who has connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A process that the engine put into the sandbox: how a manager comes from anywhere.
    Engine,
    /// A process outside of the sandbox: a manager that may enter its network namespace.
    Outside,
    /// A process of the sandbox's own. It may do the same, but not take all there is.
    Inside,
}

impl Peer {
    /// By the number of the process that connected, which is 0 for one that this PID namespace does not hold, nor any below it. And by
    /// its parent: an `exec`'s is outside of the sandbox, so that here it is 0. No process of the sandbox can become such a one's child.
    pub fn of(stream: &UnixStream) -> Self {
        match stream.peer_cred().ok().and_then(|peer| peer.pid()) {
            Some(0) => Self::Outside,
            Some(pid) if parent(pid) == Some(0) => Self::Engine,
            Some(_) | None => Self::Inside,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the kernel's word on who a process is")]
fn parent(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything, brackets and blanks too.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}
