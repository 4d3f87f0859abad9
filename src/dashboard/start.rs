//! The state at the start, from what this machine says: settings, themes, profiles, locale.

use std::sync::Arc;

use jiff::Timestamp;

use super::app::form::Ground;
use super::app::keymap::Keymap;
use super::app::state::{Kept, State};
use super::theme;
use crate::backend::Backend;
use crate::config::{Environment, profiles, themes};
use crate::failure::Result;

/// Keys, themes and the ground of the form. `host` is the engine's address where the command line names one.
pub fn state(backend: &Backend, host: Option<&str>, now: Timestamp, kept: Kept) -> Result<State> {
    let (settings, paths, environment) = (backend.settings(), backend.paths(), backend.environment());
    let keymap = Keymap::new(&settings.keys)?;
    let no_colour = environment.var("NO_COLOR").is_some();
    let (themes, faults) = theme::gather(&themes::texts(paths)?, no_colour)?;
    let themes = theme::choose(themes, &settings.dashboard.theme)?;
    let program = host.map_or_else(Vec::new, |host| ["palisade", "--host", host].map(str::to_owned).to_vec());
    let ground = Ground {
        profiles: profiles::list(paths, settings)?,
        default_profile: settings.profile.clone(),
        folder: environment.cwd.display().to_string(),
        program,
    };
    let mut state = State::new(now, keymap, themes.into_iter().map(Arc::new).collect(), ground, kept);
    state.ascii = !is_utf8(environment);
    for fault in faults {
        state.notices.fail(now, &fault);
    }
    Ok(state)
}

/// Whether the locale's characters are UTF-8, as the C library decides it. Without any locale most terminals of today are.
fn is_utf8(environment: &Environment) -> bool {
    let Some(locale) = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| environment.var(name)) else { return true };
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn box_drawing_needs_a_locale_that_has_it() {
        let with = |variables: &[(&str, &str)]| {
            let vars = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            is_utf8(&Environment { vars, ..Environment::default() })
        };
        assert!(with(&[]) && with(&[("LANG", "C.UTF-8")]) && with(&[("LANG", "C"), ("LC_ALL", "en_GB.utf8")]));
        assert!(!with(&[("LANG", "C")]) && !with(&[("LANG", "en_GB.UTF-8"), ("LC_ALL", "POSIX")]));
    }
}
