//! `cp` with `-`: archives out of a session and into one, by pipes.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::common::schema;
use crate::corpus::with_a_terminal;
use crate::support::{Session, palisade, text};

/// No copy holds more than this of what passes through it.
const HELD_KIB: u64 = 96 << 10;

fn quiet() -> Session {
    Session::launch(&["--network", "none"], &["sleep", "600"])
}

fn home(session: &Session) -> String {
    format!("{}:/home/sandbox", session.name)
}

/// An archive of a path of a session, and what was said of it.
fn packed(options: &[&str], from: &str) -> Output {
    palisade().arg("cp").args(options).args([from, "-"]).output().unwrap()
}

/// What came of an archive by standard input.
fn unpacked(options: &[&str], archive: &[u8], to: &str) -> Output {
    let mut command = palisade();
    command.args(options).args(["cp", "-", to]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that refuses need not read it.
    let _ = child.stdin.take().unwrap().write_all(archive);
    child.wait_with_output().unwrap()
}

/// What `tar` makes of a folder.
fn tar(folder: &Path, what: &str) -> Vec<u8> {
    let output = Command::new("tar").arg("-C").arg(folder).args(["-cf", "-", what]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    output.stdout
}

/// `tar`, told to trust the archive in everything.
fn untar(archive: &[u8], folder: &Path) -> Output {
    let mut command = Command::new("tar");
    command.arg("-C").arg(folder).args(["-xpPf", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(archive).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_workspace_goes_through_a_pipe_into_another_session() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    std::fs::create_dir_all(tree.join("bin")).unwrap();
    std::fs::write(tree.join("bin/tool"), "#!/bin/sh\necho ran\n").unwrap();
    std::fs::set_permissions(tree.join("bin/tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(tree.join("long-name-".repeat(20)), vec![7; 300_000]).unwrap();
    symlink("bin/tool", tree.join("link")).unwrap();
    symlink("/etc/passwd", tree.join("absolute")).unwrap();
    let web = Session::launch(&["--network", "none", "--workspace", &format!("{}:ro", tree.display())], &["sleep", "600"]);
    let other = quiet();
    let state = folder.path().join("state");
    let piped = |arguments: &[&str]| {
        let mut command = palisade();
        command.env("XDG_STATE_HOME", &state).arg("cp").args(arguments).stderr(Stdio::piped());
        command
    };
    let mut out = piped(&[&format!("{}:/workspace", web.name), "-"]).stdout(Stdio::piped()).spawn().unwrap();
    let into = piped(&["-", &home(&other)]).stdin(out.stdout.take().unwrap()).output().unwrap();
    let out = out.wait_with_output().unwrap();
    let (said, told) = (text(&out.stderr), text(&into.stderr));
    assert!(out.status.success() && into.status.success(), "{said}{told}");
    assert!(said.contains("left out: workspace/absolute: a link that leads outside, to /etc/passwd\ncopied 5 entries"), "{said}");
    assert!(told.starts_with("copied 5 entries"), "{told}");
    let look = "cd workspace && stat -c '%u %g %a %F' . bin bin/tool && ./link && stat -c %s long* && ls | wc -l";
    let expected = "1000 1000 755 directory\n1000 1000 755 directory\n1000 1000 755 regular file\nran\n300000\n3\n";
    assert_eq!(other.sh(look).1, expected);
    let audit = palisade().env("XDG_STATE_HOME", &state).args(["--json", "audit"]).output().unwrap();
    let audit: serde_json::Value = serde_json::from_slice(&audit.stdout).unwrap();
    let mut deeds: Vec<_> = audit["entries"].as_array().unwrap().iter().map(|entry| (&entry["action"], &entry["detail"])).collect();
    deeds.sort_by_key(|(action, _)| action.to_string());
    let shown = |at: usize, key: &str| deeds[at].1[key].as_str().unwrap().to_owned();
    assert_eq!((deeds[0].0.as_str(), shown(0, "from"), shown(0, "to")), (Some("copy_in"), "-".into(), "/home/sandbox".into()));
    assert_eq!((deeds[1].0.as_str(), shown(1, "from"), shown(1, "to")), (Some("copy_out"), "/workspace".into(), "-".into()));
}

#[test]
fn a_hostile_folder_makes_an_archive_that_any_tar_may_unpack() {
    let session = quiet();
    let planted = session.sh(
        "mkdir -p ~/evil/sub && cd ~/evil && ln -s /etc/passwd a && ln -s ../../../../etc b && ln -s sub/../.. c && mkfifo p && \
         touch \"$(printf 'esc\\033[2J')\" && echo su > su && chmod 6777 su && ln su hard && ln -s .. sub/top && chmod 1777 sub && \
         touch -d @99999999999 late && ln -s evil ../root",
    );
    assert_eq!(planted.0, 0, "{}", planted.2);
    let output = packed(&[], &format!("{}/evil", home(&session)));
    let said = text(&output.stderr);
    assert!(output.status.success() && said.matches("left out: ").count() == 5 && !said.contains('\u{1b}'), "{said}");
    let base = tempfile::tempdir().unwrap();
    let dest = base.path().join("dest");
    std::fs::create_dir(&dest).unwrap();
    let untarred = untar(&output.stdout, &dest);
    assert!(untarred.status.success() && untarred.stderr.is_empty(), "{}", text(&untarred.stderr));
    assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 1);
    let mut names: Vec<_> = std::fs::read_dir(dest.join("evil")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["hard", "late", "su", "sub"]);
    let meta = |name: &str| std::fs::metadata(dest.join("evil").join(name)).unwrap();
    assert_eq!((meta("su").mode() & 0o7777, meta("sub").mode() & 0o7777, meta("su").uid()), (0o755, 0o755, nix::unistd::getuid().as_raw()));
    assert_eq!(meta("su").ino(), meta("hard").ino());
    assert_eq!(dest.join("evil/sub/top").canonicalize().unwrap(), dest.join("evil").canonicalize().unwrap());

    let refused = packed(&[], &format!("{}/root", home(&session)));
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(4), 0), "{}", text(&refused.stderr));
    let missing = packed(&[], &format!("{}/nosuch", home(&session)));
    assert_eq!((missing.status.code(), missing.stdout.len()), (Some(1), 0), "{}", text(&missing.stderr));
    let contents = packed(&[], &format!("{}/evil/sub/.", home(&session)));
    assert!(text(&contents.stderr).contains("top: a link that leads outside"), "{}", text(&contents.stderr));
}

/// An archive of one entry of each sort that is refused, and of one that is not.
fn hostile_archive() -> Vec<u8> {
    let mut all = Vec::new();
    let mut put = |name: &str, kind: tar::EntryType, target: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name.as_bytes());
        old.linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o6777);
        header.set_size(content.len() as u64);
        header.set_cksum();
        all.extend_from_slice(header.as_bytes());
        all.extend_from_slice(content);
        all.resize(all.len().next_multiple_of(512), 0);
    };
    put("/home/sandbox/absolute", tar::EntryType::Regular, "", b"no");
    put("../above", tar::EntryType::Regular, "", b"no");
    put("null", tar::EntryType::Char, "", b"");
    put("up", tar::EntryType::Symlink, "../..", b"");
    put("here", tar::EntryType::Symlink, ".", b"");
    put("here/through", tar::EntryType::Regular, "", b"no");
    put("esc\u{1b}[2J", tar::EntryType::Regular, "", b"no");
    put("deep/su", tar::EntryType::Regular, "", b"yes");
    all.resize(all.len() + 1024, 0);
    all
}

