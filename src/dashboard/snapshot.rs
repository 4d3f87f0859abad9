//! Screens as files, for tests: what is drawn is compared with what was looked at once. Beside the view, which is pure.
#![expect(clippy::disallowed_methods, reason = "the snapshots are files beside the source")]

/// Holds a screen to the one in `view/snapshots`; with `BLESS=1` in the environment it becomes that.
pub(crate) fn compare(name: &str, shown: &str) {
    let file = format!("{}/src/dashboard/view/snapshots/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, shown).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(shown, kept, "{file}: look at it, then BLESS=1 writes it anew");
}
