"""What a session that runs into its limits costs another one and the host, and how soon each limit is named.

One session does nothing but answer `exec true`; beside it another runs one bomb after the other. The ratios are of medians beside the bomb
and without one, taken in turn. A limit is named when `palisade events` prints it.
"""

import json
import subprocess
import threading
import time
from datetime import datetime

from .measure import PREFIX, binary, of_medians, run, table, timed, verdict

# What is run, with the limit that it is to be named for.
BOMBS = {
    "fork bomb": ("pids", "f() { f | f & }; f; while :; do :; done"),
    "memory bomb": ("memory", "while :; do python3 -c 'b\"x\" * (1 << 30)'; done"),
    "fd flood": ("open_files", "python3 -c 'import os,time\ntry:\n while 1: os.dup(0)\nexcept OSError: time.sleep(600)'"),
    "2 GB of log": ("log", "yes 0123456789012345678901234567890123456789012345678901234567890123456789 | head -c 2000000000; sleep 600"),
    "full tmpfs": ("tmpfs", "while :; do cat /dev/zero >> /tmp/big; done"),
    "full volume": ("disk_soft", "head -c 60000000 /dev/zero > ~/big; sleep 600"),
    "busy CPU": ("cpu", "while :; do :; done"),
}
# A bomb is the session's own command, which waits for this.
WAIT = "until [ -e /tmp/go ]; do sleep 0.05; done; "
NAMED_WITHIN_S = 60
# What is asked for.
TARGET_S = 2.0
TIMEOUT_S = 8


class Watcher:
    """`events` of one session, until it names a limit."""

    def __init__(self, palisade, name, limit):
        self.process = subprocess.Popen([palisade, "--json", "events", name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        # It says that it watches.
        self.process.stderr.readline()
        self.limit, self.told, self.at = limit, threading.Event(), None
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            if json.loads(line).get("what", {}).get("limit") == self.limit:
                self.at = time.time()
                self.told.set()
                return

    def named(self):
        """When it was, or None."""
        self.told.wait(NAMED_WITHIN_S)
        self.process.kill()
        self.process.wait()
        return self.at


def launch(palisade, name, *command, options=(), cpus="0.5"):
    limits = ["--pids-limit", "100", "--memory", "256MiB", "--tmp-size", "32MiB", "--cpus", cpus, "--nofile", "256", "--disk-soft", "32MiB"]
    run([palisade, "launch", "--quiet", name, "--network", "none", *limits, *options, *(["--", *command] if command else [])])


def timeout(palisade, name):
    """Seconds from the end of its time until that is named, or None."""
    launch(palisade, name, "sleep", "infinity", options=["--timeout", f"{TIMEOUT_S}s"])
    at = Watcher(palisade, name, "timeout").named()
    started = json.loads(run([palisade, "--json", "inspect", name]))["container"]["started"]
    run([palisade, "rm", "--quiet", "--force", name])
    # Python reads six digits of a second, engines write nine.
    began = datetime.fromisoformat(started.split(".")[0].rstrip("Z") + "+00:00").timestamp() + float("0." + started.split(".")[1].rstrip("Z"))
    return at and at - began - TIMEOUT_S


def bench(options):
    palisade, missed = binary(), 0
    other, victim = f"{PREFIX}-other", f"{PREFIX}-victim"
    launch(palisade, other)
    answer = {
        "session": lambda: timed(lambda: run([palisade, "exec", other, "--", "true"])),
        "host": lambda: timed(lambda: run(["sh", "-c", "true"])),
    }
    rows, naming = {}, {}
    try:
        for bomb, (limit, line) in BOMBS.items():
            for who, ask in answer.items():
                rows[f"{who} alone, before the {bomb}"] = [ask() for _ in range(options.n)]
            # So little that it is used up on a busy host, too.
            launch(palisade, victim, "sh", "-c", WAIT + line, cpus="0.1" if limit == "cpu" else "0.5")
            watcher, began = Watcher(palisade, victim, limit), time.time()
            run(["docker", "exec", f"palisade-{victim}", "touch", "/tmp/go"])
            for who, ask in answer.items():
                rows[f"{who} beside the {bomb}"] = [ask() for _ in range(options.n)]
            at = watcher.named()
            naming[bomb] = at and at - began
            run([palisade, "rm", "--quiet", "--force", victim])
        naming["endless command"] = timeout(palisade, victim)
    finally:
        for name in (other, victim):
            subprocess.run([palisade, "rm", "--quiet", "--force", name], capture_output=True, check=False)
    table(rows)
    for bomb, took in naming.items():
        if took is None:
            print(f"{bomb}: NOT NAMED")
            missed |= 1
        else:
            missed |= verdict(took, f"{bomb}: named after, in seconds,", options.enforce, at_most=TARGET_S)
    for bomb in BOMBS:
        for who in answer:
            ratio = of_medians(rows[f"{who} beside the {bomb}"], rows[f"{who} alone, before the {bomb}"])
            missed |= verdict(ratio, f"{who}, beside the {bomb} / alone", options.enforce, at_most=1.5)
    return missed if options.enforce else 0
