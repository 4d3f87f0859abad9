//! What an action does, whoever asked for it: a key, a click, the palette.

use super::{detail, terminal as terminals, work};
use crate::backend::Order;
use crate::dashboard::app::action::Action;
use crate::dashboard::app::ask::{Ask, Confirm, Wanted};
use crate::dashboard::app::detail::Tab;
use crate::dashboard::app::effect::{Deed, Effect, PaneCommand, Target};
use crate::dashboard::app::form::Form;
use crate::dashboard::app::form::shell_words::split;
use crate::dashboard::app::input::Input;
use crate::dashboard::app::list::{Column, Line};
use crate::dashboard::app::overlay::{Overlay, Palette};
use crate::dashboard::app::row::{Row, Weight};
use crate::dashboard::app::state::{Focus, State};
use crate::dashboard::app::terminals::Place;
use crate::session::{Kind, Status};
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

/// Further than any list is long.
const FAR: isize = isize::MAX / 4;

fn overlay(state: &mut State, overlay: Overlay) -> Vec<Effect> {
    state.overlay = Some(overlay);
    Vec::new()
}

fn page(state: &State) -> isize {
    let layout = state.layout();
    let height = match state.focus {
        Focus::List => layout.rows.height,
        Focus::Detail | Focus::Terminal => layout.body.height,
    };
    isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(1)
}

fn moved(state: &mut State, by: isize) -> Vec<Effect> {
    match (state.focus, state.detail.tab) {
        (Focus::List, _) => state.list.step(by),
        // Its keys are its program's, and never come here.
        (Focus::Terminal, _) => {}
        (Focus::Detail, Tab::Logs) => {
            let height = usize::from(state.layout().body.height);
            state.detail.log.step(by, height);
        }
        (Focus::Detail, _) => state.detail.scroll = state.detail.scroll.saturating_add_signed(by).min(FAR.unsigned_abs()),
    }
    Vec::new()
}

pub(super) fn scrolled_by_wheel(state: &mut State, over_list: bool, by: isize) -> Vec<Effect> {
    let focus = state.focus;
    state.focus = if over_list { Focus::List } else { Focus::Detail };
    let effects = moved(state, by);
    state.focus = focus;
    effects
}

fn back(state: &mut State) -> Vec<Effect> {
    if state.zoomed {
        state.zoomed = false;
    } else if state.focus == Focus::Detail {
        state.focus = Focus::List;
    } else if !state.list.marked.is_empty() {
        state.list.marked.clear();
    } else if !state.list.filter.text().is_empty() {
        state.list.filter = Input::default();
        state.list.arrange();
    } else if state.terminals.place == Place::Below {
        terminals::put_away(state);
    }
    Vec::new()
}

fn filter(state: &mut State) -> Vec<Effect> {
    if state.focus == Focus::Detail && state.detail.tab == Tab::Logs {
        state.detail.log.searching = true;
    } else {
        state.focus = Focus::List;
        state.list.filtering = true;
    }
    Vec::new()
}

pub(super) fn sort(state: &mut State, column: Column, reverse: bool) -> Vec<Effect> {
    state.list.sort.column = column;
    state.list.sort.reverse = reverse;
    state.list.arrange();
    vec![Effect::Save]
}

fn mark(state: &mut State) -> Vec<Effect> {
    if let Some(id) = state.list.selected.clone() {
        if !state.list.marked.remove(&id) {
            state.list.marked.insert(id);
        }
        state.list.step(1);
    }
    Vec::new()
}

fn mark_all(state: &mut State) -> Vec<Effect> {
    let listed = state.list.lines.iter().filter_map(|line| match line {
        Line::Row(at) => Some(state.list.rows[*at].id().clone()),
        Line::Head(..) => None,
    });
    let listed: std::collections::BTreeSet<_> = listed.collect();
    state.list.marked = if listed.is_subset(&state.list.marked) { std::collections::BTreeSet::new() } else { listed };
    Vec::new()
}

fn target(row: &Row) -> Target {
    Target { id: row.id().clone(), name: row.session.name.to_string() }
}

/// With the selected session, or a notice that there is none.
fn on_selected(state: &mut State, then: impl FnOnce(Target, Status) -> Vec<Effect>) -> Vec<Effect> {
    match state.list.selected() {
        Some(row) => then(target(row), row.session.status),
        None => nothing(state),
    }
}

