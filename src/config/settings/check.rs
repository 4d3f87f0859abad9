//! What the types of settings cannot say. Addresses and names reach build arguments: no blank, quote or control
//! character. An address that may hold a secret is not repeated in an error.

use std::ops::RangeInclusive;
use std::path::Path;

use super::{CaBundle, KEYS, PrivateRegistry, Proxy, Settings};
use crate::config::ownership::{Names, overlapping};
use crate::failure::{Code, Failure, Result};
use crate::terminal::typed::DetachKeys;
use crate::units::{Bytes, Seconds};

const INDEX_TTL: RangeInclusive<Seconds> = Seconds::new(0)..=Seconds::new(30 * 24 * 3600);
/// Below this the depot would be killed by its first busy hour.
const MEMORY: RangeInclusive<Bytes> = Bytes::mib(64)..=Bytes::new(1 << 40);
const STORE: RangeInclusive<Bytes> = Bytes::mib(64)..=Bytes::new(1 << 50);
const SMALLEST_ARTIFACT: Bytes = Bytes::mib(1);
const MOST_KEPT: u64 = 1_000_000;
const LONGEST_KEPT: Seconds = Seconds::new(100 * 365 * 24 * 3600);
/// A host name holds 63 characters, and volumes' names add to this one.
const LONGEST_NAME: usize = 50;

/// Refuses what is wrong, and puts names that registries own into their one spelling.
pub(super) fn check(settings: &mut Settings, origin: &str) -> Result<()> {
    let mut wrong = Wrong { origin, found: Vec::new() };
    wrong.need(is_plain(&settings.profile), "profile", &settings.profile);
    let is_keys = settings.detach_keys.parse::<DetachKeys>().is_ok();
    wrong.need(is_keys, "detach_keys", &settings.detach_keys);
    for root in &settings.workspace.allowed_roots {
        wrong.need(is_anchored(root), "workspace.allowed_roots", &root.to_string_lossy());
    }
    if let CaBundle::File(file) = &settings.ca_bundle {
        wrong.need(is_anchored(file), "ca_bundle", &file.to_string_lossy());
    }
    let image = &settings.image;
    wrong.need(is_plain(&image.tag), "image.tag", &image.tag);
    wrong.need(is_plain(&image.base), "image.base", &image.base);
    let is_suite = is_plain(&image.suite) && image.suite.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    wrong.need(is_suite, "image.suite", &image.suite);
    wrong.need(is_url(&image.debian_mirror), "image.debian_mirror", &image.debian_mirror);

    let packages = &mut settings.packages;
    wrong.need(INDEX_TTL.contains(&packages.index_ttl), "packages.index_ttl", &packages.index_ttl.to_string());
    if let Proxy::Url(url) = &packages.proxy {
        wrong.need_url(is_registry(url), "packages.proxy", url);
    }
    wrong.need_url(is_registry(&packages.pypi.url), "packages.pypi.url", &packages.pypi.url);
    wrong.private("packages.pypi.private", Names::Pypi, &mut packages.pypi.private);
    wrong.need_url(is_registry(&packages.npm.url), "packages.npm.url", &packages.npm.url);
    wrong.private("packages.npm.private", Names::Npm, &mut packages.npm.private);

    let depot = &settings.depot;
    wrong.need(is_container_name(&depot.name), "depot.name", &depot.name);
    // Neither is a network: one has no way out, the other is the host's own.
    let is_network = is_container_name(&depot.network) && !["none", "host"].contains(&depot.network.as_str());
    wrong.need(is_network, "depot.network", &depot.network);
    wrong.need(MEMORY.contains(&depot.memory), "depot.memory", &depot.memory.to_string());
    wrong.need(STORE.contains(&depot.store_size), "depot.store_size", &depot.store_size.to_string());
    let is_artifact = (SMALLEST_ARTIFACT..=depot.store_size).contains(&depot.artifact_size);
    wrong.need(is_artifact, "depot.artifact_size", &depot.artifact_size.to_string());
    let evidence = &settings.evidence;
    wrong.need(evidence.keep <= MOST_KEPT, "evidence.keep", &evidence.keep.to_string());
    wrong.need(evidence.max_age <= LONGEST_KEPT, "evidence.max_age", &evidence.max_age.to_string());
    wrong.failure()
}

/// Values that their keys do not take.
struct Wrong<'a> {
    origin: &'a str,
    found: Vec<(&'static str, String)>,
}

impl Wrong<'_> {
    fn need(&mut self, holds: bool, key: &'static str, value: &str) {
        if !holds {
            self.found.push((key, format!("'{key}' in {}: '{}'", self.origin, value.chars().take(80).collect::<String>())));
        }
    }

    fn need_url(&mut self, holds: bool, key: &'static str, url: &str) {
        if url.contains(['@', '?', '#']) {
            if !holds {
                self.found.push((key, format!("'{key}' in {}: an address with a user, a password or a query", self.origin)));
            }
        } else {
            self.need(holds, key, url);
        }
    }

    fn private(&mut self, key: &'static str, names: Names, registries: &mut [PrivateRegistry]) {
        for registry in registries.iter_mut() {
            self.need_url(is_registry(&registry.url), key, &registry.url);
            if let Some(file) = &registry.credentials_file {
                self.need(is_anchored(file), key, &format!("credentials_file = {}", file.display()));
            }
            let mut owned = Vec::with_capacity(registry.owns.len());
            for pattern in &registry.owns {
                let canonical = names.pattern(pattern);
                self.need(canonical.is_some(), key, &format!("owns = {pattern}"));
                owned.extend(canonical);
            }
            owned.sort();
            owned.dedup();
            registry.owns = owned;
        }
        if let Some((one, other)) = overlapping(registries.iter().map(|registry| registry.owns.as_slice())) {
            let both = format!("'{key}' in {}: two registries own the same names: '{one}' and '{other}'", self.origin);
            self.found.push((key, both));
        }
    }

    fn failure(self) -> Result<()> {
        let Some((first, _)) = self.found.first() else { return Ok(()) };
        let takes = KEYS.iter().find(|(key, _)| key == first).map_or("", |(_, takes)| takes);
        let failure = Failure::new(Code::InvalidConfig, format!("{} has a value that its key does not take", self.origin));
        let hint = format!("'{first}' takes {takes}");
        Err(Failure { details: self.found.into_iter().map(|(_, line)| line).collect(), ..failure.hint(hint) })
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !"\"'\\`$<>|;&".contains(c))
}

fn is_url(text: &str) -> bool {
    is_word(text) && ["http://", "https://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}

/// An address to which a path can be added, and that holds no secret.
fn is_registry(text: &str) -> bool {
    let is_bare = |url: url::Url| {
        url.has_host() && url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none()
    };
    is_url(text) && url::Url::parse(text).is_ok_and(is_bare)
}

fn is_plain(text: &str) -> bool {
    is_word(text) && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn is_anchored(path: &Path) -> bool {
    path.is_absolute() || path.to_string_lossy().starts_with("~/")
}

fn is_container_name(text: &str) -> bool {
    (2..=LONGEST_NAME).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}
