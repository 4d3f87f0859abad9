//! A store that was emptied while its depot runs: by an operator's word, and by no one's. And what an operator is told of a
//! depot that was paused, or that cannot start.

use super::lab::Lab;
use super::registry::{OCTETS, Registry, content, npm_page, pypi_page, reply, sha256};
use crate::support::{docker, text};

fn honest() -> Registry {
    Registry::new(|asked| match asked.path.as_str() {
        "/pypi/simple/thing/" => pypi_page(&asked.url(), "thing", &[("1.0", &content(1, 9_000))]),
        "/files/thing-1.0.tar.gz" => reply(200, OCTETS, &content(1, 9_000)),
        "/npm/thing" => npm_page(&asked.url(), "thing", &[("1.0.0", &content(2, 9_000))]),
        "/npm/thing/-/thing-1.0.0.tgz" => reply(200, OCTETS, &content(2, 9_000)),
        _ => reply(404, "text/plain", b""),
    })
}

#[test]
fn what_went_missing_is_fetched_again_within_the_request_that_misses_it() {
    let registry = honest();
    let lab = Lab::new(&registry);
    let session = lab.session(&[]);
    let by_word = || _ = lab.succeed(&["cache", "clear", "--force"]);
    let by_no_one = || lab.files("blobs").iter().for_each(|file| std::fs::remove_file(file).unwrap());
    for empty in [&by_word as &dyn Fn(), &by_no_one] {
        for page in ["/pypi/simple/thing/", "/npm/thing"] {
            assert_eq!(session.get(page).0, 200, "{page}");
        }
        empty();
        for page in ["/pypi/simple/thing/", "/npm/thing"] {
            assert_eq!(session.get(page).0, 200, "{page}");
        }
        assert_eq!(session.get("/pypi/files/thing/thing-1.0.tar.gz"), (200, sha256(&content(1, 9_000))));
        assert_eq!(session.get("/npm/thing/-/thing-1.0.0.tgz"), (200, sha256(&content(2, 9_000))));
    }
}

#[test]
fn a_paused_depot_is_called_paused_and_says_how_it_goes_on() {
    let registry = honest();
    let lab = Lab::new(&registry);
    lab.succeed(&["depot", "start"]);
    docker(&["pause", &lab.depot]);
    assert_eq!(lab.json(&["depot", "status"])["depot"]["state"], "paused");
    for call in [&["cache", "verify"][..], &["launch", "never", "--", "true"]] {
        let output = lab.call(call);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(&format!("docker unpause {}", lab.depot)), "{}", text(&output.stderr));
    }
    docker(&["unpause", &lab.depot]);
    assert_eq!(lab.json(&["depot", "status"])["depot"]["state"], "running");
}

#[test]
fn a_network_that_the_engine_does_not_have_is_called_that() {
    let lab = Lab::with("depot.network = \"no-such-network\"\n");
    let output = lab.call(&["depot", "start"]);
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("no-such-network") && errors.contains("'depot.network'") && !errors.contains("palisade ls"), "{errors}");
}
