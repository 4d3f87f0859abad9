/// A machine's architecture in the engine's words, whether the kernel or an engine names it.
pub fn architecture(machine: &str) -> &str {
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Of the machine that this program is built for.
pub fn own_architecture() -> &'static str {
    architecture(std::env::consts::ARCH)
}
