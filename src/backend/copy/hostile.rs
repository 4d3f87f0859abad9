//! Archives as an attacker writes them, for tests.

use proptest::prelude::*;
use tar::EntryType;

/// An entry as an attacker writes it: the header says what it likes.
#[derive(Debug)]
pub(super) struct Hostile {
    pub(super) name: Vec<u8>,
    pub(super) kind: EntryType,
    pub(super) target: Vec<u8>,
    pub(super) content: Vec<u8>,
    pub(super) mode: u32,
}

pub(super) fn file(name: &str, content: &str) -> Hostile {
    Hostile { name: name.into(), kind: EntryType::Regular, target: Vec::new(), content: content.into(), mode: 0o644 }
}

pub(super) fn folder(name: &str) -> Hostile {
    Hostile { kind: EntryType::Directory, mode: 0o755, ..file(name, "") }
}

pub(super) fn link(name: &str, target: &str) -> Hostile {
    Hostile { kind: EntryType::Symlink, target: target.into(), ..file(name, "") }
}

pub(super) fn hard(name: &str, target: &str) -> Hostile {
    Hostile { kind: EntryType::Link, target: target.into(), ..file(name, "") }
}

pub(super) fn bytes(entries: &[Hostile]) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        let old = header.as_old_mut();
        old.name[..entry.name.len()].copy_from_slice(&entry.name);
        old.linkname[..entry.target.len()].copy_from_slice(&entry.target);
        header.set_entry_type(entry.kind);
        header.set_mode(entry.mode);
        header.set_size(entry.content.len() as u64);
        header.set_cksum();
        all.extend_from_slice(header.as_bytes());
        all.extend_from_slice(&entry.content);
        all.resize(all.len().next_multiple_of(512), 0);
    }
    all.extend_from_slice(&[0; 1024]);
    all
}

pub(super) fn any_entry() -> impl Strategy<Value = Hostile> {
    let part = prop_oneof![Just("x"), Just("a"), Just("b"), Just(".."), Just("."), Just(""), Just("outside"), Just("secret")];
    let path = prop::collection::vec(part, 1..5).prop_map(|parts| parts.join("/"));
    let name = prop_oneof![4 => path.clone().prop_map(|path| format!("x/{path}")), 1 => path.clone()];
    let kind = prop_oneof![
        Just(EntryType::Regular),
        Just(EntryType::Directory),
        Just(EntryType::Symlink),
        Just(EntryType::Link),
        Just(EntryType::Fifo)
    ];
    let target = prop_oneof![path.clone(), path.prop_map(|path| format!("x/{path}")), Just("/etc".to_owned())];
    (name, kind, target, "[a-z]{0,9}", 0_u32..0o10000).prop_map(|(name, kind, target, content, mode)| {
        let content = if kind == EntryType::Regular { content.into_bytes() } else { Vec::new() };
        Hostile { name: name.into(), kind, target: target.into(), content, mode }
    })
}
