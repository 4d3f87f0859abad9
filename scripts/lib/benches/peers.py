"""Other programs of this kind: where they are, or built once."""

import os
import shutil
import subprocess
import sys

from .measure import ROOT


def peer(name, package=None):
    """Its command; None, and said, where it cannot be had. NAME in the environment names one."""
    own = ROOT / "target" / "peers"
    path = os.environ.get(name.upper()) or shutil.which(name) or shutil.which(name, path=str(own / "bin"))
    if not path:
        print(f"building {name} (some minutes)", file=sys.stderr)
        done = subprocess.run(["cargo", "install", "--quiet", "--locked", "--root", own, *(package or [name])], check=False)
        path = shutil.which(name, path=str(own / "bin")) if done.returncode == 0 else None
    if not path:
        print(f"{name}: left out, it cannot be built here")
    return [path] if path else None
