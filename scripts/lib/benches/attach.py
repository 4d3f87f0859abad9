"""A session's terminal: how fast a flood passes, how soon a key is echoed, and what is left of the rest meanwhile.

Everything runs in one persistent session with --network none, each program in a terminal of 160×50, in turn. A flood is
`cat` of a text in the session's home; it is over when the word that is printed after it stands in what the program wrote.
"""

import contextlib
import os
import random
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from terminal import Terminal

from .dashboard import Sessions, key_times, percentile
from .measure import PREFIX, binary, in_turn, need, of_medians, run, table, verdict

COLUMNS, LINES = 160, 50
MEGABYTES = 100
# Printed in two parts, so that the command line which is typed does not hold it; of characters that the text has none of, because
# a program that draws differences leaves out what stands there already.
DONE, DONE_COMMAND = b"@#@#@#", "printf '\\n%s%s\\n' @#@ '#@#'"
LIMIT_S = 120
FRAME_MS = 33


class Session:
    """One that idles, with the text in its home."""

    def __init__(self, palisade, megabytes):
        self.palisade, self.name = palisade, f"{PREFIX}-attach"
        self.container = f"palisade-{self.name}"
        run([palisade, "launch", "--quiet", self.name, "--network", "none"])
        words = "a line of a text as programs write them: some words, a number, 0123456789, and a little more"
        run([palisade, "exec", self.name, "--", "sh", "-c", f"yes '{words}' | head -c {megabytes}000000 > ~/text"])

    def remove(self):
        subprocess.run([self.palisade, "rm", "--quiet", "--force", self.name], capture_output=True, check=False)


OURS, OURS_BY_ENGINE = "palisade shell", "palisade shell, direct_terminals = false"


def ways(palisade, session, server, settings):
    """Each way to a command in the session: what comes before the command line. In `settings` are those of who goes by the engine."""
    shell = [palisade, "shell", session.name, "--"]
    return {
        "docker exec -it": ["docker", "exec", "-it", session.container],
        "docker exec -it in tmux": ["tmux", "-L", server, "-f", "/dev/null", "new-session", "docker", "exec", "-it", session.container],
        OURS: shell,
        OURS_BY_ENGINE: ["env", f"XDG_CONFIG_HOME={settings}", *shell],
    }


def by_engine(folder):
    """Settings with which nothing goes past the engine."""
    file = Path(folder) / "palisade" / "config.toml"
    file.parent.mkdir()
    file.write_text("direct_terminals = false\n", encoding="utf-8")
    return folder


def wait_for(terminal, word, seconds=LIMIT_S):
    """Reads until the word was written; the seconds since the start, or None."""
    until, seen, kept = time.monotonic() + seconds, 0, b""
    while time.monotonic() < until:
        terminal.read(1)
        for at, data in terminal.chunks[seen:]:
            kept = kept[-len(word) :] + data
            if word in kept:
                return at
        # What has been looked through is not kept: a flood would fill the memory.
        del terminal.chunks[: max(len(terminal.chunks) - 1, 0)]
        seen = len(terminal.chunks)
        if terminal.ended:
            return None
    return None


def flood(command):
    with Terminal([*command, "sh", "-c", f"cat ~/text; {DONE_COMMAND}; sleep 1"], COLUMNS, LINES) as terminal:
        return wait_for(terminal, DONE)


def pane(palisade, session):
    """The same in a shell in the dashboard, by its own keys: from the enter key on."""
    with Terminal([palisade], COLUMNS, LINES) as terminal:
        open_pane(terminal, session)
        began = terminal.write(f"cat ~/text; {DONE_COMMAND}; sleep 1; exit\r".encode())
        over = wait_for(terminal, DONE)
        # A shell that is left would be offered the next time.
        wait_for(terminal, b"ended", 10)
        return None if over is None else over - began


def open_pane(terminal, session):
    wait_for(terminal, b"NAME", 10)
    for keys in (b"/", b"\x15", f"'{session.name}".encode(), b"\r", b"s"):
        terminal.write(keys)
        terminal.read(0.5)
    # The shell has said that it waits, or what it says is long on its way.
    while terminal.read(1):
        pass


class Typist:
    """At a `cat` that reads lines, in a terminal of one of the ways."""

    def __init__(self, command):
        self.terminal = Terminal([*command, "sh", "-c", f"{DONE_COMMAND}; exec cat"], COLUMNS, LINES)
        self.typed, self.times = 0, []
        self.is_there = wait_for(self.terminal, DONE, 30) is not None
        while self.is_there and self.terminal.read(0.5):
            pass

    def type(self):
        """A key, until its echo is there."""
        key = b"abcdefghijklmnop"[self.typed % 16 : self.typed % 16 + 1]
        self.typed += 1
        # What came since the last one, such as the line of a `cat`, is nobody's echo.
        while self.terminal.take(0):
            pass
        del self.terminal.chunks[:]
        at = self.terminal.write(key)
        until = time.monotonic() + 2
        while time.monotonic() < until and not self.terminal.ended:
            self.terminal.take(0.2)
            # Parameters of sequences are no letters; their ends are capitals but for h, l, m and q.
            came = [when for when, data in self.terminal.chunks if key in re.sub(rb"\x1b\[[0-9;?]*[ ]?[a-zA-Z]", b"", data)]
            if came:
                self.times.append((came[0] - at) * 1000)
                break
        if self.typed % 100 == 0:
            self.terminal.write(b"\r")


