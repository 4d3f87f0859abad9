//! Runtimes that bring a kernel of their own: the host's `/proc` shows that kernel's process, not the sandbox's.

/// Why the host's view of processes, mounts and interfaces says nothing about the session under this runtime.
pub(super) fn foreign_kernel(runtime: &str) -> Option<&'static str> {
    let name = runtime.to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if is(&["runsc", "gvisor"]) {
        return Some("gVisor runs the session on a kernel of its own, which the host's /proc does not show");
    }
    is(&["kata", "krun", "firecracker"])
        .then_some("the session runs in a virtual machine with a kernel of its own, which the host's /proc does not show")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_runtimes_with_a_kernel_of_their_own_are_foreign() {
        for runtime in ["runsc", "io.containerd.runsc.v1", "kata-runtime", "io.containerd.kata.v2", "gVisor", "krun"] {
            assert!(foreign_kernel(runtime).is_some(), "{runtime}");
        }
        for runtime in ["", "runc", "crun", "io.containerd.runc.v2", "nvidia", "youki"] {
            assert!(foreign_kernel(runtime).is_none(), "{runtime}");
        }
    }
}
