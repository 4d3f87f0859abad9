//! Colours by meaning. A theme says how each role looks; nothing else names a colour.

mod builtin;
mod look;

use std::collections::BTreeMap;

use ratatui::style::{Color, Style};
use serde::Deserialize;

use crate::config::toml_file;
use crate::failure::{Code, Failure, Result};
use crate::units::sanitise;

/// What a piece of the screen means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the meanings")]
pub enum Role {
    Text,
    Muted,
    Strong,
    Title,
    Border,
    BorderFocused,
    Selected,
    Marked,
    Header,
    Good,
    Warning,
    Danger,
    Info,
    Key,
    Button,
    Input,
    Error,
    Match,
    Chart,
    Bar,
}

impl Role {
    /// Every role with its key in a theme's file.
    pub const ALL: [(Self, &'static str); 20] = [
        (Self::Text, "text"),
        (Self::Muted, "muted"),
        (Self::Strong, "strong"),
        (Self::Title, "title"),
        (Self::Border, "border"),
        (Self::BorderFocused, "border_focused"),
        (Self::Selected, "selected"),
        (Self::Marked, "marked"),
        (Self::Header, "header"),
        (Self::Good, "good"),
        (Self::Warning, "warning"),
        (Self::Danger, "danger"),
        (Self::Info, "info"),
        (Self::Key, "key"),
        (Self::Button, "button"),
        (Self::Input, "input"),
        (Self::Error, "error"),
        (Self::Match, "match"),
        (Self::Chart, "chart"),
        (Self::Bar, "bar"),
    ];
}

const LOOK: &str = "a look such as \"fg=red bg=#101418 bold\"";

/// Every key of a theme's file with what it takes.
const KEYS: [toml_file::Key; 22] = [
    ("extends", "the name of a theme that comes with the program: terminal, dark, light, high-contrast or plain"),
    ("colours", "a table of names with colours, such as { accent = \"#7aa2f7\" }"),
    ("looks.text", LOOK),
    ("looks.muted", LOOK),
    ("looks.strong", LOOK),
    ("looks.title", LOOK),
    ("looks.border", LOOK),
    ("looks.border_focused", LOOK),
    ("looks.selected", LOOK),
    ("looks.marked", LOOK),
    ("looks.header", LOOK),
    ("looks.good", LOOK),
    ("looks.warning", LOOK),
    ("looks.danger", LOOK),
    ("looks.info", LOOK),
    ("looks.key", LOOK),
    ("looks.button", LOOK),
    ("looks.input", LOOK),
    ("looks.error", LOOK),
    ("looks.match", LOOK),
    ("looks.chart", LOOK),
    ("looks.bar", LOOK),
];

/// A theme's file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    extends: Option<String>,
    colours: BTreeMap<String, String>,
    looks: BTreeMap<String, String>,
}

/// How each role looks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Theme {
    /// `dark`, `light`, ….
    pub name: String,
    /// Looks by role; a role that is absent has the terminal's own.
    pub styles: BTreeMap<Role, Style>,
}

impl Theme {
    /// The look of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(&role).copied().unwrap_or_default()
    }

    /// Reads a theme's file. `origin` is how the file is called in errors.
    pub fn from_toml(name: &str, text: &str, origin: &str) -> Result<Self> {
        let written: Written = toml_file::parse(text, origin, &KEYS)?;
        let wrong = |key: &str, value: &str, why: String| {
            Failure::new(Code::InvalidConfig, format!("the theme '{}' cannot be read", sanitise(name)))
                .detail(format!("'{key}' in {origin}: '{}'", sanitise(value)))
                .hint(why)
        };
        let mut colours: BTreeMap<&str, Color> = BTreeMap::new();
        for (name, value) in &written.colours {
            let colour = look::colour(value, &BTreeMap::new()).map_err(|why| wrong(&format!("colours.{}", sanitise(name)), value, why))?;
            colours.insert(name, colour);
        }
        let mut styles = match &written.extends {
            None => BTreeMap::new(),
            Some(base) => match builtin::named(base)? {
                Some(theme) => theme.styles,
                None => return Err(wrong("extends", base, format!("a theme extends one of {}", builtin::NAMES.join(", ")))),
            },
        };
        for (role, key) in Role::ALL {
            if let Some(value) = written.looks.get(key) {
                styles.insert(role, look::look(value, &colours).map_err(|why| wrong(&format!("looks.{key}"), value, why))?);
            }
        }
        Ok(Self { name: name.to_owned(), styles })
    }

    /// The themes that come with the program, `terminal` first.
    pub fn builtin() -> Result<Vec<Self>> {
        builtin::NAMES.into_iter().filter_map(|name| builtin::named(name).transpose()).collect()
    }

    /// The one without a colour, for `NO_COLOR`.
    pub fn plain() -> Result<Self> {
        Ok(builtin::named(builtin::PLAIN)?.unwrap_or_default())
    }
}

