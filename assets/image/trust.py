"""Makes the image trust what the machine that builds it trusts: usage: trust.py BUNDLE

Debian's own authorities are there already; only those that are not are added, one file each, as
update-ca-certificates wants them.
"""

import base64
import pathlib
import re
import subprocess
import sys

SYSTEM = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
ADDED = pathlib.Path("/usr/local/share/ca-certificates")
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


def certificates(path):
    """The certificates of a bundle by content, whatever stands between them and however their lines break."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return {base64.b64decode("".join(body.split())): None for body in CERTIFICATE.findall(text)}


def main():
    known = certificates(SYSTEM)
    extra = [der for der in certificates(pathlib.Path(sys.argv[1])) if der not in known]
    for number, der in enumerate(extra, start=1):
        body = base64.encodebytes(der).decode("ascii")
        pem = f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"
        (ADDED / f"palisade-{number:03}.crt").write_text(pem, encoding="ascii")
    if extra:
        subprocess.run(["update-ca-certificates"], check=True)
    print(f"{len(extra)} certificate authorities added to Debian's {len(known)}")


main()
