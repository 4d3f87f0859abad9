//! The `VOLUME`s of an image, judged: each becomes a mount in the session, at a place of the image's choosing.

use super::plan::{CACHE, SUPERVISOR_DIR};
use crate::failure::{Code, Failure, Result};
use crate::units::sanitise;

/// Where an image may not have a volume, at or below: what the plan or the engine mounts there, and programs, which a
/// read-only root file system is to keep as they are.
const NOT_BELOW: [&str; 14] =
    ["/palisade", "/cache", "/run", "/tmp", "/proc", "/sys", "/dev", "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/boot"];
/// Every session has a mount of its own here, which takes the place of an image's at the very same path.
const HAVE_OURS: [&str; 3] = [CACHE, "/run", "/tmp"];

/// The targets in their plain form, sorted, each once; an image with one that cannot be is refused.
pub(super) fn judge(image: &str, volumes: &[String]) -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for volume in volumes {
        let target = plain(volume);
        if HAVE_OURS.contains(&target.as_str()) {
            continue;
        }
        if let Some(why) = refusal(volume, &target) {
            return Err(Failure::new(Code::Refused, format!("the image '{}' has a volume where there can be none", sanitise(image)))
                .detail(format!("'VOLUME' {}: {why}", sanitise(volume)))
                .hint("use an image without it: a volume cannot be taken back in an image that is built on this one"));
        }
        targets.push(target);
    }
    targets.sort();
    targets.dedup();
    Ok(targets)
}

fn refusal(volume: &str, target: &str) -> Option<String> {
    if !volume.starts_with('/') || target == "/" || volume.contains('\0') {
        return Some("it is not an absolute path below /".to_owned());
    }
    if let Some(taken) = NOT_BELOW.iter().find(|taken| target == **taken || target.starts_with(&format!("{taken}/"))) {
        return Some(format!("{taken} is not the image's to mount on"));
    }
    // Mounted by depth: nothing may come after the supervisor.
    let depth = |path: &str| path.matches('/').count();
    (depth(target) >= depth(SUPERVISOR_DIR))
        .then(|| format!("it is {} folders deep, at most {} can be", depth(target), depth(SUPERVISOR_DIR) - 1))
}

/// Without `.`, `..`, doubled and trailing slashes, as an engine cleans it.
fn plain(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(volumes: &[&str]) -> Result<Vec<String>> {
        judge("image", &volumes.iter().map(|volume| (*volume).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn one_place_in_several_spellings_is_one_volume() {
        assert_eq!(
            judged(&["/data/", "/data", "/x/../data", "/var/lib/db", "/tmp", "/run/", "/cache", "/./cache/"]).unwrap(),
            ["/data", "/var/lib/db"]
        );
    }

    #[test]
    fn what_would_cover_ours_or_the_systems_is_refused_however_it_is_written() {
        for volume in [
            "/palisade",
            "/palisade/",
            "/tmp/../palisade/0",
            "/home/sandbox/../../palisade",
            "/run/secrets",
            "/run/palisade",
            "/cache/pip",
            "/tmp/x",
            "/usr",
            "/usr/local/bin",
            "/dev",
            "/proc/1",
            "relative",
            "/",
            "",
            "/a/b/c/d/e/f/g",
        ] {
            let failure = judged(&[volume]).unwrap_err();
            assert!(failure.code == Code::Refused && failure.to_string().contains("VOLUME"), "{volume}: {failure}");
        }
    }
}
