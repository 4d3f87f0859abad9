//! Making the depot's container: **create → inspect → audit → start → measure**, as for a session. Whoever has
//! created it has its name, and undoes it where a step fails: the store stays, a half-made depot never does.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::archive::{OWNER, PROGRAM, chunks, entry};
use super::image::Image;
use super::read::file;
use super::{Blueprint, DepotAccess};
use crate::backend::leftovers::Work;
use crate::backend::measure::{Moment, refuse};
use crate::backend::prepare::random;
use crate::backend::{Backend, Reporter};
use crate::depot::config::DepotConfig;
use crate::depot::token::Key;
use crate::depot::{CA_FILE, CONFIG_FILE, ROOT};
use crate::failure::{Code, Failure, Result};
use crate::session::{ContainerFacts, labels};
use crate::units::{SessionName, Untrusted};

/// A configuration is some kilobytes.
pub const LARGEST_CONFIG: usize = 1 << 20;
/// No program of ours is larger.
const LARGEST_PROGRAM: usize = 512 << 20;

impl Backend {
    /// Makes it; `None` where another manager was first, or has just taken away what it needs.
    pub(super) async fn make_depot(&self, blueprint: &Blueprint<'_>, reporter: &dyn Reporter) -> Result<Option<DepotAccess>> {
        let there = self.loaded_depot_image(blueprint).await?;
        let loads = if there.is_none() { blueprint.image.clone() } else { String::new() };
        let work = self.begin(Work::Depot { name: blueprint.name(), image: loads })?;
        // What a failure leaves, the store and the image, the next start goes on with.
        let made = self.make_depot_of(there, blueprint, &work.label(), reporter).await;
        work.ended(&made);
        made
    }

    async fn make_depot_of(
        &self,
        there: Option<Image>,
        blueprint: &Blueprint<'_>,
        maker: &str,
        reporter: &dyn Reporter,
    ) -> Result<Option<DepotAccess>> {
        let image = match there {
            Some(image) => image,
            None => match self.load_depot_image(blueprint, reporter).await? {
                Some(image) => image,
                None => return Ok(None),
            },
        };
        self.depot_volumes(blueprint, maker).await?;
        self.go_on()?;
        let cpus = self.engine.info().await?.cpus;
        let created = match self.engine.create(&blueprint.create(&image.id, cpus)?.made_by(maker)).await {
            Ok(created) => created,
            // The name, by another manager; the image, by one that swept.
            Err(failure) if matches!(failure.code, Code::Conflict | Code::NotFound) => return Ok(None),
            // An image that goes while a container is made of it fails in an engine's own words.
            Err(failure) if failure.code == Code::EngineError && self.lacks_image(&image.id).await? => return Ok(None),
            Err(failure) => return Err(failure),
        };
        reporter.step(&format!("starting the package depot {}", blueprint.name()));
        for warning in &created.warnings {
            reporter.warning(&format!("the engine says: {warning}"));
        }
        match self.furnish(&created.id, blueprint, reporter).await {
            Ok(key) => {
                self.sweep_depot_images(&image.superseded).await;
                let [_, socket_volume] = blueprint.volumes();
                Ok(Some(DepotAccess { key, socket_volume }))
            }
            Err(failure) => Err(match self.engine.remove(&created.id).await {
                Ok(()) => failure,
                Err(error) => failure.detail(format!("left behind: container {}: {}", blueprint.name(), error.message)),
            }),
        }
    }

    async fn lacks_image(&self, id: &str) -> Result<bool> {
        match self.engine.image(id).await {
            Ok(_) => Ok(false),
            Err(failure) if failure.code == Code::NotFound => Ok(true),
            Err(failure) => Err(failure),
        }
    }

    /// From a created container to a depot that listens.
    async fn furnish(&self, id: &str, blueprint: &Blueprint<'_>, reporter: &dyn Reporter) -> Result<Key> {
        self.holds_this_program(id, blueprint).await?;
        let (kept, now) = (self.kept_key(id).await?, now());
        let is_fresh = kept.is_none();
        let (key, made) = match kept {
            Some(kept) => (kept.key, kept.key_made),
            None => (fresh_key()?, now),
        };
        let config = blueprint.config(key, made)?;
        self.engine.upload(id, ROOT, chunks(pack(&config)?)).await?;
        self.bring_up_depot(id).await?;
        if is_fresh {
            let stranded = self.stranded(now).await?;
            if !stranded.is_empty() {
                let names: Vec<&str> = stranded.iter().map(SessionName::as_str).collect();
                reporter.warning(&format!(
                    "running sessions show tokens of a depot whose store is gone, and get nothing of this one until: palisade restart {}",
                    names.join(" ")
                ));
            }
        }
        Ok(config.key)
    }

    /// Starts a depot that is there and is as wanted.
    pub(super) async fn start_depot(&self, facts: &ContainerFacts) -> Result<()> {
        let started = self.bring_up_depot(&facts.id).await;
        let Err(failure) = started else { return Ok(()) };
        Err(match self.engine.stop(&facts.id, Some(0)).await {
            Err(error) if error.code != Code::NotFound => failure.detail(format!("it could not be stopped again: {}", error.message)),
            _ => failure,
        })
    }

