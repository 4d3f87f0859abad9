use std::sync::{Arc, Mutex};

use futures_util::{StreamExt, stream};

use super::*;
use crate::failure::Result;
use crate::terminal::{Grants, Screen};

/// A terminal of the operator's, and a session's at the other end.
struct Stage {
    keys: mpsc::Sender<Vec<Typed>>,
    keyboard: Keyboard,
    told: mpsc::UnboundedReceiver<Order>,
    to: mpsc::UnboundedSender<Order>,
    raise: mpsc::UnboundedSender<Signal>,
    signals: Signals,
    change: mpsc::Sender<Change>,
    changes: mpsc::Receiver<Change>,
    frames: Frames,
    operator: Arc<Mutex<Screen>>,
}

const SIZE: (u16, u16) = (20, 5);

fn size() -> Size {
    Size::from(SIZE)
}

impl Stage {
    fn set() -> Self {
        let operator = Arc::new(Mutex::new(Screen::new(size(), 100_000)));
        let screen = operator.clone();
        Self::with(operator, move |mut frames| {
            while let Some(bytes) = frames.blocking_recv() {
                screen.lock().unwrap().feed(&bytes);
            }
            Ok(())
        })
    }

    fn with(operator: Arc<Mutex<Screen>>, write: impl FnOnce(mpsc::Receiver<Bytes>) -> std::io::Result<()> + Send + 'static) -> Self {
        let (keys, keyboard) = Keyboard::scripted();
        let (to, told) = mpsc::unbounded_channel();
        let (raise, signals) = Signals::scripted();
        let (change, changes) = mpsc::channel(4);
        Self { keys, keyboard, told, to, raise, signals, change, changes, frames: Frames::over(write), operator }
    }

    async fn show(&mut self, output: impl futures_util::Stream<Item = Result<Told>> + Send + 'static) -> Ending {
        let mut view = View::drawn(size(), "web", Grants::default());
        let far = Far { output: output.boxed(), to: super::super::far::To::Test(self.to.clone()) };
        let near = Near { keyboard: &mut self.keyboard, frames: &self.frames, signals: &mut self.signals, changes: &mut self.changes };
        show(&mut view, far, near, Instant::now()).await
    }

    /// What the operator saw, when everything is written.
    async fn lines(self) -> Vec<String> {
        assert!(self.frames.finish(Vec::new()).await);
        let screen = self.operator.lock().unwrap();
        let past = i32::try_from(screen.past()).unwrap();
        (-past..i32::from(SIZE.1)).map(|line| screen.line(line).map(|cell| cell.c).collect::<String>().trim_end().to_owned()).collect()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "an item of a stream that may fail")]
fn output(text: impl Into<Vec<u8>>) -> Result<Told> {
    Ok(Told::Output(text.into()))
}

fn lines_to(count: usize) -> String {
    (0..count).map(|line| format!("line {line}")).flat_map(|line| [line, "\r\n".to_owned()]).collect()
}

fn typed(text: &str) -> Vec<Typed> {
    vec![Typed::Keys(text.as_bytes().to_vec())]
}

#[tokio::test]
async fn every_line_of_a_flood_passes_and_the_last_is_shown() {
    let mut stage = Stage::set();
    let text = lines_to(20_000);
    let pieces: Vec<Result<Told>> = text.as_bytes().chunks(30_000).map(output).chain([Ok(Told::Ended(3))]).collect();
    let ending = stage.show(stream::iter(pieces)).await;
    assert!(matches!(ending, Ending::Ended(3)), "{ending:?}");
    let lines = stage.lines().await;
    let expected: Vec<String> = (0..20_000).map(|line| format!("line {line}")).chain([String::new()]).collect();
    assert!(lines == expected, "{} lines, of which the first are {:?}", lines.len(), &lines[..5]);
}

#[tokio::test]
async fn keys_are_heard_and_leave_while_output_never_ends() {
    let mut stage = Stage::set();
    let flood = stream::repeat_with(|| output("y\r\n".repeat(10_000)));
    stage.keys.send(typed("\u{3}")).await.unwrap();
    stage.keys.send(vec![Typed::Cursor(b'A'), Typed::Leave]).await.unwrap();
    let keys = stage.keys.clone();
    let ending = stage.show(flood).await;
    assert!(matches!(ending, Ending::Left), "{ending:?}");
    drop(keys);

    let mut stage = Stage::set();
    let keys = stage.keys.clone();
    let mut told = std::mem::replace(&mut stage.told, mpsc::unbounded_channel().1);
    tokio::spawn(async move {
        for key in ["a", "b", "c"] {
            keys.send(typed(key)).await.unwrap();
            assert_eq!(told.recv().await, Some(Order::Keys(Bytes::from(key))));
        }
        keys.send(vec![Typed::Leave]).await.unwrap();
    });
    let ending = stage.show(stream::repeat_with(|| output("y\r\n".repeat(10_000)))).await;
    assert!(matches!(ending, Ending::Left), "{ending:?}");
}

