"""A depot of a measurement's own, beside the operator's: another name, another store, the same settings otherwise."""

import json
import os
import subprocess
import tempfile
import tomllib
from pathlib import Path

from .measure import ROOT, binary, run


def operators_folder():
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "palisade"


def operators_settings():
    """What the operator's own file says; empty where there is none."""
    file = operators_folder() / "config.toml"
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def setting(*keys):
    """A setting as it holds: the operator's, or the default."""
    for value in (operators_settings(), tomllib.loads((ROOT / "config/default.toml").read_text(encoding="utf-8"))):
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None


def toml(value):
    """A value as TOML writes it inline."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


class OwnDepot:
    """Palisade with a configuration of its own; leaving it removes the sessions, the depot and its volumes."""

    def __init__(self, name):
        self.name = name
        self.sessions = []
        self.folder = tempfile.TemporaryDirectory(prefix=f"{name}-")
        ours = Path(self.folder.name) / "palisade"
        ours.mkdir()
        theirs = operators_folder()
        for entry in theirs.iterdir() if theirs.is_dir() else []:
            if entry.name != "config.toml":
                (ours / entry.name).symlink_to(entry)
        settings = operators_settings()
        settings["depot"] = {**settings.get("depot", {}), "name": name}
        text = "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in settings.items())
        (ours / "config.toml").write_text(text, encoding="utf-8")
        self.environment = {**os.environ, "XDG_CONFIG_HOME": self.folder.name}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.sessions:
            self.quietly([binary(), "rm", "--quiet", "--force", *self.sessions])
        self.quietly(["docker", "rm", "--force", "--volumes", self.name])
        self.quietly(["docker", "volume", "rm", "--force", f"{self.name}-store", f"{self.name}-socket"])
        self.folder.cleanup()

    def quietly(self, command):
        subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)

    def palisade(self, *arguments):
        return run([binary(), *arguments], env=self.environment)

    def launch(self, name):
        """A session that sleeps, which has the depot running."""
        self.sessions.append(name)
        self.palisade("launch", "--quiet", name, "--", "sleep", "86400")

    def container(self, session):
        """The engine's name of a session's container."""
        return run(["docker", "ps", "--quiet", "--filter", f"label=palisade.session.name={session}"]).strip()

    def create_request(self):
        """What an ephemeral session is made of, for references to be made of the same."""
        return json.loads(self.palisade("plan", "--json", "--kind", "ephemeral", "--", "true"))["create"]
