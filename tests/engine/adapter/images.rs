//! Images: imported, built, pulled.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use palisade::backend::engine::{BuildRequest, Images};
use palisade::failure::{Code, Failure};

use super::bench::{Bench, bytes_stream, on_an_engine};

fn context(dockerfile: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(dockerfile.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "Dockerfile", dockerfile.as_bytes()).unwrap();
    tar.into_inner().unwrap()
}

async fn build(bench: &Bench, tag: &str, dockerfile: &str) -> Result<Vec<(String, String)>, Failure> {
    let request = BuildRequest {
        tag: format!("{}-{tag}:1", bench.prefix),
        args: [("WHAT".to_owned(), "argument".to_owned())].into(),
        labels: bench.labels(),
        no_cache: true,
    };
    let told = bench.engine.build(&request, bytes_stream(&context(dockerfile)));
    told.map_ok(|progress| (progress.item.raw().to_owned(), progress.text.raw().to_owned())).try_collect().await
}

#[test]
fn an_imported_image_carries_its_command_and_labels() {
    on_an_engine(|bench| async move {
        let image = bench.engine.image(&bench.image).await.unwrap();
        assert_eq!((image.reference.as_str(), image.home_uid), (bench.image.as_str(), Some(1000)));
        assert_eq!(image.command, ["/bin/busybox", "sh"]);
        assert!(image.id.starts_with("sha256:") && !image.architecture.is_empty());
        assert_eq!(bench.engine.image(&image.id).await.unwrap().id, image.id);
        let listed = bench.engine.our_images().await.unwrap();
        assert!(listed.iter().any(|listed| listed.id == image.id && listed.tags.iter().any(|tag| tag.raw() == bench.image)));
    });
}

#[test]
fn a_build_tells_each_step_and_leaves_an_image() {
    on_an_engine(|bench| async move {
        let dockerfile = format!("FROM {}\nARG WHAT\nRUN echo printed $WHAT\nVOLUME /b /a\n", bench.image);
        let told = build(&bench, "built", &dockerfile).await.unwrap();
        assert!(told.contains(&("Step 3/6".into(), "RUN echo printed $WHAT".into())), "{told:?}");
        assert!(told.contains(&("Step 3/6".into(), "printed argument".into())), "{told:?}");
        assert!(told.iter().all(|(_, text)| !text.contains("---> ") && !text.contains("Removing intermediate")), "{told:?}");
        let image = bench.engine.image(&format!("{}-built:1", bench.prefix)).await.unwrap();
        assert_eq!(image.volumes, ["/a", "/b"]);
    });
}

#[test]
fn a_build_that_fails_shows_the_step_and_its_last_words() {
    on_an_engine(|bench| async move {
        let dockerfile = format!("FROM {}\nRUN for i in 1 2 3; do echo line $i; done; echo sad >&2; exit 5\n", bench.image);
        let failure = build(&bench, "broken", &dockerfile).await.unwrap_err();
        assert_eq!(failure.code, Code::EngineError);
        let shown = failure.to_string();
        for part in ["-broken:1", "code: 5", "at: Step 2/4", "line 3", "  sad"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let failure = build(&bench, "typo", "FORM x\n").await.unwrap_err();
        assert!(failure.to_string().to_lowercase().contains("form"), "{failure}");
    });
}

#[test]
fn a_context_that_cannot_be_read_is_our_failure_and_not_the_engines() {
    on_an_engine(|bench| async move {
        let request = BuildRequest { tag: format!("{}-x:1", bench.prefix), args: BTreeMap::new(), labels: BTreeMap::new(), no_cache: true };
        let broken = stream::iter([Ok(bytes::Bytes::from_static(&[0; 512])), Err(std::io::Error::other("disk on fire"))]).boxed();
        let failure = bench.engine.build(&request, broken).try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(failure.code, Code::Io, "{failure}");
        assert!(failure.to_string().contains("disk on fire"), "{failure}");
    });
}

#[test]
fn a_registry_that_cannot_be_reached_is_told_apart_from_an_engine_that_cannot() {
    on_an_engine(|bench| async move {
        let failure = bench.engine.pull("127.0.0.1:1/nosuch:1").try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(failure.code, Code::EngineError, "{failure}");
        assert!(failure.to_string().contains("refused") && failure.hint.is_some(), "{failure}");
        let failure = bench.engine.pull("not an image").try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(failure.code, Code::Usage);
    });
}