#[tokio::test]
async fn a_terminal_that_takes_nothing_bounds_what_is_read_and_holds_no_signal_up() {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let operator = Arc::new(Mutex::new(Screen::new(size(), 10)));
    let mut stage = Stage::with(operator, move |_frames| {
        let _ = held.recv();
        Ok(())
    });
    let read = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (count, raise) = (read.clone(), stage.raise.clone());
    let flood = stream::repeat_with(move || {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        output("y\r\n".repeat(1000))
    });
    // When the reader is long stuck, a signal comes.
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        raise.send(Signal::Term).unwrap();
    });
    let ending = stage.show(flood).await;
    assert!(matches!(ending, Ending::Signal(Signal::Term)), "{ending:?}");
    let read = read.load(std::sync::atomic::Ordering::SeqCst);
    assert!(read < 20, "{read} pieces were read for a terminal that takes none");
    drop(release);
}

#[tokio::test]
async fn what_a_program_asks_is_answered_to_it_and_a_new_size_told() {
    let mut stage = Stage::set();
    stage.change.send(Change::Size(Size::new(30, 9))).await.unwrap();
    let (far, asked) = mpsc::unbounded_channel();
    far.send(output("ab\u{1b}[6n")).unwrap();
    let (mut told, keys) = (std::mem::replace(&mut stage.told, mpsc::unbounded_channel().1), stage.keys.clone());
    tokio::spawn(async move {
        let mut orders = [told.recv().await.unwrap(), told.recv().await.unwrap()];
        orders.sort_by_key(|order| matches!(order, Order::Keys(_)));
        assert_eq!(orders, [Order::Resize(Size::new(30, 9)), Order::Keys(Bytes::from_static(b"\x1b[1;3R"))]);
        keys.send(vec![Typed::Leave]).await.unwrap();
        far
    });
    let ending = stage.show(stream::unfold(asked, async |mut asked| Some((asked.recv().await?, asked)))).await;
    assert!(matches!(ending, Ending::Left), "{ending:?}");
}

#[tokio::test]
async fn a_lost_connection_is_told_with_everything_shown_that_came() {
    let mut stage = Stage::set();
    let lost = Failure::new(Code::EngineUnreachable, "the engine is gone");
    let ending = stage.show(stream::iter([output("last words"), Err(lost.clone())])).await;
    assert!(matches!(&ending, Ending::Lost(failure) if *failure == lost), "{ending:?}");
    assert_eq!(stage.lines().await[0], "last words");

    let mut stage = Stage::set();
    let ending = stage.show(stream::iter([Ok(Told::Anew(b"one".to_vec())), Ok(Told::Anew(b"\x1b[Htwo".to_vec()))])).await;
    assert!(matches!(ending, Ending::Closed), "{ending:?}");
    assert_eq!(stage.lines().await[0], "two");
}

#[tokio::test]
async fn a_screen_that_comes_again_does_not_scroll_by_again() {
    let mut stage = Stage::set();
    let whole = lines_to(5000);
    let pieces: Vec<&[u8]> = whole.as_bytes().chunks(wire::PIECE).collect();
    let first = || std::iter::once(Ok(Told::Anew(pieces[0].to_vec()))).chain(pieces[1..].iter().map(|piece| output(*piece)));
    let told: Vec<Result<Told>> = first().chain(first()).chain([output("more\r\nand more\r\n")]).collect();
    stage.show(stream::iter(told)).await;
    let lines = stage.lines().await;
    let expected: Vec<String> = (0..5000).map(|line| format!("line {line}")).chain(["more", "and more", ""].map(str::to_owned)).collect();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_terminal_that_is_gone_ends_it() {
    let mut stage = Stage::with(Arc::new(Mutex::new(Screen::new(size(), 10))), |_frames| Err(std::io::Error::other("gone")));
    let ending = stage.show(stream::pending()).await;
    assert!(matches!(ending, Ending::Gone), "{ending:?}");
    let mut stage = Stage::set();
    stage.keys = mpsc::channel(1).0;
    let ending = stage.show(stream::pending()).await;
    assert!(matches!(ending, Ending::Gone), "{ending:?}");
}
