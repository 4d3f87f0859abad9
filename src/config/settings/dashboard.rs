/// How the dashboard looks and listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DashboardSettings {
    /// Its theme by name.
    pub theme: String,
    /// Whether it takes the mouse.
    pub mouse: bool,
}
