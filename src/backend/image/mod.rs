//! The sandbox image: built by the embedded recipe, from a base that is pulled where it can be and bootstrapped
//! from Debian's packages where it cannot.
//!
//! Knows the engine through its trait and registries only by the addresses it is given.

mod authorities;
mod base;
mod bootstrap;
mod recipe;
mod shelf;
mod spec;
mod tree;

use bytes::Bytes as Chunk;
use futures_util::{StreamExt, stream};

use super::Reporter;
use super::engine::{BuildRequest, ImageSummary, Images, ProgressStream};
use crate::failure::{Code, Result};
use crate::policy::ImageFacts;
use crate::units::Untrusted;

pub use authorities::{count as count_authorities, read as read_authorities};
pub use recipe::{BASE_LABEL, BUILDING, RECIPE_LABEL, STATE_LABEL, digest};
pub use shelf::{OurImage, Purpose, Unfinished, is_of_a_build, list, remove, remove_superseded, remove_unfinished, superseded_by};
pub use spec::ImageSpec;

/// Whether a sandbox image is there, and fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// No image has the tag.
    Missing,
    /// Built by another version of the recipe.
    Outdated(ImageFacts),
    /// Built by this recipe.
    Current(ImageFacts),
    /// The tag stands on an image that this program did not build: the operator's own, and none of our business.
    Foreign(ImageFacts),
}

/// What [`ensure`] found or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ensured {
    /// The image.
    pub image: ImageFacts,
    /// Whether it was built now.
    pub built: bool,
}

/// Builds the sandbox image and puts the tag on it, whatever had it before.
pub async fn build(engine: &dyn Images, spec: &ImageSpec, reporter: &dyn Reporter) -> Result<ImageFacts> {
    spec.check()?;
    let context = recipe::context(&authorities::read(spec.ca_bundle.as_deref())?)?;
    let superseded = shelf::superseded_by(engine, &spec.tag).await?;
    let base = base::obtain(engine, spec, reporter).await?;

    reporter.step(&format!("building {} from {base}", spec.tag));
    let request = BuildRequest {
        tag: spec.tag.clone(),
        args: [("BASE", base.as_str()), ("DEBIAN_MIRROR", &spec.debian_mirror), ("NPM_URL", &spec.npm_url), ("PYPI_URL", &spec.pypi_url)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        // One alone, as an engine makes a step of each: what has it is the build's last step, and what stands on that is somebody's.
        labels: [(RECIPE_LABEL.to_owned(), digest())].into(),
        no_cache: spec.no_cache,
    };
    let context = stream::once(async { Ok(Chunk::from(context)) }).boxed();
    follow_build(engine.build(&request, context), reporter).await?;

    let image = engine.image(&spec.tag).await?;
    shelf::sweep(engine, &superseded, &image.id).await;
    Ok(image)
}

/// Builds the sandbox image only where it is missing or outdated.
pub async fn ensure(engine: &dyn Images, spec: &ImageSpec, reporter: &dyn Reporter) -> Result<Ensured> {
    match state(engine, &spec.tag).await? {
        State::Current(image) | State::Foreign(image) => Ok(Ensured { image, built: false }),
        State::Missing => Ok(Ensured { image: build(engine, spec, reporter).await?, built: true }),
        State::Outdated(image) => match build(engine, spec, reporter).await {
            Ok(image) => Ok(Ensured { image, built: true }),
            // Without a network an older image still runs sandboxes.
            Err(failure) if failure.code != Code::Interrupted && failure.code != Code::EngineUnreachable => {
                reporter.warning(&format!("going on with the older image {}: {}", spec.tag, failure.message));
                Ok(Ensured { image, built: false })
            }
            Err(failure) => Err(failure),
        },
    }
}

/// Whether an image is there under this tag, and whether it is built by this recipe.
pub async fn state(engine: &dyn Images, tag: &str) -> Result<State> {
    let image = match engine.image(tag).await {
        Ok(image) => image,
        Err(failure) if failure.code == Code::NotFound => return Ok(State::Missing),
        Err(failure) => return Err(failure),
    };
    let ours = engine.our_images().await?;
    Ok(match ours.iter().find(|summary| summary.id == image.id) {
        Some(summary) if outdated(summary) => State::Outdated(image),
        Some(_) => State::Current(image),
        None => State::Foreign(image),
    })
}

/// Whether an image of ours was built by another recipe than this program carries.
pub fn outdated(image: &ImageSummary) -> bool {
    image.labels.get(RECIPE_LABEL).is_none_or(|built_by| built_by.raw() != digest())
}

/// Tells a build's steps as they come. An engine names the step in each of its lines.
async fn follow_build(mut progress: ProgressStream, reporter: &dyn Reporter) -> Result<()> {
    let mut step = Untrusted::default();
    while let Some(item) = progress.next().await {
        let item = item?;
        if item.item != step && item.item.raw().starts_with("Step ") {
            reporter.step(&format!("{}: {}", item.item, item.text));
            step = item.item;
        } else {
            reporter.progress(&item);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
