//! Registries that lie, break off, send too much or change their mind; disks that forget a bit. Each test asks as a
//! session does and as a second one does: neither may get a byte that the index did not promise.

use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::lab::Lab;
use super::registry::{OCTETS, Registry, content, endless, misdeclared, npm_page, pypi_page, reply, sha256};
use crate::support::{docker, until};

/// Small ones are judged before their first byte is given out, large ones before their last.
const SIZES: [usize; 2] = [3_000, 3_000_000];

#[test]
fn a_registry_that_lies_about_a_hash_serves_nobody_and_is_counted_and_named() {
    for size in SIZES {
        let registry = Registry::new(move |asked| match asked.path.as_str() {
            "/pypi/simple/liar/" => pypi_page(&asked.url(), "liar", &[("1.0", &content(1, size))]),
            "/npm/liar" => npm_page(&asked.url(), "liar", &[("1.0.0", &content(1, size))]),
            "/files/liar-1.0.tar.gz" | "/npm/liar/-/liar-1.0.0.tgz" => reply(200, OCTETS, &content(2, size)),
            _ => reply(404, "text/plain", b""),
        });
        let lab = Lab::new(&registry);
        let (one, two) = (lab.session(&[]), lab.session(&[]));
        for path in ["/pypi/files/liar/liar-1.0.tar.gz", "/npm/liar/-/liar-1.0.0.tgz"] {
            for session in [&one, &two] {
                let (status, got) = session.get(path);
                assert!(status == 424 || status == 0 && size > 1_000_000, "{status} for {path}");
                assert_ne!(got, sha256(&content(2, size)), "the lie was served whole");
            }
        }
        lab.summary("the lies are counted", |summary| summary["totals"].is_object() && Lab::total(summary, "rejected") == 4);
        assert!(lab.log().contains("liar-1.0.tar.gz") && lab.log().contains("liar-1.0.0.tgz"), "{}", lab.log());
        // However many look, each refusal is told in the audit log once.
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| lab.json(&["cache", "log", &one.name]));
            }
        });
        assert_eq!(told(&lab, &one.name), 2);
        assert_eq!(blobs_of(&lab, &content(2, size)), 0, "the lie was kept");
        assert_eq!(lab.files("tmp").len(), 0);
        if size < 1_000_000 {
            assert!(one.ok("curl -si http://127.0.0.1:7878/pypi/files/liar/liar-1.0.tar.gz").contains("promised"), "the reason is told");
        }
    }
}

/// How many rejections the audit log tells of.
fn told(lab: &Lab, session: &str) -> u64 {
    let entries = lab.json(&["audit", "--session", session]);
    let entries = entries["entries"].as_array().unwrap().iter().filter(|entry| entry["action"] == "reject");
    entries.map(|entry| entry["detail"]["rejected"].as_u64().unwrap()).sum()
}

#[test]
fn a_body_that_is_cut_short_or_too_long_or_endless_is_served_to_nobody() {
    for size in SIZES {
        let registry = Registry::new(move |asked| match asked.path.as_str() {
            "/pypi/simple/odd/" => {
                let whole = content(1, size);
                let bytes: Vec<(&str, &[u8])> = vec![("1", &whole), ("2", &whole), ("3", &whole), ("4", &whole)];
                pypi_page(&asked.url(), "odd", &bytes)
            }
            "/files/odd-1.tar.gz" => misdeclared(size, &content(1, size)[..size - 1]),
            "/files/odd-2.tar.gz" => reply(200, OCTETS, &[content(1, size), vec![0]].concat()),
            "/files/odd-3.tar.gz" => endless(&content(1, size)[..size / 2]),
            "/files/odd-4.tar.gz" => endless(&[content(1, size), content(9, 200_000)].concat()),
            _ => reply(404, "text/plain", b""),
        });
        let lab = Lab::new(&registry);
        let session = lab.session(&[]);
        let right = sha256(&content(1, size));
        for version in 1..=4 {
            let (status, got) = session.get(&format!("/pypi/files/odd/odd-{version}.tar.gz"));
            assert!(status == 424 || status == 504 || status == 0, "{status} for version {version}");
            assert_ne!(got, right, "version {version} is not what it was promised to be, whatever arrived");
        }
        assert_eq!(blobs_of(&lab, &content(1, size)), 0);
        assert_eq!(lab.files("tmp").len(), 0);
    }
}

