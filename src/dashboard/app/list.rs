//! The sessions as they are shown: filtered, sorted, divided, selected.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use serde::{Deserialize, Serialize};

use super::input::Input;
use super::row::{ContainerId, Row};
use crate::session::Session;

/// A column of the list. Also what the list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their titles are in the table")]
pub enum Column {
    Name,
    Kind,
    Status,
    Profile,
    Posture,
    Hits,
    Saved,
    Cpu,
    Memory,
    Pids,
    Network,
    Uptime,
}

impl Column {
    /// Every column, from left to right.
    pub const ALL: [Self; 12] = [
        Self::Name,
        Self::Kind,
        Self::Status,
        Self::Profile,
        Self::Posture,
        Self::Hits,
        Self::Saved,
        Self::Cpu,
        Self::Memory,
        Self::Pids,
        Self::Network,
        Self::Uptime,
    ];

    /// Its head.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Name => "NAME",
            Self::Kind => "KIND",
            Self::Status => "STATUS",
            Self::Profile => "PROFILE",
            Self::Posture => "POSTURE",
            Self::Hits => "HITS",
            Self::Saved => "SAVED",
            Self::Cpu => "CPU",
            Self::Memory => "MEMORY",
            Self::Pids => "PIDS",
            Self::Network => "NETWORK",
            Self::Uptime => "UPTIME",
        }
    }
}

/// By what the list is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Not at all.
    #[default]
    None,
    /// By the profile.
    Profile,
    /// By the status.
    Status,
}

/// By which column, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// The column.
    pub column: Column,
    /// From the greatest down.
    pub reverse: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Self { column: Column::Name, reverse: false }
    }
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A group's head: its name, sanitised, and how many sessions it has.
    Head(String, usize),
    /// A session, by its place in `rows`.
    Row(usize),
}

/// The sessions as they are shown: which, in what order, which one is selected.
#[derive(Debug, Clone, Default)]
pub struct List {
    /// All sessions, in the engine's order.
    pub rows: Vec<Row>,
    /// What is shown, after filter, sort and group: kept by [`List::arrange`].
    pub lines: Vec<Line>,
    /// The selected session.
    pub selected: Option<ContainerId>,
    /// First line on screen: kept by the layout's height.
    pub offset: usize,
    /// Marked sessions.
    pub marked: BTreeSet<ContainerId>,
    /// What is typed into the filter.
    pub filter: Input,
    /// Whether the filter is being typed.
    pub filtering: bool,
    /// The order.
    pub sort: Sort,
    /// The division.
    pub group: Group,
    /// A session that is being launched: selected once it is there.
    pub expected: Option<String>,
}

impl Group {
    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::None => Self::Profile,
            Self::Profile => Self::Status,
            Self::Status => Self::None,
        }
    }

    fn head(self, row: &Row) -> String {
        match self {
            Self::None => String::new(),
            Self::Profile => row.session.profile.to_string(),
            Self::Status => row.session.status.to_string(),
        }
    }
}

impl List {
    /// Takes a new list of sessions: what is known of those that stay stays, selection and marks follow the ids.
    pub fn observe(&mut self, sessions: Vec<Session>) {
        let at = self.selected_line();
        let mut known: BTreeMap<ContainerId, Row> = self.rows.drain(..).map(|row| (row.id().clone(), row)).collect();
        self.rows = sessions
            .into_iter()
            .map(|session| match known.remove(&session.container_id) {
                Some(row) => Row { session, ..row },
                None => Row::new(session),
            })
            .collect();
        let there: BTreeSet<&ContainerId> = self.rows.iter().map(Row::id).collect();
        self.marked.retain(|id| there.contains(id));
        let is_gone = self.selected.as_ref().is_none_or(|id| !there.contains(id));
        self.arrange();
        let expected = self.rows.iter().find(|row| self.expected.as_deref() == Some(row.session.name.as_str())).map(|row| row.id().clone());
        if let Some(id) = expected {
            self.selected = Some(id);
            self.expected = None;
        } else if is_gone {
            // Whoever stood next takes its place.
            self.select_line(at.unwrap_or(0));
        }
    }

    /// Works out what is shown: after a change of rows, filter, order or division.
    pub fn arrange(&mut self) {
        let mut shown: Vec<usize> = self.matching();
        let by_name = |a: &usize, b: &usize| self.rows[*a].session.name.cmp(&self.rows[*b].session.name);
        shown.sort_by(|a, b| {
            let ordering = order(&self.rows[*a], &self.rows[*b], self.sort.column);
            let ordering = if self.sort.reverse { ordering.reverse() } else { ordering };
            ordering.then_with(|| by_name(a, b))
        });
        self.lines = if self.group == Group::None {
            shown.into_iter().map(Line::Row).collect()
        } else {
            let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for at in shown {
                groups.entry(self.group.head(&self.rows[at])).or_default().push(at);
            }
            let lines = |(head, rows): (String, Vec<usize>)| {
                std::iter::once(Line::Head(head, rows.len())).chain(rows.into_iter().map(Line::Row)).collect::<Vec<_>>()
            };
            groups.into_iter().flat_map(lines).collect()
        };
        if self.selected_line().is_none() {
            self.select_line(0);
        }
    }

