//! What an action does, whoever asked for it: a key, a click, the palette.

use super::deeds::{deed, pause, remove, verify};
use super::moving::{FAR, back, filter, mark, mark_all, moved, page, sort, to_match};
use super::{detail, terminal as terminals, work};
use crate::backend::Order;
use crate::dashboard::app::action::Action;
use crate::dashboard::app::ask::{Ask, Confirm, Wanted};
use crate::dashboard::app::detail::Tab;
use crate::dashboard::app::effect::{Deed, Effect, PaneCommand, Target};
use crate::dashboard::app::form::Form;
use crate::dashboard::app::form::shell_words::split;
use crate::dashboard::app::input::Input;
use crate::dashboard::app::list::Column;
use crate::dashboard::app::overlay::{Overlay, Palette};
use crate::dashboard::app::row::{Row, Weight};
use crate::dashboard::app::state::{Focus, State};
use crate::dashboard::app::terminals::Place;
use crate::session::Status;
use crate::units::{Bytes, SessionName};

#[expect(clippy::too_many_lines, reason = "a line or two for each action")]
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Up => moved(state, -1),
        Action::Down => moved(state, 1),
        Action::PageUp => moved(state, -page(state)),
        Action::PageDown => moved(state, page(state)),
        Action::Top => moved(state, -FAR),
        Action::Bottom => moved(state, FAR),
        Action::NextTab => detail::open(state, state.detail.tab.next()),
        Action::PreviousTab => detail::open(state, state.detail.tab.previous()),
        Action::Focus => {
            state.focus = match state.focus {
                Focus::List if state.terminals.place == Place::Below => Focus::Terminal,
                Focus::List => Focus::Detail,
                Focus::Detail | Focus::Terminal => Focus::List,
            };
            Vec::new()
        }
        Action::Zoom => {
            state.zoomed = !state.zoomed;
            Vec::new()
        }
        Action::Back => back(state),
        Action::Filter => filter(state),
        Action::Sort => {
            let at = Column::ALL.iter().position(|column| *column == state.list.sort.column).unwrap_or(0);
            sort(state, Column::ALL[(at + 1) % Column::ALL.len()], false)
        }
        Action::SortReverse => sort(state, state.list.sort.column, !state.list.sort.reverse),
        Action::Group => {
            state.list.group = state.list.group.next();
            state.list.arrange();
            vec![Effect::Save]
        }
        Action::Mark => mark(state),
        Action::MarkAll => mark_all(state),
        Action::Launch => {
            let taken: Vec<String> = state.list.rows.iter().map(|row| row.session.name.to_string()).collect();
            let mut form = Form::new(&state.ground, &state.form).beside(taken);
            let effects = form.opened(&mut state.next);
            state.overlay = Some(Overlay::Form(Box::new(form)));
            effects
        }
        Action::Attach => terminal(state, PaneCommand::Attach),
        Action::Shell => terminal(state, PaneCommand::Shell),
        Action::Exec => ask(state, |target, _| (Wanted::Command(target), Input::default())),
        Action::Rename => ask(state, |target, name| (Wanted::Name(target), Input::new(name))),
        Action::Stop => deed(state, Deed::Stop, Status::is_live),
        Action::Start => deed(state, Deed::Start, |status| !status.is_live()),
        Action::Restart => deed(state, Deed::Restart, |_| true),
        Action::Pause => pause(state),
        Action::Remove => remove(state),
        Action::Update => super::drift::update(state),
        Action::Verify => verify(state),
        Action::CopyName => copy(state, "name", |row| row.session.name.to_string()),
        Action::CopyId => copy(state, "id", |row| row.session.id.to_string()),
        // Sanitised: what a clipboard holds is pasted into terminals.
        Action::CopyCommand => copy(state, "command", |row| row.session.command.to_string()),
        Action::Pager => on_selected(state, |target, _| vec![Effect::Pager(target)]),
        Action::CacheWarm => wanted(state, Wanted::Packages, Input::default()),
        Action::CachePrune => wanted(state, Wanted::Keep, Input::default()),
        Action::BuildImage => {
            let job = work::begin(state, "building the sandbox image", Vec::new(), None);
            vec![Effect::BuildImage(job)]
        }
        Action::Follow => {
            let log = &mut state.detail.log;
            log.held = if log.held.is_some() { None } else { Some(log.end()) };
            detail::open(state, Tab::Logs)
        }
        Action::Wrap => {
            state.detail.log.wrap = !state.detail.log.wrap;
            vec![Effect::Save]
        }
        Action::Timestamps => {
            state.detail.log.timestamps = !state.detail.log.timestamps;
            vec![Effect::Save]
        }
        Action::NextMatch => to_match(state, true),
        Action::PreviousMatch => to_match(state, false),
        Action::Help => overlay(state, Overlay::Help(0)),
        Action::Palette => overlay(state, Overlay::Palette(Palette::default())),
        Action::Notices => overlay(state, Overlay::Notices(0)),
        Action::Theme => theme(state),
        Action::CancelJob => work::cancel(state),
        Action::Refresh => {
            let effects = detail::read(state);
            [vec![Effect::Redraw, Effect::List], effects].concat()
        }
        Action::Suspend => vec![Effect::Save, Effect::Suspend],
        Action::Quit if state.jobs.is_empty() => vec![Effect::Save, Effect::Quit],
        Action::Quit => {
            let question = "quit while work is under way?".to_owned();
            let lines = state.jobs.iter().map(|job| format!("{}: it is given up and undone", job.title)).collect();
            let then = Effect::Quit;
            state.overlay = Some(Overlay::Confirm(Confirm { question, lines, expected: None, input: Input::default(), then }));
            vec![Effect::Save]
        }
        Action::TerminalsClose => {
            terminals::put_away(state);
            Vec::new()
        }
        Action::Terminals
        | Action::TerminalPrefix
        | Action::TerminalNext
        | Action::TerminalPrevious
        | Action::TerminalList
        | Action::TerminalZoom
        | Action::TerminalSearch
        | Action::TerminalCopy
        | Action::TerminalPaste
        | Action::TerminalNew
        | Action::TerminalAgain
        | Action::TerminalLeave
        | Action::TerminalEnd
        | Action::TerminalHelp => terminals::act(state, action),
    }
}

