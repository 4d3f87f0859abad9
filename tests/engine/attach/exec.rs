use super::{PLAIN, session, settings, shell};
use crate::allowlist;
use crate::dashboard::screen::{Screen, follows, gone};
use crate::support::{call, palisade, text, until_had};

/// Everything of the corpus that no operator's terminal may be sent.
const HOSTILE: &str = r"\033]52;c;aGFja2Vk\a\033]0;owned\a\033]8;;http://evil\033\\link\033]8;;\033\\\033[6n\033[c\033[>c\033[5n\033P+q544e\033\\\033_apc\033\\\033^pm\033\\\033Xsos\033\\\033]4;1;rgb:00/00/00\a\033]10;?\a\033[?1000h\033[?1003h\033[?2004h\033[>4;2m\033[=1u\033[21t\033[3J\033c\033[?5h\033[20h\a\a\a\a\302\2332J\342\200\256evil\033[2;4r\033#8\033[!p\033[?47h\033[?47l";

#[test]
fn a_command_has_a_terminal_of_the_operators_size_and_its_exit_code_is_ours() {
    let session = session();
    let screen = shell(90, 20);
    let before = settings(&screen);
    screen.line(&format!("palisade exec -it {} -- bash; echo code-$?", session.name));
    screen.shows("sandbox@");
    screen.line("stty size; echo $TERM $COLORTERM; echo typed-$((40 + 2))");
    screen.shows("20 90");
    screen.shows("xterm-256color truecolor");
    screen.shows("typed-42");
    screen.resize(70, 15);
    follows(&screen, "15 70");
    screen.line("exit 7");
    screen.shows("code-7");
    screen.prompted();
    assert_eq!(settings(&screen), before);
    assert_eq!(screen.modes(), PLAIN);
}

#[test]
fn what_scrolls_off_is_in_the_terminals_own_scrollback() {
    let session = session();
    let screen = shell(60, 12);
    screen.line(&format!("echo before-it; palisade exec -it {} -- seq 1 3000; echo code-$?", session.name));
    screen.shows("code-0");
    let all = screen.tmux(&["capture-pane", "-p", "-S", "-"]);
    let numbers: Vec<u32> = all.lines().filter_map(|line| line.trim().parse().ok()).collect();
    // tmux keeps the last 2,000 lines, and drops a tenth of them at a time.
    let first = numbers[0];
    assert!(first < 1300, "{first}");
    assert_eq!(numbers, (first..=3000).collect::<Vec<_>>());
}

#[test]
fn the_detach_keys_leave_and_what_is_typed_next_is_the_shells() {
    let session = session();
    let screen = shell(90, 20);
    let before = settings(&screen);
    for round in 0..5 {
        screen.line(&format!("clear; palisade exec -it {} -- sh -c 'echo rou\"\"nd-{round}; exec cat'; echo code-$?", session.name));
        screen.shows(&format!("round-{round}"));
        screen.typed("hello");
        screen.shows("hello");
        // One write to the terminal: the keys that leave, and twenty more.
        screen.tmux(&[
            "send-keys",
            "-H",
            "10",
            "11",
            "65",
            "63",
            "68",
            "6f",
            "20",
            "61",
            "62",
            "63",
            "64",
            "65",
            "66",
            "67",
            "68",
            "69",
            "6a",
            "6b",
            "6c",
            "6d",
            "6e",
            "0d",
        ]);
        screen.shows("code-0");
        screen.wait(&format!("round {round}: all twenty keys arrived"), |screen| screen.lines().any(|line| line == "abcdefghijklmn"));
        screen.prompted();
    }
    assert_eq!(settings(&screen), before);
}

#[test]
fn other_keys_leave_where_the_operator_says_so() {
    let session = session();
    let screen = shell(90, 20);
    screen.line(&format!(
        "palisade exec -it --detach-keys ctrl-],x {} -- sh -c 'stty -ixon; echo th\"\"ere; exec cat'; echo code-$?",
        session.name
    ));
    screen.shows("there");
    screen.keys(&["ctrl-p", "ctrl-q"]);
    screen.typed("a");
    screen.shows("^P^Qa");
    screen.tmux(&["send-keys", "-H", "1d", "78"]);
    screen.shows("code-0");
}

#[test]
fn signals_leave_the_terminal_as_it_was() {
    let session = session();
    for (signal, code) in [("TERM", 143), ("HUP", 129), ("INT", 130)] {
        let screen = shell(90, 20);
        let before = settings(&screen);
        screen.line(&format!(
            "palisade exec -it {} -- sh -c 'printf \"\\033[?1049h\\033[?25l\\033[31mfull screen\"; sleep 600'; echo code-$?",
            session.name
        ));
        screen.shows("full screen");
        assert!(screen.is_alternate());
        let pid = screen.pid();
        let sent = std::process::Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status().unwrap();
        assert!(sent.success());
        screen.shows(&format!("code-{code}"));
        assert_eq!(screen.modes(), PLAIN, "after SIG{signal}");
        assert_eq!(settings(&screen), before, "after SIG{signal}");
    }
}

#[test]
fn a_terminal_that_vanishes_ends_it() {
    let session = session();
    let screen = shell(90, 20);
    screen.line(&format!("palisade exec -it {} -- bash", session.name));
    screen.shows("sandbox@");
    let pid = screen.pid();
    screen.close();
    gone(pid);
}

