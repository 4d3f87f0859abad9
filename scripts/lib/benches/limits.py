"""What a session that runs into its limits costs another one, and how soon each limit is named.

One session does nothing but answer `exec true`; beside it another runs one bomb after the other. The ratio is of its medians beside the
bomb and without one, taken in turn. A limit is named when `palisade events` prints it.
"""

import json
import subprocess
import threading
import time

from .measure import PREFIX, binary, of_medians, run, table, timed, verdict

# What is run, with the limit that it is to be named for.
BOMBS = {
    "fork bomb": ("pids", "f() { f | f & }; f; while :; do :; done"),
    "memory bomb": ("memory", "while :; do python3 -c 'b\"x\" * (1 << 30)'; done"),
    "fd flood": ("open_files", "python3 -c 'import os,time\ntry:\n while 1: os.dup(0)\nexcept OSError: time.sleep(600)'"),
    "full tmpfs": ("tmpfs", "while :; do cat /dev/zero > /tmp/big; done"),
    "busy CPU": ("cpu", "while :; do :; done"),
    "flood of log": ("log", "yes 0123456789012345678901234567890123456789012345678901234567890123456789"),
}
# A bomb is the session's own command, which waits for this.
WAIT = "until [ -e /tmp/go ]; do sleep 0.1; done; "
NAMED_WITHIN_S = 60


def launch(palisade, name, *command):
    options = ["--network", "none", "--pids-limit", "100", "--memory", "256MiB", "--tmp-size", "32MiB", "--cpus", "0.5"]
    run([palisade, "launch", "--quiet", name, *options, *(["--", *command] if command else [])])


def named(palisade, victim, limit, go):
    """Seconds from the bomb's beginning until the limit is told, or None."""
    watcher = subprocess.Popen([palisade, "--json", "events", victim], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watcher.stderr.readline()
    told = threading.Event()

    def listen():
        for line in watcher.stdout:
            what = json.loads(line).get("what", {})
            if what.get("limit") == limit:
                told.set()
                return

    threading.Thread(target=listen, daemon=True).start()
    began = time.perf_counter()
    run(go)
    found = told.wait(NAMED_WITHIN_S)
    took = time.perf_counter() - began
    watcher.kill()
    watcher.wait()
    return took if found else None


def bench(options):
    palisade, missed = binary(), 0
    other = f"{PREFIX}-other"
    launch(palisade, other)

    def answer():
        return timed(lambda: run([palisade, "exec", other, "--", "true"]))

    rows, naming = {}, {}
    try:
        for bomb, (limit, line) in BOMBS.items():
            victim = f"{PREFIX}-victim"
            alone = [answer() for _ in range(options.n)]
            launch(palisade, victim, "sh", "-c", WAIT + line)
            go = ["docker", "exec", f"palisade-{victim}", "touch", "/tmp/go"]
            naming[bomb] = named(palisade, victim, limit, go)
            beside = [answer() for _ in range(options.n)]
            run([palisade, "rm", "--quiet", "--force", victim])
            rows[f"alone, before the {bomb}"], rows[f"beside the {bomb}"] = alone, beside
    finally:
        for name in (other, f"{PREFIX}-victim"):
            subprocess.run([palisade, "rm", "--quiet", "--force", name], capture_output=True, check=False)
    table(rows)
    for bomb, took in naming.items():
        print(f"{bomb}: " + ("NOT NAMED" if took is None else f"named after {took:.1f} s"))
        missed |= took is None
    for bomb in BOMBS:
        ratio = of_medians(rows[f"beside the {bomb}"], rows[f"alone, before the {bomb}"])
        missed |= verdict(ratio, f"exec in another session, beside the {bomb} / alone", options.enforce, at_most=1.5)
    return missed if options.enforce else 0
