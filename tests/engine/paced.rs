//! A terminal that floods its session's log while nobody looks on from outside: how much it is let write, by its own clock. A machine that
//! has other things to do only makes it slower.

use crate::support::{Session, until_had};

/// MiB that it may write at once, each second after that, and that may lie in pipes unread.
const BURST: f64 = 16.0;
const EACH_SECOND: f64 = 4.0;
const UNREAD: f64 = 1.0;

/// Writes, and goes on while a child looks on and takes everything; says how many MiB it had written when, and whether the child was there
/// to the end. Neither an emulator nor an engine's log makes much of what it writes.
const PROGRAM: &str = r"
import json, os, socket, struct, time
began, written, piece = time.monotonic(), 0, b'\x7f' * 65536
def flood(until):
    global written
    while written < until << 20:
        written += os.write(1, piece)
    return [written / (1 << 20), time.monotonic() - began]
alone = flood(26)
has_begun, begun = os.pipe()
child = os.fork()
if child == 0:
    s = socket.socket(socket.AF_UNIX)
    s.connect('\0palisade-terminals')
    want = json.dumps({'attach': {'id': 0, 'size': None}}).encode()
    s.sendall(b'W' + struct.pack('>I', len(want)) + want)
    assert s.recv(1 << 20)
    os.write(begun, b'.')
    while s.recv(1 << 20):
        pass
    os._exit(0)
os.close(begun)
assert os.read(has_begun, 1)
looked_at = flood(36)
with open('/tmp/told.new', 'w') as f:
    json.dump([alone, looked_at, os.waitpid(child, os.WNOHANG) == (0, 0)], f)
os.rename('/tmp/told.new', '/tmp/told')
time.sleep(600)
";

#[test]
fn a_terminal_that_floods_waits_while_nobody_looks_on_or_a_process_of_its_own() {
    let session = Session::launch(&["--network", "none", "-t"], &["python3", "-c", PROGRAM]);
    let told = until_had("it has written both times", || {
        let (code, told, said) = session.sh("cat /tmp/told");
        if code == 0 { Ok(told) } else { Err(said) }
    });
    let (alone, looked_at, was_there): ((f64, f64), (f64, f64), bool) = serde_json::from_str(&told).unwrap();
    assert!(was_there, "{told}");
    for (written, after) in [alone, looked_at] {
        assert!(written <= BURST + EACH_SECOND * after + UNREAD, "{written} MiB in {after} s: {told}");
    }
}
