"""The dashboard beside dtop and oxker: the same sessions, the same engine, the same run.

Sessions are real ones, launched by palisade with --network none and no command: they idle, so what is measured is the
watching. The programs run one at a time, each in a terminal of 160×50. A program lists all when as many sessions stand on its screen
as ever will: from 100 on no screen has room for every one. Requests are counted in a run of their own, through a proxy
that only that program sees in place of the engine's socket.
"""

import collections
import contextlib
import os
import random
import re
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from terminal import Terminal

from .counting_proxy import CountingProxy
from .measure import PREFIX, binary, die, in_turn, run
from .peers import peer

COLUMNS, LINES = 160, 50
PEERS = {"dtop": ["dtop@0.10.2"], "oxker": ["oxker"]}
# Longer than any of them needs to come to rest.
SETTLE_S = 5
UP, DOWN = b"\x1b[A", b"\x1b[B"
ENGINE = {"dockerd": "dockerd", "containerd": "containerd", "containerd-shim": "shims"}
# Beside dtop, at 100 sessions: ratios, at most.
TARGETS = {"first": 0.8, "program": 0.2, "all": 0.05, "rss": 1.0}
FRAME_MS = 33


def programs():
    """Each program's command, of the peers those that can be had."""
    found = {"palisade": [binary()]}
    for name, package in PEERS.items():
        command = peer(name, package)
        if command:
            found[name] = command
    return found


class Sessions:
    """So many sessions as are asked for, and as many more when more are; all gone at the end."""

    def __init__(self, palisade, jobs):
        self.palisade, self.jobs, self.names = palisade, jobs, []

    def grow(self, count):
        fresh = [f"{PREFIX}-{number:03}" for number in range(len(self.names), count)]
        self.names += fresh
        with ThreadPoolExecutor(self.jobs) as pool:
            list(pool.map(lambda name: run([self.palisade, "launch", "--quiet", name, "--network", "none"]), fresh))

    def logging(self):
        """One that logs without pause, before all others by name."""
        name = f"{PREFIX}--loud"
        self.names.append(name)
        words = "while :; do echo \"$((n += 1)) INFO a line as programs write them, with some words in it\"; done"
        run([self.palisade, "launch", "--quiet", name, "--network", "none", "--", "sh", "-c", words])
        return name

    def drop(self, name):
        self.names.remove(name)
        run([self.palisade, "rm", "--quiet", "--force", name])

    def remove(self):
        for first in range(0, len(self.names), 20):
            subprocess.run([self.palisade, "rm", "--quiet", "--force", *self.names[first : first + 20]], capture_output=True, check=False)


NAME = re.compile(re.escape(PREFIX) + r"-(?:\d{3}|-loud)(?![\w-])")


def listing(terminal):
    """The last screen, for a message."""
    *_, (_, screen) = terminal.screens()
    return [line.rstrip() + "\n" for line in screen.text() if line.strip()]


def listed(screen):
    return {name for line in screen.text() for name in NAME.findall(line)}


class Starts:
    """Starts of one program: when its list was whole, and how many sessions its screen had room for."""

    def __init__(self):
        self.times, self.shown = [], 0

    def take(self, command, env):
        with Terminal(command, COLUMNS, LINES, env) as terminal:
            terminal.read(SETTLE_S)
            counts = [(at, len(listed(screen))) for at, screen in terminal.screens()]
        self.shown = counts[-1][1] if counts else 0
        if self.shown:
            self.times.append(next(at for at, count in counts if count >= self.shown) * 1000)


# ---- CPU and memory


def cpu_of(pid):
    """Seconds of CPU of a process, its ended threads and its reaped children included."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def precise_cpu_of(pid):
    """Seconds of CPU of a process's living threads, to the nanosecond: two hundred shims spend less than a tick each."""
    total = 0
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                total += int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text(encoding="utf-8").split()[0])
    return total / 1e9


