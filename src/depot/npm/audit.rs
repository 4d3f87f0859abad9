//! What npm sends to hear of advisories: names and versions, and nothing else leaves.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::{DeserializeSeed, MapAccess};

use super::ask::BULK_AUDIT;
use super::json::{Members, Meter, Object};
use super::name;
use super::version::is_version;
use crate::depot::adapter::Refusal;
use crate::depot::names::Project;

/// The most names and versions together.
const MOST: usize = 20_000;

/// The body of a bulk audit, written anew with those projects alone that may be named.
pub fn rewrite(path: &str, body: &[u8], may_name: &dyn Fn(&Project) -> bool) -> Result<Vec<u8>, Refusal> {
    if path != BULK_AUDIT {
        return Err(Refusal::not_found("That is not a query that is passed on."));
    }
    // All but the first stand behind a comma: counted before anything is made of them.
    if body.split(|byte| *byte == b',').count() > MOST {
        return Err(Refusal { status: 413, reason: format!("An audit names at most {MOST} packages and versions.") });
    }
    let mut asked = Installed { may_name, versions: BTreeMap::new() };
    let mut document = serde_json::Deserializer::from_slice(body);
    let read = Object { members: &mut asked, meter: &Meter::default() }.deserialize(&mut document).and_then(|()| document.end());
    let not_one = |_| Refusal::bad("That is not a bulk audit: an object of names, each with a list of versions.");
    read.and_then(|()| serde_json::to_vec(&asked.versions)).map_err(not_one)
}

struct Installed<'a> {
    may_name: &'a dyn Fn(&Project) -> bool,
    versions: BTreeMap<String, BTreeSet<String>>,
}

impl<'de> Members<'de> for Installed<'_> {
    const WHAT: &'static str = "a bulk audit";
    const MOST: usize = MOST;

    fn member<A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error> {
        let mut versions: BTreeSet<String> = map.next_value()?;
        versions.retain(|version| is_version(version));
        let project = name::project(&key).filter(|project| !versions.is_empty() && (self.may_name)(project));
        if let Some(project) = project {
            self.versions.insert(project.name, versions);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(body: &str) -> Result<String, u16> {
        let may_name = |project: &Project| !project.name.starts_with("@ours/");
        rewrite(BULK_AUDIT, body.as_bytes(), &may_name).map(|body| String::from_utf8(body).unwrap()).map_err(|refusal| refusal.status)
    }

    #[test]
    fn only_names_that_may_be_named_and_versions_leave() {
        let body = r#"{"minimist":["1.2.0","0.0.8","0.0.8"," 1","1;x"],"@ours/secret":["1.0.0"],"../x":["1.0.0"],"a\u0000":["1"],"empty":[],"odd":["é"]}"#;
        assert_eq!(public(body).unwrap(), r#"{"minimist":["0.0.8","1.2.0"]}"#);
        assert_eq!(public("{}").unwrap(), "{}");
    }

    #[test]
    fn what_is_no_bulk_audit_is_refused() {
        for body in [
            "",
            "[]",
            "null",
            "{",
            r#"{"a":"1.0.0"}"#,
            r#"{"a":[1]}"#,
            r#"{"a":{"b":"1"}}"#,
            r#"{"a":["1"],"a":["2"]}"#,
            r#"{"a":["1"],"\u0061":["2"]}"#,
            r#"{"a":["1"]}{}"#,
            r#"{"a":[["1"]]}"#,
            "{\"a\":[\"\\ud800\"]}",
        ] {
            assert_eq!(public(body), Err(400), "{body}");
        }
        let long = format!(r#"{{"a":[{}"1"]}}"#, r#""1","#.repeat(MOST));
        assert_eq!(public(&long), Err(413));
        assert_eq!(rewrite("-/npm/v1/security/audits", b"{}", &|_| true).unwrap_err().status, 404);
    }
}
