//! What a dashboard follows: events, figures, changed files, a terminal.

use std::time::Duration;

use futures_util::StreamExt;
use palisade::backend::engine::{Engine, EventStream, ExecRequest, TerminalSize};
use palisade::failure::Code;
use palisade::session::{ChangeKind, EventKind};
use tokio::io::AsyncWriteExt;

use super::bench::{Bench, collect, on_an_engine};

/// What happened to containers of this test, up to and including what is waited for.
async fn until(events: &mut EventStream, bench: &Bench, last: &EventKind) -> Vec<(String, EventKind)> {
    let mut seen = Vec::new();
    let waiting = async {
        loop {
            let event = events.next().await.expect("the stream goes on").unwrap();
            if let Some(tail) = event.name.raw().strip_prefix(&format!("{}-", bench.prefix)) {
                assert_eq!(event.container.len(), 64);
                seen.push((tail.to_owned(), event.what.clone()));
                if event.what == *last {
                    break;
                }
            }
        }
    };
    let ended = tokio::time::timeout(Duration::from_mins(1), waiting).await;
    assert!(ended.is_ok(), "waited in vain for {last:?}: {seen:?}");
    seen
}

/// The kinds in order, without what only some engines tell.
fn kinds(seen: &[(String, EventKind)]) -> Vec<EventKind> {
    seen.iter().map(|(_, kind)| kind.clone()).filter(|kind| !matches!(kind, EventKind::Other { .. })).collect()
}

#[test]
fn what_happens_to_a_container_is_told_in_order_also_what_happened_before_anyone_listened() {
    on_an_engine(|bench| async move {
        let engine = &bench.engine;
        let mut events = engine.events();
        let id = bench.running("one", "exec sleep 600").await;
        engine.pause(&id).await.unwrap();
        engine.unpause(&id).await.unwrap();
        engine.rename(&id, &bench.name("two")).await.unwrap();
        let seen = until(&mut events, &bench, &EventKind::Renamed { from: bench.name("one").as_str().into() }).await;
        assert_eq!(kinds(&seen)[..4], [EventKind::Created, EventKind::Started, EventKind::Paused, EventKind::Unpaused], "{seen:?}");
        assert_eq!(seen.last().unwrap().0, "two", "it is told under its new name");

        let (exec, attached) = engine
            .exec(&id, &ExecRequest { command: vec!["sh".into(), "-c".into(), "exit 7".into()], ..Default::default() })
            .await
            .unwrap();
        collect(attached.output).await;
        let seen = until(&mut events, &bench, &EventKind::ExecEnded { exit_code: Some(7) }).await;
        assert!(seen.contains(&("two".into(), EventKind::ExecStarted { command: "sh -c exit 7".into() })), "{seen:?}");
        assert_eq!(engine.exec_state(&exec).await.unwrap().exit_code, Some(7));

        engine.kill(&id, "SIGKILL").await.unwrap();
        let seen = until(&mut events, &bench, &EventKind::Died { exit_code: Some(137) }).await;
        // Told by who was asked to kill, and by who saw it die: either can come first.
        let killed = EventKind::Killed { signal: "9".into() };
        if !kinds(&seen).contains(&killed) {
            until(&mut events, &bench, &killed).await;
        }
        engine.remove(&id).await.unwrap();
        until(&mut events, &bench, &EventKind::Destroyed).await;
    });
}

#[test]
fn a_container_that_takes_more_memory_than_it_has_is_told() {
    on_an_engine(|bench| async move {
        let mut events = bench.engine.events();
        let mut request =
            bench.request("greedy", "head -c 64m /dev/zero | { read -r x; sleep 600; }; dd if=/dev/zero of=/dev/null bs=128M");
        request.entrypoint = ["/bin/busybox", "dd", "if=/dev/zero", "of=/dev/null", "bs=128M"].map(str::to_owned).to_vec();
        (request.memory, request.memory_swap) = (32 << 20, 32 << 20);
        let created = bench.engine.create(&request).await.unwrap();
        bench.engine.start(&created.id).await.unwrap();
        let seen = until(&mut events, &bench, &EventKind::Died { exit_code: Some(137) }).await;
        // The engine hears of the one from the kernel and of the other from its runtime: either can come first.
        if !kinds(&seen).contains(&EventKind::OutOfMemory) {
            until(&mut events, &bench, &EventKind::OutOfMemory).await;
        }
    });
}

