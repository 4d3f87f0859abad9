//! The themes that come with the program.

use super::Theme;
use crate::failure::Result;

/// The one without a colour.
pub(super) const PLAIN: &str = "plain";

/// Their names, the default first.
pub(super) const NAMES: [&str; 5] = ["terminal", "dark", "light", "high-contrast", PLAIN];

/// One of them.
pub(super) fn named(name: &str) -> Result<Option<Theme>> {
    let text = match name {
        "terminal" => include_str!("../../../assets/themes/terminal.toml"),
        "dark" => include_str!("../../../assets/themes/dark.toml"),
        "light" => include_str!("../../../assets/themes/light.toml"),
        "high-contrast" => include_str!("../../../assets/themes/high-contrast.toml"),
        PLAIN => include_str!("../../../assets/themes/plain.toml"),
        _ => return Ok(None),
    };
    Theme::from_toml(name, text, &format!("assets/themes/{name}.toml")).map(Some)
}

#[cfg(test)]
mod tests {
    use ratatui::style::{Color, Style};

    use super::*;
    use crate::dashboard::theme::Role;

    fn is_told(theme: &Theme, role: Role) -> bool {
        theme.style(role) != Style::default() && theme.style(role) != theme.style(Role::Text)
    }

    #[test]
    fn every_one_reads_and_tells_what_matters_apart() {
        for name in NAMES {
            let theme = named(name).unwrap().unwrap();
            for role in [Role::Selected, Role::Danger, Role::Match, Role::Key, Role::Title] {
                assert!(is_told(&theme, role), "{name}: {role:?}");
            }
            assert_ne!(theme.style(Role::Danger), theme.style(Role::Good), "{name}");
        }
    }

    #[test]
    fn the_plain_one_has_no_colour_and_the_terminals_has_no_background_of_its_own() {
        let plain = named(PLAIN).unwrap().unwrap();
        assert!(plain.styles.values().all(|style| style.fg.is_none() && style.bg.is_none()));
        let terminal = named("terminal").unwrap().unwrap();
        assert!(terminal.style(Role::Text).bg.is_none());
        assert!(terminal.styles.values().all(|style| !matches!(style.fg, Some(Color::Rgb(..) | Color::Indexed(_)))));
    }
}
