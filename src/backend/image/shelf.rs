//! The images of ours that an engine keeps: listed, removed, and cleared of what builds left.

use serde::Serialize;

use super::recipe::{BUILDING, STATE_LABEL};
use super::{RECIPE_LABEL, outdated};
use crate::backend::engine::{ImageSummary, Images};
use crate::failure::{Code, Failure, Result};
use crate::session::labels;

/// What an image of ours is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Sandboxes run from it.
    Sandbox,
    /// Sandbox images are built on it.
    Base,
    /// A build that did not end, or an image whose tag moved on.
    Leftover,
}

/// An image of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OurImage {
    /// As the engine lists it.
    #[serde(flatten)]
    pub summary: ImageSummary,
    /// What it is for.
    pub purpose: Purpose,
    /// Whether it is a sandbox image that another recipe made.
    pub outdated: bool,
}

/// Images of ours, tagged ones first, each group newest first.
pub async fn list(engine: &dyn Images) -> Result<Vec<OurImage>> {
    let mut images: Vec<OurImage> = ours(engine).await?.into_iter().map(OurImage::from).collect();
    images.sort_by(|a, b| {
        let order = |image: &OurImage| (image.summary.tags.is_empty(), std::cmp::Reverse(image.summary.created));
        order(a).cmp(&order(b)).then_with(|| a.summary.id.cmp(&b.summary.id))
    });
    Ok(images)
}

/// Removes an image of ours, by tag, id, or at least twelve digits of an id. Another's is refused.
pub async fn remove(engine: &dyn Images, reference: &str) -> Result<ImageSummary> {
    let images = ours(engine).await?;
    let found: Vec<&ImageSummary> = images.iter().filter(|image| is_named(image, reference)).collect();
    match found.as_slice() {
        [image] => {
            // By the name that was given: an image with several tags loses that one and lives on.
            engine.remove_image(reference).await?;
            Ok((*image).clone())
        }
        [] => Err(not_ours(engine, reference).await),
        [_, ..] => Err(Failure::new(Code::Conflict, format!("'{reference}' names several images")).hint("give more digits of the id")),
    }
}

async fn not_ours(engine: &dyn Images, reference: &str) -> Failure {
    match engine.image(reference).await {
        Ok(_) => Failure::new(Code::Refused, format!("the image '{reference}' was not made by palisade"))
            .hint("remove it with the engine's own tools; 'palisade image ls' shows the images of palisade's"),
        Err(failure) if failure.code == Code::NotFound => Failure::new(Code::NotFound, format!("there is no image '{reference}'"))
            .hint("'palisade image ls' shows the images of palisade's"),
        Err(failure) => failure,
    }
}

/// What becomes superfluous when `tag` moves on: its present image, and what builds that did not end have left.
pub async fn superseded_by(engine: &dyn Images, tag: &str) -> Result<Vec<String>> {
    let superseded = |image: &ImageSummary| {
        let unfinished = image.labels.get(STATE_LABEL).is_some_and(|state| state.raw() == BUILDING);
        (image.tags.is_empty() && unfinished) || (image.tags.len() == 1 && is_named(image, tag))
    };
    Ok(ours(engine).await?.into_iter().filter(superseded).map(|image| image.id).collect())
}

/// Removes these images where nothing needs them: the engine itself refuses for one that a container or a
/// younger image stands on, and for that reason its refusal is no failure here.
pub async fn sweep(engine: &dyn Images, superseded: &[String], current: &str) {
    for id in superseded.iter().filter(|id| *id != current) {
        let _ = engine.remove_image(id).await;
    }
}

/// As `sweep`, for a build that was cut short: of these images those that have lost their tag to one that was made since then.
pub async fn remove_superseded(engine: &dyn Images, superseded: &[String], tag: &str, since_s: i64) -> Result<()> {
    if superseded.is_empty() {
        return Ok(());
    }
    let images = ours(engine).await?;
    let moved_on = |image: &ImageSummary| is_named(image, tag) && image.created.as_second() >= since_s && !superseded.contains(&image.id);
    if let Some(current) = images.iter().find(|image| moved_on(image)) {
        let nameless = images.iter().filter(|image| image.tags.is_empty() && superseded.contains(&image.id));
        let nameless: Vec<String> = nameless.map(|image| image.id.clone()).collect();
        sweep(engine, &nameless, &current.id).await;
    }
    Ok(())
}

