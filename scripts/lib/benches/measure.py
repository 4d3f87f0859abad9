"""What every measurement shares: the binary, medians and ratios, and the same request as docker's flags."""

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PREFIX = f"bench-{os.getpid()}"


def die(text):
    sys.exit(f"scripts/bench: {text}")


def binary():
    folders = ["release", "x86_64-unknown-linux-gnu/release", "aarch64-unknown-linux-gnu/release"]
    candidates = [Path(os.environ["PALISADE"])] if "PALISADE" in os.environ else [ROOT / "target" / folder / "palisade" for folder in folders]
    found = [path for path in candidates if path.is_file()]
    if not found:
        die("no release binary: cargo build --release, or name one with PALISADE")
    return str(max(found, key=lambda path: path.stat().st_mtime))


def run(command, env=None):
    """Runs it and gives its output; any other end than success ends the measurement."""
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        die(f"{' '.join(command[:3])} … ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def timed(work):
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def table(rows, unit="ms"):
    """Prints medians and spread; rows is {name: [measured]}."""
    width = max(map(len, rows))
    print(f"{'':{width}}  {'median':>9} {'min':>9} {'quartiles':>19} {'max':>9}   {unit}")
    for name, times in rows.items():
        low, _, high = statistics.quantiles(times, n=4, method="inclusive")
        middle = f"{low:.1f} – {high:.1f}"
        print(f"{name:{width}}  {statistics.median(times):9.1f} {min(times):9.1f} {middle:>19} {max(times):9.1f}")


def verdict(ratio, words, enforce, **target):
    """Prints a ratio beside its target, at_most=X or at_least=X, and gives the exit code."""
    ((kind, bound),) = target.items()
    met = ratio <= bound if kind == "at_most" else ratio >= bound
    print(f"{words} {ratio:.3f}; target: {kind.replace('_', ' ')} {bound} ({'met' if met else 'MISSED'})")
    return 1 if enforce and not met else 0


def of_medians(ours, theirs):
    return statistics.median(ours) / statistics.median(theirs)


def in_turn(names, turn):
    """The names in an order in which each goes first as often as the others: what one leaves warm or busy helps or harms all alike."""
    names = list(names)
    return names[turn % len(names) :] + names[: turn % len(names)]


def need(command, package):
    """The path of a tool of the host's, installed where it is missing and this is root."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    if not shutil.which(command, path=path):
        if os.geteuid() != 0:
            die(f"{command} is missing: apt-get install {package}")
        print(f"installing {package}", file=sys.stderr)
        run(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "--no-install-recommends", package])
    return shutil.which(command, path=path) or die(f"{package} brought no {command}")


# ---- the same request, as docker's flags and as the engine's own JSON


def labels(create):
    """As many labels and bytes as a session has, and none that would make it one."""
    return {f"bench.{key}": value for key, value in create["labels"].items()}


def docker_flags(create, folder):
    flags = ["--hostname", create["hostname"]] if create["hostname"] else []
    flags += ["--user", create["user"], "--workdir", create["working_dir"], "--stop-timeout", str(create["stop_timeout_s"])]
    flags += ["--pids-limit", str(create["pids_limit"]), "--memory", str(create["memory"]), "--memory-swap", str(create["memory_swap"])]
    flags += ["--cpus", str(create["nano_cpus"] / 1e9), "--shm-size", str(create["shm_size"]), "--restart", create["restart_policy"]]
    flags += ["--network", create["network_mode"], "--ipc", create["ipc_mode"], "--cgroupns", create["cgroupns_mode"]]
    flags += ["--log-driver", create["log_driver"]]
    flags += ["--cpuset-cpus", create["cpuset_cpus"]] if create["cpuset_cpus"] else []
    for flag, on in (("--init", "init"), ("--read-only", "read_only_rootfs"), ("--rm", "auto_remove"), ("--interactive", "open_stdin")):
        flags += [flag] if create[on] else []
    flags += [] if create["auto_remove"] else ["--rm"]
    for option in create["security_opt"]:
        if option.startswith("seccomp={"):
            path = Path(folder) / "seccomp.json"
            path.write_text(option.removeprefix("seccomp="), encoding="utf-8")
            option = f"seccomp={path}"
        flags += ["--security-opt", option]
    for mount in create["mounts"]:
        source = f",source={mount['source']}" if mount["source"] else ""
        flags += ["--mount", f"type={mount['kind']}{source},target={mount['target']}{',readonly' if mount['read_only'] else ''}"]
    pairs = [("--env", create["env"]), ("--cap-drop", create["cap_drop"]), ("--cap-add", create["cap_add"])]
    pairs += [("--ulimit", [f"{limit['name']}={limit['limit']}" for limit in create["ulimits"]])]
    pairs += [("--tmpfs", [f"{path}:{options}" for path, options in create["tmpfs"].items()])]
    pairs += [("--log-opt", [f"{key}={value}" for key, value in create["log_options"].items()])]
    pairs += [("--label", [f"{key}={value}" for key, value in labels(create).items()])]
    return flags + [word for flag, values in pairs for value in values for word in (flag, value)]