#[test]
fn a_registry_that_sends_another_body_the_second_time_is_not_asked_a_second_time() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let registry = Registry::new(|asked| match asked.path.as_str() {
        "/pypi/simple/fickle/" => pypi_page(&asked.url(), "fickle", &[("1", &content(1, 400_000))]),
        "/files/fickle-1.tar.gz" => reply(200, OCTETS, &content(if ASKED.fetch_add(1, Ordering::SeqCst) == 0 { 1 } else { 2 }, 400_000)),
        _ => reply(404, "text/plain", b""),
    });
    let lab = Lab::new(&registry);
    let (one, two) = (lab.session(&[]), lab.session(&[]));
    for session in [&one, &two, &one] {
        assert_eq!(session.get("/pypi/files/fickle/fickle-1.tar.gz"), (200, sha256(&content(1, 400_000))));
    }
    assert_eq!(registry.artifacts().len(), 1);
}

#[test]
fn a_wrong_first_body_does_not_spoil_the_right_second_one_even_in_a_race() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let registry = Registry::new(|asked| match asked.path.as_str() {
        "/pypi/simple/late/" => pypi_page(&asked.url(), "late", &[("1", &content(1, 2_000_000))]),
        "/files/late-1.tar.gz" => reply(200, OCTETS, &content(if ASKED.fetch_add(1, Ordering::SeqCst) < 2 { 2 } else { 1 }, 2_000_000)),
        _ => reply(404, "text/plain", b""),
    });
    let lab = Lab::new(&registry);
    let (one, two) = (lab.session(&[]), lab.session(&[]));
    std::thread::scope(|scope| {
        for session in [&one, &two] {
            scope.spawn(move || {
                until("the right body comes", || {
                    let (status, got) = session.get("/pypi/files/late/late-1.tar.gz");
                    assert!(status != 200 || got == sha256(&content(1, 2_000_000)), "a wrong body was served whole");
                    status == 200
                });
            });
        }
    });
    assert_eq!(registry.artifacts().len(), 3);
}

#[test]
fn a_byte_flipped_on_disk_is_never_served_running_or_restarted() {
    let registry = Registry::new(|asked| match asked.path.as_str() {
        "/pypi/simple/rot/" => pypi_page(&asked.url(), "rot", &[("1", &content(1, 700_000))]),
        "/files/rot-1.tar.gz" => reply(200, OCTETS, &content(1, 700_000)),
        "/npm/rot" => npm_page(&asked.url(), "rot", &[("1.0.0", &content(3, 700_000))]),
        "/npm/rot/-/rot-1.0.0.tgz" => reply(200, OCTETS, &content(3, 700_000)),
        _ => reply(404, "text/plain", b""),
    });
    let lab = Lab::new(&registry);
    let session = lab.session(&[]);
    let paths = [("/pypi/files/rot/rot-1.tar.gz", content(1, 700_000)), ("/npm/rot/-/rot-1.0.0.tgz", content(3, 700_000))];
    for restarted in [false, true] {
        for (path, right) in &paths {
            assert_eq!(session.get(path), (200, sha256(right)));
        }
        // Every file of the store, index pages and aliases included.
        for folder in ["blobs", "aliases", "index"] {
            for file in lab.files(folder) {
                flip(&file);
            }
        }
        if restarted {
            lab.kill();
        }
        for (path, right) in &paths {
            assert_eq!(session.get(path), (200, sha256(right)), "restarted: {restarted}");
        }
    }
    assert!(registry.artifacts().len() >= 6, "what was damaged was fetched again: {:?}", registry.artifacts());
}

/// Turns one bit in the middle of a file, without a trace in its size.
fn flip(path: &std::path::Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let middle = file.metadata().unwrap().len() / 2;
    let mut byte = [0];
    file.seek(SeekFrom::Start(middle)).unwrap();
    if file.read(&mut byte).unwrap() == 1 {
        byte[0] ^= 1;
        file.seek(SeekFrom::Start(middle)).unwrap();
        file.write_all(&byte).unwrap();
    }
}

#[test]
fn a_file_without_a_promised_hash_is_served_and_never_kept() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let registry = Registry::new(|asked| match asked.path.as_str() {
        "/pypi/simple/bare/" => {
            let page = format!("<!DOCTYPE html><a href=\"{}/files/bare-1.tar.gz\">bare-1.tar.gz</a>", asked.url());
            reply(200, "text/html", page.as_bytes())
        }
        "/files/bare-1.tar.gz" => reply(200, OCTETS, &content(u8::try_from(ASKED.fetch_add(1, Ordering::SeqCst)).unwrap(), 5_000)),
        _ => reply(404, "text/plain", b""),
    });
    let lab = Lab::new(&registry);
    let session = lab.session(&[]);
    for round in 0..3 {
        assert_eq!(session.get("/pypi/files/bare/bare-1.tar.gz"), (200, sha256(&content(round, 5_000))));
        assert_eq!(blobs_of(&lab, &content(round, 5_000)), 0);
    }
    let headers = session.ok("curl -si http://127.0.0.1:7878/pypi/files/bare/bare-1.tar.gz -o /dev/null -D -");
    assert!(headers.to_lowercase().contains("cache-control: no-store"), "{headers}");
}