def echoes(commands, keys):
    """Milliseconds from a key to its echo, {name: times}: a key here and a key there, so that whatever else the machine does falls on each."""
    with contextlib.ExitStack() as stack:
        typists = {name: Typist(command) for name, command in commands.items()}
        if not all(typist.is_there for typist in typists.values()):
            return {name: [] for name in commands}
        for typist in typists.values():
            stack.enter_context(typist.terminal)
        for _ in range(keys):
            for name in random.sample(list(typists), len(typists)):
                typists[name].type()
                # As fast as a key that is held down, and not in step with anything.
                time.sleep(random.uniform(0.02, 0.05))
        return {name: typist.times for name, typist in typists.items()}


def memory(command, seconds=10):
    """The most that the program itself held, in MiB, while a sandbox printed without end."""
    most = 0
    with Terminal([*command, "yes", "a line without end"], COLUMNS, LINES) as terminal:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not terminal.ended:
            terminal.read(0.1)
            del terminal.chunks[:]
            with contextlib.suppress(OSError, AttributeError):
                status = Path(f"/proc/{terminal.pid}/status").read_text(encoding="utf-8")
                most = max(most, int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024)
    return most


def bench(options):
    palisade = binary()
    need("tmux", "tmux")
    server = f"{PREFIX}-attach"
    session = Session(palisade, options.megabytes)
    settings = tempfile.TemporaryDirectory()
    failed = 0
    try:
        commands = ways(palisade, session, server, by_engine(settings.name))
        if os.geteuid() != 0:
            print("who is not root goes by the engine either way\n")
        floods = {name: [] for name in [*commands, "dashboard's pane"]}
        for turn in range(options.n):
            for name in in_turn(floods, turn):
                took = pane(palisade, session) if name not in commands else flood(commands[name])
                if took is None:
                    print(f"{name}: it did not come to its end")
                else:
                    floods[name].append(took * 1000)
                subprocess.run(["tmux", "-L", server, "kill-server"], capture_output=True, check=False)
        floods = {name: times for name, times in floods.items() if len(times) > 1}
        print(f"cat of {options.megabytes} MB, {options.n} times each in turn\n")
        table(floods)
        for name in (OURS, OURS_BY_ENGINE, "dashboard's pane"):
            if name in floods and "docker exec -it in tmux" in floods:
                print(f"{name} takes {of_medians(floods[name], floods['docker exec -it in tmux']):.2f} of tmux's time")

        typed = {name: command for name, command in commands.items() if "tmux" not in name}
        keys = echoes(typed, options.n * options.keys)
        if not all(keys.values()):
            print("key to echo: one of them did not begin")
            return 1
        print(f"\nkey to echo, {options.n * options.keys} keys in turn\n")
        table(keys)
        for name, times in keys.items():
            print(f"{name}: p50 {percentile(times, 0.5):.2f} ms, p99 {percentile(times, 0.99):.2f} ms, of {len(times)}")
        for ours in (OURS, OURS_BY_ENGINE):
            for share, words in ((0.5, "p50"), (0.99, "p99")):
                ratio = percentile(keys[ours], share) / percentile(keys["docker exec -it"], share)
                failed |= verdict(ratio, f"{words} of {ours} by docker exec -it:", options.enforce, at_most=1.2)

        print()
        for ours in (OURS, OURS_BY_ENGINE):
            print(f"{ours} while a sandbox prints without end: {memory(commands[ours]):.1f} MiB at most")
        failed |= meanwhile(palisade, options)
    finally:
        subprocess.run(["tmux", "-L", server, "kill-server"], capture_output=True, check=False)
        session.remove()
        settings.cleanup()
    return failed


def meanwhile(palisade, options):
    """The dashboard's keys while the session that is selected prints without end."""
    sessions = Sessions(palisade, 2)
    try:
        sessions.grow(3)
        loud = f"{PREFIX}--loud"
        sessions.names.append(loud)
        run([palisade, "launch", "--quiet", loud, "--network", "none", "--", "sh", "-c", "yes 'a line without end'"])
        with tempfile.TemporaryDirectory() as state:
            times = key_times([palisade], {"XDG_STATE_HOME": state}, options.keys, before=b"]]]")
        if not times:
            print("the dashboard's keys were not measured")
            return 0
        print(f"the dashboard's keys meanwhile: p50 {statistics.median(times):.1f} ms, p99 {percentile(times, 0.99):.1f} ms")
        return verdict(percentile(times, 0.99), "p99 in ms:", options.enforce, at_most=FRAME_MS)
    finally:
        sessions.remove()
