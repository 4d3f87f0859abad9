//! What the operator does at the terminal, as messages. While its task lives it eats every key: it is ended, and its end
//! awaited, before the terminal is handed to another program.

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use futures_util::StreamExt;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant};

use crate::dashboard::app::Message;
use crate::dashboard::app::key::{Code, Key};
use crate::dashboard::app::pointer::{Button, Gesture, Pointer};

/// Two clicks on one cell within this are a double click.
const DOUBLE: Duration = Duration::from_millis(400);

/// The task that reads the terminal.
pub struct Keyboard {
    task: JoinHandle<()>,
}

impl Keyboard {
    /// Begins to read. When the terminal is gone the last message is that the program shall end.
    pub fn read(into: Sender<Message>) -> Self {
        let task = tokio::spawn(async move {
            let mut events = EventStream::new();
            let mut clicks = Clicks::default();
            while let Some(Ok(event)) = events.next().await {
                if let Some(message) = message(event, &mut clicks)
                    && into.send(message).await.is_err()
                {
                    return;
                }
            }
            let _ = into.send(Message::Terminated).await;
        });
        Self { task }
    }

    /// Ends it; nothing reads the terminal any more when this returns.
    pub async fn stop(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

#[derive(Default)]
struct Clicks {
    last: Option<(Instant, u16, u16)>,
}

fn message(event: Event, clicks: &mut Clicks) -> Option<Message> {
    match event {
        Event::Key(event) => key(event).map(Message::Key),
        Event::Mouse(event) => mouse(event, clicks),
        Event::Paste(text) => Some(Message::Pasted(text)),
        Event::Resize(columns, lines) => Some(Message::Resized(columns, lines)),
        Event::FocusGained | Event::FocusLost => None,
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let code = match event.code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Tab => Code::Tab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Insert => Code::Insert,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(number) => Code::F(number),
        _ => return None,
    };
    let with = |modifier| event.modifiers.contains(modifier);
    let (ctrl, alt, shift) = (with(KeyModifiers::CONTROL), with(KeyModifiers::ALT), with(KeyModifiers::SHIFT));
    Some(Key { code, ctrl, alt, shift }.settled())
}

fn mouse(event: MouseEvent, clicks: &mut Clicks) -> Option<Message> {
    let button = |button| match button {
        MouseButton::Left => Button::Left,
        MouseButton::Middle => Button::Middle,
        MouseButton::Right => Button::Right,
    };
    let mut double = false;
    let gesture = match event.kind {
        MouseEventKind::Down(which) => {
            let now = Instant::now();
            double = which == MouseButton::Left
                && clicks
                    .last
                    .is_some_and(|(then, column, line)| (column, line) == (event.column, event.row) && now.duration_since(then) < DOUBLE);
            clicks.last = (!double && which == MouseButton::Left).then_some((now, event.column, event.row));
            Gesture::Press(button(which))
        }
        MouseEventKind::Up(which) => Gesture::Release(button(which)),
        MouseEventKind::Drag(which) => Gesture::Drag(button(which)),
        MouseEventKind::Moved => Gesture::Move,
        MouseEventKind::ScrollUp => Gesture::WheelUp,
        MouseEventKind::ScrollDown => Gesture::WheelDown,
        MouseEventKind::ScrollLeft | MouseEventKind::ScrollRight => return None,
    };
    let with = |modifier| event.modifiers.contains(modifier);
    let (shift, alt, ctrl) = (with(KeyModifiers::SHIFT), with(KeyModifiers::ALT), with(KeyModifiers::CONTROL));
    Some(Message::Mouse(Pointer { gesture, column: event.column, line: event.row, double, shift, alt, ctrl }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_sends_is_the_key_that_a_person_names() {
        let named = |code, modifiers| key(KeyEvent::new(code, modifiers)).unwrap().to_string();
        assert_eq!(named(KeyCode::Char('G'), KeyModifiers::SHIFT), "G");
        assert_eq!(named(KeyCode::Char('c'), KeyModifiers::CONTROL), "ctrl-c");
        assert_eq!(named(KeyCode::Char('C'), KeyModifiers::CONTROL | KeyModifiers::SHIFT), "ctrl-c");
        assert_eq!(named(KeyCode::BackTab, KeyModifiers::SHIFT), "shift-tab");
        assert_eq!(named(KeyCode::Char(' '), KeyModifiers::NONE), "space");
        // What crossterm makes of the byte 0x1c.
        assert_eq!(named(KeyCode::Char('4'), KeyModifiers::CONTROL), "ctrl-\\");
        assert_eq!(named(KeyCode::Up, KeyModifiers::SHIFT), "shift-up");
    }
}
