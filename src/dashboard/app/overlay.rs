//! What stands over the panes.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::action::Action;
use super::ask::{Ask, Confirm};
use super::input::Input;

/// What stands over list and detail, and takes the keys.
#[derive(Debug)]
pub enum Overlay {
    /// The help, scrolled by so many lines.
    Help(usize),
    /// What happened, scrolled by so many lines.
    Notices(usize),
    /// Every action, by name.
    Palette(Palette),
    /// A line that is asked for.
    Ask(Ask),
    /// A question.
    Confirm(Confirm),
    /// The launch form.
    Form(Box<super::form::Form>),
}

/// Every action, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Palette {
    /// What is typed.
    pub input: Input,
    /// Which of the matches is selected.
    pub selected: usize,
}

impl Palette {
    /// The first match that is shown on so many lines: the selected one is among them.
    pub fn first(&self, lines: usize) -> usize {
        (self.selected + 1).saturating_sub(lines)
    }

    /// The actions that what is typed stands for, the best first; all of them where nothing is typed.
    pub fn matches(&self) -> Vec<Action> {
        let text = self.input.text();
        if text.trim().is_empty() {
            return Action::all().collect();
        }
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(&text.replace('_', " "), CaseMatching::Ignore, Normalization::Smart);
        let mut room = Vec::new();
        let mut score = |text: &str| pattern.score(Utf32Str::new(text, &mut room), &mut matcher);
        let mut scored: Vec<(bool, u32, Action)> = Action::all()
            .filter_map(|action| {
                // What is in the name comes before what is in its explanation.
                let name = action.name().replace('_', " ");
                let named = score(&name).map(|score| (true, score, action));
                named.or_else(|| score(&format!("{name} {}", action.help())).map(|score| (false, score, action)))
            })
            .collect();
        scored.sort_by_key(|(named, score, action)| (std::cmp::Reverse((*named, *score)), *action));
        scored.into_iter().map(|(_, _, action)| action).collect()
    }
}
