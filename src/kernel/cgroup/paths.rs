use super::LIMITING;
use crate::session::CgroupVersion;

/// `/proc/PID/cgroup`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kernel) struct CgroupPaths {
    /// Controllers (empty for the unified hierarchy) and path.
    lines: Vec<(Vec<String>, String)>,
}

impl CgroupPaths {
    pub(in crate::kernel) fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let mut fields = line.splitn(3, ':').skip(1);
            let controllers = fields.next()?.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
            Some((controllers, fields.next()?.to_owned()))
        };
        Self { lines: text.lines().filter_map(line).collect() }
    }

    /// Whether any path names the container.
    pub(in crate::kernel) fn mention(&self, id: &str) -> bool {
        id.len() >= 12 && self.lines.iter().any(|(_, path)| path.contains(id))
    }

    pub(in crate::kernel) fn version(&self) -> CgroupVersion {
        let is_v1 = self.lines.iter().any(|(controllers, _)| controllers.iter().any(|name| LIMITING.contains(&name.as_str())));
        if is_v1 { CgroupVersion::V1 } else { CgroupVersion::V2 }
    }

    /// The path in the hierarchy that has a controller; in the unified one where no other has it.
    pub(super) fn path(&self, controller: &str) -> Option<&str> {
        let has = |wanted: &str| {
            let found = self.lines.iter().find(|(controllers, _)| {
                if wanted.is_empty() { controllers.is_empty() } else { controllers.iter().any(|name| name == wanted) }
            });
            found.map(|(_, path)| path.as_str())
        };
        has(controller).or_else(|| has(""))
    }
}

/// A path up to and including the part that names the container: what is below it is the container's own affair.
pub(super) fn own_part<'a>(path: &'a str, id: &str) -> Option<&'a str> {
    let named = path.rfind(id)?;
    let end = path.get(named..)?.find('/').map_or(path.len(), |slash| named + slash);
    path.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1dfc904e11d5176e412fb49f7471294c5a065204a97cc0aab1e8ad19c009fc21";

    #[test]
    fn every_drivers_path_ends_at_the_part_that_names_the_container() {
        for (path, own) in [
            (format!("/docker/{ID}"), format!("/docker/{ID}")),
            (format!("/system.slice/docker-{ID}.scope"), format!("/system.slice/docker-{ID}.scope")),
            (format!("/machine.slice/libpod-{ID}.scope/container"), format!("/machine.slice/libpod-{ID}.scope")),
            (format!("/../{ID}"), format!("/../{ID}")),
            (format!("/docker/outer/docker/{ID}/init"), format!("/docker/outer/docker/{ID}")),
        ] {
            assert_eq!(own_part(&path, ID), Some(own.as_str()));
        }
        assert_eq!(own_part("/user.slice", ID), None);
        assert!(!CgroupPaths::parse("0::/docker/abc\n").mention("abc"), "too short an id names nobody");
    }
}