def engine_cpu():
    """Seconds of CPU by process, of each of the engine's."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            comm = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
            if comm in ENGINE:
                found[pid, ENGINE[comm]] = precise_cpu_of(pid)
    return found


def spent(before, after):
    """By name; a process that is only in one of the two says nothing of the time between."""
    by_name = collections.Counter(dict.fromkeys(ENGINE.values(), 0.0))
    for (pid, name), seconds in after.items():
        if (pid, name) in before:
            by_name[name] += max(seconds - before[pid, name], 0)
    return by_name


def family(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return [pid, *(relative for child in children for relative in family(child))]


def memory_of(pid):
    return int(re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))[1]) / 1024


class Idle:
    """What one program and the engine spend while nothing happens."""

    def __init__(self, command, env, window, idle):
        with Terminal(command, COLUMNS, LINES, env) as terminal:
            terminal.read(SETTLE_S)
            begun = len(terminal.chunks)
            before, own = engine_cpu(), cpu_of(terminal.pid)
            terminal.read(window)
            if terminal.ended:
                die(f"{command[0]} ended by itself:\n{''.join(listing(terminal))}")
            self.engine = spent(before, engine_cpu())
            self.engine.subtract(idle)
            self.program = cpu_of(terminal.pid) - own
            self.rss = sum(memory_of(relative) for relative in family(terminal.pid))
            self.bytes = sum(len(data) for _, data in terminal.chunks[begun:])
        self.all = self.program + sum(self.engine.values())


def idle_engine(window):
    before = engine_cpu()
    time.sleep(window)
    return spent(before, engine_cpu())


# ---- requests


class Requests:
    """What one program asks the engine for: until it is at rest, and in the window after."""

    def __init__(self, command, env, engine, window):
        with tempfile.TemporaryDirectory() as folder, CountingProxy(engine, f"{folder}/engine.sock") as proxy:
            # Only this program sees the proxy where the engine's socket is.
            instead = ["unshare", "--mount", "--propagation", "private", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"']
            with Terminal([*instead, f"{folder}/engine.sock", engine, *command], COLUMNS, LINES, env) as terminal:
                terminal.read(SETTLE_S)
                self.start, _ = proxy.take()
                terminal.read(window)
                self.window, self.answered = proxy.take()


# ---- keys


def selection(screen):
    """The session whose line looks unlike the others, which is the selected one; None where another container is."""
    rows = []
    for y, line in enumerate(screen.text()):
        if found := NAME.search(line):
            rows.append((found[0], screen.styles[y][found.start()]))
    usual = collections.Counter(style for _, style in rows).most_common(1)
    return next((name for name, style in rows if style != usual[0][0]), None)


def key_times(command, env, keys, before=b""):
    """Milliseconds from each press of an arrow to the output that shows another line selected."""
    # Neither in step with any program's clock, nor another for each of them.
    pause = random.Random(7)
    with Terminal(command, COLUMNS, LINES, env) as terminal:
        terminal.read(SETTLE_S)
        for key in (before, DOWN, UP):
            terminal.write(key)
            terminal.read(0.5)
        pressed = []
        for turn in range(keys):
            pressed.append(terminal.write(UP if turn % 2 else DOWN))
            terminal.read(pause.uniform(0.08, 0.16))
        seen = []
        for at, screen in terminal.screens():
            if at >= pressed[0] - 0.5 and (not seen or seen[-1][1] != selection(screen)):
                seen.append((at, selection(screen)))
    times = []
    for number, at in enumerate(pressed):
        end = pressed[number + 1] if number + 1 < len(pressed) else at + 1
        moved = [change for change, _ in seen if at <= change < end]
        if moved:
            times.append((moved[0] - at) * 1000)
    return times


def percentile(times, share):
    return sorted(times)[min(int(len(times) * share), len(times) - 1)]


# ---- the whole


def rows_of(results, names):
    """Label, and for each program its figure as text."""

    def row(label, key, form):
        return label, [form.format(results[name][key]) if results[name].get(key) is not None else "-" for name in names]

    yield row("sessions on its screen", "shown", "{}")
    yield row("first list of all, ms", "first", "{:.0f}")
    yield row("CPU s, the program", "program", "{:.2f}")
    for name in ENGINE.values():
        yield row(f"CPU s more, {name}", name, "{:.2f}")
    yield row("CPU s, all four", "all", "{:.2f}")
    yield row("memory, MiB", "rss", "{:.1f}")
    yield row("KiB drawn in the window", "drawn", "{:.1f}")
    yield row("requests at the start", "start", "{}")
    yield row("requests in the window", "window", "{}")
    yield row("KiB answered in it", "answered", "{:.0f}")
    for loud in ("", ", one logs"):
        for share in ("p50", "p99"):
            yield row(f"key to frame {share}, ms{loud}", share + loud, "{:.1f}")


def show(count, results):
    names = list(results)
    print(f"\n{count} session{'s' if count > 1 else ''}\n")
    print(f"{'':30}" + "".join(f"{name:>12}" for name in names))
    for label, figures in rows_of(results, names):
        print(f"{label:30}" + "".join(f"{figure:>12}" for figure in figures))
    for name in names:
        asked = [f"{number} {kind}" for kind, number in results[name].get("asked", {}).items()]
        if asked:
            print(f"{name} asks in the window: {', '.join(asked)}")


def ratios(results, count):
    """Ratios to each peer, with the targets where they are meant; whether one was missed."""
    missed = False
    ours = results["palisade"]
    for peer in results:
        for key, words in (("first", "first list"), ("program", "CPU of the program"), ("all", "CPU of all four"), ("rss", "memory")):
            theirs = results[peer].get(key)
            if peer == "palisade" or not theirs or theirs <= 0 or ours.get(key) is None:
                continue
            ratio, line = ours[key] / theirs, f"{words}, palisade / {peer}:"
            if count == 100 and peer == "dtop":
                met = ratio <= TARGETS[key]
                missed |= not met
                print(f"{line} {ratio:.3f}; target: at most {TARGETS[key]} ({'met' if met else 'MISSED'})")
            else:
                print(f"{line} {ratio:.3f}")
    worst = ours.get("p99, one logs")
    if worst is not None:
        missed |= worst >= FRAME_MS
        print(f"key to frame with one logging, p99: {worst:.1f} ms; target: under {FRAME_MS} ({'met' if worst < FRAME_MS else 'MISSED'})")
    return missed


def measure(options, commands, sessions, count, engine, env):
    """Every figure of every program at this number of sessions."""
    sessions.grow(count)
    results = {name: {} for name in commands}
    starts = {name: Starts() for name in commands}
    for turn in range(options.n):
        for name in in_turn(commands, turn):
            starts[name].take(commands[name], env)
    idle = idle_engine(options.window)
    for name, command in commands.items():
        found = results[name]
        found["shown"] = starts[name].shown
        if not starts[name].times:
            print(f"{name}: lists no session; its keys are not measured")
        else:
            found["first"] = statistics.median(starts[name].times)
        spends = Idle(command, env, options.window, idle)
        found |= {"program": spends.program, **spends.engine, "all": spends.all, "rss": spends.rss, "drawn": spends.bytes / 1024}
        if os.geteuid() == 0 and engine:
            asks = Requests(command, env, engine, options.window)
            found |= {"start": asks.start.total(), "window": asks.window.total(), "answered": asks.answered / 1024, "asked": asks.window}
    if count >= 3:
        for loud in ("", ", one logs"):
            name_of_loud = sessions.logging() if loud else None
            for name, command in commands.items():
                # Where the selected session's log is a tab, it is open.
                times = key_times(command, env, options.keys, b"lll" if name == "palisade" else b"")
                if times:
                    results[name] |= {"p50" + loud: percentile(times, 0.5), "p99" + loud: percentile(times, 0.99)}
                if len(times) < options.keys:
                    print(f"{name}{loud}: {options.keys - len(times)} of {options.keys} keys were not seen to move the selection")
            if name_of_loud:
                sessions.drop(name_of_loud)
    show(count, results)
    return ratios(results, count)


def bench(options):
    commands = programs()
    host = os.environ.get("DOCKER_HOST") or run(["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]).strip()
    engine = os.path.realpath(host.removeprefix("unix://")) if host.startswith("unix://") else None
    if not engine:
        die("the programs are compared on an engine of this machine")
    others = len(run(["docker", "ps", "--all", "--quiet"]).split())
    if others:
        print(f"{others} other containers are on this engine; the programs see them too")
    if os.geteuid() != 0:
        print("requests: not counted, a mount namespace needs root")
    sessions = Sessions(binary(), options.jobs)
    missed = False
    with tempfile.TemporaryDirectory() as home:
        # No program's own settings, and nothing kept from before.
        env = {"HOME": home, "XDG_CONFIG_HOME": f"{home}/config", "XDG_STATE_HOME": f"{home}/state", "DOCKER_HOST": f"unix://{engine}"}
        try:
            for count in sorted(options.sessions):
                missed |= measure(options, commands, sessions, count, engine, env)
        finally:
            sessions.remove()
    return 1 if missed and options.enforce else 0
