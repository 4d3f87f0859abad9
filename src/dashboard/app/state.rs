//! Everything that the dashboard knows.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::detail::{Detail, Tab};
use super::form::Remembered;
use super::job::Job;
use super::keymap::Keymap;
use super::layout::Layout;
use super::link::{EngineFacts, Link};
use super::list::{Group, List, Sort};
use super::log::Log;
use super::notice::Notices;
use super::overlay::Overlay;
use super::terminals::Terminals;
use super::totals::Totals;
use crate::dashboard::theme::Theme;

/// Everything that the dashboard knows. Only `update` writes it; the view reads it.
#[derive(Debug)]
pub struct State {
    /// The latest tick.
    pub now: Timestamp,
    /// Columns and lines of the terminal.
    pub size: (u16, u16),
    /// How it stands with the engine.
    pub link: Link,
    /// The engine.
    pub engine: EngineFacts,
    /// The top line's figures.
    pub totals: Totals,
    /// The sessions.
    pub list: List,
    /// The detail pane.
    pub detail: Detail,
    /// Which pane takes the keys.
    pub focus: Focus,
    /// Whether that pane has all the room.
    pub zoomed: bool,
    /// The terminals that are open.
    pub terminals: Terminals,
    /// What stands over all that.
    pub overlay: Option<Overlay>,
    /// Work under way.
    pub jobs: Vec<Job>,
    /// The number of the next job, pane or preview.
    pub next: u64,
    /// What happened.
    pub notices: Notices,
    /// Which key does what.
    pub keymap: Keymap,
    /// Every theme that there is.
    pub themes: Vec<Arc<Theme>>,
    /// The one in use.
    pub theme: Arc<Theme>,
    /// Frames are drawn in ASCII.
    pub ascii: bool,
    /// The last form.
    pub form: Remembered,
    /// What the form starts from: profiles, the operator's folder.
    pub ground: super::form::Ground,
    /// Whether the screen must be drawn, because something on it changed.
    pub dirty: bool,
}

/// Which pane takes the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Focus {
    /// The sessions.
    #[default]
    List,
    /// The detail of the selected one.
    Detail,
    /// The terminal that is shown.
    Terminal,
}

/// What outlives a run, as JSON in the state folder. A field that is absent has its default, so that an older file reads well.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kept {
    /// The order of the list.
    pub sort: Sort,
    /// Its division.
    pub group: Group,
    /// The open tab.
    pub tab: Tab,
    /// The theme by name; empty for the configured one.
    pub theme: String,
    /// Whether the log wraps.
    pub wrap: bool,
    /// Whether it shows times.
    pub timestamps: bool,
    /// The last form.
    pub form: Remembered,
}

impl State {
    /// Before anything has come.
    pub fn new(now: Timestamp, keymap: Keymap, themes: Vec<Arc<Theme>>, ground: super::form::Ground, kept: Kept) -> Self {
        let theme = themes.iter().find(|theme| theme.name == kept.theme).or_else(|| themes.first()).cloned().unwrap_or_default();
        let log = Log { wrap: kept.wrap, timestamps: kept.timestamps, ..Log::default() };
        Self {
            now,
            size: (80, 24),
            link: Link::default(),
            engine: EngineFacts::default(),
            totals: Totals::default(),
            list: List { sort: kept.sort, group: kept.group, ..List::default() },
            detail: Detail { tab: kept.tab, log, ..Detail::default() },
            focus: Focus::List,
            zoomed: false,
            terminals: Terminals::default(),
            overlay: None,
            jobs: Vec::new(),
            next: 1,
            notices: Notices::default(),
            keymap,
            themes,
            theme,
            ascii: false,
            form: kept.form,
            ground,
            dirty: true,
        }
    }

    /// What outlives this run.
    pub fn kept(&self) -> Kept {
        Kept {
            sort: self.list.sort,
            group: self.list.group,
            tab: self.detail.tab,
            theme: Some(&self.theme.name)
                .filter(|name| self.themes.first().is_some_and(|first| first.name != **name))
                .cloned()
                .unwrap_or_default(),
            wrap: self.detail.log.wrap,
            timestamps: self.detail.log.timestamps,
            form: self.form.clone(),
        }
    }

    /// A number that none had before.
    pub fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Where everything stands.
    pub fn layout(&self) -> Layout {
        Layout::of(self)
    }
}