/// What became of the images that an unfinished build has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unfinished {
    /// So many are removed.
    pub removed: usize,
    /// On so many something stands: the next step of a build that its engine has not given up yet, or somebody's container.
    pub in_use: usize,
}

/// Whether a build of ours made this image, to which no tag leads: it is one of the steps, or the last of them. That is told from what anyone
/// builds on a finished one, which has all of its labels, by what it stands on itself. Where the engine does not say, it is not.
pub fn is_of_a_build(image: &ImageSummary, all: &[ImageSummary]) -> bool {
    let is_step = |image: &ImageSummary| {
        let is_unfinished = image.labels.get(STATE_LABEL).is_some_and(|state| state.raw() == BUILDING);
        let is_begun = image.labels.contains_key(STATE_LABEL) && (is_unfinished || !image.labels.contains_key(RECIPE_LABEL));
        is_an_image_of_ours(image) && image.tags.is_empty() && is_begun
    };
    let is_last = |image: &ImageSummary| {
        let stands_on_a_step = || all.iter().any(|parent| parent.id == image.parent && is_step(parent));
        is_an_image_of_ours(image) && image.tags.is_empty() && image.labels.contains_key(RECIPE_LABEL) && stands_on_a_step()
    };
    is_step(image) || is_last(image)
}

/// Removes what a build that did not end has made since then: images of a build that have no tag and that nothing stands on.
pub async fn remove_unfinished(engine: &dyn Images, since_s: i64) -> Result<Unfinished> {
    let images: Vec<ImageSummary> = engine.our_images_and_steps().await?.into_iter().filter(is_an_image_of_ours).collect();
    let is_needed = |image: &ImageSummary| images.iter().any(|child| child.parent == image.id);
    let mut found = Unfinished::default();
    let of_it = |image: &&ImageSummary| image.created.as_second() >= since_s && is_of_a_build(image, &images) && !is_needed(image);
    for image in images.iter().filter(of_it) {
        // The engine removes with it what only it stood on.
        match engine.remove_image(&image.id).await {
            Ok(()) => found.removed += 1,
            Err(failure) if failure.code == Code::Conflict => found.in_use += 1,
            Err(failure) => return Err(failure),
        }
    }
    Ok(found)
}

async fn ours(engine: &dyn Images) -> Result<Vec<ImageSummary>> {
    Ok(engine.our_images().await?.into_iter().filter(is_an_image_of_ours).collect())
}

fn is_an_image_of_ours(image: &ImageSummary) -> bool {
    image.labels.get(labels::ROLE).is_some_and(|role| role.raw() == labels::ROLE_IMAGE)
}

fn is_named(image: &ImageSummary, reference: &str) -> bool {
    let has_tag = reference.rsplit('/').next().is_some_and(|last| last.contains(':'));
    let tagged = if has_tag { reference.to_owned() } else { format!("{reference}:latest") };
    let digits = reference.strip_prefix("sha256:").unwrap_or(reference);
    let by_id = digits.len() >= 12 && image.id.strip_prefix("sha256:").is_some_and(|id| id.starts_with(digits));
    by_id || image.tags.iter().any(|tag| tag.raw() == tagged)
}

impl From<ImageSummary> for OurImage {
    fn from(summary: ImageSummary) -> Self {
        let purpose = match (summary.tags.is_empty(), summary.labels.contains_key(RECIPE_LABEL)) {
            (true, _) => Purpose::Leftover,
            (false, true) => Purpose::Sandbox,
            (false, false) => Purpose::Base,
        };
        let outdated = purpose == Purpose::Sandbox && outdated(&summary);
        Self { summary, purpose, outdated }
    }
}
