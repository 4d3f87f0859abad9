use nix::sys::resource::{Resource, getrlimit};

/// The supervisor's own: standard streams, signals, the runtime's, the listeners, and what a command's output passes, and some to spare.
const OWN: u64 = 20;
/// For the terminals, where there are enough.
const TERMINALS: u64 = 96;

/// How the session's limit of open files is shared among the supervisor's duties, so that none takes another's last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptors {
    /// For terminals and who is attached to them.
    pub terminals: usize,
    /// For the relay to the depot.
    pub relay: usize,
}

impl Descriptors {
    /// Under this process's own limit.
    pub fn of_this_process() -> Self {
        Self::under(getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft))
    }

    fn under(files: u64) -> Self {
        let terminals = (files / 4).min(TERMINALS);
        let many = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Self { terminals: many(terminals), relay: many(files.saturating_sub(OWN + terminals)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_the_least_limit_leaves_something_for_everyone() {
        assert_eq!(Descriptors::under(64), Descriptors { terminals: 16, relay: 28 });
        assert_eq!(Descriptors::under(4096), Descriptors { terminals: 96, relay: 3980 });
        assert_eq!(Descriptors::under(0), Descriptors { terminals: 0, relay: 0 });
    }
}