#[test]
fn the_engines_figures_are_the_kernels() {
    on_an_engine(|bench| async move {
        let id = bench.running("busy", "sleep 601 & sleep 602 & while :; do :; done").await;
        // Files here are this engine's: what they say is compared with what it says.
        let files = palisade::kernel::UsageReader::default();
        crate::support::until("all of them run", || files.read(&[&id])[0].as_ref().is_ok_and(|usage| usage.pids == 4));
        let before = files.read(&[&id])[0].clone().unwrap();
        let told = bench.engine.stats(&id).await.unwrap();
        let after = files.read(&[&id])[0].clone().unwrap();
        assert!((before.cpu_ns..=after.cpu_ns).contains(&told.cpu_ns), "{before:?} {told:?} {after:?}");
        assert!(told.memory.get().abs_diff(after.memory.get()) < 4 << 20, "{told:?} {after:?}");
        assert_eq!((told.memory_limit, told.pids_limit), (after.memory_limit, after.pids_limit));
        assert_eq!((told.memory_limit.unwrap().get(), told.pids_limit), (256 << 20, Some(100)));
        assert_eq!((told.pids, after.pids), (4, 4), "init, sh and two that sleep");
        bench.engine.kill(&id, "SIGKILL").await.unwrap();
        bench.engine.wait(&id, palisade::backend::engine::WaitFor::NotRunning).await.unwrap();
        assert!(files.read(&[&id])[0].is_err());
        assert_eq!(bench.engine.stats(&id).await.unwrap_err().code, Code::Conflict);
        bench.engine.start(&id).await.unwrap();
        assert!(files.read(&[&id])[0].is_ok(), "its files are others by the same names");
        assert_eq!(bench.engine.stats(&bench.name("nosuch")).await.unwrap_err().code, Code::NotFound);
    });
}

#[test]
fn changed_files_are_listed_and_too_many_are_cut() {
    on_an_engine(|bench| async move {
        let script = "echo new > /data/new; touch \"/data/e$(printf '\\033[2J')\"; busybox rm /bin/cut; mkdir /data/many; \
             cd /data/many; seq 1 11000 | busybox xargs touch";
        let mut request = bench.request("writer", script);
        (request.read_only_rootfs, request.user, request.cap_drop) = (false, "0:0".into(), Vec::new());
        let created = bench.engine.create(&request).await.unwrap();
        bench.engine.start(&created.id).await.unwrap();
        assert_eq!(bench.engine.wait(&created.id, palisade::backend::engine::WaitFor::NotRunning).await.unwrap(), 0);
        let nobody = bench.engine.changes(&bench.name("nosuch")).await.unwrap_err();
        assert_eq!(nobody.code, Code::NotFound, "{nobody}");
        let changes = bench.engine.changes(&created.id).await.unwrap();
        assert!(changes.cut && changes.files.len() == 10_000, "{}", changes.files.len());
        let kind = |path: &str| changes.files.iter().find(|file| file.path.raw() == path).map(|file| file.kind);
        assert_eq!(kind("/bin/cut"), Some(ChangeKind::Deleted));
        assert_eq!(kind("/data/new"), None, "it comes after what was cut");
        assert_eq!((kind("/data"), kind("/data/many")), (Some(ChangeKind::Changed), Some(ChangeKind::Added)));
        assert_eq!(kind("/data/e\u{1b}[2J"), Some(ChangeKind::Added));
    });
}

#[test]
fn a_terminal_has_its_size_follows_it_and_passes_every_byte() {
    on_an_engine(|bench| async move {
        let id = bench.running("terminal", "exec sleep 600").await;
        // The last piece would be the head of a frame of four gigabytes to who looks for one.
        let script = "busybox stty size; read -r line; echo \"$line:$TERM\"; busybox stty size; read -r line; \
             printf '\\001\\000\\000\\000\\377\\377\\377\\377'; read -r line; printf '\\000\\002end'";
        let request = ExecRequest {
            command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            env: vec!["TERM=xterm-256color".into()],
            stdin: true,
            terminal: Some(TerminalSize { cols: 97, rows: 31 }),
            ..ExecRequest::default()
        };
        let (exec, attached) = bench.engine.exec(&id, &request).await.unwrap();
        let (mut input, mut output) = (attached.input, attached.output);
        let mut seen = Vec::new();
        let mut until = async |wanted: &[u8]| {
            while !seen.windows(wanted.len()).any(|part| part == wanted) {
                let piece = tokio::time::timeout(Duration::from_mins(1), output.next()).await.expect("more output");
                seen.extend_from_slice(&piece.expect("the terminal is open").unwrap().bytes);
            }
        };
        // Before API 1.42 the size is set a moment after the start.
        until(b"\n").await;
        bench.engine.resize_exec(&exec, TerminalSize { cols: 55, rows: 12 }).await.unwrap();
        input.write_all(b"typed\n").await.unwrap();
        until(b"typed:xterm-256color\r\n12 55\r\n").await;
        input.write_all(b"\n").await.unwrap();
        until(&[1, 0, 0, 0, 255, 255, 255, 255]).await;
        input.write_all(b"\n").await.unwrap();
        until(&[0, 2, b'e', b'n', b'd']).await;
        let rest = tokio::time::timeout(Duration::from_mins(1), output.next()).await.expect("it ends with its command");
        assert!(rest.is_none());
        let failure = bench.engine.exec(&bench.name("nosuch"), &request).await.err().unwrap();
        assert_eq!(failure.code, Code::NotFound);
    });
}
