"""What caches are worth: the same installs with an empty depot, a warm one, a shared cache volume, and no cache.

The plain shared volume is given its best day. A client keeps what a registry's headers allow, and mirrors strip those:
filled from such a registry it would stay empty. So it is filled and used through the depot, whose headers allow
everything: a read-write volume at /cache, in a container that shares the network of a session. Its clients find every
artifact on their own disk and ask the depot, next door, for index pages alone.
"""

import contextlib
import subprocess
import tempfile

from .measure import PREFIX, docker_flags, in_turn, of_medians, run, table, verdict
from .own_depot import OwnDepot, setting

# The last line is the install's own milliseconds, without the sandbox's start.
TIMED = """
set -e
{before}
started=$(date +%s%N)
{install} >/tmp/log 2>&1 || {{ cat /tmp/log >&2; exit 1; }}
ended=$(date +%s%N)
echo $(((ended - started) / 1000000))
"""
PIP = TIMED.format(before="", install="pip install pandas")
NPM = TIMED.format(before='mkdir "$HOME/app"; cd "$HOME/app"; echo \'{"private": true}\' >package.json', install="npm install express typescript")
COLD, WARM, SHARED, NONE = "cold depot", "warm by depot", "shared cache volume", "no cache"


def milliseconds(output):
    return float(output.split()[-1])


class References:
    """Containers with a session's limits, made by docker alone."""

    def __init__(self, create, session_container, volume):
        self.create, self.container, self.volume = create, session_container, volume
        run(["docker", "volume", "create", volume])
        owner = ["--user", "0", "--entrypoint", "chown", create["image"], create["user"], "/cache"]
        run(["docker", "run", "--rm", "--name", f"{PREFIX}-owner", "--mount", f"type=volume,source={volume},target=/cache", *owner])

    def remove(self):
        containers = [f"{PREFIX}-owner", f"{PREFIX}-install"]
        subprocess.run(["docker", "rm", "--force", "--volumes", *containers], capture_output=True, check=False)
        subprocess.run(["docker", "volume", "rm", "--force", self.volume], capture_output=True, check=False)

    def run(self, script, network, env, mounts):
        create = {**self.create, "network_mode": network, "hostname": "", "env": env, "open_stdin": False}
        # Home is a volume of its own, as a session's is; what makes a session of it is not.
        create["mounts"] = [mount for mount in create["mounts"] if not mount["source"] and mount["target"] != "/cache"]
        with tempfile.TemporaryDirectory() as folder:
            command = ["docker", "run", "--name", f"{PREFIX}-install", *docker_flags(create, folder), *mounts, "--entrypoint", "sh"]
            return milliseconds(run([*command, create["image"], "-c", script]))

    def shared(self, script):
        mount = ["--mount", f"type=volume,source={self.volume},target=/cache"]
        return self.run(script, f"container:{self.container}", self.create["env"], mount)

    def none(self, script):
        env = [pair for pair in self.create["env"] if "=/cache/" not in pair and "127.0.0.1:7878" not in pair]
        env += [f"PIP_INDEX_URL={setting('packages', 'pypi', 'url')}", f"NPM_CONFIG_REGISTRY={setting('packages', 'npm', 'url')}"]
        return self.run(script, "bridge", [*env, "PIP_NO_CACHE_DIR=1", "NPM_CONFIG_CACHE=/tmp/npm"], [])


def cold(script, name):
    with OwnDepot(name) as empty:
        empty.palisade("depot", "start")
        return milliseconds(empty.palisade("run", "--quiet", "--", "sh", "-c", script))


def measure(options, warm, references, what, script, targets):
    sides = {
        COLD: lambda turn: cold(script, f"{PREFIX}-cold-{turn}"),
        WARM: lambda _: milliseconds(warm.palisade("run", "--quiet", "--", "sh", "-c", script)),
        SHARED: lambda _: references.shared(script),
        NONE: lambda _: references.none(script),
    }
    rows = {name: [] for name in sides}
    # Once untimed: what is called warm is warm then.
    sides[WARM](0)
    sides[SHARED](0)
    for turn in range(options.n):
        for name in in_turn(sides, turn):
            rows[name].append(sides[name](turn))
    print(f"\n{what}: {options.n} interleaved installs, each in a sandbox of its own\n")
    table(rows)
    codes = [0]
    for reference, bound in targets.items():
        ratio, words = of_medians(rows[WARM], rows[reference]), f"{WARM} / {reference}:"
        if bound is None:
            print(f"{words} {ratio:.3f}; no target")
        else:
            codes.append(verdict(ratio, words, options.enforce, at_most=bound))
    return max(codes)


def bench(options):
    session = f"{PREFIX}-holder"
    with contextlib.ExitStack() as stack:
        warm = stack.enter_context(OwnDepot(f"{PREFIX}-warm"))
        warm.launch(session)
        references = References(warm.create_request(), warm.container(session), f"{PREFIX}-shared")
        stack.callback(references.remove)
        pip = measure(options, warm, references, "pip install pandas", PIP, {SHARED: 1.1, NONE: 0.5})
        # npm spends its time on unpacking and linking, whatever the cache: to be seen, not to be held to.
        npm = measure(options, warm, references, "npm install express typescript", NPM, {SHARED: None, NONE: None})
    return max(pip, npm)
