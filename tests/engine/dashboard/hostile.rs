//! What a sandbox writes, calls itself and leaves behind reaches the operator's terminal as text or not at all.

use std::io::Write;
use std::process::Stdio;

use super::raw::{Piece, acting, is_drawing, is_the_dashboards_own};
use super::screen::{Screen, sessions};
use crate::common::corpus::corpus;
use crate::support::{Session, docker, name, palisade, succeed, text, until_had};

/// Escape sequences of every kind, each with a word by which its text is told; C1 as UTF-8; bidi; zero-width; wide.
const PLANTED: &str = concat!(
    "\u{1b}[2J\u{1b}[31mcsi \u{1b}]0;title\u{7}osc0 \u{1b}]8;;http://evil.invalid\u{1b}\\link\u{1b}]8;;\u{1b}\\ ",
    "\u{1b}]52;c;ZXZpbA==\u{7}osc52 \u{1b}Pq#0\u{1b}\\dcs \u{1b}_Gi=1\u{1b}\\apc \u{1b}c\u{9b}2J\u{9d}0;t\u{9c}c1 ",
    "\u{202e}bidi\u{2066}\u{200b}\u{200d}\u{feff}zero \u{65e5}\u{672c}wide \u{7}\u{8}\u{8}end"
);

/// A line of Python that writes it, with C1 as a byte alone at its end.
fn printing() -> String {
    let hex: Vec<String> = PLANTED.bytes().map(|byte| format!("{byte:02x}")).collect();
    let hex = hex.concat();
    format!(
        "import sys, time; planted = bytes.fromhex('{hex}'); sys.stdout.buffer.write(planted + bytes([0x9b]) + b'2J' + bytes([10])); sys.stdout.flush()"
    )
}

/// Nothing that acts but what the dashboard sends by itself.
fn harmless(raw: &[u8], also: impl Fn(&Piece) -> bool) {
    let mut foreign: Vec<Piece> = acting(raw).into_iter().filter(|piece| !is_the_dashboards_own(piece) && !also(piece)).collect();
    foreign.sort();
    foreign.dedup();
    assert!(foreign.is_empty(), "these reached the terminal: {foreign:?}");
}

/// All bytes up to the end of a frame: what is on its way may be cut anywhere.
fn whole(screen: &Screen) -> Vec<u8> {
    until_had("a frame is whole", || {
        let raw = screen.raw();
        if raw.ends_with(b"\x1b[?2026l") { Ok(raw) } else { Err(format!("it ends with {:?}", text(&raw[raw.len().saturating_sub(40)..]))) }
    })
}

/// The bytes since the dashboard began: what the shell drew before is its own.
fn drawn(screen: &Screen) -> Vec<u8> {
    let raw = whole(screen);
    let enter = b"\x1b[?1049h";
    let at = raw.windows(enter.len()).position(|window| window == enter).expect("the alternate screen was entered");
    raw[at..].to_vec()
}

/// A wide character takes two columns, as tmux lays it out.
fn columns(text: &str) -> usize {
    text.chars()
        .map(|c| {
            if matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ff60}') {
                2
            } else {
                1
            }
        })
        .sum()
}

#[test]
fn what_a_sandbox_prints_and_calls_its_processes_never_acts() {
    let session = Session { name: format!("{}-end", name()) };
    // Ten megabytes without an end first: of what is too much the beginning is let go.
    let script = format!(
        "import sys; sys.stdout.buffer.write(b'x' * 10000000 + bytes([10]))
{}
import ctypes, os
ctypes.CDLL(None).prctl(15, planted[:15], 0, 0, 0)
name = planted.decode(errors='ignore').replace('/', '_')[:60]
for folder in (os.environ['HOME'], '/tmp'):
    open(folder + '/' + name, 'w').close()
os.spawnvp(os.P_NOWAIT, 'sh', [planted, '-c', 'sleep 600; :'])
time.sleep(600)",
        printing()
    );
    succeed(&["launch", &session.name, "--network", "none", "--", "python3", "-c", &script]);
    let screen = Screen::dashboard(120, 40, &session.name);
    // Every tab, the log wrapped and from its beginning, too.
    for tab in ["Hardening", "Cache", "Logs", "Processes", "Events", "Files"] {
        screen.keys(&["]"]);
        screen.shows(tab);
        match tab {
            "Logs" => {
                screen.wait("what it printed", |screen| screen.contains("csi") && screen.contains("xxxxxxxx"));
                screen.keys(&["w"]);
                screen.wait("all of it", |screen| screen.contains("csi") && screen.contains("zero"));
                screen.keys(&["tab", "g"]);
                screen.wait("the log's beginning", |screen| screen.contains("xxxxxxxx") && !screen.contains("csi"));
                screen.keys(&["tab", "w"]);
            }
            "Processes" => _ = screen.shows("python3"),
            "Files" => _ = screen.shows("against the image"),
            _ => {}
        }
    }
    // Through the terminal panes as well, where a whole emulator stands between.
    screen.keys(&["x"]);
    screen.shows("Run in");
    screen.line(&format!("python3 -c \"{}; time.sleep(600)\"", printing()));
    screen.shows("zero");
    screen.keys(&["ctrl-p", "ctrl-q"]);
    screen.row_shows(&session.name, "running");
    // It rang once as it was printed: a bell is passed on, one a second at most.
    let raw = drawn(&screen);
    harmless(&raw, |piece| *piece == Piece::Control(7));
    assert!(acting(&raw).iter().filter(|piece| **piece == Piece::Control(7)).count() <= 2, "each bell that was printed is one");
    assert_eq!(screen.clipboard(), "", "nothing was put on the clipboard");
    assert_ne!(screen.tmux(&["display-message", "-p", "#{pane_title}"]).trim(), "title");
}

