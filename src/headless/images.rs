//! `image`: build, list, remove.

use super::actions::report;
use super::age::age;
use super::document::{Document, ImageBuilt, Images};
use super::table::{Grid, cell};
use super::{Context, Done};
use crate::backend::Backend;
use crate::backend::engine::ImageSummary;
use crate::failure::{Code, Failure, Result};
use crate::units::sanitise;

/// What to build.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuildOrder {
    /// `None` for the recipe's own.
    pub base: Option<String>,
    /// `None` for the recipe's own.
    pub tag: Option<String>,
    /// Every step again.
    pub no_cache: bool,
    /// Not where it is there.
    pub if_needed: bool,
}

/// Tells of an image that was built.
pub fn built(context: &Context, built: ImageBuilt) -> Done {
    if context.output.is_json() {
        context.output.document(&Document::new(built));
    } else {
        context.output.text(&format!("{}\n", sanitise(&built.image)));
        let how = if built.built { "built" } else { "is there already" };
        context.output.note(&format!("{} {how}", short(&built.id)));
    }
    Ok(0)
}

/// Lists ours.
pub async fn list(context: &Context, backend: &Backend) -> Done {
    let mut images = backend.engine().our_images().await?;
    images.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    if context.output.is_json() {
        context.output.document(&Document::new(Images { images }));
        return Ok(0);
    }
    if context.output.is_quiet() {
        context.output.lines(images.iter().map(name));
        return Ok(0);
    }
    let mut grid = Grid::new(&["IMAGE", "ID", "CREATED", "SIZE"], context.output.colours().stdout);
    for image in &images {
        grid.row([cell(name(image)), cell(short(&image.id)), cell(age(context.now, image.created)), cell(image.size)]);
    }
    context.output.text(&grid.render());
    Ok(0)
}

/// Removes images of ours, and no others.
pub async fn remove(context: &Context, backend: &Backend, references: &[String]) -> Done {
    let ours = backend.engine().our_images().await?;
    let mut results = Vec::with_capacity(references.len());
    for reference in references {
        let result = remove_one(backend, &ours, reference).await;
        if result.is_ok() && !context.output.is_json() {
            context.output.text(&format!("{}\n", sanitise(reference)));
        }
        results.push((reference.clone(), result.map(|()| (None, None))));
    }
    report(context, "image_rm", results)
}

async fn remove_one(backend: &Backend, ours: &[ImageSummary], reference: &str) -> Result<()> {
    if ours.iter().any(|image| is(image, reference)) {
        return backend.engine().remove_image(reference).await;
    }
    Err(Failure::new(Code::NotFound, format!("'{reference}' is not an image that Palisade made"))
        .hint("'palisade image ls' lists them; 'docker image rm' removes any other"))
}

/// Whether a reference means this image: a tag (`latest` where none is written), its id, or 12 and more of its digits.
fn is(image: &ImageSummary, reference: &str) -> bool {
    let digits = image.id.strip_prefix("sha256:").unwrap_or(&image.id);
    let asked = reference.strip_prefix("sha256:").unwrap_or(reference);
    let latest = format!("{reference}:latest");
    image.tags.iter().any(|tag| tag.raw() == reference || tag.raw() == latest) || (asked.len() >= 12 && digits.starts_with(asked))
}

fn name(image: &ImageSummary) -> String {
    image.tags.first().map_or_else(|| short(&image.id), ToString::to_string)
}

fn short(id: &str) -> String {
    sanitise(id.strip_prefix("sha256:").unwrap_or(id)).chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_meant_by_tag_or_by_enough_of_its_id() {
        let image = ImageSummary {
            id: "sha256:0123456789abcdef0123".into(),
            tags: vec!["palisade/sandbox:latest".into()],
            created: jiff::Timestamp::UNIX_EPOCH,
            size: crate::units::Bytes::mib(1),
            labels: std::collections::BTreeMap::new(),
        };
        for reference in ["palisade/sandbox", "palisade/sandbox:latest", "0123456789ab", "sha256:0123456789abcdef0123"] {
            assert!(is(&image, reference), "{reference}");
        }
        for reference in ["palisade", "palisade/sandbox:2", "0123", "sha256:", ""] {
            assert!(!is(&image, reference), "{reference}");
        }
    }
}
