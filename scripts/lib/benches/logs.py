"""A log of short lines, read whole."""

import resource
import subprocess
import time

from .measure import PREFIX, binary, die, in_turn, of_medians, run, table, timed, verdict

LINE = "a line of a log as programs write them, with some words"
# With what the engine writes beside each line, no more than a log may have.
MEGABYTES = 8


def read(command):
    """Reads what it prints, as a program behind a pipe does; the bytes."""
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with program.stdout as output:
        size = sum(map(len, iter(lambda: output.read1(1 << 16), b"")))
    if program.wait() != 0:
        die(f"{' '.join(command[:2])} ended with {program.returncode}")
    return size


def wait_until_written(palisade, name, bytes_at_least):
    until = time.monotonic() + 120
    while read([palisade, "logs", name]) < bytes_at_least:
        if time.monotonic() > until:
            die("the log was not written in two minutes")
        time.sleep(0.5)


def cpu(command):
    """Seconds of CPU of the program itself."""
    before = resources()
    read(command)
    return resources() - before


def resources():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def bench(options):
    palisade = binary()
    name = f"{PREFIX}-logs"
    lines = (MEGABYTES << 20) // (len(LINE) + 1)
    size = lines * (len(LINE) + 1)
    try:
        run([palisade, "launch", "--quiet", name, "--network", "none", "--", "sh", "-c", f"yes '{LINE}' | head -n {lines}; exec sleep 86400"])
        wait_until_written(palisade, name, size)
        commands = {"palisade logs": [palisade, "logs", name], "docker logs": ["docker", "logs", f"palisade-{name}"]}
        times, cpus = {side: [] for side in commands}, {side: [] for side in commands}
        for turn in range(-1, options.n):
            for side in in_turn(commands, turn):
                took, used = timed(lambda side=side: read(commands[side])), cpu(commands[side])
                if turn >= 0:
                    times[side].append(took)
                    cpus[side].append(used * 1000)
        print(f"{MEGABYTES} MiB of log in lines of {len(LINE) + 1} bytes, read {options.n} times each in turn\n")
        table(times)
        print("\nCPU of the program itself\n")
        table(cpus)
        return verdict(of_medians(*times.values()), "ratio of medians", options.enforce, at_most=1.0)
    finally:
        subprocess.run([palisade, "rm", "--quiet", "--force", name], capture_output=True, check=False)