#[test]
fn an_archive_by_standard_input_goes_through_the_same_checks() {
    let session = quiet();
    assert_eq!(session.sh("mkdir ~/in && chmod 700 ~/in && echo mine > ~/file").0, 0);
    let output = unpacked(&[], &hostile_archive(), &format!("{}/in", home(&session)));
    let said = text(&output.stderr);
    assert!(output.status.success() && said.matches("left out: ").count() == 6 && !said.contains('\u{1b}'), "{said}");
    let look = session.sh("cd ~ && ls && ls -A in && stat -c '%u %a' in in/deep in/deep/su");
    assert_eq!(look.1, "file\nin\ndeep\nhere\n1000 700\n1000 755\n1000 755\n");

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("one"), "1").unwrap();
    let whole = tar(folder.path(), ".");
    let before = session.sh("stat -c '%u %a' ~").1;
    let output = unpacked(&["--json"], &whole, &home(&session));
    let document = schema::document("copied", &output.stdout);
    assert_eq!((&document["copied"]["entries"], &document["copied"]["bytes"]), (&1.into(), &1.into()));
    assert_eq!(session.sh("cat ~/one && stat -c '%u %a' ~").1, format!("1{before}"), "the folder itself is as it was");
    for (archive, to, code, why) in [
        (&whole[..1200], home(&session), 1, "damaged or cut short"),
        (&whole[..1536], home(&session), 1, "damaged or cut short"),
        (&[][..], home(&session), 1, "damaged or cut short"),
        (&[0x1f, 0x8b, 8, 0].repeat(300)[..], home(&session), 1, "zcat"),
        (&whole[..], format!("{}/file", home(&session)), 1, "it is no folder"),
        (&whole[..], format!("{}/none", home(&session)), 1, "mkdir -p /home/sandbox/none"),
        (&whole[..], format!("{}:/etc", session.name), 4, "read-only"),
        (&whole[..], format!("{}:/tmp", session.name), 4, "in memory"),
    ] {
        let output = unpacked(&[], archive, &to);
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(code) && said.contains(why), "{} bytes to {to}: {said}", archive.len());
    }
    assert_eq!(session.sh("cat ~/file").1, "mine\n");
}

