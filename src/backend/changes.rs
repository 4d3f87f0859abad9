//! What a session changed against its image, without what engine and manager put there.

use super::Backend;
use crate::failure::Result;
use crate::session::{ChangeKind, ContainerFacts, FileChange, FileChanges};

/// Where engines mount their init.
const INITS: [&str; 3] = ["/sbin/docker-init", "/usr/sbin/docker-init", "/dev/init"];

impl Backend {
    /// What the session changed, by path: what is in its volumes, its workspace and its tmpfs is not the image's.
    pub async fn changes(&self, who: &str) -> Result<FileChanges> {
        let session = self.find(who).await?;
        let (changes, facts) = tokio::join!(self.engine.changes(&session.container_id), self.engine.inspect(&session.container_id));
        Ok(without_mounts(changes?, &facts?))
    }
}

/// Places for mounts are made in the container's own layer, and every folder above such a place counts as changed.
fn without_mounts(changes: FileChanges, facts: &ContainerFacts) -> FileChanges {
    let mounts = facts.mounts.iter().map(|mount| mount.destination.raw()).chain(facts.tmpfs.keys().map(String::as_str));
    let places: Vec<&str> = mounts.chain(INITS.into_iter().filter(|_| facts.init)).collect();
    let is_place =
        |change: &FileChange| change.kind != ChangeKind::Deleted && places.iter().any(|place| is_at_or_above(change.path.raw(), place));
    // By path, so what is below a folder follows it; read from the end, it is known when the folder comes.
    let mut kept: Vec<FileChange> = Vec::with_capacity(changes.files.len());
    for change in changes.files.into_iter().rev() {
        let holds_more = kept.last().is_some_and(|below| is_at_or_above(change.path.raw(), below.path.raw()));
        if holds_more || !is_place(&change) {
            kept.push(change);
        }
    }
    kept.reverse();
    FileChanges { files: kept, cut: changes.cut }
}

fn is_at_or_above(path: &str, other: &str) -> bool {
    other.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || path.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::MountFacts;

    #[test]
    fn places_for_mounts_are_not_the_sessions_doing_and_what_it_did_beside_them_is() {
        let mount = |destination: &str| MountFacts {
            kind: "volume".into(),
            name: String::new(),
            source: "/x".into(),
            destination: destination.into(),
            read_write: true,
        };
        let facts = ContainerFacts {
            mounts: vec![mount("/palisade/0/0"), mount("/workspace")],
            tmpfs: [("/tmp".to_owned(), String::new())].into(),
            init: true,
            ..ContainerFacts::default()
        };
        let change = |(kind, path): (ChangeKind, &str)| FileChange { kind, path: path.into() };
        let mut files: Vec<FileChange> = [
            (ChangeKind::Added, "/palisade"),
            (ChangeKind::Added, "/palisade/0"),
            (ChangeKind::Added, "/palisade/0/0"),
            (ChangeKind::Changed, "/usr"),
            (ChangeKind::Added, "/usr-x"),
            (ChangeKind::Changed, "/usr/bin"),
            (ChangeKind::Changed, "/usr/bin/python3"),
            (ChangeKind::Changed, "/usr/sbin"),
            (ChangeKind::Added, "/usr/sbin/docker-init"),
            (ChangeKind::Added, "/workspace"),
            (ChangeKind::Added, "/workspace-not"),
            (ChangeKind::Deleted, "/tmp"),
        ]
        .map(change)
        .into();
        files.sort_by(|a, b| a.path.raw().split('/').cmp(b.path.raw().split('/')));
        let left = without_mounts(FileChanges { files, cut: true }, &facts);
        let paths: Vec<&str> = left.files.iter().map(|change| change.path.raw()).collect();
        assert_eq!(paths, ["/tmp", "/usr", "/usr/bin", "/usr/bin/python3", "/usr-x", "/workspace-not"]);
        assert!(left.cut);
    }
}
