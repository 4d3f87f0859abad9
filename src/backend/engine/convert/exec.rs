//! A command for a running container, in bollard's words.

use bollard::models::ExecConfig;

use crate::backend::engine::ExecRequest;

/// From here on a terminal can have its size from its beginning.
const CONSOLE_SIZE: (u32, u32) = (1, 42);
/// The keys by which an engine detaches from a terminal are its own affair until they are named, and a shell's `^P` is then
/// held back until the next key. These are typed by nobody.
const DETACH_KEYS: &str = "ctrl-^,ctrl-@,ctrl-^,ctrl-@";

/// The body of `POST /containers/ID/exec`.
pub(in crate::backend::engine) fn request(request: &ExecRequest, api: (u32, u32)) -> ExecConfig {
    let ExecRequest { command, env, working_dir, stdin, terminal } = request;
    let size = terminal.filter(|_| api >= CONSOLE_SIZE).map(|size| vec![size.rows.into(), size.cols.into()]);
    ExecConfig {
        attach_stdin: Some(*stdin),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        console_size: size,
        detach_keys: terminal.map(|_| DETACH_KEYS.to_owned()),
        tty: Some(terminal.is_some()),
        cmd: Some(command.clone()),
        env: Some(env.clone()).filter(|env| !env.is_empty()),
        working_dir: Some(working_dir.clone()).filter(|dir| !dir.is_empty()),
        ..ExecConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::engine::TerminalSize;

    fn sent(terminal: Option<TerminalSize>, api: (u32, u32)) -> serde_json::Value {
        let asked = ExecRequest { command: vec!["sh".into()], stdin: true, terminal, ..ExecRequest::default() };
        serde_json::to_value(request(&asked, api)).unwrap()
    }

    #[test]
    fn a_terminal_has_its_size_from_the_beginning_where_the_engine_can() {
        let size = Some(TerminalSize { cols: 120, rows: 30 });
        assert_eq!(sent(size, (1, 42))["ConsoleSize"], serde_json::json!([30, 120]));
        let old = sent(size, (1, 41));
        assert!(old.get("ConsoleSize").is_none() && old["Tty"] == true && old["DetachKeys"].is_string());
        let plain = sent(None, (1, 50));
        assert!(plain["Tty"] == false && plain.get("DetachKeys").is_none() && plain.get("ConsoleSize").is_none());
    }

    #[test]
    fn nobody_gets_more_rights_by_it() {
        let body = sent(None, (1, 50));
        assert!(body.get("User").is_none() && body.get("Privileged").is_none(), "{body}");
    }
}
