//! A terminal in a session: the emulator's cells, each filtered. Nothing that the sandbox wrote is passed on.

use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::super::canvas::Canvas;
use crate::dashboard::app::effect::PaneCommand;
use crate::dashboard::app::overlay::Pane;
use crate::dashboard::text;
use crate::dashboard::theme::Role;
use crate::terminal::{Colour, Look};

/// How a pane is left, told in its title.
pub const DETACH: &str = "ctrl-p ctrl-q leaves it";
/// The same once what ran in it has ended.
pub const CLOSE: &str = "any key closes";
/// The same once the first of the two keys was pressed.
const LEAVING: &str = "ctrl-q leaves it, any other key stays";

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, pane: &Pane) -> Option<(u16, u16)> {
    canvas.clear(area);
    if area.height == 0 {
        return None;
    }
    title(canvas, Rect { height: 1, ..area }, pane);
    let below = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let screen = &pane.screen;
    let back = i32::try_from(pane.scroll).unwrap_or(i32::MAX);
    for (line, y) in (-back..).zip(below.top()..below.bottom()).take(usize::from(screen.size().rows())) {
        for (cell, x) in screen.line(line).zip(below.left()..below.right()) {
            if x + u16::from(cell.width) <= below.right() {
                canvas.put_cell(x, y, &cell, look(cell.look));
            }
        }
    }
    let (column, row) = screen.cursor();
    let is_there = pane.ended.is_none() && screen.shows_cursor() && pane.scroll == 0;
    is_there.then_some((below.x + column, below.y + row)).filter(|(x, y)| below.contains((*x, *y).into()))
}

fn title(canvas: &mut Canvas<'_>, line: Rect, pane: &Pane) {
    canvas.paint(line, Role::Header);
    let what = match &pane.command {
        PaneCommand::Attach => "attached".to_owned(),
        PaneCommand::Shell => "shell".to_owned(),
        PaneCommand::Exec(command) => command.join(" "),
    };
    let signs = canvas.signs;
    let (state, role) = match &pane.ended {
        None if pane.leaving => (format!("{} {LEAVING}", signs.paused), Role::Warning),
        None => (format!("{} {DETACH}", signs.running), Role::Good),
        Some(Ok(None)) => (format!("{} ended; {CLOSE}", signs.stopped), Role::Muted),
        Some(Ok(Some(code))) => {
            (format!("{} ended with {code}; {CLOSE}", signs.stopped), if *code == 0 { Role::Muted } else { Role::Warning })
        }
        Some(Err(failure)) => (format!("{} {}; {CLOSE}", signs.bad, failure.message), Role::Danger),
    };
    let scrolled = if pane.scroll > 0 { format!("  {} {} lines back", signs.up, pane.scroll) } else { String::new() };
    let wide = u16::try_from(text::width_up_to(&state, usize::from(line.width))).unwrap_or(0);
    let most = line.width.saturating_sub(wide + 2);
    canvas.line(line.x, line.y, most, &[(format!(" {} ", pane.target.name), Role::Title), (what, Role::Header), (scrolled, Role::Warning)]);
    canvas.put_right(line.x + most, line.y, line.width - most, &format!("{state} "), role);
}

/// A cell's own look.
fn look(look: Look) -> Style {
    let mut style = Style::new().fg(colour(look.foreground)).bg(colour(look.background));
    for (is_on, modifier) in [
        (look.bold, Modifier::BOLD),
        (look.dim, Modifier::DIM),
        (look.italic, Modifier::ITALIC),
        (look.underline, Modifier::UNDERLINED),
        (look.inverse, Modifier::REVERSED),
        (look.strikeout, Modifier::CROSSED_OUT),
    ] {
        if is_on {
            style = style.add_modifier(modifier);
        }
    }
    style
}

const fn colour(colour: Colour) -> Color {
    match colour {
        Colour::Default => Color::Reset,
        Colour::Indexed(index) => Color::Indexed(index),
        Colour::Rgb(red, green, blue) => Color::Rgb(red, green, blue),
    }
}