/// Writes the corpus: all of it at once, or each sequence by itself, with time for a frame of which it is the last.
const PLAYER: &str = "import sys, time
out = sys.stdout.buffer
for line in open('/home/sandbox/corpus'):
    out.write(bytes.fromhex(line) + b'\\r\\n')
    if sys.argv[1] == 'alone':
        out.flush()
        time.sleep(0.035)
out.write(b'\\033cplayed-' + sys.argv[1].encode())
out.flush()
time.sleep(600)
";

#[test]
fn no_sequence_of_the_corpus_acts_through_a_pane() {
    let session = super::session(&["sleep", "600"]);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let lines: String = corpus().iter().map(|one| hex(&one.bytes) + "\n").collect();
    for (file, content) in [("corpus", lines.as_str()), ("player.py", PLAYER)] {
        let mut put = palisade();
        put.args(["exec", &session.name, "--", "sh", "-c", &format!("cat > ~/{file}")]).stdin(Stdio::piped());
        let mut put = put.spawn().unwrap();
        put.stdin.take().unwrap().write_all(content.as_bytes()).unwrap();
        assert!(put.wait().unwrap().success());
    }
    let screen = Screen::dashboard(120, 40, &session.name);
    for how in ["once", "alone"] {
        // What is sent from here on is the pane's: modes were set before, and stay as they are.
        let begin = whole(&screen).len();
        screen.keys(&["x"]);
        screen.shows("Run in");
        screen.line(&format!("python3 /home/sandbox/player.py {how}"));
        screen.shows(&format!("played-{how}"));
        screen.keys(&["ctrl-p", "ctrl-q"]);
        screen.row_shows(&session.name, "running");
        let pieces = acting(&whole(&screen)[begin..]);
        let mut foreign: Vec<&Piece> = pieces.iter().filter(|piece| !is_drawing(piece) && **piece != Piece::Control(7)).collect();
        foreign.sort();
        foreign.dedup();
        assert!(foreign.is_empty(), "{how}: these reached the terminal: {foreign:?}");
        // Of the corpus's hundreds of bells one a second is passed on; it takes a minute at the very most.
        assert!(pieces.iter().filter(|piece| **piece == Piece::Control(7)).count() <= 60, "{how}: bells without end");
    }
    assert_eq!(screen.clipboard(), "", "nothing was put on the clipboard");
    assert_eq!(screen.modes(), "1 1 1 0 0", "the dashboard's own modes, and none of the corpus's");
}

#[test]
fn hostile_labels_and_names_neither_act_nor_shift_a_column() {
    let part = format!("{}-", name());
    let honest = Session { name: format!("{part}honest") };
    succeed(&["launch", &honest.name, "--network", "none"]);
    let hostile = Session { name: format!("{part}hostile") };
    // Any user of the engine can write these: what lists must not believe them.
    let label = |key: &str, value: &str| format!("{key}={value}");
    let labels = [
        label("palisade.schema", "1"),
        label("palisade.role", "session"),
        label("palisade.session.profile", PLANTED),
        label("palisade.session.image", PLANTED),
        label("palisade.session.kind", PLANTED),
        label("palisade.session.id", PLANTED),
    ];
    let mut args = vec!["run", "-d", "--network", "none", "--name"];
    let container = hostile.container();
    args.push(&container);
    args.extend(labels.iter().flat_map(|label| ["--label", label.as_str()]));
    args.extend(["--entrypoint", "sh", "palisade-sandbox:latest", "-c", "sleep 600", PLANTED]);
    docker(&args);
    let screen = Screen::dashboard(160, 40, &part);
    let holds = |screen: &str, name: &str| sessions(screen).any(|line| line.contains(name) && line.contains("running"));
    let shown = screen.wait("both run", |screen| holds(screen, &honest.name) && holds(screen, &hostile.name));
    // The last column ends where its head does, whatever stands before it.
    let end = |line: Option<&str>| line.map(|line| columns(line.trim_end()));
    let head = end(shown.lines().find(|line| line.contains("NAME")));
    for name in [&honest.name, &hostile.name] {
        assert_eq!(end(sessions(&shown).find(|line| line.contains(name.as_str()))), head, "{shown}");
    }
    for _ in 0..7 {
        screen.keys(&["j", "]"]);
    }
    // The dialog itself: 'remove' alone is on the screen all the time, and a key that is sent right behind an escape is another key.
    let question = format!("remove {part}");
    screen.keys(&["d"]);
    screen.shows(&question);
    screen.keys(&["esc"]);
    screen.shows_not(&question);
    screen.keys(&["?"]);
    screen.shows("Moving about");
    harmless(&drawn(&screen), |_| false);
    // The command that is copied has lost what would act where it is pasted.
    screen.keys(&["?", "G", "c"]);
    screen.wait("it is copied", |screen| screen.contains("copied"));
    harmless(&drawn(&screen), |piece| matches!(piece, Piece::Osc(text) if text.starts_with("52;c;")));
    harmless(screen.clipboard().as_bytes(), |_| false);
    assert!(!text(&drawn(&screen)).contains("\u{1b}]52;c;ZXZpbA=="));
}