#[test]
fn the_size_is_bounded_both_ways_and_half_an_archive_is_not_taken_for_a_whole_one() {
    let session = quiet();
    assert_eq!(session.sh("mkdir ~/tree && cd ~/tree && echo 1 > a && head -c 3000000 /dev/zero > b").0, 0);
    let output = packed(&["--max-size", "1MiB"], &format!("{}/tree", home(&session)));
    assert!(output.status.code() == Some(4) && text(&output.stderr).contains("larger than 1 MiB"), "{}", text(&output.stderr));
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(untar(&output.stdout, folder.path()).status.code(), Some(2), "tar takes it for whole");
    let again = unpacked(&[], &output.stdout, &home(&session));
    assert!(again.status.code() == Some(1) && text(&again.stderr).contains("damaged or cut short"), "{}", text(&again.stderr));

    std::fs::write(folder.path().join("big"), vec![1; 3_000_000]).unwrap();
    let archive = tar(folder.path(), "big");
    let mut command = palisade();
    command.args(["cp", "--max-size", "1MiB", "-", &home(&session)]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(&archive);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.code() == Some(4) && text(&output.stderr).contains("larger than 1 MiB"), "{}", text(&output.stderr));
    assert_ne!(session.sh("test -e ~/big").0, 0);
}

#[test]
fn a_terminal_gets_no_archive_and_gives_none() {
    for (arguments, what) in
        [(["cp", "web:/workspace", "-"], "standard output is one"), (["cp", "-", "web:/workspace"], "standard input is one")]
    {
        let mut command = palisade();
        command.args(arguments);
        let (code, raw) = with_a_terminal(command, true);
        assert!(code == 2 && text(&raw).contains(what), "{}", text(&raw));
    }
}

/// The most memory that a process which is still at work has held, in KiB.
fn held(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_else(|| panic!("it has ended: {status}"));
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// What is not yet through when its memory is looked at: no pipe or socket on the way holds as much.
const REST: u64 = 48 << 20;
const HUGE: u64 = 192 << 20;

#[test]
fn a_huge_file_passes_in_bounded_memory_and_a_pipe_that_closes_ends_it() {
    let session = quiet();
    assert_eq!(session.sh(&format!("truncate -s {HUGE} ~/huge")).0, 0);
    let begun = || {
        let mut command = palisade();
        command.args(["cp", &format!("{}/huge", home(&session)), "-"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let mut child = begun();
    let mut archive = child.stdout.take().unwrap();
    std::io::copy(&mut (&mut archive).take(HUGE - REST), &mut std::io::sink()).unwrap();
    let most = held(&child);
    let rest = std::io::copy(&mut archive, &mut std::io::sink()).unwrap();
    assert_eq!(rest, REST + 512 + 1024);
    assert!(child.wait_with_output().unwrap().status.success());
    assert!(most < HELD_KIB, "{most} KiB going out");

    let mut child = begun();
    let mut first = [0; 1000];
    let mut archive = child.stdout.take().unwrap();
    archive.read_exact(&mut first).unwrap();
    drop(archive);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(141), ""), "as any program whose reader has left");

    let mut command = palisade();
    command.args(["cp", "-", &home(&session)]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut archive = child.stdin.take().unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_path("sent").unwrap();
    header.set_mode(0o644);
    header.set_size(HUGE);
    header.set_cksum();
    archive.write_all(header.as_bytes()).unwrap();
    let zeros = File::open("/dev/zero").unwrap();
    std::io::copy(&mut (&zeros).take(HUGE - REST), &mut archive).unwrap();
    let most = held(&child);
    std::io::copy(&mut (&zeros).take(REST + 1024), &mut archive).unwrap();
    drop(archive);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(most < HELD_KIB, "{most} KiB going in");
    assert_eq!(session.sh("stat -c %s ~/sent").1, format!("{HUGE}\n"));
}
