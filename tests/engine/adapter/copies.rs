//! Files in and out of a real container.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use palisade::backend::engine::{Engine, ExecRequest, Progress};
use palisade::backend::{CopyReport, Reporter, copy};
use palisade::failure::{Code, Result};

use super::bench::{Bench, collect, on_an_engine};

const OWNER: (u32, u32) = (1000, 1000);
const PLENTY: u64 = 1 << 30;

/// Nobody looks on.
struct Unseen;

impl Reporter for Unseen {
    fn step(&self, _: &str) {}
    fn progress(&self, _: &Progress) {}
    fn warning(&self, _: &str) {}
}

async fn copy_in(engine: &dyn Engine, id: &str, owner: (u32, u32), local: &Path, inside: &str) -> Result<CopyReport> {
    copy::copy_in(engine, id, owner, local, inside, &Unseen).await
}

async fn copy_out(engine: &dyn Engine, id: &str, inside: &str, local: &Path, most: u64) -> Result<CopyReport> {
    copy::copy_out(engine, id, inside, local, most, &Unseen).await
}

async fn sh(bench: &Bench, id: &str, script: &str) -> String {
    let request = ExecRequest { command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(), ..ExecRequest::default() };
    let (_, attached) = bench.engine.exec(id, &request).await.unwrap();
    let (out, err) = collect(attached.output).await;
    String::from_utf8([out, err].concat()).unwrap()
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_folder_goes_in_as_the_sessions_own_and_comes_back_equal() {
    on_an_engine(|bench| async move {
        let here = tempfile::tempdir().unwrap();
        let tree = here.path().join("tree");
        write(&tree.join("src/main.rs"), "fn main() {}");
        write(&tree.join(format!("deep/{}/leaf", "long-name-".repeat(15))), "leaf");
        write(&tree.join("tool"), "#!/bin/sh");
        std::fs::set_permissions(tree.join("tool"), std::fs::Permissions::from_mode(0o4755)).unwrap();
        symlink("src/main.rs", tree.join("link")).unwrap();
        symlink("/etc/shadow", tree.join("absolute")).unwrap();
        nix::unistd::mkfifo(&tree.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let big = vec![7_u8; 5 << 20];
        std::fs::write(tree.join("big"), &big).unwrap();

        let id = bench.running("copy", "exec sleep 600").await;
        let report = copy_in(&bench.engine, &id, OWNER, &tree, "/home/sandbox").await.unwrap();
        assert_eq!((report.bytes, report.skipped.len()), (12 + 4 + 9 + (5 << 20), 1), "{report:?}");
        let seen =
            sh(&bench, &id, "cd /home/sandbox/tree && stat -c '%u:%g %a %n' . tool src/main.rs && cat link && ls -l absolute | cut -c1")
                .await;
        assert_eq!(seen, "1000:1000 755 .\n1000:1000 755 tool\n1000:1000 644 src/main.rs\nfn main() {}l\n");

        let back = here.path().join("back");
        let report = copy_out(&bench.engine, &id, "/home/sandbox/tree", &back, PLENTY).await.unwrap();
        assert_eq!(std::fs::read(back.join("big")).unwrap(), big);
        assert_eq!(std::fs::read_to_string(back.join("link")).unwrap(), "fn main() {}");
        assert!(back.join(format!("deep/{}/leaf", "long-name-".repeat(15))).exists());
        assert_eq!(report.skipped.len(), 1, "{:?}", report.skipped);
        assert!(report.skipped[0].raw().contains("absolute") && !back.join("absolute").exists());
    });
}

#[test]
fn files_land_where_docker_cp_puts_them() {
    on_an_engine(|bench| async move {
        let here = tempfile::tempdir().unwrap();
        let (file, folder) = (here.path().join("file"), here.path().join("folder"));
        write(&file, "one");
        write(&folder.join("inner"), "two");
        let id = bench.running("where", "exec sleep 600").await;
        let engine = &bench.engine;
        for (local, inside) in [
            (file.clone(), "/home/sandbox"),
            (file.clone(), "/home/sandbox/named"),
            (folder.clone(), "/home/sandbox"),
            (folder.clone(), "/home/sandbox/fresh"),
            (folder.join("."), "/home/sandbox/fresh"),
            (file.clone(), "home/sandbox/fresh/"),
            (file.clone(), "/home/sandbox/fresh/inner"),
        ] {
            copy_in(engine, &id, OWNER, &local, inside).await.unwrap_or_else(|failure| panic!("{local:?} to {inside}: {failure}"));
        }
        let listing =
            sh(&bench, &id, "cd /home/sandbox && for f in file named folder/inner fresh/inner fresh/file; do echo $f $(cat $f); done")
                .await;
        assert_eq!(listing, "file one\nnamed one\nfolder/inner two\nfresh/inner one\nfresh/file one\n");

        let failure = copy_in(engine, &id, OWNER, &folder, "/home/sandbox/file").await.unwrap_err();
        assert_eq!(failure.code, Code::Conflict, "{failure}");
        let failure = copy_in(engine, &id, OWNER, &file, "/home/sandbox/nosuch/").await.unwrap_err();
        assert_eq!(failure.code, Code::NotFound, "{failure}");
        let failure = copy_in(engine, &id, OWNER, &file, "/home/sandbox/no/such").await.unwrap_err();
        assert_eq!(failure.code, Code::NotFound, "{failure}");
        let failure = copy_in(engine, &id, OWNER, &here.path().join("nosuch"), "/home/sandbox").await.unwrap_err();
        assert_eq!(failure.code, Code::NotFound, "{failure}");

        let out = here.path().join("out");
        copy_out(engine, &id, "/home/sandbox/named", &out, PLENTY).await.unwrap();
        assert_eq!(std::fs::read_to_string(&out).unwrap(), "one");
        copy_out(engine, &id, "/home/sandbox/fresh/.", &here.path().join("contents"), PLENTY).await.unwrap();
        assert_eq!(std::fs::read_to_string(here.path().join("contents/file")).unwrap(), "one");
        let failure = copy_out(engine, &id, "/home/sandbox/nosuch", &out, PLENTY).await.unwrap_err();
        assert_eq!(failure.code, Code::NotFound, "{failure}");
    });
}

#[test]
fn what_cannot_be_written_is_refused_and_the_refusal_says_where_to() {
    on_an_engine(|bench| async move {
        let here = tempfile::tempdir().unwrap();
        let file = here.path().join("file");
        write(&file, "one");
        let id = bench.running("refused", "exec sleep 600").await;
        for inside in ["/etc/file", "/data", "/", "/tmp", "/tmp/file", "/proc/x"] {
            let failure = copy_in(&bench.engine, &id, OWNER, &file, inside).await.unwrap_err();
            assert!(failure.code == Code::Refused && failure.to_string().contains("/home/sandbox"), "{inside}: {failure}");
        }
        let failure = copy_out(&bench.engine, &id, "/tmp", here.path(), PLENTY).await.unwrap_err();
        assert!(failure.to_string().contains("in memory"), "{failure}");
        // A link in the sandbox that leads where nothing may be written: the engine's own refusal, whole.
        sh(&bench, &id, "ln -s /etc /home/sandbox/etc").await;
        write(&here.path().join("big/file"), &"x".repeat(3 << 20));
        let failure = copy_in(&bench.engine, &id, OWNER, &here.path().join("big"), "/home/sandbox/etc").await.unwrap_err();
        assert!(failure.to_string().contains("read-only"), "{failure}");
    });
}

#[test]
fn a_hostile_folder_cannot_write_lead_or_grow_outside_its_copy() {
    on_an_engine(|bench| async move {
        let here = tempfile::tempdir().unwrap();
        let script = "mkdir -p /home/sandbox/evil/sub && cd /home/sandbox/evil && ln -s /etc/passwd a && ln -s ../../../../etc b && \
            ln -s sub/../.. c && mkfifo p && touch \"$(printf 'esc\\033[2J')\" && echo su > su && chmod 6777 su && \
            dd if=/dev/zero of=big bs=1M count=3 2>/dev/null && ln su hard && ln -s evil ../root";
        let id = bench.running("evil", "exec sleep 600").await;
        assert_eq!(sh(&bench, &id, script).await, "");
        let out = here.path().join("out");
        let failure = copy_out(&bench.engine, &id, "/home/sandbox/evil", &out, 1 << 20).await.unwrap_err();
        assert_eq!(failure.code, Code::Refused, "{failure}");
        assert!(!out.join("big").exists());
        let out = here.path().join("again");
        let report = copy_out(&bench.engine, &id, "/home/sandbox/evil", &out, PLENTY).await.unwrap();
        assert_eq!(report.skipped.len(), 5, "{:?}", report.skipped);
        for name in ["a", "b", "c", "p"] {
            assert!(out.join(name).symlink_metadata().is_err(), "{name}");
        }
        assert_eq!(std::fs::metadata(out.join("su")).unwrap().mode() & 0o7777, 0o755);
        assert_eq!(std::fs::metadata(out.join("su")).unwrap().ino(), std::fs::metadata(out.join("hard")).unwrap().ino());
        let failure = copy_out(&bench.engine, &id, "/home/sandbox/root", &here.path().join("root"), PLENTY).await.unwrap_err();
        assert!(failure.to_string().contains("a link"), "{failure}");
    });
}

#[test]
fn a_container_that_was_never_started_can_be_filled_and_read() {
    on_an_engine(|bench| async move {
        let here = tempfile::tempdir().unwrap();
        write(&here.path().join("file"), "one");
        let created = bench.engine.create(&bench.request("still", "exit 0")).await.unwrap();
        copy_in(&bench.engine, &created.id, OWNER, &here.path().join("file"), "/home/sandbox").await.unwrap();
        copy_out(&bench.engine, &created.id, "/home/sandbox/file", &here.path().join("back"), PLENTY).await.unwrap();
        assert_eq!(std::fs::read_to_string(here.path().join("back")).unwrap(), "one");
    });
}
