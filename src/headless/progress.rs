use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::Output;
use crate::backend::Reporter;
use crate::backend::engine::Progress;
use crate::units::sanitise;

/// More bars than this scroll; what is beyond is counted in the step's own line.
const BARS: usize = 8;

/// How steps are told where standard error is no terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// Not at all: the work is short.
    Silent,
    /// A line for each step and for what the engine says in it.
    Lines,
}

/// Tells of long work on standard error: bars on a terminal, plain lines or nothing elsewhere.
///
/// Nothing is drawn before the engine reports progress, so what is quick stays silent.
pub struct TerminalReporter {
    mode: Mode,
    state: Mutex<State>,
}

enum Mode {
    Bars,
    Lines,
    Silent { warnings: bool },
}

#[derive(Default)]
struct State {
    step: String,
    drawn: Option<Drawn>,
    last_line: String,
}

struct Drawn {
    all: MultiProgress,
    head: ProgressBar,
    bars: BTreeMap<String, ProgressBar>,
}

impl TerminalReporter {
    /// For this output.
    pub fn new(output: &Output, plain: Plain) -> Self {
        let surroundings = output.surroundings();
        let mode = if surroundings.quiet {
            Mode::Silent { warnings: false }
        } else if surroundings.stderr_terminal {
            Mode::Bars
        } else if plain == Plain::Lines {
            Mode::Lines
        } else {
            Mode::Silent { warnings: true }
        };
        Self { mode, state: Mutex::default() }
    }

    /// Takes the bars off the terminal: what follows is the command's.
    pub fn finish(&self) {
        if let Ok(mut state) = self.state.lock() {
            state.clear();
        }
    }
}

impl State {
    fn clear(&mut self) {
        if let Some(drawn) = self.drawn.take() {
            for bar in drawn.bars.values() {
                bar.finish_and_clear();
            }
            drawn.head.finish_and_clear();
            let _ = drawn.all.clear();
        }
    }

    fn draw(&mut self) -> &mut Drawn {
        let step = self.step.clone();
        self.drawn.get_or_insert_with(|| {
            let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
            let head = all.add(ProgressBar::new_spinner());
            head.set_style(style("{spinner} {wide_msg}"));
            head.set_message(step);
            head.enable_steady_tick(Duration::from_millis(120));
            Drawn { all, head, bars: BTreeMap::new() }
        })
    }
}

/// The templates are ours and valid; indicatif's default stands in all the same.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Reporter for TerminalReporter {
    fn step(&self, text: &str) {
        let Ok(mut state) = self.state.lock() else { return };
        state.step = sanitise(text);
        match self.mode {
            Mode::Bars => {
                if let Some(drawn) = &mut state.drawn {
                    for (_, bar) in std::mem::take(&mut drawn.bars) {
                        bar.finish_and_clear();
                        drawn.all.remove(&bar);
                    }
                    drawn.head.set_message(sanitise(text));
                }
            }
            Mode::Lines => say(&format!("==> {}", sanitise(text))),
            Mode::Silent { .. } => {}
        }
    }

    fn progress(&self, progress: &Progress) {
        let Ok(mut state) = self.state.lock() else { return };
        match self.mode {
            Mode::Bars => show(state.draw(), progress),
            Mode::Lines if progress.amount.is_none() => {
                let item = progress.item.to_string();
                let text = progress.text.raw().trim();
                let line = if item.is_empty() { sanitise(text) } else { format!("{item}: {}", sanitise(text)) };
                if !text.is_empty() && line != state.last_line {
                    say(&format!("    {line}"));
                    state.last_line = line;
                }
            }
            Mode::Lines | Mode::Silent { .. } => {}
        }
    }

    fn warning(&self, text: &str) {
        let line = format!("warning: {}", sanitise(text));
        match self.mode {
            Mode::Bars => {
                let Ok(state) = self.state.lock() else { return };
                match &state.drawn {
                    Some(drawn) => drawn.all.suspend(|| say(&line)),
                    None => say(&line),
                }
            }
            Mode::Lines | Mode::Silent { warnings: true } => say(&line),
            Mode::Silent { warnings: false } => {}
        }
    }
}

fn show(drawn: &mut Drawn, progress: &Progress) {
    let text = sanitise(progress.text.raw().trim());
    if progress.item.raw().is_empty() {
        if !text.is_empty() {
            drawn.head.set_message(text);
        }
        return;
    }
    let item = progress.item.to_string();
    if !drawn.bars.contains_key(&item) && drawn.bars.len() >= BARS {
        // A finished one makes room; otherwise this one is left to the line above.
        let Some(done) =
            drawn.bars.iter().find(|(_, bar)| bar.length().is_some_and(|all| bar.position() >= all)).map(|(key, _)| key.clone())
        else {
            return;
        };
        if let Some(bar) = drawn.bars.remove(&done) {
            bar.finish_and_clear();
            drawn.all.remove(&bar);
        }
    }
    let all = &drawn.all;
    let bar = drawn.bars.entry(item).or_insert_with_key(|item| {
        let bar = all.add(ProgressBar::no_length());
        bar.set_prefix(item.clone());
        bar
    });
    match progress.amount {
        Some((done, Some(total))) => {
            bar.set_style(style("  {prefix} {bar:24} {bytes}/{total_bytes} {wide_msg}"));
            bar.set_length(total);
            bar.set_position(done.min(total));
        }
        Some((done, None)) => {
            bar.set_style(style("  {prefix} {bytes} {wide_msg}"));
            bar.set_position(done);
        }
        None => bar.set_style(style("  {prefix} {wide_msg}")),
    }
    bar.set_message(text);
}

fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
