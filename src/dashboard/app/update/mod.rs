//! The one function that changes the state: what happened in, what to do out.

mod act;
mod deeds;
mod detail;
mod drift;
mod engine;
mod keys;
mod mouse;
mod moving;
mod terminal;
#[cfg(test)]
mod tests;
mod work;

use super::effect::Effect;
use super::message::Message;
use super::overlay::Overlay;
use super::state::State;

pub use terminal::DETACH;

/// Takes what happened and says what to do about it.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let was_dirty = state.dirty;
    // A tick says for itself whether it changes anything.
    if !matches!(message, Message::Tick(_)) {
        state.dirty = true;
    }
    let is_quiet = terminal::is_quiet(state, &message);
    let effects = match message {
        Message::Tick(now) => {
            work::tick(state, now);
            Vec::new()
        }
        Message::Key(key) => keys::key(state, key),
        Message::Mouse(pointer) => mouse::mouse(state, &pointer),
        Message::Pasted(text) => keys::pasted(state, &text),
        Message::Resized(columns, lines) => resized(state, (columns, lines)),
        Message::Resumed => vec![Effect::Redraw, Effect::List],

        Message::Connected(facts) => engine::connected(state, facts),
        Message::Observed(survey) => engine::observed(state, survey),
        Message::Happened(event) => engine::happened(state, &event),
        Message::WatchEnded(failure) => engine::away(state, failure),
        Message::MeasuredAll(found) => engine::measured(state, found),
        Message::Compared(found) => drift::compared(state, found),
        Message::PlansChanged => drift::plans_changed(state),
        Message::UsageRead(read) => engine::usage(state, read),
        Message::CacheRead(summary) => engine::cache(state, summary),
        Message::Reaped(reaped) => engine::reaped(state, &reaped),
        Message::Rewired(id) => engine::rewired(state, &id),
        Message::DiskRead(taken) => engine::disk(state, taken),

        Message::FetchesRead(id, fetches) => detail::came(state, &id, |detail, now| detail.fetches.came(fetches, now)),
        Message::ProcessesRead(id, processes) => detail::came(state, &id, |detail, now| detail.processes.came(processes, now)),
        Message::FilesRead(id, files) => detail::came(state, &id, |detail, now| detail.files.came(files, now)),
        Message::LogBegan(id) => detail::came(state, &id, |detail, _| detail.log.clear()),
        Message::LogRead(id, lines) => detail::came(state, &id, |detail, _| lines.into_iter().for_each(|line| detail.log.push(line))),
        Message::LogEnded(id, failure) => detail::came(state, &id, |detail, _| {
            detail.log.ended = true;
            detail.log.failure = failure;
        }),

        Message::JobStepped(id, step, amount) => work::stepped(state, id, &step, amount),
        Message::JobWarned(id, text) => work::warned(state, id, &text),
        Message::JobEnded(id, result) => work::ended(state, id, result),
        Message::Previewed(number, plan) => {
            if let Some(Overlay::Form(form)) = &mut state.overlay {
                form.previewed(number, plan);
            }
            Vec::new()
        }
        Message::PathCompleted(number, paths) => match &mut state.overlay {
            Some(Overlay::Form(form)) => form.completed(number, paths, &mut state.next),
            _ => Vec::new(),
        },

        Message::PaneOpened(id, opened) => terminal::opened(state, id, opened),
        Message::PaneOffered(id, left) => terminal::offered(state, id, left),
        Message::PaneAnew(id, bytes) => terminal::anew(state, id, &bytes),
        Message::PanePrinted(id, bytes) => terminal::printed(state, id, &bytes),
        Message::PaneEnded(id, ended) => terminal::ended(state, id, ended),
        Message::FateTold(id, fate) => terminal::fate_told(state, id, fate),

        Message::Noticed(weight, text) => {
            state.notices.add(state.now, weight, text);
            Vec::new()
        }
        Message::Terminated => vec![Effect::Save, Effect::Quit],
    };
    let effects = settle(state, effects);
    if is_quiet && terminal::stays_quiet(state, &effects) {
        state.dirty = was_dirty;
    }
    effects
}

/// After every change: the selection is on the screen, and the detail is the selected session's.
fn settle(state: &mut State, mut effects: Vec<Effect>) -> Vec<Effect> {
    let height = usize::from(state.layout().rows.height);
    if height > 0 {
        state.list.scroll_into(height);
    }
    effects.extend(detail::follow_selection(state));
    effects.extend(terminal::fit(state));
    // Nothing is scrolled further than there is something: otherwise the way back would seem stuck.
    if state.detail.scroll > 0 {
        state.detail.scroll = state.detail.scroll.min(state.layout().furthest(state));
    }
    if let Some(Overlay::Help(1..) | Overlay::Notices(1..)) = state.overlay {
        let furthest = state.layout().furthest_over(state);
        if let Some(Overlay::Help(scroll) | Overlay::Notices(scroll)) = &mut state.overlay {
            *scroll = (*scroll).min(furthest);
        }
    }
    effects
}

fn resized(state: &mut State, size: (u16, u16)) -> Vec<Effect> {
    state.size = size;
    Vec::new()
}
