"""Takes set-uid and set-gid bits and file capabilities from every file of the image.

no_new_privileges makes them inert in a sandbox; an image without them does not depend on it. Its exit code
tells whether any is left.
"""

import os
import stat
import sys

PRIVILEGED = stat.S_ISUID | stat.S_ISGID
CAPABILITY = "security.capability"


def files():
    """Regular files of the image's own file system: what is mounted into the build stays untouched."""
    device = os.lstat("/").st_dev
    for folder, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if os.lstat(os.path.join(folder, name)).st_dev == device]
        for name in names:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if stat.S_ISREG(status.st_mode) and status.st_dev == device:
                yield path, status.st_mode


def has_capability(path):
    try:
        return CAPABILITY in os.listxattr(path, follow_symlinks=False)
    except OSError:  # a storage driver without extended attributes has no capabilities either
        return False


stripped = 0
for path, mode in files():
    if mode & PRIVILEGED:
        os.chmod(path, stat.S_IMODE(mode) & ~PRIVILEGED)
        stripped += 1
    if has_capability(path):
        os.removexattr(path, CAPABILITY)
        stripped += 1
left = [path for path, mode in files() if mode & PRIVILEGED or has_capability(path)]
print(f"{stripped} set-uid or set-gid bits and file capabilities taken")
if left:
    sys.exit("still privileged: " + " ".join(left))
