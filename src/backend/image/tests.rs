use std::sync::Mutex;

use async_trait::async_trait;

use super::spec::tests::spec;
use super::*;
use crate::backend::engine::{ByteStream, EngineVersion, Progress};
use crate::failure::Failure;
use crate::session::labels;
use crate::units::Bytes;

/// An engine that knows images and nothing else.
#[derive(Default)]
struct Shelf {
    images: Mutex<Vec<ImageSummary>>,
    registry_has: Vec<&'static str>,
    build_fails: bool,
    asked: Mutex<Vec<String>>,
}

fn image(id: &str, tag: &str, labelled: &[(&str, &str)]) -> ImageSummary {
    ImageSummary {
        id: format!("sha256:{id:0<64}"),
        parent: String::new(),
        tags: if tag.is_empty() { Vec::new() } else { vec![tag.into()] },
        created: jiff::Timestamp::UNIX_EPOCH,
        size: Bytes::mib(1),
        labels: labelled.iter().map(|(name, value)| ((*name).to_owned(), Untrusted::from(*value))).collect(),
    }
}

const OURS: [(&str, &str); 2] = [(labels::SCHEMA, "1"), (labels::ROLE, labels::ROLE_IMAGE)];

impl Shelf {
    fn with(images: &[ImageSummary]) -> Self {
        Self { images: Mutex::new(images.to_vec()), ..Self::default() }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn ask(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }

    fn put(&self, new: ImageSummary) {
        let mut images = self.images.lock().unwrap();
        for old in images.iter_mut() {
            old.tags.retain(|tag| !new.tags.contains(tag));
        }
        images.push(new);
    }

    fn tags(&self) -> Vec<String> {
        self.images.lock().unwrap().iter().flat_map(|image| image.tags.iter().map(ToString::to_string)).collect()
    }
}

fn lines(result: Result<()>) -> ProgressStream {
    let told = Progress { item: "Step 1/2".into(), text: "RUN true".into(), amount: None };
    stream::iter([Ok(told)].into_iter().chain(result.err().map(Err))).boxed()
}

#[async_trait]
impl Images for Shelf {
    async fn version(&self) -> Result<EngineVersion> {
        Err(Failure::new(Code::EngineError, "it is not asked what it is: nothing is bootstrapped here"))
    }
    fn import(&self, reference: &str, _: &[String], _: ByteStream) -> ProgressStream {
        self.ask(format!("import {reference}"));
        lines(Err(Failure::new(Code::EngineError, "it imports nothing")))
    }
    fn load(&self, reference: &str, _: ByteStream) -> ProgressStream {
        self.ask(format!("load {reference}"));
        lines(Err(Failure::new(Code::EngineError, "it loads nothing")))
    }
    async fn image(&self, reference: &str) -> Result<ImageFacts> {
        let images = self.images.lock().unwrap();
        let found = images.iter().find(|image| image.tags.iter().any(|tag| tag.raw() == reference));
        found
            .map(|image| ImageFacts { reference: reference.to_owned(), id: image.id.clone(), ..ImageFacts::default() })
            .ok_or_else(|| Failure::new(Code::NotFound, "no such image"))
    }
    async fn our_images(&self) -> Result<Vec<ImageSummary>> {
        Ok(self.images.lock().unwrap().iter().filter(|image| image.labels.contains_key(labels::SCHEMA)).cloned().collect())
    }
    async fn our_images_and_steps(&self) -> Result<Vec<ImageSummary>> {
        self.our_images().await
    }
    fn pull(&self, reference: &str) -> ProgressStream {
        self.ask(format!("pull {reference}"));
        if self.registry_has.contains(&reference) {
            self.put(image("ba5e", reference, &[]));
            return lines(Ok(()));
        }
        lines(Err(Failure::new(Code::EngineError, "no such host")))
    }
    fn build(&self, request: &BuildRequest, _: ByteStream) -> ProgressStream {
        self.ask(format!("build {} on {}", request.tag, request.args["BASE"]));
        if self.build_fails {
            return lines(Err(Failure::new(Code::EngineError, "a step returned 1").detail("E: no network")));
        }
        let mut new = image("4e1", &request.tag, &OURS);
        new.labels.extend(request.labels.iter().map(|(name, value)| (name.clone(), Untrusted::from(value.as_str()))));
        self.put(new);
        lines(Ok(()))
    }
    async fn remove_image(&self, reference: &str) -> Result<()> {
        self.ask(format!("remove {}", reference.get(..11).unwrap_or(reference)));
        self.images.lock().unwrap().retain(|image| image.id != reference && !image.tags.contains(&reference.into()));
        Ok(())
    }
}

#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Reporter for Told {
    fn step(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
    fn progress(&self, _: &Progress) {}
    fn warning(&self, text: &str) {
        self.0.lock().unwrap().push(format!("warning: {text}"));
    }
}

#[tokio::test]
async fn a_fresh_engine_gets_its_image_from_a_pulled_base() {
    let engine = Shelf { registry_has: vec!["debian:trixie-slim"], ..Shelf::default() };
    let told = Told::default();
    let ensured = ensure(&engine, &spec(), &told).await.unwrap();
    assert!(ensured.built);
    assert_eq!(engine.asked(), ["pull debian:trixie-slim", "build palisade-sandbox:test on debian:trixie-slim"]);
    assert_eq!(
        *told.0.lock().unwrap(),
        ["pulling debian:trixie-slim", "building palisade-sandbox:test from debian:trixie-slim", "Step 1/2: RUN true"]
    );
    // The second time there is nothing to do.
    assert!(!ensure(&engine, &spec(), &Told::default()).await.unwrap().built);
    assert_eq!(engine.asked().len(), 2);
}

#[tokio::test]
async fn a_bootstrapped_base_is_used_again() {
    let engine = Shelf::with(&[image("b007", "palisade-base:trixie", &OURS)]);
    build(&engine, &spec(), &Told::default()).await.unwrap();
    assert_eq!(engine.asked()[1], "build palisade-sandbox:test on palisade-base:trixie");
}

#[tokio::test]
async fn a_base_that_was_named_is_not_replaced_by_another() {
    let engine = Shelf::with(&[image("b007", "palisade-base:trixie", &OURS)]);
    let failure = build(&engine, &ImageSpec { base: "ubuntu:24.04".to_owned(), ..spec() }, &Told::default()).await.unwrap_err();
    assert_eq!((failure.message.as_str(), failure.details.len()), ("no such host", 1), "{failure}");
    assert_eq!(engine.asked(), ["pull ubuntu:24.04"]);
}

#[tokio::test]
async fn an_older_image_goes_on_where_its_successor_cannot_be_built() {
    let old = image("01d", "palisade-sandbox:test", &[OURS[0], OURS[1], (RECIPE_LABEL, "another")]);
    let engine = Shelf { build_fails: true, registry_has: vec!["debian:trixie-slim"], ..Shelf::with(&[old]) };
    let told = Told::default();
    let ensured = ensure(&engine, &spec(), &told).await.unwrap();
    assert!(!ensured.built && ensured.image.id.starts_with("sha256:01d"));
    assert!(told.0.lock().unwrap().iter().any(|line| line.starts_with("warning: going on with the older image")));
    // Asked for by name, the failure is one, with what the build said.
    let failure = build(&engine, &spec(), &told).await.unwrap_err();
    assert_eq!(failure.details, ["E: no network"]);
}

#[tokio::test]
async fn an_image_of_the_operators_own_under_our_tag_is_left_alone() {
    let engine = Shelf::with(&[image("f0e", "palisade-sandbox:test", &[])]);
    assert!(matches!(state(&engine, "palisade-sandbox:test").await.unwrap(), State::Foreign(_)));
    assert!(!ensure(&engine, &spec(), &Told::default()).await.unwrap().built);
    assert!(engine.asked().is_empty());
}

#[tokio::test]
async fn a_build_takes_away_what_it_supersedes_and_nothing_else() {
    let engine = Shelf {
        registry_has: vec!["debian:trixie-slim"],
        ..Shelf::with(&[
            image("01d", "palisade-sandbox:test", &OURS),
            image("cu7", "", &[OURS[0], OURS[1], (recipe::STATE_LABEL, recipe::BUILDING)]),
            image("de51", "", &[OURS[0], OURS[1], (RECIPE_LABEL, "x"), (recipe::STATE_LABEL, "finished")]),
            image("0ther", "palisade-sandbox:latest", &OURS),
        ])
    };
    build(&engine, &spec(), &Told::default()).await.unwrap();
    assert_eq!(engine.asked()[2..], ["remove sha256:01d0", "remove sha256:cu70"]);
}

#[tokio::test]
async fn only_images_of_ours_are_removed() {
    let engine = Shelf::with(&[image("0a0123456789", "palisade-sandbox:latest", &OURS), image("f0e", "debian:trixie", &[])]);
    assert_eq!(remove(&engine, "debian:trixie").await.unwrap_err().code, Code::Refused);
    assert_eq!(remove(&engine, "absent").await.unwrap_err().code, Code::NotFound);
    // Too short to be an id.
    assert_eq!(remove(&engine, "0a01").await.unwrap_err().code, Code::NotFound);
    remove(&engine, "palisade-sandbox:latest").await.unwrap();
    assert_eq!(engine.tags(), ["debian:trixie"]);
}

#[tokio::test]
async fn the_list_tells_what_each_image_is_for() {
    let engine = Shelf::with(&[
        image("1", "", &[OURS[0], OURS[1], (RECIPE_LABEL, "x")]),
        image("2", "palisade-base:trixie", &OURS),
        image("3", "palisade-sandbox:latest", &[OURS[0], OURS[1], (RECIPE_LABEL, "another")]),
        image("4", "probe:1", &[OURS[0], (labels::ROLE, labels::ROLE_PROBE)]),
    ]);
    let listed: Vec<_> = list(&engine).await.unwrap().into_iter().map(|image| (image.purpose, image.outdated)).collect();
    assert_eq!(listed, [(Purpose::Base, false), (Purpose::Sandbox, true), (Purpose::Leftover, false)]);
}

#[tokio::test]
async fn what_a_build_left_that_was_cut_short_goes_and_nothing_that_stands_on_a_finished_one() {
    let state = |value| (STATE_LABEL, value);
    let chain = |prefix: &str, tag: &str| {
        let (begun, ended) = (format!("{prefix}1"), format!("{prefix}2"));
        let mut step = image(&begun, "", &[&OURS[..], &[state("finished")]].concat());
        step.parent = "sha256:base".to_owned();
        let mut last = image(&ended, tag, &[&OURS[..], &[state("finished"), (RECIPE_LABEL, "r")]].concat());
        last.parent.clone_from(&step.id);
        [step, last]
    };
    let [cut_step, cut] = chain("a", "");
    let [step, finished] = chain("b", "palisade-sandbox:latest");
    let mut somebodys = image("c", "", &[&OURS[..], &[state("finished"), (RECIPE_LABEL, "r")]].concat());
    somebodys.parent.clone_from(&finished.id);
    let half = image("d", "", &[&OURS[..], &[state(BUILDING)]].concat());
    let [_, mut early] = chain("e", "");
    early.created = jiff::Timestamp::from_second(-10).unwrap();
    let base = image("f", "", &OURS);
    let foreign = image("0", "", &[(labels::SCHEMA, "1"), state(BUILDING)]);
    let all = [cut_step, cut, step, finished, somebodys, half, early, base, foreign];
    let engine = Shelf::with(&all);
    assert_eq!(remove_unfinished(&engine, 0).await.unwrap(), Unfinished { removed: 2, in_use: 0 });
    assert_eq!(engine.asked(), ["a2", "d"].map(|id| format!("remove sha256:{id:0<4}")));
}
