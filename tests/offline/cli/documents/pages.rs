//! Documents about profiles, images and this program itself, and streams.

use std::collections::BTreeMap;

use jiff::Timestamp;
use palisade::backend::doctor::{Check, CheckState};
use palisade::backend::engine::ImageSummary;
use palisade::backend::image::{OurImage, Purpose};
use palisade::backend::{Became, Fate};
use palisade::config::profiles::ProfileSummary;
use palisade::headless::document::{
    Checks, CompletionScript, Document, Event, Help, ImageBuilt, Images, ManPage, ManPages, Piece, ProfileShown, Profiles, Version,
};
use palisade::policy::Timeout;
use palisade::session::Limits;
use palisade::units::Bytes;

use super::check;
use super::samples::{failure, policy, posture, session};
use crate::common::schema;

#[test]
fn profiles_images_and_checks() {
    let row =
        || ProfileSummary { name: "default".into(), description: "d".into(), origin: "built in".into(), policy: policy(Timeout::Never) };
    check("profiles", &Document::new(Profiles { profiles: vec![row()] }));
    check("profile", &Document::new(ProfileShown { profile: row() }));
    let image = ImageSummary {
        parent: String::new(),
        id: "sha256:0".into(),
        tags: vec!["a:b".into()],
        created: Timestamp::UNIX_EPOCH,
        size: Bytes::mib(3),
        labels: BTreeMap::from([("a".into(), "b".into())]),
    };
    for purpose in [Purpose::Sandbox, Purpose::Base, Purpose::Leftover] {
        check("images", &Document::new(Images { images: vec![OurImage { summary: image.clone(), purpose, outdated: true }] }));
    }
    check("image_built", &Document::new(ImageBuilt { image: "a:b".into(), id: "sha256:0".into(), built: true }));
    let found = |state, advice| Check { name: "engine", state, found: "20.10".into(), advice };
    let all = vec![found(CheckState::Ok, None), found(CheckState::Warning, Some("x".into())), found(CheckState::Failed, None)];
    check("checks", &Document::with_error(Checks { checks: all }, Some(failure())));
}

#[test]
fn streams_and_pages() {
    check("event", &Document::new(Event::Started { session: Box::new(session()), posture: Some(Box::new(posture())) }));
    check("event", &Document::new(Event::Started { session: Box::new(session()), posture: None }));
    let piece = |text: Option<&str>, base64: Option<&str>| Piece {
        time: Some("1970-01-01T00:00:00Z".into()),
        text: text.map(Into::into),
        base64: base64.map(Into::into),
    };
    check("event", &Document::new(Event::Stdout(piece(Some("x"), None))));
    check("event", &Document::new(Event::Stderr(piece(None, Some("//4A")))));
    check("event", &Document::new(Event::Exit { code: 255, fate: None }));
    for (state, exit_code) in [(Became::Ended, Some(122)), (Became::Running, None), (Became::Restarted, None), (Became::Removed, None)] {
        let fate = Fate { state, exit_code, limits: Limits::default(), said: vec!["x".into()] };
        check("event", &Document::new(Event::Exit { code: 137, fate: Some(Box::new(fate)) }));
    }
    check("completions", &Document::new(CompletionScript { shell: "bash".into(), script: "x".into() }));
    let page =
        |path: Option<&str>, roff: Option<&str>| ManPage { name: "a.1".into(), path: path.map(Into::into), roff: roff.map(Into::into) };
    check("man", &Document::new(ManPages { pages: vec![page(Some("/a"), None), page(None, Some(".TH"))] }));
    check("help", &Document::new(Help { help: "x".into() }));
    check("version", &Document::new(Version { version: "1" }));
}

#[test]
fn a_field_that_the_page_does_not_know_is_noticed() {
    let unknown = serde_json::json!({ "schema": 1, "version": "1", "surprise": true });
    assert!(std::panic::catch_unwind(|| schema::validate("version", &unknown)).is_err());
    let future = serde_json::json!({ "schema": 2, "version": "1" });
    assert!(std::panic::catch_unwind(|| schema::validate("version", &future)).is_err());
}
