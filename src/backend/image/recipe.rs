//! The recipe of the sandbox image as this binary carries it, and the context that an engine builds it from.

use std::io;

use sha2::{Digest, Sha256};

use crate::failure::{Failure, Result};
use crate::units::hex;

/// On a sandbox image: SHA-256 of the recipe that it was built by.
pub const RECIPE_LABEL: &str = "palisade.image.recipe";
/// On a sandbox image: the base as it was named.
pub const BASE_LABEL: &str = "palisade.image.base";
/// How far a build came: [`BUILDING`] on what it leaves where it does not end.
pub const STATE_LABEL: &str = "palisade.image.state";
/// See [`STATE_LABEL`]. An image that someone builds on a finished one inherits the other value.
pub const BUILDING: &str = "building";

/// The name under which the Dockerfile expects the certificate authorities.
const CA_BUNDLE: &str = "ca-bundle.pem";

/// Every file of the context but the certificate authorities, which are the operator's.
const FILES: [(&str, &str); 7] = [
    ("Dockerfile", include_str!("../../../assets/image/Dockerfile")),
    ("node.py", include_str!("../../../assets/image/node.py")),
    ("packages", include_str!("../../../assets/image/packages")),
    ("pip", include_str!("../../../assets/image/pip")),
    ("strip.py", include_str!("../../../assets/image/strip.py")),
    ("trust.py", include_str!("../../../assets/image/trust.py")),
    ("user", include_str!("../../../assets/image/user")),
];

/// The recipe's SHA-256 in hexadecimal. Settings are not part of it: an image that an operator built from
/// another base or mirror is no less current.
pub fn digest() -> String {
    let mut hash = Sha256::new();
    for (name, text) in FILES {
        // Lengths between the parts, so that no two recipes run together into the same bytes.
        hash.update((name.len() as u64).to_be_bytes());
        hash.update(name);
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hex(&hash.finalize())
}

/// The context as a tar archive: the same bytes for the same recipe and authorities, so that the engine's cache holds.
pub fn context(ca_bundle: &[u8]) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in FILES {
        append(&mut archive, name, text.as_bytes()).map_err(|error| Failure::io("pack the image's recipe", &error))?;
    }
    append(&mut archive, CA_BUNDLE, ca_bundle)
        .and_then(|()| archive.into_inner())
        .map_err(|error| Failure::io("pack the image's recipe", &error))
}

fn append(archive: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    archive.append_data(&mut header, name, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_holds_the_recipe_and_is_the_same_each_time() {
        let context = context(b"authorities").unwrap();
        assert_eq!(context, super::context(b"authorities").unwrap());
        let mut names = Vec::new();
        for entry in tar::Archive::new(context.as_slice()).entries().unwrap() {
            names.push(entry.unwrap().path().unwrap().to_string_lossy().into_owned());
        }
        assert!(names.contains(&"Dockerfile".to_owned()) && names.contains(&CA_BUNDLE.to_owned()));
        assert_eq!(names.len(), FILES.len() + 1);
    }

    #[test]
    fn the_dockerfile_copies_every_file_and_no_other() {
        let dockerfile = FILES[0].1;
        let copied: Vec<&str> = dockerfile
            .lines()
            .filter_map(|line| line.strip_prefix("COPY "))
            .flat_map(|line| line.split_whitespace().filter(|word| !word.ends_with('/')))
            .collect();
        for name in FILES[1..].iter().map(|(name, _)| *name).chain([CA_BUNDLE]) {
            assert!(copied.contains(&name), "{name} is not copied");
        }
        assert_eq!(copied.len(), FILES.len());
    }

    #[test]
    fn no_registry_is_named_in_the_recipe() {
        for (name, text) in FILES {
            assert!(!text.contains("://"), "{name} names an address: it belongs into the settings");
        }
    }

    #[test]
    fn the_dockerfile_and_the_labels_agree() {
        use crate::session::labels;
        let dockerfile = FILES[0].1;
        for label in [
            format!("{}=\"{}\"", labels::SCHEMA, labels::SCHEMA_VALUE),
            format!("{}=\"{}\"", labels::ROLE, labels::ROLE_IMAGE),
            format!("{}=\"1000\"", labels::IMAGE_HOME_UID),
            format!("{}=\"1000\"", labels::IMAGE_CACHE_UID),
            format!("{STATE_LABEL}=\"{BUILDING}\""),
            format!("{STATE_LABEL}=\"finished\""),
            format!("{BASE_LABEL}=\"${{BASE}}\""),
        ] {
            assert!(dockerfile.contains(&label), "{label}");
        }
    }

    #[test]
    fn the_first_step_already_says_whose_it_is() {
        let mut steps = FILES[0].1.lines().filter(|line| !line.starts_with('#')).skip_while(|line| !line.starts_with("FROM "));
        let first = steps.nth(1).unwrap();
        assert!(first.starts_with("LABEL ") && first.contains(STATE_LABEL), "a build that is killed there leaves it behind: {first}");
    }

    #[test]
    fn the_digest_is_a_sha_256() {
        assert_eq!(digest().len(), 64);
        assert_eq!(digest(), digest());
    }
}
