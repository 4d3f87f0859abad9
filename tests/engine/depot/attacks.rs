//! Further attacks: registries that lead the depot astray, sandboxes that go for the supervisor, for what is too young, or for
//! the depot's memory.

use std::sync::atomic::{AtomicBool, Ordering};

use super::lab::Lab;
use super::registry::{OCTETS, Registry, content, npm_page, reply, sha256};
use crate::support::until;

const AUDIT: &str = "/npm/-/npm/v1/security/advisories/bulk";

#[test]
fn no_registry_leads_the_depot_to_services_of_the_host_or_of_an_instance() {
    let inside = Registry::new(|_| reply(200, "text/plain", b"a secret of the host's"));
    let secret = inside.url.clone();
    let registry = Registry::new(move |asked| match asked.path.as_str() {
        // None of them has a hash: what came would be given on as it is.
        "/pypi/simple/astray/" => {
            let page = format!(
                "<!DOCTYPE html><a href=\"{secret}/astray-1.tar.gz\">1</a><a href=\"/astray-2.tar.gz\">2</a>\
                 <a href=\"http://169.254.169.254/latest/astray-3.tar.gz\">3</a><a href=\"http://127.0.0.1:7878/astray-4.tar.gz\">4</a>\
                 <a href=\"http://localhost/astray-5.tar.gz\">5</a><a href=\"/astray-6.tar.gz\">6</a>"
            );
            reply(200, "text/html", page.as_bytes())
        }
        "/astray-2.tar.gz" => {
            format!("HTTP/1.1 307 X\r\nLocation: {secret}/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
        }
        "/astray-6.tar.gz" => reply(200, OCTETS, b"the registry's own"),
        "/npm/astray" => {
            format!("HTTP/1.1 302 X\r\nLocation: {secret}/npm/astray\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
        }
        _ => reply(404, "text/plain", b""),
    });
    let lab = Lab::new(&registry);
    let session = lab.session(&[]);
    for version in 1..=5 {
        let (status, got) = session.get(&format!("/pypi/files/astray/astray-{version}.tar.gz"));
        assert_eq!(status, 504, "version {version}: {}", lab.log());
        assert_ne!(got, sha256(b"a secret of the host's"));
    }
    assert_ne!(session.get("/npm/astray").0, 200);
    assert_eq!(inside.requests(), Vec::<String>::new());
    let told = session.ok("curl -si http://127.0.0.1:7878/pypi/files/astray/astray-1.tar.gz");
    assert!(told.contains("not public"), "{told}");
    assert_eq!(session.get("/pypi/files/astray/astray-6.tar.gz"), (200, sha256(b"the registry's own")));
}

#[test]
fn one_bad_answer_of_a_registry_is_nobody_else_s() {
    let registry = Registry::new(|asked| match asked.path.as_str() {
        "/npm/name" => npm_page(&asked.url(), "name", &[("1.0.0", b"name")]),
        "/npm/name/-/name-1.0.0.tgz" => reply(200, OCTETS, b"name"),
        "/npm/limited" => reply(429, "text/plain", b""),
        _ => reply(503, "text/plain", b""),
    });
    let lab = Lab::new(&registry);
    let (attacker, victim) = (lab.session(&[]), lab.session(&[]));
    for path in ["/npm/limited", "/npm/broken", "/pypi/simple/broken/"] {
        assert_eq!(attacker.get(path).0, 504);
    }
    attacker.sh(&format!("curl -s -d '{{\"x\":[\"1.0.0\"]}}' http://127.0.0.1:7878{AUDIT}"));
    assert_eq!(victim.get("/npm/name/-/name-1.0.0.tgz"), (200, sha256(b"name")));
}

#[test]
fn what_is_too_young_is_had_in_no_way_and_from_nobody_s_store() {
    let registry = Registry::new(|asked| match asked.path.as_str() {
        "/npm/young" => {
            let page = npm_page(&asked.url(), "young", &[("1.0.0", b"old"), ("2.0.0", b"new")]);
            // The second version's time: long after this test.
            let text = String::from_utf8(page).unwrap().replace("\"2.0.0\":\"2020-01-01T00:00:00Z\"", "\"2.0.0\":\"2999-01-01T00:00:00Z\"");
            let body = text.split_once("\r\n\r\n").unwrap().1.to_owned();
            reply(200, "application/json", body.as_bytes())
        }
        "/npm/young/-/young-1.0.0.tgz" => reply(200, OCTETS, b"old"),
        "/npm/young/-/young-2.0.0.tgz" => reply(200, OCTETS, b"new"),
        "/pypi/simple/young/" => {
            let file = |version: &str, time: &str| {
                format!(
                    "{{\"filename\":\"young-{version}-py3-none-any.whl\",\"url\":\"{}/files/young-{version}-py3-none-any.whl\",\
                     \"hashes\":{{\"sha256\":\"{}\"}},\"core-metadata\":true{time}}}",
                    asked.url(),
                    sha256(version.as_bytes())
                )
            };
            let files = [
                file("1", ",\"upload-time\":\"2020-01-01T00:00:00Z\""),
                file("2", ",\"upload-time\":\"2999-01-01T00:00:00Z\""),
                // A registry that does not tell.
                file("3", ""),
            ];
            let page = format!("{{\"meta\":{{\"api-version\":\"1.0\"}},\"name\":\"young\",\"files\":[{}]}}", files.join(","));
            reply(200, "application/vnd.pypi.simple.v1+json", page.as_bytes())
        }
        path if path.starts_with("/files/young-") => {
            let version = path.trim_start_matches("/files/young-").split('-').next().unwrap().to_owned();
            reply(200, OCTETS, version.as_bytes())
        }
        _ => reply(404, "text/plain", b""),
    });
    let lab = Lab::new(&registry);
    let (free, held) = (lab.session(&[]), lab.session(&["--min-age", "3d"]));
    let young = [
        "/npm/young/-/young-2.0.0.tgz",
        "/npm/%79oung/-/young%2D2.0.0.tgz",
        "/npm/elsewhere/young/-/young-2.0.0.tgz",
        "/young/-/young-2.0.0.tgz",
        "/pypi/files/young/young-2-py3-none-any.whl",
        "/pypi/files/YOUNG/young-2-py3-none-any.whl",
        "/pypi/files/young/young-2-py3-none-any.whl.metadata",
        "/pypi/files/young/young-3-py3-none-any.whl",
        "/pypi/files/young/young-3-py3-none-any.whl.metadata",
    ];
    // Another session has them in the store, and its pages in memory.
    for path in young {
        assert_eq!(free.get(path).0, 200, "{path}");
    }
    assert!(free.ok("curl -s http://127.0.0.1:7878/npm/young").contains("2.0.0"));
    assert!(free.ok("curl -s http://127.0.0.1:7878/pypi/simple/young/").contains("young-2-"));
    let digest = sha256(b"2");
    for path in young {
        assert_eq!(held.get(path).0, 403, "{path}");
        for option in ["-I", "-r 0-0", "-r 1-", &format!("-H 'If-None-Match: \"sha256:{digest}\"'"), "-H 'If-Range: x' -r 0-"] {
            let status = held.ok(&format!("curl -s --path-as-is -o /dev/null -w '%{{http_code}}' {option} 'http://127.0.0.1:7878{path}'"));
            assert_eq!(status, "403", "{option} {path}");
        }
    }
    for (page, accept) in [
        ("/npm/young", "application/json"),
        ("/npm/young", "application/vnd.npm.install-v1+json"),
        ("/pypi/simple/young/", "text/html"),
        ("/pypi/simple/young/", "application/vnd.pypi.simple.v1+json"),
    ] {
        let text = held.ok(&format!("curl -s -H 'Accept: {accept}' http://127.0.0.1:7878{page}"));
        assert!(text.contains("young-1") && !text.contains("young-2") && !text.contains("young-3") && !text.contains("2.0.0"), "{text}");
    }
    assert_eq!(held.get("/npm/young/-/young-1.0.0.tgz"), (200, sha256(b"old")));
}

#[test]
fn one_session_s_audits_are_taken_one_after_the_other() {
    static SECOND: AtomicBool = AtomicBool::new(false);
    let registry = Registry::new(|asked| {
        if asked.path == AUDIT {
            SECOND.store(true, Ordering::SeqCst);
            return reply(200, "application/json", b"{}");
        }
        reply(404, "text/plain", b"")
    });
    let lab = Lab::new(&registry);
    let (one, two) = (lab.session(&[]), lab.session(&[]));
    // The first never says all; behind it, the same session's second waits, and another session's does not.
    let line = format!(
        "python3 -c \"
import socket,sys
head='POST {AUDIT} HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 16\\r\\n\\r\\n'
body='{{\\\"x\\\":[\\\"1.0.0\\\"]}}\\n'
def open():
    s=socket.create_connection(('127.0.0.1',7878)); s.settimeout(3); return s
a=open(); a.sendall((head+body[:5]).encode())
a2=open(); a2.sendall(b'GET /npm/-/ping HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); a2.recv(1000)
b=open(); b.sendall((head+body).encode())
try: print('second:', b.recv(1000))
except TimeoutError: print('waits')
a.sendall(body[5:].encode()); print('first:', a.recv(1000)[:15])
print('second:', b.recv(1000)[:15])
\""
    );
    let told = one.ok(&line);
    assert!(told.starts_with("waits\nfirst: b'HTTP/1.1 200 OK'\nsecond: b'HTTP/1.1 200 OK'"), "{told}");
    assert!(SECOND.load(Ordering::SeqCst));
    let other = two.ok(&format!("curl -s -d '{{\"x\":[\"1.0.0\"]}}' http://127.0.0.1:7878{AUDIT}"));
    assert_eq!(other, "{}");
}

/// What a process of the sandbox tries on the supervisor, which has the token in its memory and on its connections.
const SUPERVISOR: &str = r"
import ctypes, glob, os, socket
libc = ctypes.CDLL(None, use_errno=True)
own = os.getpid()
def name(pid):
    try: return open(f'/proc/{pid}/comm').read().strip()
    except OSError: return ''
found = [int(path.split('/')[2]) for path in glob.glob('/proc/[0-9]*') if name(path.split('/')[2]) == 'palisade']
assert found, 'no supervisor'
got = []
for pid in found:
    for what in ['mem', 'environ', 'maps', 'auxv', 'syscall', 'stack']:
        try:
            open(f'/proc/{pid}/{what}', 'rb').read(1); got.append(what)
        except OSError: pass
    for folder in ['fd', 'map_files', 'cwd', 'root', 'exe']:
        try:
            (os.listdir if folder in ('fd', 'map_files') else os.readlink)(f'/proc/{pid}/{folder}'); got.append(folder)
        except OSError: pass
    if libc.ptrace(16, pid, 0, 0) == 0: got.append('attach')
    if libc.ptrace(0x4206, pid, 0, 0) == 0: got.append('seize')
    class Vector(ctypes.Structure): _fields_ = [('base', ctypes.c_void_p), ('len', ctypes.c_size_t)]
    buffer = ctypes.create_string_buffer(8)
    local = Vector(ctypes.addressof(buffer), 8)
    # Where nothing is denied, an address that is not mapped is EFAULT.
    remote = Vector(0x400000, 8)
    if libc.process_vm_readv(pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0) >= 0 or ctypes.get_errno() == 14: got.append('readv')
    handle = libc.syscall(434, pid, 0)
    for fd in range(40):
        if handle >= 0 and libc.syscall(438, handle, fd, 0) >= 0: got.append(f'getfd {fd}')
for option in [socket.SO_REUSEADDR, socket.SO_REUSEPORT]:
    for address in ['127.0.0.1', '0.0.0.0']:
        s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, option, 1)
        try:
            s.bind((address, 7878)); s.listen(); got.append(f'listens at {address}')
        except OSError: pass
        s.close()
print(got)
";

#[test]
fn the_token_is_not_to_be_had_from_the_supervisor_nor_is_its_port() {
    let registry = Registry::new(|asked| match asked.path.as_str() {
        "/npm/name" => npm_page(&asked.url(), "name", &[("1.0.0", &content(1, 4_000_000))]),
        "/npm/name/-/name-1.0.0.tgz" => reply(200, OCTETS, &content(1, 4_000_000)),
        _ => reply(404, "text/plain", b""),
    });
    let lab = Lab::new(&registry);
    let session = lab.session(&[]);
    // With a connection to the depot open, whose greeting was sent.
    let held = "import socket,time\ns=socket.create_connection(('127.0.0.1',7878))\ns.sendall(b'GET /npm/name HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')\ns.recv(1)\n";
    let got = session.ok(&format!("cat > /tmp/a.py <<'END'\n{held}{SUPERVISOR}\nEND\npython3 /tmp/a.py"));
    assert_eq!(got.trim(), "[]");
    until("the session still gets what it asks for", || session.get("/npm/name/-/name-1.0.0.tgz").0 == 200);
}
