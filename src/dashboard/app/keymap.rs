//! Which key asks for what.

use std::collections::BTreeMap;

use super::action::{Action, Scope, Topic};
use super::key::Key;
use crate::failure::{Code, Failure, Result};
use crate::units::sanitise;

/// Stands in the help before keys that are pressed after the prefix.
const PREFIXED: &str = "+";

/// Which key asks for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    actions: BTreeMap<(Scope, Key), Action>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { actions: Action::all().flat_map(|action| action.default_keys().map(move |key| ((action.scope(), key), action))).collect() }
    }
}

impl Keymap {
    /// The defaults with an operator's `[keys]` over them: an action named there has the keys given there and no
    /// others, and a key given there is taken from whatever had it by default.
    pub fn new(configured: &BTreeMap<String, Vec<String>>) -> Result<Self> {
        let mut own: BTreeMap<(Scope, Key), Action> = BTreeMap::new();
        let mut named = Vec::new();
        for (name, keys) in configured {
            let action = Action::named(name).ok_or_else(|| unknown(name))?;
            named.push(action);
            for text in keys {
                let key: Key = text.parse().map_err(|why| fault(name, text, why))?;
                if let Some(other) = own.insert((action.scope(), key), action).filter(|other| *other != action) {
                    return Err(fault(name, text, format!("it is bound to {} too; a key asks for one thing", other.name())));
                }
            }
        }
        let Self { mut actions } = Self::default();
        actions.retain(|key, action| !named.contains(action) && !own.contains_key(key));
        actions.append(&mut own);
        let map = Self { actions };
        if map.keys(Action::Quit).next().is_none() {
            return Err(Failure::new(Code::InvalidConfig, "no key is left that quits the dashboard")
                .detail("'keys.quit' in config.toml")
                .hint("give it one: quit = [\"q\"]"));
        }
        if map.keys(Action::TerminalPrefix).next().is_none() {
            return Err(Failure::new(Code::InvalidConfig, "no key is left that leads out of a terminal")
                .detail("'keys.terminal_prefix' in config.toml")
                .hint("give it one: terminal_prefix = [\"ctrl-]\"]"));
        }
        Ok(map)
    }

    /// What a key asks for in the dashboard. Where nothing is bound to it with Shift, it is what it is without.
    pub fn action(&self, key: Key) -> Option<Action> {
        self.action_in(Scope::Dashboard, key).or_else(|| self.action_in(Scope::Dashboard, Key { shift: false, ..key }))
    }

    /// What a key asks for there.
    pub fn action_in(&self, scope: Scope, key: Key) -> Option<Action> {
        self.actions.get(&(scope, key)).copied()
    }

    /// The keys that ask for it, those without a modifier first.
    pub fn keys(&self, action: Action) -> impl Iterator<Item = Key> {
        let mut keys: Vec<Key> = self.actions.iter().filter(|(_, bound)| **bound == action).map(|((_, key), _)| *key).collect();
        let defaults: Vec<Key> = action.default_keys().collect();
        keys.sort_by_key(|key| (defaults.iter().position(|default| default == key).unwrap_or(usize::MAX), *key));
        keys.into_iter()
    }

    /// The first of its keys, for a button or a hint; `-` where it has none.
    pub fn shown(&self, action: Action) -> String {
        self.keys(action).next().map_or_else(|| "-".to_owned(), |key| key.to_string())
    }

    /// All of its keys, as the help has them; those after the prefix with a sign for it.
    pub fn listed(&self, action: Action) -> String {
        let before = if action.scope() == Scope::Prefixed { PREFIXED } else { "" };
        self.keys(action).map(|key| format!("{before}{key}")).collect::<Vec<_>>().join(" ")
    }

    /// The help, made from the map itself: for each topic its actions with their keys and what they do.
    pub fn help(&self) -> Vec<(Topic, Vec<(String, Action)>)> {
        let line = |action: Action| (self.listed(action), action);
        let of = |topic| Action::all().filter(move |action| action.topic() == topic).map(line).collect();
        Topic::ALL.into_iter().map(|topic| (topic, of(topic))).collect()
    }
}

fn unknown(name: &str) -> Failure {
    let known: Vec<&str> = Action::all().map(Action::name).collect();
    Failure::new(Code::InvalidConfig, format!("the dashboard has no action called '{}'", sanitise(name)))
        .detail(format!("'keys.{}' in config.toml", sanitise(name)))
        .hint(format!("actions are {}", known.join(", ")))
}

fn fault(name: &str, key: &str, why: String) -> Failure {
    Failure::new(Code::InvalidConfig, format!("the key '{}' cannot be bound", sanitise(key)))
        .detail(format!("'keys.{name}' in config.toml"))
        .hint(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(entries: &[(&str, &[&str])]) -> Result<Keymap> {
        Keymap::new(&entries.iter().map(|(name, keys)| ((*name).to_owned(), keys.iter().map(|key| (*key).to_owned()).collect())).collect())
    }

    #[test]
    fn no_default_key_asks_for_two_things() {
        let all = Action::all().flat_map(Action::default_keys).count();
        assert_eq!(Keymap::default().actions.len(), all);
    }

    #[test]
    fn a_configured_action_has_its_own_keys_and_takes_them_from_others() {
        let map = configured(&[("remove", &["x"]), ("launch", &["ctrl-n", "f2"])]).unwrap();
        assert_eq!(map.action(Key::char('x')), Some(Action::Remove));
        assert_eq!(map.action(Key::char('d')), None);
        assert_eq!(map.action(Key::char('n')), None);
        assert_eq!(map.action(Key::ctrl('n')), Some(Action::Launch));
        assert_eq!(map.shown(Action::Exec), "-");
        assert_eq!(map.shown(Action::Up), "k");
    }

    #[test]
    fn what_follows_the_prefix_takes_no_key_from_the_list() {
        let map = configured(&[("terminal_next", &["d"]), ("terminal_prefix", &["f12"])]).unwrap();
        assert_eq!(map.action(Key::char('d')), Some(Action::Remove));
        assert_eq!(map.action_in(Scope::Prefixed, Key::char('d')), Some(Action::TerminalNext));
        assert_eq!(map.listed(Action::TerminalLeave), "+x");
        assert_eq!(map.action_in(Scope::Terminal, "f12".parse().unwrap()), Some(Action::TerminalPrefix));
        assert_eq!(map.action("shift-up".parse().unwrap()), Some(Action::Up));
    }

    #[test]
    fn what_cannot_be_bound_says_field_value_and_way_out() {
        for (entries, message) in [
            (vec![("lunch", &["n"] as &[&str])], "no action called 'lunch'"),
            (vec![("launch", &["hyper-x"])], "'hyper-x' cannot be bound"),
            (vec![("launch", &["m"]), ("mark", &["m"])], "'m' cannot be bound"),
            (vec![("quit", &[])], "no key is left"),
            (vec![("terminal_prefix", &[])], "no key is left"),
        ] {
            let failure = configured(&entries).unwrap_err();
            assert!(failure.message.contains(message) && failure.hint.is_some() && !failure.details.is_empty(), "{failure}");
        }
    }

    #[test]
    fn the_help_names_every_action_once() {
        let help = Keymap::default().help();
        assert_eq!(help.iter().map(|(_, lines)| lines.len()).sum::<usize>(), Action::all().count());
        assert!(help.iter().all(|(_, lines)| lines.iter().all(|(keys, _)| !keys.is_empty())));
    }
}
