//! What people come for: real clients install real packages in a sandbox that has no network, the first session by the depot
//! and each further one by its store.

use super::lab::Lab;
use super::registry::Registry;
use crate::support::{docker, name};

/// Who is installing, and what there is to reach the world by.
const CONFINED: &str = "id -u; grep CapEff /proc/self/status; ls /sys/class/net; sed 1,2d /proc/net/dev | cut -d: -f1";
const IN_CONFINEMENT: &str = "1000\nCapEff:\t0000000000000000\nlo\n    lo\n";

/// Two of the largest there are, with all that they bring.
const INSTALL: &str = "set -e; pip install -q --timeout 300 pandas requests; python3 -c 'import pandas, requests; print(pandas.DataFrame([1]).size)'
    mkdir -p ~/app; cd ~/app; npm install express typescript; node -e 'require(\"express\")(); console.log(typeof require(\"typescript\").version)'";

#[test]
fn pip_and_npm_install_without_a_network_and_the_second_session_takes_everything_from_the_store() {
    let registry = Registry::counting();
    let lab = Lab::new(&registry);

    let first = lab.session(&[]);
    assert_eq!(first.ok(CONFINED), IN_CONFINEMENT);
    assert_eq!(docker(&["inspect", "--format", "{{.HostConfig.PidsLimit}}", &format!("palisade-{}", first.name)]), "100");
    let output = first.ok(INSTALL);
    assert!(output.starts_with("1\n") && output.ends_with("\nstring\n"), "{output}");
    let fetched = registry.artifacts();
    let count = fetched.len() as u64;
    assert!(count > 60, "express alone brings as many: {fetched:?}");
    let id = first.id();
    let summary = lab.summary("the first session's fetches are counted", |summary| Lab::figure(summary, &id, "misses") == count);
    assert_eq!(Lab::figure(&summary, &id, "hits"), 0);

    // What a lock file holds is the registry's, not this machine's.
    let lock = first.ok("cat ~/app/package-lock.json");
    let resolved: Vec<&str> = lock.lines().filter(|line| line.contains("\"resolved\"")).collect();
    assert!(resolved.len() > 60 && resolved.iter().all(|line| line.contains(&format!("\"{}/npm/", registry.url))), "{resolved:?}");

    // Elsewhere it installs the same.
    let third = lab.session(&[]);
    third.copy_in("package-lock.json", &lock);
    third.copy_in("package.json", &first.ok("cat ~/app/package.json"));
    third.ok("npm ci && node -e 'require(\"express\")()'");
    assert_eq!(registry.artifacts(), fetched);
    // Also where it was written beside the public registry.
    let public = palisade::config::Settings::default().packages.npm.url;
    third.copy_in("package-lock.json", &lock.replace(&format!("{}/npm/", registry.url), &public));
    third.ok("npm ci --cache /tmp/npm && node -e 'require(\"express\")()'");
    assert_eq!(registry.artifacts(), fetched);

    let third = third.id();

    // The other kind of session, and no byte from upstream.
    let second = name();
    let line = format!("{CONFINED}; {INSTALL}");
    let output = lab.succeed(&["run", "--name", &second, "--", "sh", "-c", &line]);
    assert!(output.starts_with(IN_CONFINEMENT) && output.ends_with("\nstring\n"), "{output}");
    assert_eq!(registry.artifacts(), fetched, "the second session has nothing fetched");
    let summary = lab.summary("the second session's hits are the first one's fetches", |summary| {
        let others = summary["sessions"].as_object().unwrap().keys().find(|other| ![&id, &third].contains(other));
        others.is_some_and(|second| Lab::figure(summary, second, "hits") == count)
    });
    let second = summary["sessions"].as_object().unwrap().keys().find(|other| ![&id, &third].contains(other)).unwrap().clone();
    assert_eq!((Lab::figure(&summary, &second, "misses"), Lab::figure(&summary, &second, "upstream_bytes")), (0, 0), "{summary:#}");
}

/// Each of them has its own way to take an address from an index.
const OTHERS: &str = r#"set -e
    pip install -q uv; uv venv -q ~/uv; VIRTUAL_ENV=~/uv uv pip install -q requests; ~/uv/bin/python -c 'import requests; print("uv", requests.__name__)'
    for client in pnpm yarn@1 @yarnpkg/cli-dist; do npm install --silent --prefix ~/by-npm/$client $client; mkdir -p ~/with/$client; done
    cd ~/with/pnpm; echo '{}' > package.json; ~/by-npm/pnpm/node_modules/.bin/pnpm add is-odd >&2; node -e 'console.log("pnpm", require("is-odd")(3))'
    cd ~/with/yarn@1; echo '{"license":"MIT"}' > package.json; ~/by-npm/yarn@1/node_modules/.bin/yarn add is-odd >&2; node -e 'console.log("yarn classic", require("is-odd")(3))'
    cd ~/with/@yarnpkg/cli-dist; echo '{}' > package.json; touch yarn.lock; echo 'nodeLinker: node-modules' > .yarnrc.yml
    ~/by-npm/@yarnpkg/cli-dist/node_modules/.bin/yarn add is-odd >&2; node -e 'console.log("yarn", require("is-odd")(3))'
    cat yarn.lock ~/with/pnpm/pnpm-lock.yaml | grep -c 127.0.0.1 || true"#;

#[test]
fn uv_pnpm_and_both_yarns_install_too() {
    let registry = Registry::counting();
    let lab = Lab::new(&registry);
    let first = lab.session(&[]);
    let expected = "uv requests\npnpm true\nyarn classic true\nyarn true\n0\n";
    assert_eq!(first.ok(OTHERS), expected);
    let fetched = registry.artifacts();
    let count = fetched.len() as u64;
    let (id, second) = (first.id(), lab.session(&[]));
    lab.summary("the fetches are counted", |summary| Lab::figure(summary, &id, "misses") == count);
    assert_eq!(second.ok(OTHERS), expected);
    assert_eq!(registry.artifacts(), fetched, "the second session has nothing fetched");
    let again = second.id();
    // Some ask more than once for one file: first for what it needs, then for all of it.
    let summary = lab.summary("each fetch is a hit now", |summary| Lab::figure(summary, &again, "hits") >= count);
    assert_eq!((Lab::figure(&summary, &again, "misses"), Lab::figure(&summary, &again, "upstream_bytes")), (0, 0), "{summary:#}");
}