#[test]
fn a_name_that_a_private_registry_owns_is_never_looked_up_in_a_public_one() {
    let private = Registry::new(|asked| match asked.path.as_str() {
        "/npm/@corp%2fsecret" => npm_page(&asked.url(), "@corp/secret", &[("1.0.0", b"private")]),
        "/npm/@corp/secret/-/secret-1.0.0.tgz" => reply(200, OCTETS, b"private"),
        "/npm/shared" => npm_page(&asked.url(), "shared", &[("1.0.0", b"first")]),
        "/npm/shared/-/shared-1.0.0.tgz" => reply(200, OCTETS, b"first"),
        _ => reply(404, "text/plain", b""),
    });
    // The public one knows every name, with a higher version each.
    let public = Registry::new(|asked| {
        let name = asked.path.trim_start_matches("/npm/").split("/-/").next().unwrap().replace("%2f", "/");
        if asked.path.contains("/-/") { reply(200, OCTETS, b"public") } else { npm_page(&asked.url(), &name, &[("99.0.0", b"public")]) }
    });
    let settings = |owns: &str| {
        format!(
            "[packages.npm]\nurl = \"{}/npm/\"\nprivate = [{{ url = \"{}/npm/\", owns = [{owns}] }}]\n[packages.pypi]\nurl = \"{0}/pypi/simple/\"\n",
            public.url, private.url
        )
    };
    let lab = Lab::with(&settings("\"@corp/*\""));
    let session = lab.session(&[]);
    let ask = |path: &str| session.sh(&format!("curl -s http://127.0.0.1:7878/npm/{path}")).1;
    assert!(ask("@corp%2fsecret").contains("\"1.0.0\"") && ask("@corp/unknown").contains("not known"));
    assert_eq!(session.get("/npm/@corp/secret/-/secret-1.0.0.tgz"), (200, sha256(b"private")));
    private.set_away(true);
    assert!(ask("@corp%2fother").contains("cannot be reached"), "{}", ask("@corp%2fother"));
    private.set_away(false);
    assert!(!public.requests().iter().any(|line| line.contains("corp")), "{:?}", public.requests());
    // The audit names nothing private to the public registry either.
    session.sh(
        "curl -s -d '{\"@corp/secret\":[\"1.0.0\"],\"shared\":[\"1.0.0\"]}' http://127.0.0.1:7878/npm/-/npm/v1/security/advisories/bulk",
    );
    assert!(public.requests().iter().any(|line| line.contains("advisories")), "{:?}", public.requests());

    // Asked in an order, the first that knows a name decides alone, and being away decides nothing.
    drop(session);
    let lab = Lab::with(&settings(""));
    let session = lab.session(&[]);
    let page = session.ok("curl -s http://127.0.0.1:7878/npm/shared");
    assert!(page.contains("\"1.0.0\"") && !page.contains("99.0.0"), "{page}");
    assert!(session.ok("curl -s http://127.0.0.1:7878/npm/elsewhere").contains("99.0.0"));
    private.set_away(true);
    let (status, _) = session.get("/npm/another");
    assert_eq!(status, 504, "nobody after a registry that is away is asked");
}

/// Files of the store that hold these bytes.
fn blobs_of(lab: &Lab, bytes: &[u8]) -> usize {
    lab.files("").iter().filter(|file| std::fs::read(file).is_ok_and(|content| content == bytes)).count()
}

#[test]
fn the_depot_is_as_hardened_as_a_sandbox() {
    let registry = Registry::new(|_| reply(404, "text/plain", b""));
    let lab = Lab::new(&registry);
    let _session = lab.session(&[]);
    let status = lab.json(&["depot", "status"]);
    assert_eq!(status["depot"]["state"], "running", "{status}");
    let controls = status["depot"]["posture"]["controls"].as_array().unwrap();
    assert!(controls.iter().all(|control| control["verdict"] != "weaker" && control["verdict"] != "missing"), "{controls:?}");
    let pid = docker(&["inspect", "--format", "{{.State.Pid}}", &lab.depot]).parse().unwrap();
    assert_eq!(crate::support::status_line(pid, "CapEff"), "0000000000000000");
    assert_eq!(crate::support::status_line(pid, "NoNewPrivs"), "1");
    assert!(crate::support::status_line(pid, "Uid").starts_with("65532\t65532"));
}