#[test]
fn nothing_that_a_session_writes_acts_on_the_operators_terminal() {
    let session = session();
    let screen = shell(90, 20);
    let begin = screen.raw().len();
    screen.line(&format!(
        "palisade exec -it {} -- sh -c 'printf \"$0\"; printf \"$0\"; echo; echo still-here' '{HOSTILE}'; echo code-$?",
        session.name
    ));
    screen.shows("code-0");
    let ours = ours(&screen, begin);
    let found = allowlist::check(&ours).unwrap_or_else(|wrong| panic!("{wrong}\n{}", text(&ours)));
    assert!(found.bells <= 2 && found.titles == 0 && found.clipboards == 0, "{found:?}");
    assert!(text(&ours).contains("still-here"));
    assert_eq!(screen.modes(), PLAIN);
}

/// What this program wrote, of what a terminal was sent after so many bytes: from where it took it to where it gave it back.
fn ours(screen: &Screen, after: usize) -> Vec<u8> {
    let (begin, end) = (b"\x1b[?2004h", b"\x1b[?2004l");
    let find = |raw: &[u8]| {
        let from = raw.windows(begin.len()).position(|window| window == begin)?;
        let to = raw[from..].windows(end.len()).position(|window| window == end)?;
        Some(raw[from..from + to].to_vec())
    };
    // The bytes come later than the screen.
    until_had("all of it has come", || {
        let raw = screen.raw();
        find(&raw[after..]).ok_or_else(|| text(&raw))
    })
}

#[test]
fn raw_passes_bytes_and_says_what_that_risks() {
    let session = session();
    let screen = shell(90, 20);
    screen.line(&format!("palisade exec -it --raw {} -- printf '\\033]2;raw-%s\\a' title; echo code-$?", session.name));
    screen.shows("code-0");
    assert_eq!(screen.text().matches("warning: --raw passes every byte").count(), 1);
    assert!(text(&screen.raw()).contains("\u{1b}]2;raw-title\u{7}"));
    assert_eq!(screen.modes(), PLAIN);
}

#[test]
fn keys_are_as_the_program_wants_them_and_a_paste_is_one() {
    let session = session();
    let screen = shell(90, 20);
    screen
        .line(&format!("palisade exec -it {} -- sh -c 'stty raw -echo; printf \"\\033[?1h\\033[?2004hwai%s\" ting; cat -v'", session.name));
    screen.shows("waiting");
    screen.keys(&["up", "esc"]);
    screen.shows("^[OA^[");
    screen.tmux(&["set-buffer", "pasted\u{10}\u{11}"]);
    screen.tmux(&["paste-buffer", "-p", "-r"]);
    screen.shows("^[[200~pasted^P^Q^[[201~");
    screen.keys(&["ctrl-p", "ctrl-q"]);
    screen.shows("left;");
}

#[test]
fn without_a_terminal_minus_t_says_what_to_do() {
    let session = session();
    let output = call(&["exec", "-it", &session.name, "--", "true"]);
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(errors.contains("needs a terminal") && errors.contains("without -t"), "{errors}");
    assert_eq!(text(&output.stdout), "");
}

#[test]
fn stopped_and_continued_it_has_the_terminal_again() {
    let session = session();
    let screen = shell(90, 20);
    let before = settings(&screen);
    screen.line(&format!("clear; palisade exec -it {} -- sh -c 'echo rou\"\"nd; exec cat'; echo code-$?", session.name));
    screen.shows("round");
    let pid = screen.pid().to_string();
    assert!(std::process::Command::new("kill").args(["-STOP", &pid]).status().unwrap().success());
    screen.shows("Stopped");
    screen.line("clear; fg");
    // Drawn anew, and raw: the line comes back from 'cat' alone, once by its terminal and once by itself.
    screen.wait("it is there again", |screen| screen.starts_with("round"));
    screen.line("again");
    screen.wait("it has the keys", |screen| screen.matches("again").count() == 2);
    screen.keys(&["ctrl-p", "ctrl-q"]);
    screen.shows("left;");
    screen.prompted();
    assert_eq!(settings(&screen), before);
}

#[test]
fn a_title_and_the_clipboard_are_the_operators_to_allow_and_each_use_is_told() {
    // In the operator's own folder: a project's file may not ask for it.
    let ours_is = palisade();
    let config = ours_is.get_envs().find(|(key, _)| *key == "XDG_CONFIG_HOME").and_then(|(_, value)| value).unwrap();
    let profiles = std::path::Path::new(config).join("palisade/profiles");
    std::fs::create_dir_all(&profiles).unwrap();
    std::fs::write(profiles.join("titled.toml"), "base = \"default\"\n[terminal]\ntitle = true\nclipboard = true\n").unwrap();
    let session = super::launched(&["--profile", "titled"], &["sleep", "600"]);
    let screen = shell(110, 20);
    let begin = screen.raw().len();
    let asks = "printf \"\\033]0;ti%s\\a\\033]52;c;aGFja2Vk\\a\\033]52;c;?\\a\" tle";
    screen.line(&format!("palisade exec -it {} -- sh -c '{asks}'; echo code-$?", session.name));
    let shown = screen.shows("code-0");
    assert!(shown.contains("set the title of this terminal once"), "{shown}");
    assert!(shown.contains("wrote to the clipboard once, 6 bytes"), "{shown}");
    let ours = ours(&screen, begin);
    let found = allowlist::check(&ours).unwrap();
    assert_eq!((found.titles, found.clipboards), (1, 1));
    assert!(text(&ours).contains(&format!("\u{1b}]2;{}: title\u{1b}\\", session.name)));
    assert_eq!(screen.clipboard(), "hacked");
}