/// The operator's own files over the themes that come with the program: one of the same name takes its place. A file
/// that cannot be read as a theme is told and left out. With `no_colour` there is but the one without any.
pub fn gather(own: &[(String, String, String)], no_colour: bool) -> Result<(Vec<Theme>, Vec<Failure>)> {
    if no_colour {
        return Ok((vec![Theme::plain()?], Vec::new()));
    }
    let (mut themes, mut faults) = (Theme::builtin()?, Vec::new());
    for (name, text, origin) in own {
        match Theme::from_toml(name, text, origin) {
            Ok(theme) => match themes.iter_mut().find(|known| known.name == *name) {
                Some(known) => *known = theme,
                None => themes.push(theme),
            },
            Err(failure) => faults.push(failure),
        }
    }
    Ok((themes, faults))
}

/// Puts the theme of that name first, where the dashboard takes it from.
pub fn choose(mut themes: Vec<Theme>, name: &str) -> Result<Vec<Theme>> {
    // Without colours there is no choice, whatever is configured.
    if let [_] = themes.as_slice() {
        return Ok(themes);
    }
    let Some(at) = themes.iter().position(|theme| theme.name == name) else {
        let known: Vec<&str> = themes.iter().map(|theme| theme.name.as_str()).collect();
        return Err(Failure::new(Code::InvalidConfig, format!("there is no theme called '{}'", sanitise(name)))
            .detail("'dashboard.theme' in config.toml")
            .hint(format!("themes are {}; your own stand in the folder 'themes' beside config.toml", known.join(", "))));
    };
    themes[..=at].rotate_right(1);
    Ok(themes)
}

#[cfg(test)]
mod tests {
    use ratatui::style::Modifier;

    use super::*;

    #[test]
    fn a_theme_of_ones_own_says_what_differs() {
        let text = "extends = 'dark'\n[colours]\naccent = '#7aa2f7'\n[looks]\ntitle = 'fg=accent bold'\nselected = 'reverse'";
        let theme = Theme::from_toml("mine", text, "mine.toml").unwrap();
        assert_eq!(theme.style(Role::Title).fg, Some(Color::Rgb(0x7a, 0xa2, 0xf7)));
        assert!(theme.style(Role::Selected).add_modifier.contains(Modifier::REVERSED));
        let dark = builtin::named("dark").unwrap().unwrap();
        assert_eq!(theme.style(Role::Danger), dark.style(Role::Danger));
    }

    #[test]
    fn a_wrong_theme_says_field_value_and_way_out() {
        for (text, detail, hint) in [
            ("[looks]\ndangr = 'bold'", "'looks.dangr' in mine.toml, line 2", "did you mean 'looks.danger'?"),
            ("[looks]\ndanger = 'fg=rde'", "'looks.danger' in mine.toml: 'fg=rde'", "a colour is"),
            ("[looks]\ndanger = 'loud'", "'looks.danger' in mine.toml: 'loud'", "a look is"),
            ("[looks]\ndanger = 5", "'looks.danger' in mine.toml, line 2", "'looks.danger' takes a look"),
            ("[colours]\naccent = '#12'", "'colours.accent' in mine.toml: '#12'", "a colour is"),
            ("extends = 'drak'", "'extends' in mine.toml: 'drak'", "extends one of terminal, dark"),
        ] {
            let failure = Theme::from_toml("mine", text, "mine.toml").unwrap_err();
            assert!(failure.details.iter().any(|line| line.contains(detail)), "{failure}");
            assert!(failure.hint.as_ref().is_some_and(|told| told.contains(hint)), "{failure}");
        }
    }

    #[test]
    fn every_role_has_its_key_once() {
        for (at, (role, key)) in Role::ALL.into_iter().enumerate() {
            assert_eq!(role as usize, at);
            assert_eq!(KEYS[at + 2].0, format!("looks.{key}"));
        }
    }

    #[test]
    fn ones_own_takes_the_place_of_a_builtin_and_a_broken_one_is_told() {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned(), format!("{name}.toml"));
        let own = [file("dark", "[looks]\ntext = 'bold'"), file("mine", ""), file("bad", "[looks]\ntext = 'x'")];
        let (themes, faults) = gather(&own, false).unwrap();
        assert_eq!(
            themes.iter().map(|theme| theme.name.as_str()).collect::<Vec<_>>(),
            ["terminal", "dark", "light", "high-contrast", "plain", "mine"]
        );
        assert!(themes[1].styles.len() == 1 && faults.len() == 1);
        assert_eq!(choose(themes.clone(), "light").unwrap()[0].name, "light");
        assert!(choose(themes, "lihgt").unwrap_err().to_string().contains("no theme called 'lihgt'"));
        let (themes, _) = gather(&own, true).unwrap();
        assert_eq!(choose(themes, "dark").unwrap()[0].name, "plain");
    }
}
