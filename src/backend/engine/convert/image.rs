//! Images.

use bollard::models::{ImageInspect, ImageSummary as Listed};

use super::{from_seconds, labels, sorted};
use crate::backend::engine::ImageSummary;
use crate::policy::ImageFacts;
use crate::session::labels::{IMAGE_CACHE_UID, IMAGE_HOME_UID};
use crate::units::Bytes;

/// What a plan depends on.
pub(in crate::backend::engine) fn facts(reference: &str, image: ImageInspect) -> ImageFacts {
    let config = image.config.unwrap_or_default();
    let mut command = config.entrypoint.unwrap_or_default();
    command.extend(config.cmd.unwrap_or_default());
    let labels = config.labels.unwrap_or_default();
    // Root does not own a folder that a session may write: such a label says nothing.
    let owner = |label| labels.get(label).and_then(|uid| uid.parse().ok()).filter(|uid| *uid != 0);
    ImageFacts {
        reference: reference.to_owned(),
        id: image.id.unwrap_or_default(),
        command,
        volumes: sorted(config.volumes.unwrap_or_default()),
        home_uid: owner(IMAGE_HOME_UID),
        cache_uid: owner(IMAGE_CACHE_UID),
        architecture: image.architecture.unwrap_or_default(),
    }
}

/// An image in the list.
pub(in crate::backend::engine) fn summary(image: Listed) -> ImageSummary {
    ImageSummary {
        id: image.id,
        parent: image.parent_id,
        tags: image.repo_tags.into_iter().filter(|tag| !tag.contains("<none>")).map(Into::into).collect(),
        created: from_seconds(image.created),
        size: Bytes::new(u64::try_from(image.size).unwrap_or(0)),
        labels: labels(Some(image.labels)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_images_command_is_its_entrypoint_then_its_cmd() {
        let text = r#"{"Id":"sha256:0a","Architecture":"amd64","Config":{"Entrypoint":["/e"],"Cmd":["-c"],
            "Volumes":{"/b":{},"/a":{}},"Labels":{"palisade.image.home-uid":"1000","palisade.image.cache-uid":"0"}}}"#;
        let facts = facts("x:1", serde_json::from_str(text).unwrap());
        assert_eq!(facts.command, ["/e", "-c"]);
        assert_eq!(facts.volumes, ["/a", "/b"]);
        assert_eq!(
            (facts.home_uid, facts.cache_uid, facts.architecture.as_str(), facts.id.as_str()),
            (Some(1000), None, "amd64", "sha256:0a")
        );
    }

    #[test]
    fn an_image_that_says_nothing_is_read_as_nothing() {
        for text in ["{}", r#"{"Id":"sha256:0a","Config":null}"#, r#"{"Config":{"Cmd":null,"Labels":{"palisade.image.home-uid":"root"}}}"#]
        {
            let facts = facts("x", serde_json::from_str(text).unwrap());
            assert!(facts.command.is_empty() && facts.volumes.is_empty() && facts.home_uid.is_none());
        }
    }

    #[test]
    fn untagged_images_have_no_tag_in_the_list() {
        let text = r#"{"Id":"sha256:0a","ParentId":"","RepoTags":["<none>:<none>"],"RepoDigests":null,"Created":1,"Size":5,
            "SharedSize":-1,"Labels":null,"Containers":-1}"#;
        let summary = summary(serde_json::from_str(text).unwrap());
        assert!(summary.tags.is_empty());
        assert_eq!(summary.size, Bytes::new(5));
    }
}
