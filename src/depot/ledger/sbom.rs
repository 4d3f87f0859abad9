//! What a session fetched as a software bill of materials: `CycloneDX` 1.6, <https://cyclonedx.org/docs/1.6/json/>.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::fold::{FetchedArtifact, Log};
use crate::depot::promise::{Algorithm, Digest, Ecosystem};
use crate::units::{SessionId, hex};

/// What a package URL leaves as it is: <https://github.com/package-url/purl-spec>.
const IN_PURL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// The bill of everything that was sent to a session whole. Equal logs give equal serial numbers.
pub fn cyclonedx(session_name: &str, session: SessionId, now: Timestamp, log: &Log) -> impl Serialize + use<> {
    let components = components(&log.artifacts);
    Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        format: "CycloneDX",
        spec_version: "1.6",
        serial_number: serial_number(session, &components),
        version: 1,
        metadata: Metadata {
            timestamp: now,
            tools: Tools {
                components: [Component {
                    kind: "application",
                    name: "palisade".to_owned(),
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    ..Component::default()
                }],
            },
            component: Component {
                kind: "container",
                bom_ref: session.to_string(),
                name: session_name.to_owned(),
                properties: vec![property("session", session.to_string())],
                ..Component::default()
            },
        },
        components,
        // What is not listed is not hidden: the bill says that it is no whole one.
        compositions: (log.unlisted > 0).then_some([Composition { aggregate: "incomplete" }]),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom {
    #[serde(rename = "$schema")]
    schema: &'static str,
    #[serde(rename = "bomFormat")]
    format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compositions: Option<[Composition; 1]>,
}

#[derive(Serialize)]
struct Metadata {
    timestamp: Timestamp,
    tools: Tools,
    component: Component,
}

#[derive(Serialize)]
struct Tools {
    components: [Component; 1],
}

#[derive(Serialize)]
struct Composition {
    aggregate: &'static str,
}

#[derive(Serialize, Default)]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "String::is_empty")]
    bom_ref: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "String::is_empty")]
    purl: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
struct Property {
    name: String,
    value: String,
}

#[expect(clippy::needless_pass_by_value, reason = "a value or a reference, as the caller has it")]
fn property(name: &str, value: impl ToString) -> Property {
    Property { name: format!("palisade:{name}"), value: value.to_string() }
}

/// One for each version of each project, whatever number of its files.
fn components(artifacts: &[FetchedArtifact]) -> Vec<Component> {
    let mut versions: BTreeMap<(Ecosystem, &str, &str), Vec<&FetchedArtifact>> = BTreeMap::new();
    for artifact in artifacts.iter().filter(|artifact| artifact.complete > 0 && !is_metadata(artifact)) {
        versions.entry((artifact.ecosystem, &artifact.project, &artifact.version)).or_default().push(artifact);
    }
    versions.into_iter().map(|((ecosystem, project, version), files)| component(ecosystem, project, version, &files)).collect()
}

/// A resolver reads these of versions that it then leaves alone.
fn is_metadata(artifact: &FetchedArtifact) -> bool {
    artifact.ecosystem == Ecosystem::Pypi && artifact.file.ends_with(".metadata")
}

fn component(ecosystem: Ecosystem, project: &str, version: &str, files: &[&FetchedArtifact]) -> Component {
    let (group, name) = match project.split_once('/') {
        Some((scope, name)) if ecosystem == Ecosystem::Npm && scope.starts_with('@') => (scope, name),
        _ => ("", project),
    };
    let sum = |of: fn(&FetchedArtifact) -> u64| files.iter().map(|file| of(file)).fold(0, u64::saturating_add);
    let mut properties = vec![property("hits", sum(|file| file.hits)), property("misses", sum(|file| file.misses))];
    properties.extend(files.iter().map(|file| file.first).min().map(|first| property("first", first)));
    properties.extend(files.iter().map(|file| file.last).max().map(|last| property("last", last)));
    // Hashes of a component are of one thing: of several files each has its own, in words.
    for file in files {
        let digest = file.digest.as_ref().map_or_else(|| "unverified".to_owned(), ToString::to_string);
        properties.push(property("file", format!("{} {digest}", file.file)));
    }
    let purl = purl(ecosystem, group, name, version);
    Component {
        kind: "library",
        bom_ref: purl.clone(),
        group: group.to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
        hashes: if let [file] = files { file.digest.iter().map(hash).collect() } else { Vec::new() },
        purl,
        properties,
    }
}

fn hash(digest: &Digest) -> Hash {
    let alg = match digest.algorithm() {
        Algorithm::Sha1 => "SHA-1",
        Algorithm::Sha256 => "SHA-256",
        Algorithm::Sha384 => "SHA-384",
        Algorithm::Sha512 => "SHA-512",
    };
    Hash { alg, content: digest.hex() }
}

fn purl(ecosystem: Ecosystem, group: &str, name: &str, version: &str) -> String {
    let text = |text| utf8_percent_encode(text, IN_PURL);
    let mut purl = format!("pkg:{ecosystem}/");
    if !group.is_empty() {
        purl.extend(text(group).chain(["/"]));
    }
    purl.extend(text(name));
    if !version.is_empty() {
        purl.extend(["@"].into_iter().chain(text(version)));
    }
    purl
}

