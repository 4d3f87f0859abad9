//! Every document as the program serialises it, held against `docs/json.md`.

mod depot;
mod evidence;
mod pages;
mod samples;
mod sessions;

use palisade::headless::line;
use serde::Serialize;

use crate::common::schema;

fn check(name: &str, document: &impl Serialize) {
    schema::document(name, &line(document));
}
