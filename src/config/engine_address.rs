//! Where the engine is, found as Docker's own command line finds it, with ours before it.

use std::path::{Path, PathBuf};

use super::{Endpoint, Environment, Settings, docker_context};
use crate::failure::{Code, Failure, Result};

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The engine's address: `--host`, then `host` in config.toml, `DOCKER_HOST`, `DOCKER_CONTEXT`, the current
/// Docker context, the default socket. `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` hold for the first three.
pub fn endpoint(host_flag: Option<&str>, settings: &Settings, environment: &Environment) -> Result<Endpoint> {
    let named =
        [(host_flag, "--host"), (Some(settings.host.as_str()), "'host' in config.toml"), (environment.var("DOCKER_HOST"), "DOCKER_HOST")];
    for (host, found_by) in named {
        if let Some(host) = host.map(str::trim).filter(|host| !host.is_empty()) {
            return address(host, found_by, || certificates(environment));
        }
        if host_flag.is_some() {
            return Err(Failure::new(Code::Usage, "--host needs an address").hint(FORMS));
        }
    }
    let Some(folder) = docker_context::folder(environment) else { return address(&default_uri(), "default socket", || None) };
    let (context, asked_by) = match environment.var("DOCKER_CONTEXT") {
        Some(name) => (Some(name.to_owned()), "DOCKER_CONTEXT".to_owned()),
        None => (docker_context::current(&folder)?, format!("'currentContext' in {}", folder.join("config.json").display())),
    };
    match context.filter(|name| name != "default") {
        None => address(&default_uri(), "default socket", || None),
        Some(name) => {
            let context = docker_context::find(&folder, &name, &asked_by)?;
            address(&context.host, &format!("context {name}"), || context.tls_dir)
        }
    }
}

const FORMS: &str = "give unix:///PATH, tcp://HOST:PORT, https://HOST:PORT or ssh://USER@HOST";

fn default_uri() -> String {
    format!("unix://{DEFAULT_SOCKET}")
}

/// The folder of certificates that the environment asks for.
fn certificates(environment: &Environment) -> Option<PathBuf> {
    let asked = environment.var("DOCKER_TLS_VERIFY").or(environment.var("DOCKER_TLS")).is_some();
    let folder =
        || environment.var("DOCKER_CERT_PATH").map(|path| environment.absolute(path)).or_else(|| docker_context::folder(environment));
    asked.then(folder).flatten()
}

/// An address that this program can reach, or why it is none.
fn address(uri: &str, found_by: &str, tls: impl FnOnce() -> Option<PathBuf>) -> Result<Endpoint> {
    let code = if found_by == "--host" { Code::Usage } else { Code::InvalidConfig };
    let refuse = |why: &str, hint: &str| {
        let shown: String = uri.chars().take(200).collect();
        Err(Failure::new(code, "this is no engine's address").detail(format!("{found_by}: '{shown}' {why}")).hint(hint))
    };
    if uri.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refuse("holds blanks or control characters", FORMS);
    }
    let Some((scheme, rest)) = uri.split_once("://") else {
        let hint = if uri.starts_with('/') { format!("did you mean unix://{uri}?") } else { format!("did you mean tcp://{uri}?") };
        return refuse("has no scheme", &hint);
    };
    let endpoint = |socket, tls_dir| Ok(Endpoint { uri: uri.to_owned(), found_by: found_by.to_owned(), socket, tls_dir });
    match scheme {
        "unix" if Path::new(rest).is_absolute() => endpoint(Some(PathBuf::from(rest)), None),
        "unix" => refuse("is not an absolute path", "give unix:///PATH with three slashes"),
        "npipe" => refuse("is a pipe of Windows", "give tcp:// or ssh:// to reach an engine there"),
        "tcp" | "http" | "https" | "ssh" if !is_authority(rest) => refuse("names no host", FORMS),
        "ssh" | "http" => endpoint(None, None),
        "tcp" | "https" => {
            let tls_dir = tls();
            match tls_dir
                .as_deref()
                .and_then(|folder| ["ca.pem", "cert.pem", "key.pem"].into_iter().find(|file| !folder.join(file).is_file()))
            {
                Some(file) => {
                    let folder = tls_dir.unwrap_or_default();
                    refuse(
                        &format!("is to be reached with TLS, and {} is not there", folder.join(file).display()),
                        "set DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem",
                    )
                }
                None if scheme == "https" && tls_dir.is_none() => refuse(
                    "needs certificates",
                    "set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem",
                ),
                None => endpoint(None, tls_dir),
            }
        }
        _ => refuse("has a scheme that is not known", FORMS),
    }
}

/// `HOST`, `HOST:PORT` or `[V6]:PORT`, with `USER@` before it or a path behind it; a host that begins with a dash would be a flag of ssh's.
fn is_authority(text: &str) -> bool {
    let authority = text.split('/').next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let is_plain = |part: &str| !part.is_empty() && !part.starts_with('-');
    is_plain(host) && !host.starts_with(':') && user.is_none_or(is_plain)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests write the files that are read")]
mod tests;
