//! What an operator is shown of the depot and of what went through it, where nothing can be read from this host.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::lab::Lab;
use super::registry::{OCTETS, Registry, content, npm_page, pypi_page, reply, sha256};

/// Once from the registry and once from the store, in one piece and in several.
#[test]
fn the_bill_of_materials_names_what_arrived_whole_and_nothing_else() {
    let registry = Registry::new(|asked| match asked.path.as_str() {
        "/pypi/simple/large/" => pypi_page(&asked.url(), "large", &[("1.0", &content(1, 3_000_000))]),
        "/files/large-1.0.tar.gz" => reply(200, OCTETS, &content(1, 3_000_000)),
        "/npm/small" => npm_page(&asked.url(), "small", &[("1.0.0", &content(2, 500)), ("2.0.0", &content(3, 500))]),
        "/npm/small/-/small-1.0.0.tgz" | "/npm/small/-/small-2.0.0.tgz" => reply(200, OCTETS, &content(2, 500)),
        _ => reply(404, "text/plain", b""),
    });
    let lab = Lab::new(&registry);
    for session in [lab.session(&[]), lab.session(&[])] {
        assert_eq!(session.get("/pypi/files/large/large-1.0.tar.gz"), (200, sha256(&content(1, 3_000_000))));
        assert_eq!(session.get("/npm/small/-/small-1.0.0.tgz"), (200, sha256(&content(2, 500))));
        assert_eq!(session.get("/npm/small/-/small-2.0.0.tgz").0, 424, "not what the registry promised");
        let mut bill = Value::Null;
        crate::support::until("the depot has written down what the session fetched", || {
            bill = serde_json::from_str(&lab.succeed(&["cache", "sbom", &session.name])).unwrap();
            bill["components"].as_array().is_some_and(|components| components.len() > 1)
        });
        let purls: Vec<_> = bill["components"].as_array().unwrap().iter().map(|component| component["purl"].as_str().unwrap()).collect();
        assert_eq!(purls, ["pkg:pypi/large@1.0", "pkg:npm/small@1.0.0"]);
    }
}

#[test]
fn a_probe_measures_the_depot_as_the_host_does() {
    let registry = Registry::new(|_| reply(404, "text/plain", b""));
    let lab = Lab::new(&registry);
    let posture = |status: &Value| status["depot"]["posture"].clone();
    lab.succeed(&["depot", "start"]);
    let own = posture(&lab.json(&["depot", "status"]));
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    std::fs::create_dir_all(folder.path().join("palisade")).unwrap();
    std::fs::write(folder.path().join("palisade/config.toml"), format!("depot.name = \"{}\"\n", lab.depot)).unwrap();
    // A remote engine: the same one, by a way that is not its socket, and without this process's right to look.
    let palisade = |args: &[&str]| {
        let output = std::process::Command::new("setpriv")
            .args(["--reuid", "12345", "--regid", "12345", "--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all"])
            .args([env!("CARGO_BIN_EXE_palisade"), "--host", &crate::proxy::tcp_to_engine(), "--json"])
            .args(args)
            .env("HOME", "/nonexistent")
            .env("XDG_CONFIG_HOME", folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    // Other settings, so it is made anew: it is no depot before it has been measured.
    let probed = posture(&palisade(&["depot", "start"]));
    let verdicts = |posture: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        posture["controls"].as_array().unwrap().iter().map(|control| (text(&control["control"]), text(&control["verdict"]))).collect()
    };
    assert_eq!(verdicts(&probed), verdicts(&own), "{probed:#}");
    assert!(verdicts(&own).iter().all(|(_, verdict)| verdict == "enforced"), "{own:#}");
}
