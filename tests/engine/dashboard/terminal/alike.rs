//! Programs that draw look in the dashboard's terminal as they do in tmux, cell by cell: characters, colours, attributes.

use super::drawing;
use super::pair::{Mask, Masked, Pair};
use crate::support::Session;

const SIZE: (u16, u16) = (100, 30);

/// Puts a file into a session.
fn file(session: &Session, path: &str, text: &str) {
    let (code, _, errors) = session.sh(&format!("cat > {path} <<'END-OF-FILE'\n{text}\nEND-OF-FILE"));
    assert_eq!(code, 0, "{errors}");
}

const CODE: &str = r#"/* A comment that is long enough to be wrapped when the window is split into two of about the same width, or so. */
#include <stdio.h>

int main(int argc, char **argv) {
	const char *text = "a string with 日本語 and é";
	for (int at = 0; at < 10 && text[at]; at++) {
		if (at % 2 == 0) printf("%d: %c\n", at, text[at]);
	}
	return 0; // TODO: nothing
}"#;

#[test]
fn vim_looks_as_in_tmux() {
    let session = drawing();
    file(&session, "/tmp/a.c", CODE);
    file(&session, "/tmp/vimrc", "set nocompatible number hlsearch cursorline list background=dark\nsyntax on\nset showcmd laststatus=2");
    let pair = Pair::run(&session, SIZE, "vim -n -u /tmp/vimrc /tmp/a.c");
    pair.shows("nothing");
    pair.alike("a file with its syntax", &[]);
    pair.line("/text");
    pair.alike("what is searched", &[]);
    pair.keys(&["V", "j", "j"]);
    pair.alike("what is selected", &[]);
    pair.keys(&["esc"]);
    pair.line(":vsplit");
    pair.line(":split");
    pair.alike("three windows", &[]);
    pair.keys(&["o"]);
    pair.typed("typed 日本 e\u{301} \u{1f600} anew");
    pair.keys(&["esc"]);
    pair.alike("what is typed", &[]);
    pair.line(":set termguicolors | colorscheme desert");
    pair.alike("24-bit colours", &[]);
    pair.line(":only | help");
    pair.alike("the help", &[]);
    pair.keys(&["ctrl-d"]);
    pair.keys(&["ctrl-d", "ctrl-u", "ctrl-e"]);
    pair.alike("the help, scrolled", &[]);
}

#[test]
fn less_looks_as_in_tmux() {
    let session = drawing();
    let text: Vec<String> = (0..200).map(|number| format!("line {number} \u{1b}[3{}mcolour\u{1b}[0m of\ttext", number % 8)).collect();
    file(&session, "/tmp/text", &text.join("\n"));
    let pair = Pair::run(&session, SIZE, "less -R -N /tmp/text");
    pair.shows("line 20");
    pair.alike("the first page", &[]);
    pair.keys(&["space"]);
    pair.alike("the next page", &[]);
    pair.line("/line 1");
    pair.alike("what is searched", &[]);
    pair.keys(&["k", "k", "G"]);
    pair.alike("the last page", &[]);
    pair.keys(&["g", "h"]);
    pair.alike("the first page again", &[]);
}

#[test]
fn a_python_prompt_looks_as_in_tmux() {
    let session = drawing();
    let pair = Pair::run(&session, SIZE, "python3");
    pair.shows(">>>");
    pair.alike("the prompt", &[]);
    pair.line("print('日本語', 'e\u{301}', 6 * 7)");
    pair.shows("42");
    pair.alike("what it prints", &[]);
    pair.line("def f(a):");
    pair.line("    return a / 0");
    pair.line("");
    pair.line("f(1)");
    pair.shows("ZeroDivisionError");
    pair.alike("a traceback", &[]);
    pair.keys(&["up", "up"]);
    pair.keys(&["ctrl-a", "ctrl-k"]);
    pair.typed("import th");
    pair.keys(&["tab", "tab"]);
    pair.alike("a completion", &[]);
}

/// A process that does nothing at all: one that wakes now and then is shown as running, if it is looked at then.
fn sleeper(session: &Session) -> String {
    session.sh("pgrep -x sleep").1.trim().to_owned()
}

#[test]
fn top_looks_as_in_tmux_but_for_its_figures() {
    let session = drawing();
    let pair = Pair::run(&session, SIZE, &format!("top -d 900 -p {}", sleeper(&session)));
    pair.shows("sleep");
    let figures = [Mask { why: "clock, load, memory, CPU time: measured at each look", rows: 0..8, what: Masked::Numbers }];
    pair.alike("the summary and a process", &figures);
    pair.keys(&["z", "x"]);
    pair.alike("the same in colours", &figures);
}

#[test]
fn htop_looks_as_in_tmux_but_for_its_figures() {
    let session = drawing();
    let pair = Pair::run(&session, SIZE, &format!("htop -d 100 -p {}", sleeper(&session)));
    pair.shows("sleep");
    let figures = || {
        [
            Mask { why: "meters of CPU and memory: measured at each look", rows: 0..6, what: Masked::Bars },
            Mask { why: "tasks, load, uptime, CPU time: measured at each look", rows: 0..10, what: Masked::Numbers },
        ]
    };
    pair.alike("meters and a process", &figures());
    pair.keys(&["f1"]);
    pair.shows("htop 3");
    pair.alike("its help", &[Mask { why: "the bars that explain the meters are of this moment", rows: 0..6, what: Masked::Numbers }]);
}

#[test]
fn every_colour_and_attribute_looks_as_in_tmux() {
    let session = drawing();
    let script = r#"
import sys, time
out = ""
for number in range(256):
    out += f"\033[48;5;{number}m \033[38;5;{255 - number}mx"
    if number % 40 == 39: out += "\033[0m\r\n"
out += "\033[0m\r\n"
for number in range(96):
    out += f"\033[48;2;{number * 2};{255 - number * 2};{number}m\033[38:2::255:{number}:0mo"
out += "\033[0m\r\n"
for code in (1, 2, 3, 4, 7, 9, "1;3", "4;31", "7;32", "1;7;44", "21", "4:3", "90", "97;100", "38;5;9", "1;38;5;1"):
    out += f"\033[{code}m{code}\033[0m "
out += "\r\n\033[41mred to the end\033[K\033[0m\r\n\033(0lqqwqqk\r\nx  x  x\r\nmqqvqqj\033(B\r\nfin"
sys.stdout.write(out); sys.stdout.flush(); time.sleep(600)"#;
    file(&session, "/tmp/colours.py", script);
    let pair = Pair::run(&session, SIZE, "python3 /tmp/colours.py");
    pair.shows("fin");
    pair.alike("colours and attributes", &[]);
}

#[test]
fn text_of_other_scripts_looks_as_in_tmux() {
    let session = drawing();
    let text = "日本語 中文字符 한국어 ｆｕｌｌ ｶﾅ\nΑΒΓ кириллица עברית العربية ไทย\ne\u{301} a\u{308} o\u{302}\n\
                \u{1f600} \u{1f680} \u{1f4a9} \u{2764} \u{2603} \u{26a1}\n┌─┬─┐ ▀▄█▌▐ ░▒▓ ◆●■\n★ ☆ ♠ ♥ ← → ⇒ ∀ ∑ √ ∞\n\
                wide at the edge, twice: 日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語end";
    file(&session, "/tmp/scripts", text);
    let pair = Pair::run(&session, SIZE, "sh -c 'cat /tmp/scripts; printf fin; sleep 600'");
    pair.shows("fin");
    pair.alike("scripts and signs", &[]);
}