fn nothing(state: &mut State) -> Vec<Effect> {
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

fn wanted(state: &mut State, wanted: Wanted, input: Input) -> Vec<Effect> {
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

/// Does it to every session acted on for which it makes sense.
fn deed(state: &mut State, deed: Deed, makes_sense: impl Fn(Status) -> bool) -> Vec<Effect> {
    let rows = state.list.acted_on();
    if rows.is_empty() {
        return nothing(state);
    }
    let targets: Vec<Target> =
        rows.iter().filter(|row| makes_sense(row.session.status) && row.busy.is_none()).map(|row| target(row)).collect();
    if targets.is_empty() {
        let text = match rows.as_slice() {
            [row] => format!("'{}' is {}", row.session.name, row.busy.map_or_else(|| row.session.status.to_string(), str::to_owned)),
            rows => format!("none of the {} sessions can be {}", rows.len(), deed.words().1),
        };
        state.notices.add(state.now, Weight::Plain, text);
        return Vec::new();
    }
    begin(state, deed, targets)
}

fn begin(state: &mut State, deed: Deed, targets: Vec<Target>) -> Vec<Effect> {
    let (doing, _) = deed.words();
    let title = match targets.as_slice() {
        [one] => format!("{doing} {}", one.name),
        several => format!("{doing} {} sessions", several.len()),
    };
    let job = work::begin(state, title, targets.clone(), Some(doing));
    state.list.marked.clear();
    vec![Effect::Act(job, deed, targets)]
}

/// What is paused goes on; otherwise what runs is paused.
fn pause(state: &mut State) -> Vec<Effect> {
    let any_runs = state.list.acted_on().iter().any(|row| row.session.status == Status::Running);
    if any_runs {
        deed(state, Deed::Pause, |status| status == Status::Running)
    } else {
        deed(state, Deed::Unpause, |status| status == Status::Paused)
    }
}

fn remove(state: &mut State) -> Vec<Effect> {
    let rows = state.list.acted_on();
    let targets: Vec<Target> = rows.iter().map(|row| target(row)).collect();
    let lines = |row: &&Row| {
        let keeps = match row.session.kind {
            Kind::Persistent => "its home and its caches go with it",
            Kind::Ephemeral => "it goes by itself when its command ends",
        };
        format!("{}  {}, {}: {keeps}", row.session.name, row.session.kind, row.session.status)
    };
    let lines: Vec<String> = rows.iter().map(lines).collect();
    let persistent = rows.iter().filter(|row| row.session.kind == Kind::Persistent).count();
    let expected = match (rows.as_slice(), persistent) {
        ([], _) => return nothing(state),
        (_, 0) => None,
        ([one], _) => Some(one.session.name.to_string()),
        (several, _) => Some(several.len().to_string()),
    };
    let question = match targets.as_slice() {
        [one] => format!("remove {}?", one.name),
        several => format!("remove {} sessions?", several.len()),
    };
    // The job begins when it is confirmed.
    let then = Effect::Act(crate::dashboard::app::effect::JobId(0), Deed::Remove, targets);
    overlay(state, Overlay::Confirm(Confirm { question, lines, expected, input: Input::default(), then }))
}

/// A question was answered with yes.
pub(super) fn confirmed(state: &mut State, then: Effect) -> Vec<Effect> {
    match then {
        Effect::Act(_, deed, targets) => begin(state, deed, targets),
        other => vec![other],
    }
}

fn verify(state: &mut State) -> Vec<Effect> {
    let ids: Vec<String> = state.list.acted_on().iter().map(|row| row.id().clone()).collect();
    if ids.is_empty() {
        return nothing(state);
    }
    for id in &ids {
        if let Some(row) = state.list.row_mut(id) {
            row.measured.ask();
            row.measuring = true;
        }
    }
    let effects = detail::open(state, Tab::Hardening);
    [vec![Effect::Measure(ids)], effects].concat()
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

/// The next place at which the search matches, or the one before, held on the screen.
pub(super) fn to_match(state: &mut State, forward: bool) -> Vec<Effect> {
    let height = usize::from(state.layout().body.height);
    if !state.detail.log.to_match(forward, height) {
        let text = state.detail.log.search.text();
        let told = if text.is_empty() { "nothing is searched".to_owned() } else { format!("no more '{text}' that way") };
        state.notices.add(state.now, Weight::Plain, told);
    }
    Vec::new()
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
