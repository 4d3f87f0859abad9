//! The two lines at the bottom: what was told or is under way, and the buttons.

use super::canvas::Canvas;
use crate::dashboard::app::State;
use crate::dashboard::app::action::Action;
use crate::dashboard::app::detail::Tab;
use crate::dashboard::app::input::Input;
use crate::dashboard::app::job::Job;
use crate::dashboard::app::layout::{Layout, label};
use crate::dashboard::app::link::Link;
use crate::dashboard::app::page::words::{share, weight_role};
use crate::dashboard::app::state::Focus;
use crate::dashboard::text;
use crate::dashboard::theme::Role;
use crate::units::percent;
use ratatui::layout::Rect;

/// Columns of the bar of what is done.
const BAR: u16 = 16;

/// Draws both.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    if layout.status.height > 0 {
        line(canvas, state, layout.status);
    }
    for (action, button) in &layout.buttons {
        canvas.paint(*button, Role::Button);
        let key = state.keymap.shown(*action);
        let used = canvas.put(button.x, button.y, button.width, &key, Role::Key);
        let words = label(state, *action);
        canvas.put(button.x + used, button.y, button.width.saturating_sub(used), words.strip_prefix(&key).unwrap_or(&words), Role::Button);
    }
}

fn line(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let log = &state.detail.log;
    if state.list.filtering {
        return typed(canvas, area, "filter: ", &state.list.filter, &format!("{} listed", shown(state)));
    }
    if log.searching && state.focus == Focus::Detail && state.detail.tab == Tab::Logs {
        return typed(canvas, area, "search: ", &log.search, "");
    }
    if let Some(notice) = state.notices.standing() {
        let role = weight_role(notice.weight);
        let mut used = canvas.put(area.x, area.y, area.width, &format!("{} {}", canvas.signs.weight(notice.weight), notice.text), role);
        let more = notice.hint.as_ref().map(|hint| format!("  {hint}"));
        if let Some(more) = more {
            used += canvas.put(area.x + used, area.y, area.width - used, &more, Role::Muted);
        }
        if !notice.details.is_empty() {
            let words = format!("  {} tells more", state.keymap.shown(Action::Notices));
            canvas.put(area.x + used, area.y, area.width - used, &words, Role::Muted);
        }
        return;
    }
    if let Some(job) = state.jobs.last() {
        return work(canvas, state, area, job);
    }
    if let Link::Away { failure, .. } = &state.link {
        let words = format!("{} {}; it is tried again by itself", canvas.signs.bad, failure.message);
        canvas.put(area.x, area.y, area.width, &words, Role::Warning);
    } else if !state.list.filter.text().is_empty() {
        let words = format!("filter: {}  ({} of {})", state.list.filter.text(), shown(state), state.list.rows.len());
        canvas.put(area.x, area.y, area.width, &words, Role::Info);
    } else if !state.list.marked.is_empty() {
        let words = format!("{} {} marked: actions apply to all of them", canvas.signs.mark, state.list.marked.len());
        canvas.put(area.x, area.y, area.width, &words, Role::Marked);
    } else if let Some(open) = Some(state.terminals.open.len()).filter(|open| *open > 0) {
        let noun = if open == 1 { "terminal is" } else { "terminals are" };
        let words = format!("{} {open} {noun} open; {} goes there", canvas.signs.terminal, state.keymap.shown(Action::Terminals));
        canvas.put(area.x, area.y, area.width, &words, Role::Muted);
    }
}

/// Sessions that the filter lets through.
fn shown(state: &State) -> usize {
    state.list.lines.iter().filter(|line| matches!(line, crate::dashboard::app::list::Line::Row(_))).count()
}

/// A line that is being typed, with its cursor.
fn typed(canvas: &mut Canvas<'_>, area: Rect, label: &str, input: &Input, note: &str) {
    let used = canvas.put(area.x, area.y, area.width, label, Role::Title);
    let note_wide = u16::try_from(text::width(note)).unwrap_or(0);
    let room = area.width.saturating_sub(used + note_wide + 1);
    field(canvas, Rect { x: area.x + used, width: room, ..area }, input);
    canvas.put_right(area.x + used + room, area.y, area.width.saturating_sub(used + room), note, Role::Muted);
}

/// A line that is typed: scrolled so that the cursor is on it, which is drawn and told.
pub fn field(canvas: &mut Canvas<'_>, area: Rect, input: &Input) -> (u16, u16) {
    canvas.paint(area, Role::Input);
    let before = text::width(input.before_cursor());
    // The cursor's own cell is the last.
    let room = usize::from(area.width.saturating_sub(1));
    let skipped = before.saturating_sub(room);
    let words = text::from_column(input.text(), skipped);
    canvas.put(area.x, area.y, area.width, &words, Role::Input);
    let x = area.x + u16::try_from(before - skipped).unwrap_or(0);
    canvas.caret(x, area.y);
    (x, area.y)
}

fn work(canvas: &mut Canvas<'_>, state: &State, area: Rect, job: &Job) {
    let others = state.jobs.len() - 1;
    let words = if others > 0 { format!("{} (and {others} more)", job.title) } else { job.title.clone() };
    let cancel = if job.cancelled { "giving up".to_owned() } else { format!("{} cancels", state.keymap.shown(Action::CancelJob)) };
    let cancel_wide = u16::try_from(text::width(&cancel)).unwrap_or(0);
    let most = area.width.saturating_sub(cancel_wide + 1);
    let mut used = canvas.put(area.x, area.y, most, &format!("{} {words}", canvas.signs.moving), Role::Info);
    if let Some((done, total)) = job.amount {
        // What is counted is bytes here and sessions there: a share is right for both.
        if let Some(total) = total.filter(|total| *total > 0) {
            let share = share(done, total);
            if most > used + 30 {
                canvas.bar(area.x + used + 1, area.y, BAR, share, Role::Bar);
                used += BAR + 1;
            }
            used += canvas.put(area.x + used, area.y, most.saturating_sub(used), &format!(" {}", percent(share)), Role::Text);
        }
    }
    if !job.step.is_empty() {
        canvas.put(area.x + used, area.y, most.saturating_sub(used), &format!(" {} {}", canvas.signs.dot, job.step), Role::Muted);
    }
    canvas.put_right(area.x + most, area.y, area.width - most, &cancel, Role::Key);
}
