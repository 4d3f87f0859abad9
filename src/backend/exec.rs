//! Commands, logs and files of a session that exists.

use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::engine::{ByteStream, ExecRequest, LogOptions, OutputStream, TerminalSize};
use super::limits::LogWatch;
use super::{Backend, CopyReport, Exec, Reporter, Within, copy};
use crate::failure::{Code, Failure, Result};
use crate::policy::plan::SUPERVISOR;
use crate::session::{ContainerFacts, Session};
use crate::state::sessions::Use;

/// What goes before a command, and is none of it.
const ENTER: [&str; 3] = [SUPERVISOR, "enter", "--"];

impl Backend {
    /// Runs a command in a live session.
    pub async fn exec(&self, who: &str, request: &ExecRequest) -> Result<Exec> {
        let (session, facts) = self.running(who).await?;
        // By way of the supervisor's program, which says what became of a command that cannot be run.
        let mut command = ENTER.map(str::to_owned).to_vec();
        command.extend_from_slice(&request.command);
        let request = ExecRequest { command, ..request.clone() };
        let (execed, ()) = tokio::join!(self.engine.exec(&session.container_id, &request), self.used(&session, Use::Exec));
        let (id, attached) = execed?;
        let (command, terminal) = (&request.command[ENTER.len()..], request.terminal.is_some());
        self.record("exec", &session, json!({ "command": command, "working_dir": request.working_dir, "terminal": terminal }));
        Ok(Exec { id, attached, within: Within::of(session, &facts) })
    }

    /// Tells the terminal of an exec how large it is now.
    pub async fn resize_exec(&self, exec: &str, size: TerminalSize) -> Result<()> {
        self.engine.resize_exec(exec, size).await
    }

    /// The exit code of an exec whose output has ended.
    pub async fn exec_exit(&self, exec: &str) -> Result<i64> {
        // The streams close a moment before the engine has noted the end.
        const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(5);
        loop {
            let state = self.engine.exec_state(exec).await?;
            match state.exit_code {
                Some(code) if !state.running => return Ok(code),
                _ => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    }

    /// The exit code of an exec whose connection broke: an engine resets it where something that was sent came too late to be read, and
    /// then the command has ended. Where it has not, the failure.
    pub async fn exec_exit_or(&self, exec: &str, failure: Failure) -> Result<i64> {
        // The engine notes the end a moment after it has closed the streams.
        const PATIENCE: std::time::Duration = std::time::Duration::from_millis(500);
        match tokio::time::timeout(PATIENCE, self.exec_exit(exec)).await {
            Ok(Ok(code)) => Ok(code),
            Ok(Err(_)) | Err(_) => Err(failure),
        }
    }

    /// The session's log; of one that is followed, what tells whether lines of it may be missing.
    pub async fn logs(&self, who: &str, options: &LogOptions) -> Result<(OutputStream, Option<LogWatch>)> {
        let container = self.find(who).await?.container_id;
        let watch = if options.follow { self.log_watch(&container).await } else { None };
        Ok((self.engine.logs(&container, options), watch))
    }

    /// Copies a local file or folder into a session's folder.
    pub async fn copy_in(&self, who: &str, local: &Path, inside: &str, reporter: &dyn Reporter) -> Result<CopyReport> {
        let (session, owner) = self.copying_into(who, reporter).await?;
        let copied = copy::copy_in(self.engine.as_ref(), &session.container_id, owner, local, inside, reporter).await?;
        self.record("copy_in", &session, json!({ "from": local, "to": inside, "entries": copied.entries, "bytes": copied.bytes }));
        Ok(copied)
    }

    /// Unpacks a tar archive in a session's folder, which must be there; never more than `max_size` bytes.
    pub async fn unpack_in(
        &self,
        who: &str,
        archive: ByteStream,
        inside: &str,
        max_size: u64,
        reporter: &dyn Reporter,
    ) -> Result<CopyReport> {
        let (session, owner) = self.copying_into(who, reporter).await?;
        let copied = copy::archive_in(self.engine.as_ref(), &session.container_id, owner, archive, inside, max_size, reporter).await?;
        self.record("copy_in", &session, json!({ "from": "-", "to": inside, "entries": copied.entries, "bytes": copied.bytes }));
        Ok(copied)
    }

    /// The session, and whose the files in it will be.
    async fn copying_into(&self, who: &str, reporter: &dyn Reporter) -> Result<(Session, (u32, u32))> {
        let session = self.find(who).await?;
        let facts = self.engine.inspect(&session.container_id).await?;
        reporter.step(&format!("copying into {}", session.name));
        let owner = user_of(&facts)?;
        Ok((session, owner))
    }

    /// Writes a tar archive of a path of a session, with what is harmless of it and never more than `max_size` bytes of content; `None` where
    /// its reader left before its end.
    pub async fn pack_out(
        &self,
        who: &str,
        inside: &str,
        to: impl Write + Send + 'static,
        max_size: u64,
        reporter: &dyn Reporter,
    ) -> Result<Option<CopyReport>> {
        let session = self.find(who).await?;
        reporter.step(&format!("copying out of {}", session.name));
        // What is copied is the operator's, as it is where a file of it is written here.
        let owner = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
        let copied = copy::archive_out(self.engine.as_ref(), &session.container_id, inside, owner, to, max_size, reporter).await?;
        if let Some(copied) = &copied {
            self.record("copy_out", &session, json!({ "from": inside, "to": "-", "entries": copied.entries, "bytes": copied.bytes }));
        }
        Ok(copied)
    }

    /// Copies a path out of a session, to a local file or folder; never more than `max_size` bytes.
    pub async fn copy_out(&self, who: &str, inside: &str, local: &Path, max_size: u64, reporter: &dyn Reporter) -> Result<CopyReport> {
        let session = self.find(who).await?;
        reporter.step(&format!("copying out of {}", session.name));
        let copied = copy::copy_out(self.engine.as_ref(), &session.container_id, inside, local, max_size, reporter).await?;
        self.record("copy_out", &session, json!({ "from": inside, "to": local, "entries": copied.entries, "bytes": copied.bytes }));
        Ok(copied)
    }
}

/// Uid and gid that files copied in belong to.
fn user_of(facts: &ContainerFacts) -> Result<(u32, u32)> {
    facts
        .user
        .raw()
        .split_once(':')
        .and_then(|(uid, gid)| Some((uid.parse().ok()?, gid.parse().ok()?)))
        .ok_or_else(|| Failure::new(Code::Refused, format!("the session runs as '{}', not as a numeric uid:gid", facts.user)))
}
