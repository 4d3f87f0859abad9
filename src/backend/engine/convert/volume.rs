//! Volumes.

use bollard::models::Volume;

use super::labels;
use crate::backend::engine::VolumeFacts;

/// A volume as the engine describes it.
pub(in crate::backend::engine) fn facts(volume: Volume) -> VolumeFacts {
    VolumeFacts {
        name: volume.name,
        mountpoint: volume.mountpoint,
        created: volume.created_at.unwrap_or_default(),
        labels: labels(Some(volume.labels)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_of_either_engine_reads_without_its_options() {
        for text in [
            r#"{"CreatedAt":"2026-11-21T20:57:17Z","Driver":"local","Labels":null,"Mountpoint":"/m","Name":"v","Options":null,"Scope":"local"}"#,
            r#"{"CreatedAt":"2026-11-21T20:57:17Z","Driver":"local","Labels":{},"Mountpoint":"/m","Name":"v","Options":{},"Scope":"local","Status":{}}"#,
        ] {
            let facts = facts(serde_json::from_str(text).unwrap());
            assert_eq!((facts.name.as_str(), facts.mountpoint.as_str(), facts.labels.len()), ("v", "/m", 0));
        }
    }
}
