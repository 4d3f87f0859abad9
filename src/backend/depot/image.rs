//! The depot's image on an engine: found by its name, loaded where it is not there, removed when nothing needs it.

use sha2::{Digest, Sha256};

use super::Blueprint;
use super::archive::{chunks, image};
use crate::backend::engine::{Engine, ImageSummary, own_architecture};
use crate::backend::supervisor_volume::own_program;
use crate::backend::{Backend, Reporter};
use crate::failure::{Failure, Result};
use crate::session::labels;
use crate::units::Untrusted;
use crate::units::hex;

/// What every tag of ours begins with.
const REPOSITORY: &str = "palisade-depot";

/// The image, and what it took.
pub struct Image {
    /// Its content id.
    pub id: String,
    /// Other depot images of ours, if this one was made now.
    pub superseded: Vec<String>,
}

/// The name of the image with this program and these certificates.
pub fn reference(program: &[u8; 32], authorities: &[u8]) -> String {
    let digest = Sha256::new().chain_update(program).chain_update(authorities).finalize();
    format!("{REPOSITORY}:{}", &hex(&digest)[..16])
}

impl Backend {
    /// The image, where the engine has it.
    pub(super) async fn loaded_depot_image(&self, blueprint: &Blueprint<'_>) -> Result<Option<Image>> {
        let found = find(&ours(self.engine.as_ref()).await?, &blueprint.image);
        Ok(found.map(|id| Image { id, superseded: Vec::new() }))
    }

    /// The image, loaded now; `None` where another manager's sweep took it away again.
    pub(super) async fn load_depot_image(&self, blueprint: &Blueprint<'_>, reporter: &dyn Reporter) -> Result<Option<Image>> {
        let engine = self.engine.as_ref();
        self.check_architecture().await?;
        reporter.step(&format!("loading {}", blueprint.image));
        self.load_depot(blueprint, reporter).await?;
        let images = ours(engine).await?;
        let Some(id) = find(&images, &blueprint.image) else { return Ok(None) };
        let superseded = images.into_iter().map(|image| image.id).filter(|other| *other != id).collect();
        Ok(Some(Image { id, superseded }))
    }

    /// Equal content has one id, whoever loads it and however often: managers that load it at the same moment do not
    /// take the name from each other's image.
    async fn load_depot(&self, blueprint: &Blueprint<'_>, reporter: &dyn Reporter) -> Result<()> {
        let archive = image(&blueprint.image, own_architecture(), &own_program()?, &blueprint.authorities)
            .map_err(|error| Failure::io("pack the depot's image", &error))?;
        self.follow(self.engine.load(&blueprint.image, chunks(archive)), reporter).await
    }

    /// Removes depot images that nothing needs any more. The engine refuses for one that a container stands on, and
    /// for that reason its refusal is no failure.
    pub(super) async fn sweep_depot_images(&self, superseded: &[String]) {
        for id in superseded {
            let _ = self.engine.remove_image(id).await;
        }
    }
}

async fn ours(engine: &dyn Engine) -> Result<Vec<ImageSummary>> {
    let is_ours = |image: &ImageSummary| image.labels.get(labels::ROLE).map(Untrusted::raw) == Some(labels::ROLE_DEPOT);
    Ok(engine.our_images().await?.into_iter().filter(is_ours).collect())
}

fn find(images: &[ImageSummary], reference: &str) -> Option<String> {
    // Podman writes out the registry that it takes for meant. What the image holds is read back, whatever it is called.
    let is_it = |tag: &Untrusted| tag.raw().rsplit('/').next() == Some(reference);
    images.iter().find(|image| image.tags.iter().any(is_it)).map(|image| image.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_found_by_its_name_however_an_engine_writes_it_out() {
        let image = |tag: &str| ImageSummary {
            id: "c0ffee".to_owned(),
            parent: String::new(),
            tags: vec![tag.into()],
            created: jiff::Timestamp::UNIX_EPOCH,
            size: crate::units::Bytes::new(0),
            labels: std::collections::BTreeMap::new(),
        };
        let is_found = |tag: &str| find(&[image(tag)], "palisade-depot:1").is_some();
        assert!(["palisade-depot:1", "localhost/palisade-depot:1", "registry.example/library/palisade-depot:1"].into_iter().all(is_found));
        assert!(!["palisade-depot:12", "x-palisade-depot:1", "1", ""].into_iter().any(is_found));
    }

    #[test]
    fn the_name_follows_from_the_content() {
        let name = reference(&[1; 32], b"a");
        assert_eq!(name, reference(&[1; 32], b"a"));
        assert!(name.strip_prefix("palisade-depot:").is_some_and(|tag| tag.len() == 16), "{name}");
        assert_ne!(name, reference(&[2; 32], b"a"));
        assert_ne!(name, reference(&[1; 32], b""));
    }
}
