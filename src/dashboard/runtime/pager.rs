//! The terminal handed to another program: the operator's pager, or the shell that the dashboard was started from.

use std::process::Stdio;

use futures_util::StreamExt;
use nix::sys::signal::{Signal, raise};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::Link;
use crate::backend::engine::LogOptions;
use crate::dashboard::app::effect::Target;
use crate::failure::{Failure, Result};
use crate::headless::foreground::Encoding;

/// Where `PAGER` says nothing.
const PAGER: &str = "less";

/// To the background, until the shell says otherwise.
pub fn suspend() {
    let _ = raise(Signal::SIGTSTP);
}

/// Shows a session's log in the operator's pager: with everything written out that a terminal would act on.
pub async fn show(link: &Link, target: &Target) -> Result<()> {
    let own = link.backend.environment().var("PAGER").filter(|pager| !pager.trim().is_empty());
    let pager = own.unwrap_or(PAGER).to_owned();
    let told = |error: &std::io::Error| {
        Failure::io(format!("run the pager '{pager}'"), error).hint("PAGER names the program that shows logs; less is taken without it")
    };
    let mut child = Command::new("/bin/sh")
        .args(["-c", &format!("exec {pager}")])
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| told(&error))?;
    let Some(mut input) = child.stdin.take() else { return Ok(()) };
    let mut log = link.backend.engine().logs(&target.id, &LogOptions::default());
    let feeding = async {
        let mut encoding = Encoding::shown();
        while let Some(piece) = log.next().await {
            if let Some((_, bytes)) = encoding.encode(piece?)
                && input.write_all(&bytes).await.is_err()
            {
                // The reader has seen enough.
                return Ok(());
            }
        }
        for (_, bytes) in encoding.rest() {
            let _ = input.write_all(&bytes).await;
        }
        drop(input);
        std::future::pending().await
    };
    let ended = tokio::select! {
        ended = child.wait() => ended,
        fed = feeding => {
            fed?;
            child.wait().await
        }
    };
    let status = ended.map_err(|error| told(&error))?;
    if status.code() == Some(127) {
        return Err(told(&std::io::Error::from(std::io::ErrorKind::NotFound)));
    }
    Ok(())
}