    /// The rows that the filter lets through.
    fn matching(&self) -> Vec<usize> {
        let text = self.filter.text();
        if text.trim().is_empty() {
            return (0..self.rows.len()).collect();
        }
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let mut room = Vec::new();
        // Names are matched as they are half remembered; the rest, in which any few letters are found, word for word.
        (0..self.rows.len())
            .filter(|&at| {
                let row = &self.rows[at];
                let name = Utf32Str::new(row.session.name.as_str(), &mut room);
                pattern.score(name, &mut matcher).is_some() || {
                    let haystack = haystack(row);
                    words.iter().all(|word| haystack.contains(word))
                }
            })
            .collect()
    }

    /// The line of the selected session.
    pub fn selected_line(&self) -> Option<usize> {
        let selected = self.selected.as_ref()?;
        self.lines.iter().position(|line| matches!(line, Line::Row(at) if self.rows[*at].id() == selected))
    }

    /// Selects the session on this line, or the nearest to it.
    pub fn select_line(&mut self, line: usize) {
        let row = |line: &Line| match line {
            Line::Row(at) => Some(self.rows[*at].id().clone()),
            Line::Head(..) => None,
        };
        let from = line.min(self.lines.len().saturating_sub(1));
        let after = self.lines.iter().skip(from).find_map(row);
        self.selected = after.or_else(|| self.lines.iter().take(from).rev().find_map(row));
    }

    /// Moves the selection by so many lines; heads are stepped over.
    pub fn step(&mut self, by: isize) {
        let rows: Vec<usize> = (0..self.lines.len()).filter(|&at| matches!(self.lines[at], Line::Row(_))).collect();
        let Some(last) = rows.len().checked_sub(1) else { return };
        let now = self.selected_line().and_then(|line| rows.iter().position(|&at| at == line)).unwrap_or(0);
        self.select_line(rows[now.saturating_add_signed(by).min(last)]);
    }

    /// The selected session.
    pub fn selected(&self) -> Option<&Row> {
        let selected = self.selected.as_ref()?;
        self.rows.iter().find(|row| row.id() == selected)
    }

    /// The session of that id.
    pub fn row_mut(&mut self, id: &str) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.id() == id)
    }

    /// What actions apply to: the marked sessions, or else the selected one.
    pub fn acted_on(&self) -> Vec<&Row> {
        if self.marked.is_empty() {
            return self.selected().into_iter().collect();
        }
        self.rows.iter().filter(|row| self.marked.contains(row.id())).collect()
    }

    /// The rows on so many lines from the offset on.
    pub fn on_screen(&self, height: usize) -> impl Iterator<Item = &Row> {
        self.lines.iter().skip(self.offset).take(height).filter_map(|line| match line {
            Line::Row(at) => self.rows.get(*at),
            Line::Head(..) => None,
        })
    }

    /// Moves the offset so that the selected line is on a screen of so many lines.
    pub fn scroll_into(&mut self, height: usize) {
        let Some(line) = self.selected_line() else {
            self.offset = 0;
            return;
        };
        // A group's head comes with its first session.
        let first = if line > 0 && matches!(self.lines[line - 1], Line::Head(..)) { line - 1 } else { line };
        if first < self.offset {
            self.offset = first;
        } else if line >= self.offset + height {
            self.offset = line + 1 - height.max(1);
        }
        self.offset = self.offset.min(self.lines.len().saturating_sub(height));
    }
}

/// What the filter looks in.
fn haystack(row: &Row) -> String {
    let session = &row.session;
    format!("{} {} {} {} {} {}", session.name, session.kind, session.status, session.profile, session.image, session.command).to_lowercase()
}

/// Least first; what is unknown comes first, too.
fn order(a: &Row, b: &Row, column: Column) -> Ordering {
    let float = |a: Option<f64>, b: Option<f64>| a.unwrap_or(-1.0).total_cmp(&b.unwrap_or(-1.0));
    let cache = |row: &Row| row.cache.unwrap_or_default();
    match column {
        Column::Name => a.session.name.cmp(&b.session.name),
        Column::Kind => a.session.kind.cmp(&b.session.kind),
        Column::Status => a.session.status.cmp(&b.session.status),
        Column::Profile => a.session.profile.cmp(&b.session.profile),
        Column::Posture => a.badge().cmp(&b.badge()),
        Column::Hits => float(cache(a).hit_rate(), cache(b).hit_rate()),
        Column::Saved => cache(a).saved_bytes.cmp(&cache(b).saved_bytes),
        Column::Cpu => float(a.sample().and_then(|sample| sample.cpu), b.sample().and_then(|sample| sample.cpu)),
        Column::Memory => a.sample().map(|sample| sample.memory).cmp(&b.sample().map(|sample| sample.memory)),
        Column::Pids => a.sample().map(|sample| sample.pids).cmp(&b.sample().map(|sample| sample.pids)),
        Column::Network => a.network().map(|network| network as u8).cmp(&b.network().map(|network| network as u8)),
        // The youngest first.
        Column::Uptime => b.since().cmp(&a.since()),
    }
}