    async fn bring_up_depot(&self, id: &str) -> Result<()> {
        let facts = self.engine.inspect(id).await?;
        let paper = super::measured::audit(&facts, Err("not started yet"));
        if paper.is_weaker() {
            return Err(refuse(&facts.name, &paper));
        }
        self.go_on()?;
        if let Err(failure) = self.engine.start(id).await {
            return Err(self.not_started(id, failure).await);
        }
        // Its own program runs in it and nothing else: it may as well listen before it is measured.
        self.depot_listens(id, finished(&facts)).await?;
        let facts = self.engine.inspect(id).await?;
        let kernel = self.kernel_facts(&facts, Moment::Later).await.map_err(|why| {
            Failure::new(Code::AuditFailed, format!("what the kernel enforces of the depot could not be measured: {why}"))
                .hint("palisade doctor says what measuring needs")
        })?;
        let posture = super::measured::audit(&facts, Ok(&kernel));
        if posture.is_weaker() { Err(refuse(&facts.name, &posture)) } else { Ok(()) }
    }

    /// An engine looks for a container's network when it starts it, and says 404 of that as of the container.
    async fn not_started(&self, id: &str, failure: Failure) -> Failure {
        if failure.code != Code::NotFound || self.engine.inspect(id).await.is_err() {
            return failure;
        }
        let network = &self.settings.depot.network;
        Failure { message: format!("the engine cannot start the depot on its network '{network}'"), code: Code::EngineError, ..failure }
            .hint("'depot.network' in config.toml names one of the engine's networks: docker network ls")
    }

    /// Both volumes, with our labels: an engine would make them without any.
    async fn depot_volumes(&self, blueprint: &Blueprint<'_>, maker: &str) -> Result<()> {
        let ours = [(labels::SCHEMA, labels::SCHEMA_VALUE), (labels::ROLE, labels::ROLE_DEPOT), (labels::MAKER, maker)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        for name in blueprint.volumes() {
            let volume = self.engine.create_volume(&name, &ours).await?;
            if volume.labels.get(labels::ROLE).map(Untrusted::raw) != Some(labels::ROLE_DEPOT) {
                return Err(Failure::new(Code::Conflict, format!("a volume {name} is there that is not palisade's"))
                    .hint(format!("look at what it is, and remove it (docker volume rm {name}) or give 'depot.name' another value")));
            }
        }
        Ok(())
    }

    /// Reads the image back: its name and labels could be anyone's who may use the engine.
    async fn holds_this_program(&self, id: &str, blueprint: &Blueprint<'_>) -> Result<()> {
        let engine = self.engine.as_ref();
        let (program, authorities) =
            tokio::join!(file(engine, id, PROGRAM, LARGEST_PROGRAM), file(engine, id, CA_FILE, blueprint.authorities.len()));
        let is_ours = program?.is_some_and(|program| <[u8; 32]>::from(Sha256::digest(&program)) == blueprint.program);
        if is_ours && authorities?.unwrap_or_default() == blueprint.authorities {
            return Ok(());
        }
        Err(Failure::new(Code::AuditFailed, format!("the image {} does not hold what its name says", blueprint.image))
            .hint(format!("another program changes palisade's images: docker rmi {} and try again", blueprint.image)))
    }

    /// The key of the depot that was there before, so that the tokens of running sessions stay good.
    async fn kept_key(&self, id: &str) -> Result<Option<Kept>> {
        let config = file(self.engine.as_ref(), id, &config_path(), LARGEST_CONFIG).await.unwrap_or_default();
        // Of another version's configuration the key is all that is understood.
        Ok(config.and_then(|text| serde_json::from_slice(&text).ok()))
    }
}

/// What is understood of a configuration by any version.
#[derive(serde::Deserialize)]
struct Kept {
    key: Key,
    #[serde(default)]
    key_made: Timestamp,
}

/// Where the configuration is.
pub fn config_path() -> String {
    format!("{ROOT}/{CONFIG_FILE}")
}

/// When its last run ended.
fn finished(facts: &ContainerFacts) -> Option<Timestamp> {
    facts.exit.as_ref().and_then(|exit| exit.finished)
}

/// An archive with the configuration, for the depot alone to read.
fn pack(config: &DepotConfig) -> Result<Vec<u8>> {
    let told = |error: &std::io::Error| Failure::io("pack the depot's configuration", error);
    let text = serde_json::to_vec(config).map_err(|error| told(&error.into()))?;
    let mut header = entry(tar::EntryType::Regular, 0o400, OWNER, text.len() as u64);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, CONFIG_FILE, text.as_slice()).map_err(|error| told(&error))?;
    archive.into_inner().map_err(|error| told(&error))
}

#[expect(clippy::disallowed_methods, reason = "a key has the time at which it was made")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn fresh_key() -> Result<Key> {
    random().map(Key::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Settings};

    #[test]
    fn the_configuration_is_the_depots_alone_to_read() {
        let (settings, environment) = (Settings::default(), Environment::default());
        let config =
            Blueprint::of([1; 32], Vec::new(), &settings, &environment).config(fresh_key().unwrap(), Timestamp::UNIX_EPOCH).unwrap();
        let archive = pack(&config).unwrap();
        let mut archive = tar::Archive::new(archive.as_slice());
        let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
        let header = entry.header();
        assert_eq!((header.mode().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0o400, OWNER, OWNER));
        assert_eq!(entry.path().unwrap().to_str(), Some(CONFIG_FILE));
        let mut text = String::new();
        std::io::Read::read_to_string(&mut entry, &mut text).unwrap();
        assert_eq!(serde_json::from_str::<DepotConfig>(&text).unwrap(), config);
    }

    #[test]
    fn no_two_keys_are_alike() {
        assert_ne!(fresh_key().unwrap(), fresh_key().unwrap());
    }
}
