//! Whether a session is still what its plan said, and what its plan would be today. Pure: labels and facts in, differences out.
//!
//! ```text
//! the plan that it was made from ── drifted ──▶ the container as it is
//!               │
//!               └───────────────── outdated ──▶ today's plan for the same request
//! ```
//!
//! The posture asks whether a session is *strong enough*; this asks whether it is *the same*. A container that was narrowed behind
//! our back holds its posture, and has drifted all the same.

mod change;
mod live;
mod terms;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::units::Untrusted;

pub use change::{Change, Needs};
pub use live::drifted;
pub use terms::Terms;

/// How a session stands to its own plan and to today's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Standing {
    /// The live container against the plan that it was made from.
    pub drifted: Vec<Difference>,
    /// That plan against today's for the same request.
    pub outdated: Vec<Difference>,
    /// Its first process is another palisade than this one. No policy changed by that.
    pub another_palisade: bool,
    /// Why today's plan is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Untrusted>,
}

/// One field that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// A profile's key, or `name`, `networks`, `image_id`, ….
    pub field: String,
    /// In the plan that the session was made from.
    pub then: Untrusted,
    /// In the live container, or in today's plan.
    pub now: Untrusted,
    /// What it takes to make it as today's plan has it.
    pub needs: Needs,
}

impl Standing {
    /// From what is known of both sides. What today's plan wants and the container has already is no difference.
    pub fn new(made: &Terms, drifted: Vec<Difference>, today: Result<&Terms, Untrusted>) -> Self {
        let (today, unknown) = match today {
            Ok(today) => (today, None),
            Err(why) => (made, Some(why)),
        };
        let mut standing = Self { drifted, outdated: outdated(made, today), another_palisade: is_of_another(made, today), unknown };
        let settled =
            |a: &Difference, b: &Difference| a.field == b.field && a.now == b.now && a.needs == Needs::Live && b.needs == Needs::Live;
        let done: Vec<String> = standing
            .drifted
            .iter()
            .filter(|live| standing.outdated.iter().any(|wanted| settled(live, wanted)))
            .map(|live| live.field.clone())
            .collect();
        standing.drifted.retain(|difference| !done.contains(&difference.field));
        standing.outdated.retain(|difference| !done.contains(&difference.field));
        standing
    }

    /// Of one that does not say what it was made from.
    pub fn untold(why: &str) -> Self {
        Self { unknown: Some(why.into()), ..Self::default() }
    }

    /// `current`, or what holds of `drifted`, `outdated` and `unknown`.
    pub fn words(&self) -> Vec<&'static str> {
        let holds = [("drifted", !self.drifted.is_empty()), ("outdated", !self.outdated.is_empty()), ("unknown", self.unknown.is_some())];
        let words: Vec<_> = holds.into_iter().filter(|(_, holds)| *holds).map(|(word, _)| word).collect();
        if words.is_empty() { vec!["current"] } else { words }
    }

    /// Neither changed nor out of date, as far as can be told.
    pub fn is_current(&self) -> bool {
        self.drifted.is_empty() && self.outdated.is_empty()
    }
}

/// Today's plan against the one that a session was made from, field by field.
pub fn outdated(made: &Terms, today: &Terms) -> Vec<Difference> {
    let mut fields: Vec<&String> = made.0.keys().chain(today.0.keys()).collect();
    fields.sort_unstable();
    fields.dedup();
    let is_another = is_of_another(made, today);
    let differs = |field: &&String| {
        let (then, now) = (made.get(field), today.get(field));
        // A palisade that knows a field more or less has not changed what it does not know.
        let is_known_to_one = is_another && is_always_there(field) && (then.is_none() || now.is_none());
        then != now && *field != terms::SUPERVISOR && !is_known_to_one
    };
    fields
        .into_iter()
        .filter(differs)
        .map(|field| {
            let (then, now) = (made.get(field), today.get(field));
            let (mut then_shown, mut now_shown) = (terms::shown(field, then), terms::shown(field, now));
            if then_shown == now_shown {
                // Two sizes that round to one.
                then.unwrap_or_default().clone_into(&mut then_shown);
                now.unwrap_or_default().clone_into(&mut now_shown);
            }
            let needs = Needs::of_wanted(field, then, now);
            Difference { field: field.clone(), then: then_shown.into(), now: now_shown.into(), needs }
        })
        .collect()
}

fn is_of_another(made: &Terms, today: &Terms) -> bool {
    made.get(terms::SUPERVISOR) != today.get(terms::SUPERVISOR)
}

/// Whether every plan of one program has this field.
fn is_always_there(field: &str) -> bool {
    !field.starts_with(terms::ENV) && !["depot", "workspace", "workspace_folder", "image_volumes"].contains(&field)
}
