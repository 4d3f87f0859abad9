"""A stored wheel and a small file through supervisor and depot, against socat in front of nginx."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from .measure import PREFIX, die, docker_flags, in_turn, need, of_medians, run, table, verdict
from .own_depot import OwnDepot

RELAY = "http://127.0.0.1:7878"
# About 100 MB, by its exact name: what is on the index stays there.
WHEEL = "/pypi/files/catboost/catboost-1.2.7-cp311-cp311-manylinux2014_x86_64.whl"
SMALL = "/npm/ms/-/ms-2.1.3.tgz"
CONNECTIONS = 8
SECONDS = 3

NGINX = """
daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen unix:{folder}/nginx.sock backlog=4096; root {folder}/files; }}
}}
"""


class Side:
    """A sandbox in which the client runs, and how to run something in it."""

    def __init__(self, name, enter, tools):
        self.name, self.enter, self.tools = name, enter, tools

    def megabytes_per_second(self):
        told = run([*self.enter, "curl", "--silent", "--fail", "--output", "/dev/null", "--write-out", "%{size_download} %{time_total}", RELAY + WHEEL])
        size, seconds = map(float, told.split())
        return size / seconds / 1e6

    def requests_per_second(self, *headers):
        wrk = [f"{self.tools}/ld.so", "--library-path", self.tools, f"{self.tools}/wrk"]
        told = run([*self.enter, *wrk, "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *headers, RELAY + SMALL])
        if "Non-2xx" in told:
            die(f"{self.name}: not every request was answered:\n{told}")
        return float(re.search(r"Requests/sec:\s*([\d.]+)", told)[1])


def bundle(programs, into):
    """Programs of this host with their libraries and loader, for an image that has none of them."""
    into.mkdir()
    for program in programs:
        shutil.copy(program, into / Path(program).name)
        for path in re.findall(r"(/\S+) \(0x", run(["ldd", program])):
            shutil.copy(path, into / ("ld.so" if Path(path).name.startswith("ld-") else Path(path).name))
    for file in (into, *into.iterdir()):
        file.chmod(0o755)


def wait_for(what, condition):
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    die(f"waited in vain for {what}")


@contextlib.contextmanager
def nginx(program, folder):
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(folder=folder), encoding="utf-8")
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(file), "-e", f"{folder}/error.log"])
    try:
        wait_for("nginx", lambda: (folder / "nginx.sock").exists() or process.poll() is not None)
        # Its own user in the sandbox is another than the one that made the socket.
        (folder / "nginx.sock").chmod(0o666)
        yield
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def reference(create, folder):
    """A sandbox with the same limits and no network, in which socat stands where the supervisor's relay does."""
    name = f"{PREFIX}-reference"
    # Its home is a volume of its own too; what makes a session of it is not.
    create = {**create, "mounts": [mount for mount in create["mounts"] if not mount["source"]], "open_stdin": False}
    tools = ["/reference/tools/ld.so", "--library-path", "/reference/tools", "/reference/tools/socat"]
    listen = "TCP-LISTEN:7878,bind=127.0.0.1,fork,reuseaddr,nodelay,backlog=4096"
    with tempfile.TemporaryDirectory() as scratch:
        flags = docker_flags(create, scratch)
        mount = ["--mount", f"type=bind,source={folder},target=/reference,readonly", "--entrypoint", tools[0]]
        try:
            run(["docker", "run", "--detach", "--name", name, *flags, *mount, create["image"], *tools[1:], listen, "UNIX-CONNECT:/reference/nginx.sock"])
            yield Side("nginx behind socat", ["docker", "exec", name], "/reference/tools")
        finally:
            subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True, check=False)


def measure(options, ours, theirs, what, unit, work):
    rows = {side.name: [] for side in (ours, theirs)}
    sides = {side.name: side for side in (ours, theirs)}
    for turn in range(-1, options.n):
        for name in in_turn(sides, turn):
            measured = work(sides[name])
            if turn >= 0:
                rows[name].append(measured)
    print(f"\n{what}: {options.n} interleaved measurements\n")
    table(rows, unit)
    return verdict(of_medians(rows[ours.name], rows[theirs.name]), "ratio of medians", options.enforce, at_least=1.0)


def bench(options):
    programs = {command: need(command, package) for command, package in (("nginx", "nginx-light"), ("socat", "socat"), ("wrk", "wrk"))}
    if not (os.environ.get("DOCKER_HOST") or run(["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"])).startswith("unix://"):
        die("depot needs the engine on this machine: nginx serves at a socket of this host")
    session = f"{PREFIX}-client"
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(OwnDepot(f"{PREFIX}-depot"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{PREFIX}-")))
        folder.chmod(0o755)
        bundle([programs["socat"], programs["wrk"]], folder / "tools")
        own.launch(session)
        inside = ["exec", session, "--"]
        own.palisade("cp", str(folder / "tools"), f"{session}:/home/sandbox/tools")
        # Warm, and the same bytes for nginx under the same names.
        for path in (WHEEL, SMALL):
            own.palisade(*inside, "curl", "--silent", "--show-error", "--fail", "--output", "/home/sandbox/file", RELAY + path)
            target = folder / "files" / path.lstrip("/")
            target.parent.mkdir(parents=True)
            own.palisade("cp", f"{session}:/home/sandbox/file", str(target))
            target.chmod(0o644)
            for parent in target.relative_to(folder).parents:
                (folder / parent).chmod(0o755)
        container = own.container(session)
        stack.enter_context(nginx(programs["nginx"], folder))
        theirs = stack.enter_context(reference(own.create_request(), folder))
        ours = Side("supervisor and depot", ["docker", "exec", container], "/home/sandbox/tools")
        probe = [*theirs.enter, "curl", "--silent", "--fail", "--head", RELAY + SMALL]
        wait_for("socat", lambda: subprocess.run(probe, capture_output=True, check=False).returncode == 0)
        missed = [
            measure(options, ours, theirs, f"{Path(WHEEL).name}", "MB/s", Side.megabytes_per_second),
            measure(options, ours, theirs, f"{Path(SMALL).name}, {CONNECTIONS} connections kept", "requests/s", Side.requests_per_second),
            measure(
                options, ours, theirs, f"{Path(SMALL).name}, {CONNECTIONS} at once, a connection each", "requests/s",
                lambda side: side.requests_per_second("-H", "Connection: close"),
            ),
        ]  # fmt: skip
    return max(missed)
