//! What the depot on an engine is to be: by this program and these settings, and comparable with the one that is there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::wanted;
use crate::backend::image::read_authorities;
use crate::backend::supervisor_volume::own_digest;
use crate::config::{Environment, Paths, Settings};
use crate::depot::config::DepotConfig;
use crate::depot::token::Key;
use crate::failure::{Code, Failure, Result};
use crate::kernel::HostReader;
use crate::policy::plan::CreateRequest;
use crate::policy::plan::{DepotRequest, depot as create_request};
use crate::session::labels;
use crate::units::Cpus;
use crate::units::hex;

/// What the depot may use where its engine has as many.
const CPUS: Cpus = Cpus::milli(2000);

/// The depot as it should be.
pub struct Blueprint<'a> {
    /// SHA-256 of this program, which the image holds.
    pub program: [u8; 32],
    /// The certificates that the image holds; empty for the built-in roots.
    pub authorities: Vec<u8>,
    /// The image's name, which follows from both.
    pub image: String,
    settings: &'a Settings,
    environment: &'a Environment,
}

impl<'a> Blueprint<'a> {
    /// Reads this program's digest and the certificates that the settings name.
    pub fn new(reader: &HostReader, paths: &Paths, settings: &'a Settings, environment: &'a Environment) -> Result<Self> {
        let authorities = read_authorities(settings.ca_bundle_file(environment)?.as_deref())?;
        Ok(Self::of(own_digest(reader, paths)?, authorities, settings, environment))
    }

    pub(super) fn of(program: [u8; 32], authorities: Vec<u8>, settings: &'a Settings, environment: &'a Environment) -> Self {
        let image = super::image::reference(&program, &authorities);
        Self { program, authorities, image, settings, environment }
    }

    /// The container's name.
    pub fn name(&self) -> String {
        self.settings.depot.name.clone()
    }

    /// Its volumes: the store, and the one with the socket.
    pub fn volumes(&self) -> [String; 2] {
        [wanted::store_volume(self.settings), wanted::socket_volume(self.settings)]
    }

    /// By what a container is known to be made after this very blueprint: a digest of all that an engine is asked for, less
    /// what an engine decides itself (the image's id, how many CPUs there are to give).
    pub fn mark(&self) -> Result<String> {
        let request = create_request(&self.request(String::new(), CPUS, BTreeMap::new()))?;
        let text = serde_json::to_vec(&request)
            .map_err(|error| Failure::new(Code::Internal, format!("cannot write the depot's request down: {error}")))?;
        Ok(hex(&Sha256::digest(text)))
    }

    /// What the engine is asked for: the image by its id, and no more CPUs than the engine has.
    pub fn create(&self, image_id: &str, engine_cpus: u32) -> Result<CreateRequest> {
        let most = Cpus::milli(engine_cpus.max(1).saturating_mul(1000));
        let mark = BTreeMap::from([(labels::PLAN.to_owned(), self.mark()?)]);
        create_request(&self.request(image_id.to_owned(), CPUS.min(most), mark))
    }

    /// What the depot is told, with this key of that time.
    pub fn config(&self, key: Key, made: Timestamp) -> Result<DepotConfig> {
        wanted::wanted(self.settings, self.environment, key, made)
    }

    fn request(&self, image: String, cpus: Cpus, labels: BTreeMap<String, String>) -> DepotRequest {
        let [store_volume, socket_volume] = self.volumes();
        DepotRequest {
            name: self.name(),
            image,
            image_reference: self.image.clone(),
            network: self.settings.depot.network.clone(),
            store_volume,
            socket_volume,
            memory: self.settings.depot.memory,
            cpus,
            labels,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_follows_the_program_and_the_certificates_and_not_the_engine() {
        let (settings, environment) = (Settings::default(), Environment::default());
        let of = |program, authorities: &[u8]| Blueprint::of(program, authorities.to_vec(), &settings, &environment);
        let mark = |program, authorities| of(program, authorities).mark().unwrap();
        assert_eq!(mark([1; 32], b"a"), mark([1; 32], b"a"));
        assert_ne!(mark([1; 32], b"a"), mark([2; 32], b"a"));
        assert_ne!(mark([1; 32], b"a"), mark([1; 32], b"b"));
        let blueprint = of([1; 32], b"a");
        let (small, large) = (blueprint.create("sha256:00", 1).unwrap(), blueprint.create("sha256:11", 64).unwrap());
        assert_eq!((small.nano_cpus, large.nano_cpus), (1_000_000_000, 2_000_000_000));
        assert_eq!(small.labels[labels::PLAN], large.labels[labels::PLAN]);
        assert_eq!(small.labels[labels::PLAN], blueprint.mark().unwrap());
    }

    #[test]
    fn the_depot_is_hardened_like_a_sandbox_and_its_key_is_in_nothing_that_an_engine_shows() {
        let (settings, environment) = (Settings::default(), Environment::default());
        let blueprint = Blueprint::of([1; 32], Vec::new(), &settings, &environment);
        let create = blueprint.create("sha256:00", 8).unwrap();
        assert!(!create.privileged && create.init && create.read_only_rootfs && create.cap_add.is_empty() && !create.open_stdin);
        assert_eq!((create.cap_drop, create.user.as_str()), (vec!["ALL".to_owned()], "65532:65532"));
        assert!(create.security_opt.contains(&"no-new-privileges".to_owned()));
        assert!(create.mounts.iter().all(|mount| mount.labels[labels::ROLE] == labels::ROLE_DEPOT));
        let key = serde_json::to_string(&Key::new([7; 32])).unwrap();
        assert!(serde_json::to_string(&blueprint.config(Key::new([7; 32]), Timestamp::UNIX_EPOCH).unwrap()).unwrap().contains(&key));
        let shown = serde_json::to_string(&blueprint.create("sha256:00", 8).unwrap()).unwrap();
        assert!(!shown.contains(key.trim_matches('"')));
    }
}
