//! What the view draws, cell by cell: pictures of every screen, how far pages scroll, and what hostile texts come to.

mod hostile;
mod pictures;
mod scrolling;
mod terminal;

use crate::dashboard::app::effect::{PaneCommand, PaneId, Target};
use crate::dashboard::app::remote::Remote;
use crate::dashboard::app::row::Row;
use crate::dashboard::app::state::Focus;
use crate::dashboard::app::terminals::{Pane, Place};
use crate::dashboard::app::{State, sample};
use crate::session::{Kind, Status};

const SIZES: [(u16, u16); 3] = [(80, 24), (40, 12), (300, 100)];

fn row<'a>(state: &'a mut State, name: &str) -> &'a mut Row {
    state.list.row_mut(&sample::id(name)).unwrap()
}

/// Sessions in every condition.
fn mixed() -> State {
    let mut state = sample::state(&["api", "build", "docs", "old", "web", "fresh", "worker"]);
    row(&mut state, "build").session.kind = Kind::Ephemeral;
    row(&mut state, "build").session.profile = "strict".into();
    row(&mut state, "docs").session.status = Status::Paused;
    row(&mut state, "old").session.status = Status::Exited;
    row(&mut state, "web").measured = Remote::Ready(sample::measured(sample::weaker()), sample::now());
    row(&mut state, "worker").busy = Some("stopping");
    let fresh = row(&mut state, "fresh");
    *fresh = Row::new(fresh.session.clone());
    state.list.marked.insert(sample::id("docs"));
    state.list.arrange();
    state
}

/// With a terminal in `web` that runs this, on the whole screen.
fn with_terminal(state: &mut State, command: PaneCommand) -> &mut Pane {
    let number = u64::try_from(state.terminals.open.len()).unwrap() + 1;
    let target = Target { id: sample::id("web"), name: "web".into() };
    let size = crate::terminal::Size::new(80, 23);
    state.terminals.open.push(Pane::new(PaneId(number), target, command, size, 100));
    state.terminals.current = Some(PaneId(number));
    state.terminals.place = Place::Full;
    state.focus = Focus::Terminal;
    state.terminals.current_mut().unwrap()
}
