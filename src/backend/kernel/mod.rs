//! What the kernel shows of a container: from the host's `/proc` and cgroup files, or through a probe of ours.
