//! The environment of a session: who it is, where its package clients keep what they fetched, and where they fetch.
//!
//! A cache that nothing points at is never read, and a registry that cannot be reached is a client's long wait: so
//! variable and mount are decided together, here and in `mounts`. What the operator sets wins over all but `HOME`.

use std::collections::BTreeMap;

use super::{HOME, Policy, Request, reaches_depot};
use crate::failure::{Code, Failure, Result};

/// Every session's own.
const IDENTITY: [(&str, &str); 3] = [("HOME", HOME), ("LOGNAME", "sandbox"), ("USER", "sandbox")];

/// Where package clients cache: below [`super::CACHE`], a volume of the session's own.
const CACHES: [(&str, &str); 7] = [
    ("NPM_CONFIG_CACHE", "/cache/npm"),
    ("PIP_CACHE_DIR", "/cache/pip"),
    ("UV_CACHE_DIR", "/cache/uv"),
    // Home is another volume: a link from it into the cache cannot be made, and uv warns when it tries.
    ("UV_LINK_MODE", "copy"),
    ("YARN_CACHE_FOLDER", "/cache/yarn"),
    // The current Yarn's, which has its cache below it; the one above is Yarn Classic's.
    ("YARN_GLOBAL_FOLDER", "/cache/yarn-berry"),
    // Not as npm's own setting, which older pnpms read too: npm warns of each that it does not know.
    ("pnpm_config_store_dir", "/cache/pnpm"),
];

/// Where package clients fetch: from the depot, by the relay on the session's own loopback.
const REGISTRIES: [(&str, &str); 12] = [
    ("NPM_CONFIG_FETCH_RETRIES", "5"),
    ("NPM_CONFIG_FETCH_RETRY_MAXTIMEOUT", "8000"),
    // A depot that fell is back in a moment; npm's own first wait is ten seconds.
    ("NPM_CONFIG_FETCH_RETRY_MINTIMEOUT", "500"),
    // Read by npm, pnpm before 11 and Yarn Classic.
    ("NPM_CONFIG_REGISTRY", NPM),
    // A lockfile that was written beside another registry names that one: the depot is asked all the same.
    ("NPM_CONFIG_REPLACE_REGISTRY_HOST", "always"),
    ("PIP_INDEX_URL", PYPI),
    // pip caches nothing that came without TLS, unless from a host that it is told to trust.
    ("PIP_TRUSTED_HOST", "127.0.0.1:7878"),
    ("UV_DEFAULT_INDEX", PYPI),
    ("UV_INDEX_URL", PYPI),
    ("YARN_NPM_REGISTRY_SERVER", NPM),
    ("YARN_UNSAFE_HTTP_WHITELIST", "127.0.0.1"),
    ("pnpm_config_registry", NPM),
];
const NPM: &str = "http://127.0.0.1:7878/npm/";
const PYPI: &str = "http://127.0.0.1:7878/pypi/simple/";

/// `KEY=VALUE`, sorted.
pub(super) fn environment(policy: &Policy, request: &Request) -> Result<Vec<String>> {
    let theirs: BTreeMap<&str, &str> = policy.env.iter().chain(&request.env).map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let registries = if reaches_depot(policy, request) { &REGISTRIES[..] } else { &[] };
    let mut all: BTreeMap<&str, &str> = CACHES.iter().chain(registries).copied().collect();
    // npm takes its variables in any case: the operator's in another spelling is still the operator's.
    all.retain(|ours, _| !is_npms(ours) || !theirs.keys().any(|key| key.eq_ignore_ascii_case(ours)));
    all.extend(IDENTITY);
    all.extend(theirs);
    if let Some((key, _)) = all.iter().find(|(key, value)| key.is_empty() || key.contains(['=', '\0']) || value.contains('\0')) {
        return Err(Failure::new(Code::Refused, "an environment variable cannot be passed on").detail(format!("'env': {key}")));
    }
    Ok(all.into_iter().map(|(key, value)| format!("{key}={value}")).collect())
}

fn is_npms(name: &str) -> bool {
    name.get(..11).is_some_and(|head| head.eq_ignore_ascii_case("npm_config_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::plan::samples::{policy, request};

    fn names(policy: &Policy, request: &Request) -> Vec<String> {
        environment(policy, request).unwrap().into_iter().map(|line| line.split_once('=').unwrap().0.to_owned()).collect()
    }

    #[test]
    fn every_cache_is_below_the_volume_that_is_mounted_for_it() {
        for (name, value) in CACHES.iter().filter(|(name, _)| *name != "UV_LINK_MODE") {
            assert!(value.starts_with("/cache/"), "{name}");
        }
    }

    #[test]
    fn clients_are_led_to_the_depot_where_there_is_one_and_nowhere_otherwise() {
        use crate::policy::Network;
        let with = |network, socket: Option<&str>| {
            let policy = Policy { network, ..policy() };
            names(&policy, &Request { depot_socket_volume: socket.map(str::to_owned), ..request() }).contains(&"PIP_INDEX_URL".to_owned())
        };
        assert!(with(Network::Packages, Some("socket")) && with(Network::Open, Some("socket")));
        assert!(!with(Network::None, Some("socket")) && !with(Network::Packages, None) && !with(Network::Open, None));
    }

    #[test]
    fn what_the_operator_sets_is_set_in_npms_case_as_in_any() {
        let mut request = request();
        request.env = [("npm_config_registry", "http://registry.example/"), ("PIP_CACHE_DIR", ""), ("pip_index_url", "x"), ("home", "x")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let all = environment(&policy(), &request).unwrap();
        assert!(!all.iter().any(|line| line.starts_with("NPM_CONFIG_REGISTRY=")), "{all:?}");
        for line in
            ["npm_config_registry=http://registry.example/", "PIP_CACHE_DIR=", "PIP_INDEX_URL=http://127.0.0.1:7878/pypi/simple/", "home=x"]
        {
            assert!(all.contains(&line.to_owned()), "{line}: {all:?}");
        }
        assert!(all.contains(&format!("HOME={HOME}")) && all.is_sorted());
    }
}
