//! `docs/json.md` as a validator: every document that a test sees is held against what is written there.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

const PAGE: &str = include_str!("../../docs/json.md");

/// Every schema of the page, by the name in its marker.
pub fn schemas() -> BTreeMap<String, Value> {
    let mut schemas = BTreeMap::new();
    for after in PAGE.split("<!-- schema: ").skip(1) {
        let (name, rest) = after.split_once(" -->\n```json\n").expect("a marker is followed by its block");
        let (block, _) = rest.split_once("\n```").expect("a block ends");
        let schema = serde_json::from_str(block).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(schemas.insert(name.to_owned(), schema).is_none(), "{name} is there twice");
    }
    schemas
}

/// Panics with every difference where a document is not as the page says.
pub fn validate(document: &str, value: &Value) {
    let schemas = schemas();
    assert!(schemas.contains_key(document), "docs/json.md has no document '{document}'");
    let all: Map<String, Value> = schemas.into_iter().collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": all,
        "$ref": format!("#/$defs/{document}"),
    });
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("the page's schemas are schemas");
    let errors: Vec<_> = validator.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(errors.is_empty(), "{document}: {errors:#?}\n{value:#}");
}

/// One document on standard output: one line, ASCII, valid.
pub fn document(name: &str, stdout: &[u8]) -> Value {
    let text = std::str::from_utf8(stdout).expect("JSON is UTF-8");
    assert!(text.is_ascii() && text.ends_with('\n') && text.lines().count() == 1, "not one line of ASCII: {text}");
    let value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    validate(name, &value);
    value
}
