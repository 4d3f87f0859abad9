//! A place on the engine for one test: an image of its own with nothing but busybox, and everything that carries
//! the test's label removed at the end, also when it ends in a panic.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use palisade::backend::engine::{ByteStream, DockerEngine, Endpoint, Engine, Images, OutputKind, OutputStream};
use palisade::policy::plan::{CreateRequest, PlanMount, PlanMountKind, Ulimit};
use palisade::session::labels;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// One test's place.
pub struct Bench {
    pub engine: DockerEngine,
    /// Prefix of every name that the test makes.
    pub prefix: String,
    /// Its image.
    pub image: String,
}

/// Runs a test on the engine.
pub fn on_an_engine<F, Fut>(test: F)
where
    F: FnOnce(std::sync::Arc<Bench>) -> Fut,
    Fut: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let engine = DockerEngine::connect(&endpoint()).await.unwrap_or_else(|failure| panic!("this test needs an engine: {failure}"));
        let prefix = format!("palisade-adapter-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let bench = std::sync::Arc::new(Bench { image: format!("{prefix}:1"), prefix, engine });
        let outcome = AssertUnwindSafe(async {
            bench.import().await;
            test(std::sync::Arc::clone(&bench)).await;
        })
        .catch_unwind()
        .await;
        bench.clean().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
}

pub fn endpoint() -> Endpoint {
    let socket = crate::support::engine_socket();
    Endpoint { uri: format!("unix://{socket}"), found_by: "default socket".into(), socket: Some(socket.into()), tls_dir: None }
}

impl Bench {
    pub fn name(&self, tail: &str) -> String {
        format!("{}-{tail}", self.prefix)
    }

    /// A hardened request that runs a script as uid 1000, with a volume of its own as home.
    pub fn request(&self, tail: &str, script: &str) -> CreateRequest {
        CreateRequest {
            name: self.name(tail),
            image: self.image.clone(),
            entrypoint: ["/bin/busybox", "sh", "-c", script].map(str::to_owned).to_vec(),
            env: vec!["PATH=/bin".into(), "HOME=/home/sandbox".into()],
            user: "1000:1000".into(),
            working_dir: "/home/sandbox".into(),
            hostname: "sandbox".into(),
            labels: self.labels(),
            open_stdin: true,
            stdin_once: true,
            stop_timeout_s: 3,
            auto_remove: false,
            init: true,
            privileged: false,
            cap_drop: vec!["ALL".into()],
            cap_add: Vec::new(),
            security_opt: vec!["no-new-privileges".into()],
            pids_limit: 100,
            memory: 256 << 20,
            memory_swap: 256 << 20,
            nano_cpus: 2_000_000_000,
            cpuset_cpus: String::new(),
            ulimits: vec![Ulimit { name: "nofile".into(), limit: 4096 }, Ulimit { name: "core".into(), limit: 0 }],
            read_only_rootfs: true,
            tmpfs: [("/tmp".to_owned(), "rw,nosuid,nodev,size=16m,mode=1777".to_owned())].into(),
            shm_size: 16 << 20,
            mounts: vec![PlanMount {
                kind: PlanMountKind::Volume,
                source: String::new(),
                target: "/home/sandbox".into(),
                read_only: false,
                labels: self.labels(),
            }],
            network_mode: "none".into(),
            ipc_mode: "private".into(),
            cgroupns_mode: "private".into(),
            log_driver: "json-file".into(),
            log_options: [("max-size".to_owned(), "10m".to_owned()), ("max-file".to_owned(), "2".to_owned())].into(),
            restart_policy: "no".into(),
        }
    }

    /// Creates and starts a container; gives its id.
    pub async fn running(&self, tail: &str, script: &str) -> String {
        let created = self.engine.create(&self.request(tail, script)).await.unwrap();
        self.engine.start(&created.id).await.unwrap();
        created.id
    }

    pub fn labels(&self) -> BTreeMap<String, String> {
        [(labels::SCHEMA.to_owned(), labels::SCHEMA_VALUE.to_owned()), ("palisade.test".to_owned(), self.prefix.clone())].into()
    }

    async fn import(&self) {
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
        let busybox = busybox.expect("this test needs busybox: `apt-get install busybox-static`");
        let mut tar = tar::Builder::new(Vec::new());
        tar.append_path_with_name(busybox, "bin/busybox").unwrap();
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        link.set_mode(0o777);
        for applet in [
            "sh", "cat", "sleep", "ls", "ln", "cut", "stat", "id", "head", "mkdir", "chmod", "printf", "dd", "mkfifo", "touch", "seq",
            "yes",
        ] {
            tar.append_link(&mut link, format!("bin/{applet}"), "busybox").unwrap();
        }
        for (folder, uid, mode) in [("home/sandbox", 1000, 0o755), ("tmp", 0, 0o1777), ("data", 0, 0o755)] {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Directory);
            header.set_size(0);
            header.set_mode(mode);
            header.set_uid(uid);
            header.set_gid(uid);
            tar.append_data(&mut header, folder, std::io::empty()).unwrap();
        }
        let bytes = tar.into_inner().unwrap();
        let changes = [
            format!("LABEL {}=1", labels::SCHEMA),
            format!("LABEL {}=1000", labels::IMAGE_HOME_UID),
            "ENTRYPOINT [\"/bin/busybox\"]".to_owned(),
            "CMD [\"sh\"]".to_owned(),
        ];
        self.engine.import(&self.image, &changes, bytes_stream(&bytes)).try_collect::<Vec<_>>().await.unwrap();
    }

    async fn clean(&self) {
        for container in self.engine.our_containers().await.unwrap() {
            if container.name.raw().starts_with(&self.prefix) {
                self.engine.remove(&container.id).await.unwrap();
            }
        }
        for volume in self.engine.our_volumes().await.unwrap() {
            if volume.labels.get("palisade.test").is_some_and(|value| value.raw() == self.prefix) {
                let _ = self.engine.remove_volume(&volume.name).await;
            }
        }
        for image in self.engine.our_images().await.unwrap() {
            for tag in image
                .tags
                .iter()
                .filter(|tag| tag.raw().starts_with(&format!("{}:", self.prefix)) || tag.raw().starts_with(&format!("{}-", self.prefix)))
            {
                let _ = self.engine.remove_image(tag.raw()).await;
            }
        }
    }
}

/// Bytes as an archive on its way in, in pieces.
pub fn bytes_stream(bytes: &[u8]) -> ByteStream {
    let pieces: Vec<_> = bytes.chunks(64 * 1024).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces).boxed()
}

/// Everything that came, each stream by itself.
pub async fn collect(mut output: OutputStream) -> (Vec<u8>, Vec<u8>) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let Some(piece) = output.next().await {
        let piece = piece.unwrap();
        match piece.kind {
            OutputKind::Stdout => out.extend_from_slice(&piece.bytes),
            OutputKind::Stderr => err.extend_from_slice(&piece.bytes),
        }
    }
    (out, err)
}
