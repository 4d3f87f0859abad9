//! As whom the session's processes run: never root, in its own user namespace's terms.

use super::Audit;
use super::source::Source;
use crate::policy::controls::Control;
use crate::session::IdMap;

/// Requested, engine, kernel.
type Columns = (String, Source, Source);

impl Audit<'_> {
    pub(super) fn user(&mut self) -> Columns {
        let wanted = self.wanted.user;
        let requested = wanted.map_or_else(|| "not root".to_owned(), |(uid, gid)| format!("{uid}:{gid}"));
        let held = wanted.map_or_else(|| "not root".to_owned(), |(uid, gid)| format!("uid {uid}, gid {gid}"));
        let kernel = self.every_process(
            Control::User,
            &held,
            |process, facts| {
                let mut why = Vec::new();
                differing_ids(&mut why, "uid", &process.uids, &facts.uid_map, wanted.map(|(uid, _)| uid));
                differing_ids(&mut why, "gid", &process.gids, &facts.gid_map, wanted.map(|(_, gid)| gid));
                for group in &process.groups {
                    match inside(*group, &facts.gid_map) {
                        None | Some(0) => why.push("it is in group 0".to_owned()),
                        Some(own) if wanted.is_some_and(|(_, gid)| gid != own) => why.push(format!("it is in group {own}")),
                        Some(_) => {}
                    }
                }
                (!why.is_empty()).then(|| why.join(", "))
            },
            |first| first.uids.contains(&0),
        );
        (requested, self.engine_user(), kernel)
    }

    fn engine_user(&self) -> Source {
        let text = self.engine.user.raw();
        let mut source = Source::showing(if text.is_empty() { "the image's default".to_owned() } else { self.engine.user.to_string() });
        let (user, group) = text.split_once(':').unwrap_or((text, ""));
        let number = |part: &str| part.parse::<u32>().ok();
        match (number(user), number(group)) {
            _ if user.is_empty() || user == "root" || number(user) == Some(0) => source.missing("it runs as root"),
            _ if group == "root" || number(group) == Some(0) => source.weaker("its group is root's"),
            (Some(uid), _) if self.wanted.user.is_some_and(|(wanted, _)| wanted != uid) => source.weaker("another user than requested"),
            (_, Some(gid)) if self.wanted.user.is_some_and(|(_, wanted)| wanted != gid) => source.weaker("another group than requested"),
            (Some(_), Some(_)) => {}
            // A name, or no group: the image decides, and only the kernel can tell.
            _ if self.kernel.is_err() => source.note_unknown("the image decides which ids these are".to_owned()),
            _ => {}
        }
        source
    }
}

fn differing_ids(why: &mut Vec<String>, kind: &str, ids: &[u32; 4], map: &[IdMap], wanted: Option<u32>) {
    let mut odd: Vec<String> = ids
        .iter()
        .filter_map(|id| match inside(*id, map) {
            None => Some(format!("{kind} {id} from outside its user namespace")),
            Some(0) => Some(format!("{kind} 0")),
            Some(own) if wanted.is_some_and(|wanted| wanted != own) => Some(format!("{kind} {own}")),
            Some(_) => None,
        })
        .collect();
    odd.sort();
    odd.dedup();
    why.extend((!odd.is_empty()).then(|| format!("it runs as {}", odd.join(" and "))));
}

/// An id as the container's user namespace has it.
fn inside(id: u32, map: &[IdMap]) -> Option<u32> {
    // Without a map nothing is known of a namespace: ids stand for themselves.
    if map.is_empty() {
        return Some(id);
    }
    map.iter().find_map(|range| {
        let offset = id.checked_sub(range.outside).filter(|offset| *offset < range.count)?;
        range.inside.checked_add(offset)
    })
}
