//! What an operator can ask for, and how it is called and bound.

use serde::{Deserialize, Serialize};

use super::key::Key;

/// What a key, a click or the palette can ask for.
///
/// Names are what `[keys]` in `config.toml` binds and what the palette shows; they do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the table below says what each does, to the operator too")]
pub enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    NextTab,
    PreviousTab,
    Focus,
    Zoom,
    Back,
    Filter,
    Sort,
    SortReverse,
    Group,
    Mark,
    MarkAll,
    Launch,
    Attach,
    Shell,
    Exec,
    Stop,
    Start,
    Restart,
    Pause,
    Rename,
    Remove,
    Update,
    Verify,
    CopyName,
    CopyId,
    CopyCommand,
    Pager,
    CacheWarm,
    CachePrune,
    BuildImage,
    Follow,
    Wrap,
    Timestamps,
    NextMatch,
    PreviousMatch,
    Help,
    Palette,
    Notices,
    Theme,
    CancelJob,
    Refresh,
    Suspend,
    Quit,
    Terminals,
    TerminalsClose,
    TerminalPrefix,
    TerminalNext,
    TerminalPrevious,
    TerminalList,
    TerminalZoom,
    TerminalSearch,
    TerminalCopy,
    TerminalPaste,
    TerminalNew,
    TerminalAgain,
    TerminalLeave,
    TerminalEnd,
    TerminalHelp,
}

/// Where an action's keys are heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// In the list, the detail and what stands over them.
    Dashboard,
    /// In a terminal, where every other key is for what runs in it.
    Terminal,
    /// After that key.
    Prefixed,
}

/// Under which heading an action stands in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Moving about.
    Moving,
    /// The list of sessions.
    List,
    /// What is done to sessions.
    Sessions,
    /// Packages and images.
    Packages,
    /// Reading a log.
    Log,
    /// Terminals.
    Terminals,
    /// The dashboard itself.
    Dashboard,
}

impl Topic {
    /// Every topic, in the help's order.
    pub const ALL: [Self; 7] = [Self::Sessions, Self::Terminals, Self::Moving, Self::List, Self::Log, Self::Packages, Self::Dashboard];

    /// The heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Moving => "Moving about",
            Self::List => "List",
            Self::Sessions => "Sessions",
            Self::Packages => "Packages and image",
            Self::Log => "Log",
            Self::Terminals => "Terminals (+ is after the prefix)",
            Self::Dashboard => "Dashboard",
        }
    }
}

struct Entry {
    action: Action,
    topic: Topic,
    name: &'static str,
    keys: &'static str,
    help: &'static str,
}

const fn entry(action: Action, topic: Topic, name: &'static str, keys: &'static str, help: &'static str) -> Entry {
    Entry { action, topic, name, keys, help }
}

use Topic::{Dashboard, List, Log, Moving, Packages, Sessions, Terminals};

