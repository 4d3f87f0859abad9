//! What is fetched, with its age and its failures.

use jiff::Timestamp;

use crate::failure::Failure;

/// What is fetched: slow, unknown and failed are states of their own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Remote<T> {
    /// Nobody asked yet.
    #[default]
    Unknown,
    /// Asked; nothing has come yet.
    Loading,
    /// What came, and when.
    Ready(T, Timestamp),
    /// What was asked for could not be had; what came before it, where there is such, with its time.
    Failed(Failure, Option<Box<(T, Timestamp)>>),
}

impl<T> Remote<T> {
    /// The last that came, and when, whatever happened since.
    pub fn last(&self) -> Option<(&T, Timestamp)> {
        match self {
            Self::Ready(value, at) => Some((value, *at)),
            Self::Failed(_, Some(last)) => Some((&last.0, last.1)),
            Self::Unknown | Self::Loading | Self::Failed(_, None) => None,
        }
    }

    /// The failure, where the last attempt was one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure, _) => Some(failure),
            Self::Unknown | Self::Loading | Self::Ready(..) => None,
        }
    }

    /// Asked for again: what came before stays on the screen.
    pub fn ask(&mut self) {
        if matches!(self, Self::Unknown | Self::Failed(_, None)) {
            *self = Self::Loading;
        }
    }

    /// What came of asking.
    pub fn came(&mut self, result: Result<T, Failure>, at: Timestamp) {
        *self = match (result, std::mem::replace(self, Self::Unknown)) {
            (Ok(value), _) => Self::Ready(value, at),
            (Err(failure), Self::Ready(value, then)) => Self::Failed(failure, Some(Box::new((value, then)))),
            (Err(failure), Self::Failed(_, last)) => Self::Failed(failure, last),
            (Err(failure), Self::Unknown | Self::Loading) => Self::Failed(failure, None),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Code;

    #[test]
    fn a_failure_keeps_what_came_before_with_its_age() {
        let mut remote = Remote::Unknown;
        remote.ask();
        assert_eq!(remote, Remote::Loading);
        remote.came(Ok(7), Timestamp::UNIX_EPOCH);
        remote.ask();
        let failure = Failure::new(Code::EngineUnreachable, "no engine answers");
        remote.came(Err(failure.clone()), Timestamp::UNIX_EPOCH);
        remote.came(Err(failure), Timestamp::UNIX_EPOCH);
        assert!(remote.last() == Some((&7, Timestamp::UNIX_EPOCH)) && remote.failure().is_some());
    }
}