/// A UUID (version 8: ours to define) of the session and what is in the bill.
fn serial_number(session: SessionId, components: &[Component]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(session.to_string());
    // Infallible by construction: texts.
    hasher.update(serde_json::to_vec(components).unwrap_or_default());
    let digest = hasher.finalize();
    let mut uuid = [0_u8; 16];
    uuid.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    uuid[6] = (uuid[6] & 0x0f) | 0x80;
    uuid[8] = (uuid[8] & 0x3f) | 0x80;
    let hex = |part: Range<usize>| hex(&uuid[part]);
    format!("urn:uuid:{}-{}-{}-{}-{}", hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..16))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn artifact(ecosystem: Ecosystem, project: &str, version: &str, file: &str, algorithm: Algorithm) -> FetchedArtifact {
        FetchedArtifact {
            ecosystem,
            project: project.to_owned(),
            version: version.to_owned(),
            file: file.to_owned(),
            digest: Digest::new(algorithm, vec![7; algorithm.length()]),
            hits: 2,
            misses: 1,
            complete: 3,
            bytes: 10,
            first: Timestamp::UNIX_EPOCH,
            last: Timestamp::UNIX_EPOCH,
        }
    }

    fn bill(artifacts: Vec<FetchedArtifact>, unlisted: u64) -> Value {
        let log = Log { artifacts, unlisted, ..Log::default() };
        serde_json::to_value(cyclonedx("web", SessionId::from_parts(1, 2), Timestamp::UNIX_EPOCH, &log)).unwrap()
    }

    #[test]
    fn a_bill_names_each_version_once_by_its_package_url() {
        let bill = bill(
            vec![
                artifact(Ecosystem::Npm, "@babel/core", "7.0.0", "core-7.0.0.tgz", Algorithm::Sha512),
                artifact(Ecosystem::Npm, "old", "1.0.0-rc.1", "old.tgz", Algorithm::Sha1),
                artifact(Ecosystem::Pypi, "torch", "2.0+cpu", "torch-2.0+cpu.whl", Algorithm::Sha256),
                artifact(Ecosystem::Pypi, "six", "1.17.0", "six-1.17.0.tar.gz", Algorithm::Sha256),
                artifact(Ecosystem::Pypi, "six", "1.17.0", "six-1.17.0.whl", Algorithm::Sha256),
                artifact(Ecosystem::Pypi, "numpy", "2.0", "numpy-2.0.whl.metadata", Algorithm::Sha256),
                FetchedArtifact { complete: 0, ..artifact(Ecosystem::Pypi, "cut-off", "1", "cut-off.whl", Algorithm::Sha256) },
                FetchedArtifact { digest: None, ..artifact(Ecosystem::Pypi, "bare", "", "bare.zip", Algorithm::Sha256) },
            ],
            0,
        );
        let components = bill["components"].as_array().unwrap();
        let purls: Vec<_> = components.iter().map(|component| component["purl"].as_str().unwrap()).collect();
        let expected =
            ["pkg:pypi/bare", "pkg:pypi/six@1.17.0", "pkg:pypi/torch@2.0%2Bcpu", "pkg:npm/%40babel/core@7.0.0", "pkg:npm/old@1.0.0-rc.1"];
        assert_eq!(purls, expected);
        assert_eq!((&components[3]["group"], &components[3]["name"]), (&json!("@babel"), &json!("core")));
        assert_eq!(components[3]["hashes"], json!([{ "alg": "SHA-512", "content": "07".repeat(64) }]));
        assert_eq!(components[1].get("hashes"), None);
        let files: Vec<_> = components[1]["properties"].as_array().unwrap().iter().filter(|one| one["name"] == "palisade:file").collect();
        assert_eq!(files.len(), 2);
        assert!(components[0]["properties"].to_string().contains("bare.zip unverified") && components[0].get("version").is_none());
        assert_eq!(bill.get("compositions"), None);
    }

    #[test]
    fn a_serial_number_is_a_uuid_and_follows_the_content() {
        let one = bill(vec![artifact(Ecosystem::Pypi, "six", "1", "six.whl", Algorithm::Sha256)], 0);
        let other = bill(vec![artifact(Ecosystem::Pypi, "six", "2", "six.whl", Algorithm::Sha256)], 0);
        let number = one["serialNumber"].as_str().unwrap();
        let groups: Vec<_> = number.strip_prefix("urn:uuid:").unwrap().split('-').map(str::len).collect();
        assert!(groups == [8, 4, 4, 4, 12] && number.bytes().all(|byte| !byte.is_ascii_uppercase()), "{number}");
        assert_eq!(one, bill(vec![artifact(Ecosystem::Pypi, "six", "1", "six.whl", Algorithm::Sha256)], 0));
        assert_ne!(one["serialNumber"], other["serialNumber"]);
    }

    #[test]
    fn a_bill_that_is_no_whole_one_says_so() {
        let bill = bill(Vec::new(), 1);
        assert_eq!(bill["compositions"], json!([{ "aggregate": "incomplete" }]));
        assert_eq!(
            (bill["bomFormat"].as_str(), bill["specVersion"].as_str(), bill["version"].as_u64()),
            (Some("CycloneDX"), Some("1.6"), Some(1))
        );
    }
}