/// Every action: its name, its keys unless the configuration says otherwise, and its line in the help.
const TABLE: [Entry; 64] = [
    entry(Action::Up, Moving, "up", "k up", "one line up"),
    entry(Action::Down, Moving, "down", "j down", "one line down"),
    entry(Action::PageUp, Moving, "page_up", "pageup ctrl-u", "one page up"),
    entry(Action::PageDown, Moving, "page_down", "pagedown ctrl-d", "one page down"),
    entry(Action::Top, Moving, "top", "g home", "to the first line"),
    entry(Action::Bottom, Moving, "bottom", "G end", "to the last line"),
    entry(Action::NextTab, Moving, "next_tab", "l right ]", "next tab of the detail pane"),
    entry(Action::PreviousTab, Moving, "previous_tab", "h left [", "previous tab of the detail pane"),
    entry(Action::Focus, Moving, "focus", "tab shift-tab", "between list and detail pane"),
    entry(Action::Zoom, Moving, "zoom", "z", "give the pane in focus all the room, and back"),
    entry(Action::Back, Moving, "back", "esc", "close, clear the marks, clear the filter"),
    entry(Action::Filter, List, "filter", "/", "filter the sessions as you type; in the log, search"),
    entry(Action::Sort, List, "sort", "o", "sort by the next column"),
    entry(Action::SortReverse, List, "sort_reverse", "O", "turn the order round"),
    entry(Action::Group, List, "group", "v", "group by profile, by status, not at all"),
    entry(Action::Mark, List, "mark", "space", "mark this session: actions apply to all that are marked"),
    entry(Action::MarkAll, List, "mark_all", "*", "mark all that are listed, or none"),
    entry(Action::Launch, Sessions, "launch", "n", "launch a sandbox"),
    entry(Action::Attach, Sessions, "attach", "enter", "attach to the session's output and input"),
    entry(Action::Shell, Sessions, "shell", "s", "open a shell in it"),
    entry(Action::Exec, Sessions, "exec", "x", "run a command in it"),
    entry(Action::Stop, Sessions, "stop", "S", "stop it"),
    entry(Action::Start, Sessions, "start", "t", "start it again"),
    entry(Action::Restart, Sessions, "restart", "r", "stop it and start it again"),
    entry(Action::Pause, Sessions, "pause", "p", "pause it, or let it go on"),
    entry(Action::Rename, Sessions, "rename", "R", "give it another name"),
    entry(Action::Remove, Sessions, "remove", "d delete", "remove it with what it holds"),
    entry(Action::Update, Sessions, "update", "u", "make it as today's plan has it"),
    entry(Action::Verify, Sessions, "verify", "V", "measure now what is in force"),
    entry(Action::CopyName, Sessions, "copy_name", "y", "copy its name to the clipboard"),
    entry(Action::CopyId, Sessions, "copy_id", "Y", "copy its id"),
    entry(Action::CopyCommand, Sessions, "copy_command", "c", "copy its command"),
    entry(Action::Pager, Sessions, "pager", "L", "open its log in $PAGER"),
    entry(Action::CacheWarm, Packages, "cache_warm", "C", "fetch packages into the depot ahead of time"),
    entry(Action::CachePrune, Packages, "cache_prune", "P", "remove from the depot what was not used lately"),
    entry(Action::BuildImage, Packages, "build_image", "B", "build the sandbox image"),
    entry(Action::Follow, Log, "follow", "f", "follow the log, or hold it still"),
    entry(Action::Wrap, Log, "wrap", "w", "wrap long lines, or cut them"),
    entry(Action::Timestamps, Log, "timestamps", "T", "show the engine's times"),
    entry(Action::NextMatch, Log, "next_match", ".", "next match of the search"),
    entry(Action::PreviousMatch, Log, "previous_match", ",", "previous match of the search"),
    entry(Action::Help, Dashboard, "help", "? f1", "this help"),
    entry(Action::Palette, Dashboard, "palette", ": ctrl-p", "every action, by name"),
    entry(Action::Notices, Dashboard, "notices", "N", "what happened, newest first"),
    entry(Action::Theme, Dashboard, "theme", "ctrl-t", "next theme"),
    entry(Action::CancelJob, Dashboard, "cancel_job", "ctrl-x", "give up the work that was begun last"),
    entry(Action::Refresh, Dashboard, "refresh", "ctrl-l", "list again and draw everything anew"),
    entry(Action::Suspend, Dashboard, "suspend", "ctrl-z", "to the background; 'fg' brings it back"),
    entry(Action::Quit, Dashboard, "quit", "q ctrl-c", "quit; sessions go on"),
    entry(Action::Terminals, Terminals, "terminals", "a", "to the terminals that are open"),
    entry(Action::TerminalsClose, Terminals, "terminals_close", "A", "put the terminal below the list away; it stays open"),
    entry(
        Action::TerminalPrefix,
        Terminals,
        "terminal_prefix",
        "ctrl-\\",
        "in a terminal: the key after it is the dashboard's; twice sends it",
    ),
    entry(Action::TerminalNext, Terminals, "terminal_next", "n right", "next terminal; a digit goes to that one"),
    entry(Action::TerminalPrevious, Terminals, "terminal_previous", "p left", "previous terminal"),
    entry(Action::TerminalList, Terminals, "terminal_list", "l esc", "to the sessions; the terminal stays open"),
    entry(Action::TerminalZoom, Terminals, "terminal_zoom", "z", "between the whole screen and the part below the list"),
    entry(Action::TerminalSearch, Terminals, "terminal_search", "/", "search it and its past"),
    entry(Action::TerminalCopy, Terminals, "terminal_copy", "c [", "look back, select and copy by keys"),
    entry(Action::TerminalPaste, Terminals, "terminal_paste", "v ]", "paste what was copied last"),
    entry(Action::TerminalNew, Terminals, "terminal_new", "s", "another shell in the same session"),
    entry(Action::TerminalAgain, Terminals, "terminal_again", "r", "take it up again after the way to it was lost"),
    entry(Action::TerminalLeave, Terminals, "terminal_leave", "d x", "leave it, as ctrl-p ctrl-q does: what a session holds goes on"),
    entry(Action::TerminalEnd, Terminals, "terminal_end", "K", "end what runs in it"),
    entry(Action::TerminalHelp, Terminals, "terminal_help", "?", "this help"),
];

impl Action {
    /// Every action, in the order of the help.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|entry| entry.action)
    }

    /// The action of that name.
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|entry| entry.name == name).map(|entry| entry.action)
    }

    fn entry(self) -> &'static Entry {
        // The table is in the enum's own order, which a test holds.
        &TABLE[self as usize]
    }

    /// `page_up`, `launch`, ….
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// One line for people.
    pub fn help(self) -> &'static str {
        self.entry().help
    }

    /// Where it stands in the help.
    pub fn topic(self) -> Topic {
        self.entry().topic
    }

    /// Where its keys are heard.
    pub fn scope(self) -> Scope {
        match self.topic() {
            Topic::Terminals if self == Self::TerminalPrefix => Scope::Terminal,
            Topic::Terminals if !matches!(self, Self::Terminals | Self::TerminalsClose) => Scope::Prefixed,
            Topic::Terminals | Topic::Moving | Topic::List | Topic::Sessions | Topic::Packages | Topic::Log | Topic::Dashboard => {
                Scope::Dashboard
            }
        }
    }

    /// Its keys where the configuration says nothing.
    pub fn default_keys(self) -> impl Iterator<Item = Key> {
        self.entry().keys.split(' ').filter_map(|key| key.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_enums_order_and_names_are_serdes() {
        for (at, entry) in TABLE.iter().enumerate() {
            assert_eq!(entry.action as usize, at, "{}", entry.name);
            assert_eq!(serde_json::to_value(entry.action).unwrap(), entry.name);
            assert_eq!(Action::named(entry.name), Some(entry.action));
            assert_eq!(entry.action.default_keys().count(), entry.keys.split(' ').count(), "{}", entry.keys);
        }
    }
}
