/// What beside its own screen a session may touch of the operator's terminal, by its profile. Nothing unless the operator said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    /// It may set the title.
    pub title: bool,
    /// It may write to the clipboard (never read it).
    pub clipboard: bool,
}
