//! Docker's own contexts, as its command line keeps them: `config.json`, `contexts/meta/…`, `contexts/tls/…`.

use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Environment, text_file};
use crate::failure::{Code, Failure, Result};
use crate::units::{hex, sanitise};

/// A context's engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Context {
    /// `Endpoints.docker.Host`.
    pub(super) host: String,
    /// Its own certificates, where it has any.
    pub(super) tls_dir: Option<PathBuf>,
}

/// Docker's configuration folder: `DOCKER_CONFIG`, or `~/.docker`.
pub(super) fn folder(environment: &Environment) -> Option<PathBuf> {
    let home = || environment.home.as_ref().map(|home| home.join(".docker"));
    environment.var("DOCKER_CONFIG").map(|folder| environment.absolute(folder)).or_else(home)
}

/// The context that `docker context use` has chosen; `None` where there is no choice.
pub(super) fn current(folder: &Path) -> Result<Option<String>> {
    let config = json(&folder.join("config.json"))?;
    let name = config.as_ref().and_then(|config| config.get("currentContext")).and_then(Value::as_str);
    Ok(name.filter(|name| !name.is_empty()).map(str::to_owned))
}

/// A context by name; `asked_by` says who named it.
pub(super) fn find(folder: &Path, name: &str, asked_by: &str) -> Result<Context> {
    let id = id(name);
    let path = folder.join("contexts/meta").join(&id).join("meta.json");
    let Some(meta) = json(&path)? else {
        let known = names(folder)?;
        let hint = match known.as_slice() {
            [] => "there is none but 'default': see `docker context create`".to_owned(),
            known => format!("the contexts are default, {}", known.join(", ")),
        };
        let shown: String = name.chars().take(80).collect();
        return Err(Failure::new(Code::NotFound, format!("there is no Docker context '{shown}'"))
            .detail(format!("{asked_by} names it; it would be in {}", path.display()))
            .hint(hint));
    };
    let host = meta.pointer("/Endpoints/docker/Host").and_then(Value::as_str).filter(|host| !host.is_empty());
    let Some(host) = host else {
        return Err(Failure::new(Code::InvalidConfig, format!("the Docker context '{name}' names no engine"))
            .detail(format!("'Endpoints.docker.Host' in {} is not set", path.display()))
            .hint("see `docker context inspect`, or give --host"));
    };
    // `SkipTLSVerify` is not followed: a connection that carries root's rights is verified or is not made.
    let tls_dir = folder.join("contexts/tls").join(id).join("docker");
    Ok(Context { host: host.to_owned(), tls_dir: tls_dir.is_dir().then_some(tls_dir) })
}

/// A context's folder is called by the hash of its name.
fn id(name: &str) -> String {
    hex(&Sha256::digest(name.as_bytes()))
}

/// The names of all, sorted; a folder that cannot be read is left out, since this only fills a hint.
fn names(folder: &Path) -> Result<Vec<String>> {
    let meta = folder.join("contexts/meta");
    let name_of = |id: &String| json(&meta.join(id).join("meta.json")).ok()??.get("Name").and_then(Value::as_str).map(sanitise);
    let mut names: Vec<String> = text_file::names_in(&meta)?.iter().filter_map(name_of).collect();
    names.sort_unstable();
    Ok(names)
}

fn json(path: &Path) -> Result<Option<Value>> {
    let Some(text) = text_file::read(path)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Failure::new(Code::InvalidConfig, format!("{} is not JSON", path.display()))
            .detail(error.to_string())
            .hint("it is Docker's own file: see what changed it, or give --host")
    })
}
