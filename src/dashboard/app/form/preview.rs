//! The plan of what is typed: asked for, come, or refused; only the latest answer counts.

use super::field::Field;
use super::reading::own_words;
use crate::backend::Order;
use crate::dashboard::app::effect::Effect;
use crate::dashboard::app::row::Weight;
use crate::failure::Failure;
use crate::policy::plan::Plan;

/// What is known of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Preview {
    asked: Option<Asked>,
    /// The last plan, with the texts that it is of.
    plan: Option<(Vec<String>, Box<Plan>)>,
    /// Why the latest could not be had, likewise.
    failure: Option<(Vec<String>, Failure)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    number: u64,
    order: Box<Order>,
    texts: Vec<String>,
    answered: bool,
}

/// How the plan that is shown stands to what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is the plan of what is typed.
    Current,
    /// It is being worked out.
    Working,
    /// What is typed has none: a field must be mended first, or the plan was refused.
    Without,
}

impl Preview {
    /// Asks for the plan of an order, unless that is what was asked for last. `again` asks in any case.
    pub(super) fn ask(&mut self, order: &Order, texts: Vec<String>, again: bool, next: &mut u64) -> Option<Effect> {
        if let Some(asked) = self.asked.as_mut().filter(|asked| !again && *asked.order == *order) {
            // The same order in other letters.
            if asked.answered {
                match (&mut self.failure, &mut self.plan) {
                    (Some((of, _)), _) | (None, Some((of, _))) => of.clone_from(&texts),
                    (None, None) => {}
                }
            }
            asked.texts = texts;
            return None;
        }
        let number = *next;
        *next += 1;
        self.asked = Some(Asked { number, order: Box::new(order.clone()), texts, answered: false });
        Some(Effect::Preview(number, Box::new(order.clone())))
    }

    /// An answer came.
    pub(super) fn came(&mut self, number: u64, result: Result<Box<Plan>, Failure>) {
        let Some(asked) = self.asked.as_mut().filter(|asked| asked.number == number) else { return };
        asked.answered = true;
        match result {
            Ok(plan) => (self.plan, self.failure) = (Some((asked.texts.clone(), plan)), None),
            Err(failure) => self.failure = Some((asked.texts.clone(), failure)),
        }
    }

    /// The last plan, with the texts that it is of.
    pub(super) fn plan(&self) -> Option<(&[String], &Plan)> {
        self.plan.as_ref().map(|(texts, plan)| (texts.as_slice(), plan.as_ref()))
    }

    /// Why the latest could not be had.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref().map(|(_, failure)| failure)
    }

    /// Whether what is typed now was refused.
    pub(super) fn is_refused(&self, texts: &[String]) -> bool {
        self.failure.as_ref().is_some_and(|(of, _)| of == texts)
    }

    /// How the plan stands to what is typed; `order` is `None` where a field must be mended.
    pub(super) fn standing(&self, order: Option<&Order>) -> Standing {
        match (&self.asked, order) {
            (Some(asked), Some(order)) if *asked.order == *order => match (asked.answered, &self.failure) {
                (false, _) => Standing::Working,
                (true, None) => Standing::Current,
                (true, Some(_)) => Standing::Without,
            },
            _ => Standing::Without,
        }
    }

    /// What the engine's side said of this field, until the field is another.
    pub(super) fn error(&self, field: Field, text: &str) -> Option<String> {
        let (texts, failure) = self.failure.as_ref()?;
        if texts.get(field.place()).is_none_or(|of| of != text) {
            return None;
        }
        failure.details.iter().filter_map(|detail| beside(failure, detail)).find(|(named, _)| *named == field).map(|(_, why)| why)
    }

    /// What of the failure no field is named in: its sentence and particulars, where there are any, and the way out.
    pub(super) fn alert(&self) -> Vec<(Weight, String)> {
        let Some(failure) = self.failure() else { return Vec::new() };
        let elsewhere: Vec<&String> = failure.details.iter().filter(|detail| beside(failure, detail).is_none()).collect();
        let mut lines = Vec::new();
        if !elsewhere.is_empty() || failure.details.is_empty() {
            lines.push((Weight::Danger, failure.message.clone()));
            lines.extend(elsewhere.into_iter().map(|detail| (Weight::Danger, detail.clone())));
        }
        lines.extend(failure.hint.iter().map(|hint| (Weight::Plain, format!("hint: {hint}"))));
        lines
    }
}

/// The field that a particular is about, with what is to be said beside it. A value in a file is no field's fault.
fn beside(failure: &Failure, detail: &str) -> Option<(Field, String)> {
    let (named, rest) = detail.strip_prefix('\'')?.split_once('\'')?;
    if named.starts_with("--") {
        let rest = rest.trim_start_matches([':', ' ']);
        let why = if rest.is_empty() { failure.message.clone() } else { rest.to_owned() };
        return Field::of_flag(named).map(|field| (field, why));
    }
    let field = Field::of_key(named)?;
    let own = own_words(field, detail);
    if own != detail {
        return Some((field, own.to_owned()));
    }
    if rest == " on the command line" {
        return Some((field, failure.message.clone()));
    }
    let of_a_file = rest.starts_with(" in ");
    (!of_a_file).then(|| (field, format!("{}: {}", failure.message, rest.trim_start_matches([':', ' ']))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Code;

    fn named(message: &str, detail: &str) -> Option<(Field, String)> {
        beside(&Failure::new(Code::Refused, message), detail)
    }

    #[test]
    fn a_particular_that_names_a_field_stands_beside_it() {
        for (message, detail, field, why) in [
            ("m", "'--workspace' /etc: it is the system's", Field::Workspace, "/etc: it is the system's"),
            ("m", "'--env': 'A-B' is not a variable's name", Field::Env, "'A-B' is not a variable's name"),
            ("too long", "'--secret'", Field::Secrets, "too long"),
            ("m", "'memory' in the command line: 8 MiB (takes more)", Field::Memory, "8 MiB (takes more)"),
            ("taken by the depot", "'name' on the command line", Field::Name, "taken by the depot"),
            ("no command", "'image' x has none", Field::Image, "no command: x has none"),
        ] {
            assert_eq!(named(message, detail), Some((field, why.to_owned())), "{detail}");
        }
    }

    #[test]
    fn a_particular_of_a_file_or_of_nothing_here_stands_at_the_bottom() {
        for detail in ["'memory' in .palisade.toml: 8 GiB (above 4 GiB)", "'base' in x: y", "'VOLUME' /x: no", "memory", "''"] {
            assert_eq!(named("m", detail), None, "{detail}");
        }
    }
}
