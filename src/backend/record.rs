//! What is done is written into the operator's audit log, for whichever front end did it.

#![expect(clippy::disallowed_methods, reason = "an entry has the time of what was done")]

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::Backend;
use crate::audit_log::{AuditLog, Deed, Subject};
use crate::config::{Environment, Paths};
use crate::session::Session;

/// What could not be written down of what was done, and why, until someone tells the operator.
#[derive(Debug, Default)]
pub(super) struct Unrecorded(Mutex<Vec<String>>);

/// The log of whoever runs this program.
pub(super) fn log_of(paths: &Paths, environment: &Environment) -> AuditLog {
    AuditLog::new(&paths.state, environment.operator())
}

impl Backend {
    /// The operator's audit log.
    pub fn audit_log(&self) -> AuditLog {
        log_of(&self.paths, &self.environment)
    }

    /// Writes down what was done to a session. A log that cannot be written undoes nothing: [`Self::unrecorded`] says so.
    pub(super) fn record(&self, action: &'static str, session: &Session, detail: impl Serialize) {
        self.record_on(action, Some(Subject { id: session.id.to_string(), name: session.name.to_string() }), detail);
    }

    /// As [`Self::record`], also where no session is listed any more.
    pub(super) fn record_on(&self, action: &'static str, session: Option<Subject>, detail: impl Serialize) {
        let written = serde_json::to_value(detail)
            .map_err(std::io::Error::other)
            .and_then(|detail| self.audit_log().append(&Deed { action, session, detail }, jiff::Timestamp::now()));
        if let Err(error) = written {
            self.warn(format!("'{action}' is not in the audit log: {error}"));
        }
    }

    /// Something to tell the operator that costs no operation.
    pub(super) fn warn(&self, warning: String) {
        let mut kept = self.unrecorded.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.contains(&warning) {
            kept.push(warning);
        }
    }

    /// What could not be written down, and why, told once.
    pub fn unrecorded(&self) -> Vec<String> {
        std::mem::take(&mut *self.unrecorded.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
