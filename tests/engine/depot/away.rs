//! Days on which no registry answers: what is in the store installs all the same and says that it is old, what is not
//! fails and says why.

use super::lab::Lab;
use super::registry::Registry;
use crate::support::until;

const WARM: &str = "set -e; pip install -q requests; mkdir -p ~/app; cd ~/app; npm install --silent express";
/// What no session ever asked for.
const UNSEEN: [(&str, &str); 2] = [("pip install six", "six"), ("cd ~/app && npm install is-odd", "is-odd")];

#[test]
fn with_the_registries_cut_off_the_warm_set_installs_and_the_rest_fails_and_says_why() {
    let registry = Registry::counting();
    let lab = Lab::new(&registry);
    // A page is old as soon as it is there.
    lab.set(&format!(
        "[packages]\nindex_ttl = \"1s\"\n[packages.pypi]\nurl = \"{0}/pypi/simple/\"\n[packages.npm]\nurl = \"{0}/npm/\"\n",
        registry.url
    ));
    let first = lab.session(&[]);
    first.ok(WARM);
    let (lock, package) = (first.ok("cat ~/app/package-lock.json"), first.ok("cat ~/app/package.json"));

    registry.set_away(true);
    lab.kill();
    let second = lab.session(&[]);
    let page = "curl -sD - -o /dev/null http://127.0.0.1:7878/pypi/simple/requests/";
    until("the page is old", || second.ok(page).to_ascii_lowercase().contains("palisade-cache: stale"));
    let head = second.ok(page).to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200") && head.contains("warning: 110"), "{head}");
    second.ok("pip install -q requests && python3 -c 'import requests'");
    second.ok("mkdir app");
    second.copy_in("app/package-lock.json", &lock);
    second.copy_in("app/package.json", &package);
    second.ok("cd ~/app && npm ci && node -e 'require(\"express\")()'");
    // Without a lock file, by what the old pages name.
    second.ok("mkdir ~/new && cd ~/new && npm install express && node -e 'require(\"express\")()'");
    let id = second.id();
    let summary = lab.summary("what was old is counted", |summary| Lab::figure(summary, &id, "stale") > 10);
    assert_eq!((Lab::figure(&summary, &id, "misses"), Lab::figure(&summary, &id, "upstream_bytes")), (0, 0));
    assert!(summary["upstreams"].as_array().unwrap().iter().all(|upstream| !upstream["away"].is_null()), "{summary:#}");

    for (install, name) in UNSEEN {
        let (code, output, errors) = second.sh(install);
        let shown = format!("{output}{errors}");
        assert!(code != 0 && shown.contains("cannot be reached"), "{install}: {shown}");
        assert!(shown.contains(name), "{install}: {shown}");
    }

    // They are back.
    registry.set_away(false);
    until("a registry that is back is asked again", || second.sh("pip install -q six").0 == 0);
    let summary = lab.summary("they are seen to be back", |summary| {
        summary["upstreams"].as_array().unwrap().iter().any(|upstream| upstream["away"].is_null())
    });
    assert!(Lab::figure(&summary, &id, "failed") > 1, "{summary:#}");
}
