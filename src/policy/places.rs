//! Places of a host that no session may be given: system folders, and folders that hold keys or engine sockets.

use std::path::{Component, Path};

/// Folders that belong to the system with everything in them.
const SYSTEM: [&str; 30] = [
    "/bin",
    "/boot",
    "/dev",
    "/efi",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/lost+found",
    "/proc",
    "/run",
    "/sbin",
    "/snap",
    "/sys",
    "/usr",
    "/var/adm",
    "/var/backups",
    "/var/cache",
    "/var/db",
    "/var/lib",
    "/var/lock",
    "/var/log",
    "/var/mail",
    "/var/run",
    "/var/snap",
    "/var/spool",
    "/nix",
    "/gnu/store",
    "/ostree",
];

/// Folders that are everybody's: a folder inside may be one project's, they themselves are not.
const SHARED: [&str; 9] = ["/", "/home", "/media", "/opt", "/root", "/tmp", "/users", "/Users", "/var"];

/// Folders and files that hold keys, tokens or an engine, by their path under a home folder. Any path that
/// ends in, or passes through, one of them is out; so is a folder that has one directly in it.
const SENSITIVE: [&str; 48] = [
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".minikube",
    ".oci",
    ".gcloud",
    ".config/gcloud",
    ".config/gh",
    ".config/op",
    ".config/sops",
    ".config/containers",
    ".config/doctl",
    ".config/rclone",
    ".config/hcloud",
    ".config/google-chrome",
    ".config/chromium",
    ".config/BraveSoftware",
    ".config/palisade",
    ".local/share/containers",
    ".local/share/docker",
    ".local/share/keyrings",
    ".password-store",
    ".pki",
    ".terraform.d",
    ".vault-token",
    ".mozilla",
    ".thunderbird",
    ".bitcoin",
    ".ethereum",
    ".electrum",
    ".netrc",
    ".git-credentials",
    ".pgpass",
    ".my.cnf",
    ".s3cfg",
    ".boto",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "docker.sock",
    "podman.sock",
    "containerd.sock",
    "crio.sock",
    "buildkitd.sock",
];

/// The system folder that this path is, lies in, or holds.
pub(super) fn system_folder(path: &Path) -> Option<&'static str> {
    SYSTEM.into_iter().find(|system| path.starts_with(system) || Path::new(system).starts_with(path))
}

/// Whether this path is a folder that everybody shares.
pub(super) fn is_shared(path: &Path) -> bool {
    SHARED.iter().any(|shared| path == Path::new(shared))
}

/// The sensitive place that this path is or passes through.
pub(super) fn sensitive_in(path: &Path) -> Option<&'static str> {
    let names: Vec<_> = path.components().filter(|component| matches!(component, Component::Normal(_))).collect();
    SENSITIVE.into_iter().find(|place| {
        let place: Vec<_> = Path::new(place).components().collect();
        names.windows(place.len()).any(|window| window == place.as_slice())
    })
}

/// What to look for directly in a folder: where it stands itself decides nothing here, so `.config` finds
/// `gcloud` and a home finds `.config/gcloud`.
pub fn sensitive_entries() -> impl Iterator<Item = &'static str> {
    let tails = |place: &'static str| place.match_indices('/').filter_map(move |(slash, _)| place.get(slash + 1..));
    SENSITIVE.into_iter().chain(SENSITIVE.into_iter().flat_map(tails))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensitive_place_is_found_anywhere_on_the_way_and_only_as_whole_names() {
        for path in ["/home/a/.ssh", "/srv/backup/.ssh/old", "/home/a/.config/gcloud/x", "/x/.local/share/keyrings"] {
            assert!(sensitive_in(Path::new(path)).is_some(), "{path}");
        }
        for path in ["/home/a/ssh", "/home/a/.sshx", "/home/a/.config/x/gcloud", "/home/a/.config/nvim", "/srv/docker"] {
            assert!(sensitive_in(Path::new(path)).is_none(), "{path}");
        }
    }
}