pub(super) fn overlay(state: &mut State, overlay: Overlay) -> Vec<Effect> {
    state.overlay = Some(overlay);
    Vec::new()
}

pub(super) fn target(row: &Row) -> Target {
    Target { id: row.id().clone(), name: row.session.name.to_string() }
}

/// With the selected session, or a notice that there is none.
fn on_selected(state: &mut State, then: impl FnOnce(Target, Status) -> Vec<Effect>) -> Vec<Effect> {
    match state.list.selected() {
        Some(row) => then(target(row), row.session.status),
        None => nothing(state),
    }
}

pub(super) fn nothing(state: &mut State) -> Vec<Effect> {
    let key = state.keymap.shown(Action::Launch);
    state.notices.add(state.now, Weight::Plain, format!("no session is selected; {key} launches one"));
    Vec::new()
}

fn terminal(state: &mut State, command: PaneCommand) -> Vec<Effect> {
    let Some(row) = state.list.selected() else { return nothing(state) };
    let (target, status) = (target(row), row.session.status);
    if status != Status::Running && !matches!(command, PaneCommand::Attach) {
        let start = state.keymap.shown(if status == Status::Paused { Action::Pause } else { Action::Start });
        state.notices.add(state.now, Weight::Warning, format!("'{}' is {status}; {start} lets it run", target.name));
        return Vec::new();
    }
    terminals::open(state, target, command)
}

fn ask(state: &mut State, what: impl FnOnce(Target, &str) -> (Wanted, Input)) -> Vec<Effect> {
    let Some(row) = state.list.selected() else { return nothing(state) };
    let target = target(row);
    let name = target.name.clone();
    let (what, input) = what(target, &name);
    wanted(state, what, input)
}

pub(super) fn wanted(state: &mut State, wanted: Wanted, input: Input) -> Vec<Effect> {
    overlay(state, Overlay::Ask(Ask { wanted, input, error: None }))
}

/// What was asked for was typed: what follows, or why it cannot be taken.
pub(super) fn answered(state: &mut State, ask: &Ask) -> Result<Vec<Effect>, String> {
    let text = ask.input.text().trim();
    match &ask.wanted {
        Wanted::Name(target) => {
            let name: SessionName = text.parse().map_err(|error| format!("{error}"))?;
            if name.as_str() == target.name {
                return Ok(Vec::new());
            }
            if state.list.rows.iter().any(|row| row.session.name == name) {
                return Err(format!("'{name}' is another session's name"));
            }
            let job = work::begin(state, format!("renaming {} to {name}", target.name), vec![target.clone()], Some("renaming"));
            Ok(vec![Effect::Rename(job, target.clone(), name.to_string())])
        }
        Wanted::Command(target) => {
            let command = split(text).map_err(|error| error.to_string())?;
            if command.is_empty() {
                return Err("type a command and its arguments".to_owned());
            }
            Ok(terminals::open(state, target.clone(), PaneCommand::Exec(command)))
        }
        Wanted::Packages => {
            let names: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            if names.is_empty() {
                return Err("type packages, each pypi:NAME or npm:NAME".to_owned());
            }
            let job = work::begin(state, format!("fetching {}", names.join(" ")), Vec::new(), None);
            Ok(vec![Effect::Warm(job, names)])
        }
        Wanted::Keep => {
            let keep: Bytes = text.parse().map_err(|error| format!("{error}"))?;
            let job = work::begin(state, format!("pruning the depot's store to {keep}"), Vec::new(), None);
            Ok(vec![Effect::Prune(job, keep)])
        }
    }
}

fn copy(state: &mut State, what: &str, of: impl Fn(&Row) -> String) -> Vec<Effect> {
    let rows = state.list.acted_on();
    if rows.is_empty() {
        return nothing(state);
    }
    let text = rows.iter().map(|row| of(row)).collect::<Vec<_>>().join("\n");
    let told = if rows.len() == 1 { format!("its {what} is copied") } else { format!("{} {what}s are copied", rows.len()) };
    state.notices.add(state.now, Weight::Plain, told);
    vec![Effect::Copy(text)]
}

fn theme(state: &mut State) -> Vec<Effect> {
    let at = state.themes.iter().position(|theme| theme.name == state.theme.name).unwrap_or(0);
    if let Some(next) = state.themes.get((at + 1) % state.themes.len().max(1)) {
        state.theme = std::sync::Arc::clone(next);
        state.notices.add(state.now, Weight::Plain, format!("theme: {}", next.name));
    }
    vec![Effect::Save]
}

/// Launches what the form says.
pub(super) fn launch(state: &mut State, order: Box<Order>) -> Vec<Effect> {
    let name = order.name.clone().unwrap_or_else(|| "a sandbox".to_owned());
    state.list.expected.clone_from(&order.name);
    let job = work::begin(state, format!("launching {name}"), Vec::new(), None);
    vec![Effect::Save, Effect::Launch(job, order)]
}
