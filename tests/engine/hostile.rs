//! What runs inside tries to get more than it was given.

use palisade::policy::plan::SUPERVISOR_DIR;

use crate::support::{Image, Session, docker, status_line, succeed, until};

#[test]
fn a_fork_bomb_stops_at_the_limit_and_others_go_on() {
    let bombed = Session::asleep();
    let beside = Session::asleep();
    let bomb = std::process::Command::new("docker")
        .args(["exec", "-d", &bombed.container(), "sh", "-c", "b() { b | b & }; b; sleep 60"])
        .status()
        .unwrap();
    assert!(bomb.success());
    let cgroup = std::fs::read_to_string(format!("/proc/{}/cgroup", bombed.pid())).unwrap();
    let path = cgroup.lines().find_map(|line| line.split_once(":pids:").map(|(_, path)| format!("/sys/fs/cgroup/pids{path}")));
    let path = path.unwrap_or_else(|| {
        let unified = cgroup.lines().find_map(|line| line.strip_prefix("0::")).unwrap();
        format!("/sys/fs/cgroup{unified}")
    });
    let read = |file: &str| std::fs::read_to_string(format!("{path}/{file}")).unwrap();
    let refused = || read("pids.events").split_whitespace().nth(1).unwrap().parse::<u64>().unwrap();
    until("forks are refused", || refused() > 0);
    assert!(read("pids.current").trim().parse::<u64>().unwrap() <= 100);
    assert_eq!(beside.sh("echo unharmed").1, "unharmed\n");
    succeed(&["ls"]);
    succeed(&["rm", "-f", &bombed.name]);
}

#[test]
fn a_set_user_id_program_gives_nothing() {
    // Planted by root in an image of its own, as a hostile image would have it.
    let plant = |program: &str, name: &str| format!("cp /bin/{program} /usr/local/bin/{name} && chmod 4755 /usr/local/bin/{name}");
    let image = Image::planted(&format!("{} && {}", plant("cat", "rootcat"), plant("id", "rootid")));
    let session = Session::launch(&["--image", &image.tag], &["sleep", "600"]);
    let (code, output, _) = session.sh("rootid -u; rootcat /etc/shadow");
    assert_eq!((code, output.as_str()), (1, "1000\n"));
}

#[test]
fn an_image_cannot_lay_the_workspace_over_the_supervisor() {
    let plant = format!("rm -rf /workspace /palisade; mkdir -p {SUPERVISOR_DIR}; ln -s {SUPERVISOR_DIR} /workspace");
    let image = Image::planted(&plant);
    let folder = tempfile::Builder::new().prefix("palisade-links-").tempdir_in("/var/tmp").unwrap();
    std::os::unix::fs::chown(folder.path(), Some(1000), Some(1000)).unwrap();
    let (impostor, mark) = (folder.path().join("palisade"), folder.path().join("it-ran"));
    std::fs::write(&impostor, "#!/bin/sh\ntouch /workspace/it-ran /palisade/0/0/0/0/0/0/it-ran\nsleep 60\n").unwrap();
    std::os::unix::fs::chown(&impostor, Some(1000), Some(1000)).unwrap();
    std::fs::set_permissions(&impostor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let output =
        crate::support::call(&["run", "--image", &image.tag, "--workspace", folder.path().to_str().unwrap(), "--", "echo", "it ran"]);
    assert!(!mark.exists() && !String::from_utf8_lossy(&output.stdout).contains("it ran"), "{output:?}");
    assert_eq!(output.status.code(), Some(4), "{output:?}");
}

#[test]
fn orphans_are_reaped() {
    let session = Session::asleep();
    for _ in 0..5 {
        session.sh("for i in 1 2 3 4; do (sleep 0 &) ; done");
    }
    until("no zombie is left", || {
        let processes = docker(&["top", &session.container(), "-eo", "pid,stat"]);
        !processes.lines().any(|line| line.contains('Z'))
    });
}

#[test]
fn the_ways_out_that_need_rights_are_closed() {
    let session = Session::asleep();
    let refused = [
        "mount -t tmpfs none /tmp",
        "unshare -r true",
        "unshare -n true",
        "python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'",
        "python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'",
        "touch /usr/bin/x",
        "echo x > /etc/passwd",
        "chown 0 ~",
        "mknod ~/sda b 8 0",
        // Where the kernel has it, an empty one is laid over it.
        "cat /proc/kcore | grep -q .",
        "echo 1 > /proc/sys/kernel/sysrq",
        "echo b > /proc/sysrq-trigger",
        "dmesg",
        "cat /etc/shadow",
        "kill -9 1 && sleep 1 && ! kill -0 1",
        "curl -sS --max-time 3 http://192.0.2.1/",
        "python3 -c 'import os; os.setuid(0)'",
        "chroot / true",
        "nsenter -t 1 -m true",
        "echo x > /palisade/0/0/0/0/0/0/palisade",
        "ls /var/run/docker.sock",
        "swapoff -a",
        "date -s 2000-01-01",
    ];
    for line in refused {
        let (code, output, errors) = session.sh(line);
        assert!(code != 0, "'{line}' worked: {output}{errors}");
    }
}

#[test]
fn a_set_user_id_bit_of_its_own_is_inert() {
    let session = Session::asleep();
    // Its own copy with its own bit: owned by its own user, on file systems that ignore the bit, under no_new_privileges.
    let (_, output, _) =
        session.sh("cp /usr/bin/id /tmp/id && chmod u+s /tmp/id && /tmp/id -u; cp /usr/bin/id ~/id && chmod u+s ~/id; ~/id -u");
    assert!(output.lines().all(|uid| uid == "1000"), "{output}");
    assert_eq!(status_line(session.pid(), "NoNewPrivs"), "1");
}

#[test]
fn a_session_that_ends_its_supervisor_ends_itself() {
    let session = Session::launch(&[], &["sh", "-c", "kill -9 $PPID; sleep 600"]);
    until("it has ended", || docker(&["inspect", "--format", "{{.State.Status}}", &session.container()]) == "exited");
}

#[test]
fn the_supervisor_cannot_be_traced_or_read() {
    let session = Session::asleep();
    let line = "for p in /proc/[0-9]*; do if grep -qs 'palisade' $p/comm; then cat $p/environ $p/maps $p/mem; ls -l $p/fd; fi; done 2>/dev/null | wc -c";
    let (_, output, _) = session.sh(line);
    assert_eq!(output.trim(), "0");
}

#[test]
fn memory_without_end_is_ended_in_its_own_session() {
    let session = Session::launch(&["--memory", "64MiB"], &["sleep", "600"]);
    let (code, _, _) = session.sh("python3 -c 'x = bytearray(1 << 30)'");
    assert_eq!(code, 137);
    let (code, ..) = session.sh("true");
    assert_eq!(code, 0);
}
