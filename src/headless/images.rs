//! `image`: build, list, remove.

use super::actions::report;
use super::document::{Document, ImageBuilt, Images};
use super::paint::Role;
use super::table::{Grid, cell, meaning};
use super::{Context, Done};
use crate::backend::Backend;
use crate::backend::engine::ImageSummary;
use crate::backend::image::{self, OurImage, Purpose};
use crate::units::{age, sanitise};

/// Tells of an image that was built; one that was there already is named and no more.
pub fn built(context: &Context, built: ImageBuilt) -> Done {
    if context.output.is_json() {
        context.output.document(&Document::new(built));
        return Ok(0);
    }
    context.output.text(&format!("{}\n", sanitise(&built.image)));
    if built.built {
        context.output.note(&format!("{} built", short(&built.id)));
    }
    Ok(0)
}

/// Lists ours.
pub async fn list(context: &Context, backend: &Backend) -> Done {
    let images = image::list(backend.engine().as_ref()).await?;
    if context.output.is_json() {
        context.output.document(&Document::new(Images { images }));
    } else if context.output.is_quiet() {
        context.output.lines(images.iter().map(|image| name(&image.summary)));
    } else if images.is_empty() {
        context.output.note("no image is there yet; build one with: palisade image build");
    } else {
        let mut grid = Grid::new(&["IMAGE", "ID", "FOR", "CREATED", "SIZE"], context.output.page()).whole(&[1, 2, 3, 4]);
        for OurImage { summary, purpose, outdated } in &images {
            grid.row([
                cell(name(summary)),
                cell(short(&summary.id)),
                what_for(*purpose, *outdated),
                cell(age(context.now, summary.created)),
                cell(summary.size),
            ]);
        }
        context.output.text(&grid.render());
    }
    Ok(0)
}

/// Removes images of ours, and no others.
pub async fn remove(context: &Context, backend: &Backend, references: &[String]) -> Done {
    let mut results = Vec::with_capacity(references.len());
    for reference in references {
        let result = image::remove(backend.engine().as_ref(), reference).await;
        if result.is_ok() && !context.output.is_json() {
            context.output.text(&format!("{}\n", sanitise(reference)));
        }
        results.push((reference.clone(), result.map(|_| (None, None))));
    }
    report(context, "image_rm", results)
}

fn what_for(purpose: Purpose, outdated: bool) -> comfy_table::Cell {
    match purpose {
        Purpose::Sandbox if outdated => meaning("sandboxes, outdated", Role::Caution),
        Purpose::Sandbox => cell("sandboxes"),
        Purpose::Base => cell("building on"),
        Purpose::Leftover => cell("nothing"),
    }
}

fn name(image: &ImageSummary) -> String {
    image.tags.first().map_or_else(|| short(&image.id), ToString::to_string)
}

fn short(id: &str) -> String {
    sanitise(id.strip_prefix("sha256:").unwrap_or(id)).chars().take(12).collect()
}
