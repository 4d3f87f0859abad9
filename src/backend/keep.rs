//! What is kept in the operator's state database, for whichever front end did it. No operation needs it: where it cannot be read or written,
//! that is told and the operation goes on.

#![expect(clippy::disallowed_methods, reason = "what is kept has the time of what was done")]

use super::Backend;
use crate::session::{Kind, Session};
use crate::state::sessions::{self, Use, Who};
use crate::state::{Database, Unkept};
use crate::state::{limits, observed};
use crate::units::{Seconds, SessionId, SessionName};

impl Backend {
    /// Reads or writes what is kept, on a thread that may wait for files. `None` where that cannot be: [`Self::unrecorded`] says why.
    pub(super) async fn kept<T: Send + 'static>(&self, work: impl FnOnce(&Database) -> Result<T, Unkept> + Send + 'static) -> Option<T> {
        let database = self.state.clone();
        let done = tokio::task::spawn_blocking(move || work(&database)).await;
        if let Some(warning) = self.state.warning() {
            self.warn(warning);
        }
        match done {
            Ok(Ok(value)) => Some(value),
            Ok(Err(unkept)) => {
                self.warn(format!("the state database is not used: {unkept}"));
                None
            }
            // The work broke: a fault of ours, which the panic has told.
            Err(_) => None,
        }
    }

    /// A session, for the state's tables.
    pub(super) fn who(&self, session: &Session) -> Who {
        Who { id: session.id, engine: self.engine.endpoint().uri.clone(), name: session.name.to_string() }
    }

    /// Writes down that a session is used.
    pub(super) async fn used(&self, session: &Session, how: Use) {
        // Without an id of its own there is nothing to write it to.
        if session.id != SessionId::NIL {
            let (who, now) = (self.who(session), jiff::Timestamp::now());
            self.kept(move |state| state.write(|db| sessions::used(db, &who, how, now))).await;
        }
    }

    /// Writes down that a session has another name.
    pub(super) async fn renamed(&self, session: &Session, new: &SessionName) {
        if session.id != SessionId::NIL {
            let (who, new, now) = (self.who(session), new.to_string(), jiff::Timestamp::now());
            self.kept(move |state| state.write(|db| sessions::renamed(db, &who, &new, now))).await;
        }
    }

    /// What it was called last from here.
    pub(super) async fn called(&self, id: SessionId) -> Option<String> {
        self.kept(move |state| state.read(|db| sessions::called(db, id))).await.flatten()
    }

    /// Forgets a session that is gone.
    pub(super) async fn forget(&self, session: &Session) {
        let (id, container) = (session.id, session.container_id.clone());
        let forget =
            move |db: &_| sessions::forget(db, id).and_then(|()| limits::forget(db, &container)).and_then(|()| observed::forget(db, id));
        self.kept(move |state| state.write(&forget)).await;
    }

    /// Writes down that a session begins, with the key that renews it until it begins again.
    pub(super) async fn began(&self, session: &Session, key: [u8; 32], ttl: Seconds, idle: Seconds) {
        // What is gone with its command has no use for a key, unless it has something to renew.
        if session.kind == Kind::Ephemeral && ttl.get() == 0 && idle.get() == 0 {
            return;
        }
        let (who, now) = (self.who(session), jiff::Timestamp::now());
        let deadline = if ttl.get() > 0 { now.checked_add(ttl.duration()).ok() } else { None };
        self.kept(move |state| state.write(|db| sessions::began(db, &who, &key, deadline, now))).await;
    }
}
