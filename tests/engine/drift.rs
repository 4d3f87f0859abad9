//! Drift: what was done behind our back and what today's plan would have otherwise, each named for what it is.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{Session, docker, json, name, palisade, text, with_depot};

/// An operator with profiles of their own.
struct Operator {
    config: tempfile::TempDir,
}

impl Operator {
    fn new() -> Self {
        let config = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(config.path().join("palisade/profiles")).unwrap();
        Self { config }
    }

    fn profile(&self, text: &str) {
        std::fs::write(self.profile_file(), text).unwrap();
    }

    fn profile_file(&self) -> PathBuf {
        self.config.path().join("palisade/profiles/mine.toml")
    }

    fn command(&self) -> Command {
        let mut command = palisade();
        command.env("XDG_CONFIG_HOME", self.config.path());
        command
    }

    fn call(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.call(arguments);
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.call(&[&["--json"], arguments].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", text(&output.stderr)))
    }

    /// A session of this operator's profile, with neither network nor depot.
    fn launch(&self) -> Session {
        let session = Session { name: name() };
        self.succeed(&["launch", &session.name, "--profile", "mine", "--", "sleep", "600"]);
        session
    }

    /// `verify`, `inspect` and `ls` about one session, which must agree.
    fn drift(&self, name: &str) -> Value {
        let verified = self.json(&["verify", name]).pointer("/verified/0/drift").cloned().unwrap();
        assert_eq!(self.json(&["inspect", name])["drift"], verified);
        let listed = self.json(&["ls"]);
        let row = listed["sessions"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
        assert_eq!(row["drift"], verified);
        verified
    }
}

/// `(field, then, now)` of one side.
fn fields(drift: &Value, side: &str) -> Vec<(String, String, String)> {
    let text = |difference: &Value, key: &str| difference[key].as_str().unwrap().to_owned();
    let all = drift[side].as_array().unwrap();
    all.iter().map(|difference| (text(difference, "field"), text(difference, "then"), text(difference, "now"))).collect()
}

fn is(field: &str, then: &str, now: &str) -> (String, String, String) {
    (field.to_owned(), then.to_owned(), now.to_owned())
}

const MINE: &str = "network = 'none'\nmemory = '256MiB'\npids_limit = 60\n";

#[test]
fn what_the_engine_was_told_behind_our_back_is_drift_and_what_a_profile_says_now_is_out_of_date() {
    let operator = Operator::new();
    operator.profile(MINE);
    let session = operator.launch();
    let (name, container) = (session.name.as_str(), session.container());
    assert_eq!(operator.drift(name)["state"], serde_json::json!(["current"]));

    docker(&["update", "--pids-limit", "80", "--restart", "on-failure", &container]);
    let drift = operator.drift(name);
    assert_eq!(drift["state"], serde_json::json!(["drifted"]));
    assert_eq!(fields(&drift, "drifted"), [is("pids_limit", "60", "80"), is("restart_policy", "no", "on-failure")]);
    docker(&["update", "--pids-limit", "60", "--restart", "no", &container]);
    assert_eq!(operator.drift(name)["state"], serde_json::json!(["current"]));
    // Narrower holds, and is another container than planned all the same.
    let nano: u64 = docker(&["inspect", "--format", "{{.HostConfig.NanoCpus}}", &container]).parse().unwrap();
    docker(&["update", "--cpus", "0.5", &container]);
    let verified = operator.call(&["verify", name]);
    assert!(verified.status.success() && text(&verified.stdout).contains("drifted in 1 field"), "{}", text(&verified.stdout));
    docker(&["update", "--cpus", &(nano / 1_000_000_000).to_string(), &container]);

    operator.profile("network = 'none'\nmemory = '128MiB'\npids_limit = 60\nenv = { CI = '1' }\n");
    let drift = operator.drift(name);
    assert_eq!(drift["state"], serde_json::json!(["outdated"]));
    let found = fields(&drift, "outdated");
    assert_eq!(found.iter().map(|(field, ..)| field.as_str()).collect::<Vec<_>>(), ["env.CI", "memory"]);
    assert_eq!(found[1], is("memory", "256 MiB", "128 MiB"));
    let listed = operator.succeed(&["ls"]);
    let line = listed.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(listed.starts_with("NAME") && listed.contains("DRIFT") && line.contains("outdated"), "{listed}");
    std::fs::remove_file(operator.profile_file()).unwrap();
    let drift = operator.drift(name);
    assert!(
        drift["state"] == serde_json::json!(["unknown"]) && drift["unknown"].as_str().unwrap().contains("no profile 'mine'"),
        "{drift}"
    );

    // By its id: its name is what was changed.
    operator.profile(MINE);
    let other = format!("{name}-b");
    docker(&["rename", &container, &format!("palisade-{other}")]);
    let found = fields(&operator.drift(&other), "drifted");
    docker(&["rename", &format!("palisade-{other}"), &container]);
    assert_eq!(found, [is("name", name, &other)]);
}

#[test]
fn an_image_that_is_tagged_anew_and_a_network_that_was_connected_are_each_named() {
    with_depot();
    let maker = name();
    let tag = format!("palisade-{maker}:tagged");
    docker(&["tag", "palisade-sandbox:latest", &tag]);
    let session = Session::launch(&["--image", &tag, "--network", "open"], &["sleep", "600"]);
    let (name, network) = (session.name.as_str(), format!("palisade-{maker}-net"));
    let drift = || json(&["verify", name]).1.pointer("/verified/0/drift").cloned().unwrap();
    assert_eq!(drift()["state"], serde_json::json!(["current"]), "{}", drift());

    docker(&["create", "--name", &maker, "palisade-sandbox:latest", "true"]);
    docker(&["commit", "--change", "LABEL another=1", &maker, &tag]);
    docker(&["rm", &maker]);
    docker(&["network", "create", "--internal", &network]);
    docker(&["network", "connect", &network, &session.container()]);
    let found = drift();
    docker(&["network", "disconnect", &network, &session.container()]);
    docker(&["network", "rm", &network]);
    let image = docker(&["image", "inspect", "--format", "{{.Id}}", &tag]);
    docker(&["rmi", &tag]);
    assert_eq!(found["state"], serde_json::json!(["drifted", "outdated"]));
    assert_eq!(fields(&found, "drifted"), [is("networks", "bridge", &format!("bridge {network}"))]);
    let outdated = fields(&found, "outdated");
    assert!(matches!(outdated.as_slice(), [(field, _, now)] if field == "image_id" && *now == image), "{outdated:?}");
    assert!(drift()["unknown"].as_str().unwrap().contains("is gone"), "{}", drift());
}

/// What an update says of one session: what it takes, and each change as `(field, from, to)`.
fn update(operator: &Operator, arguments: &[&str]) -> (i32, Option<String>, Vec<(String, String, String)>) {
    let output = operator.call(&[&["--json", "update"], arguments].concat());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let one = &document["updates"][0];
    let text = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
    let changes = one["changes"].as_array().unwrap().iter().map(|change| (text(change, "field"), text(change, "from"), text(change, "to")));
    (output.status.code().unwrap(), one["needs"].as_str().map(str::to_owned), changes.collect())
}

fn in_home(operator: &Operator, name: &str) -> String {
    operator.succeed(&["exec", name, "--", "cat", "/home/sandbox/kept"]).trim().to_owned()
}

fn containers_of(name: &str) -> usize {
    docker(&["ps", "-aq", "--filter", &format!("label=palisade.session.name={name}")]).lines().count()
}

#[test]
fn an_update_lists_exactly_what_differs_does_it_live_where_it_can_and_keeps_home_name_and_id_where_it_cannot() {
    let operator = Operator::new();
    operator.profile(MINE);
    let session = operator.launch();
    let (name, container) = (session.name.as_str(), session.container());
    operator.succeed(&["exec", name, "--", "sh", "-c", "echo mine > ~/kept"]);
    assert_eq!(update(&operator, &[name]), (0, None, Vec::new()));

    // Live: what was done behind our back is taken back, a limit is lowered.
    docker(&["update", "--restart", "always", "--pids-limit", "90", &container]);
    operator.profile(&MINE.replace("256MiB", "200MiB"));
    let expected = [is("memory", "256 MiB", "200 MiB"), is("pids_limit", "90", "60"), is("restart_policy", "always", "no")];
    let (id, began) =
        (docker(&["inspect", "--format", "{{.Id}}", &container]), docker(&["inspect", "--format", "{{.State.StartedAt}}", &container]));
    assert_eq!(update(&operator, &["--dry-run", name]), (0, Some("live".to_owned()), expected.to_vec()));
    assert_eq!(update(&operator, &[name]), (0, Some("live".to_owned()), expected.to_vec()));
    assert_eq!(docker(&["inspect", "--format", "{{.State.StartedAt}}", &container]), began);
    assert_eq!(docker(&["inspect", "--format", "{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}", &container]), "209715200 no");
    assert_eq!(operator.drift(name)["state"], serde_json::json!(["current"]));
    assert_eq!(operator.call(&["verify", name]).status.code(), Some(0));

    // Another container: only where it may be stopped.
    operator.profile(&format!("{}tmp_size = '32MiB'\n", MINE.replace("256MiB", "300MiB")));
    let expected = [is("memory", "200 MiB", "300 MiB"), is("tmp_size", "1 GiB", "32 MiB")];
    assert_eq!(update(&operator, &["-n", name]), (0, Some("recreate".to_owned()), expected.to_vec()));
    let refused = operator.call(&["update", name]);
    assert!(refused.status.code() == Some(1) && text(&refused.stderr).contains("--restart"), "{}", text(&refused.stderr));
    assert_eq!(docker(&["inspect", "--format", "{{.Id}}", &container]), id);
    assert_eq!(update(&operator, &["--restart", name]), (0, Some("recreate".to_owned()), expected.to_vec()));
    assert_ne!(docker(&["inspect", "--format", "{{.Id}}", &container]), id);
    assert_eq!((in_home(&operator, name), containers_of(name)), ("mine".to_owned(), 1));
    assert_eq!(operator.drift(name)["state"], serde_json::json!(["current"]));
    let listed = operator.json(&["inspect", name]);
    assert_eq!(
        listed["session"]["id"].as_str().unwrap(),
        docker(&["inspect", "--format", "{{index .Config.Labels \"palisade.session.id\"}}", &container])
    );

    // One that is stopped stays stopped, is no leftover, and starts.
    operator.succeed(&["stop", "--grace", "0", name]);
    operator.profile(&format!("{}tmp_size = '48MiB'\n", MINE.replace("256MiB", "300MiB")));
    assert_eq!(update(&operator, &[name]).1.as_deref(), Some("recreate"));
    let other = operator.launch();
    operator.succeed(&["rm", "-f", &other.name]);
    operator.succeed(&["start", name]);
    assert_eq!((in_home(&operator, name), containers_of(name)), ("mine".to_owned(), 1));
}

#[test]
fn a_session_that_we_renamed_has_not_drifted_and_an_update_that_fails_leaves_it_as_it_was() {
    let operator = Operator::new();
    operator.profile(MINE);
    let session = operator.launch();
    let name = format!("{}-b", session.name);
    operator.succeed(&["rename", &session.name, &name]);
    let renamed = Session { name: name.clone() };
    operator.succeed(&["exec", &name, "--", "sh", "-c", "echo mine > ~/kept"]);
    assert_eq!(operator.drift(&name)["state"], serde_json::json!(["current"]));
    docker(&["rename", &renamed.container(), &format!("{}-c", renamed.container())]);
    let other = format!("{name}-c");
    assert_eq!(update(&operator, &[&other]), (0, Some("live".to_owned()), vec![is("name", &other, &name)]));

    // The engine finds out as it starts the new one that nothing can be mounted below a file.
    let maker = crate::support::name();
    let tag = format!("palisade-{maker}:tagged");
    docker(&["create", "--name", &maker, "palisade-sandbox:latest", "true"]);
    docker(&["cp", "/etc/hostname", &format!("{maker}:/palisade")]);
    docker(&["commit", &maker, &tag]);
    docker(&["rm", &maker]);
    operator.profile(&format!("{MINE}image = '{tag}'\n"));
    let failed = operator.call(&["update", "--restart", &name]);
    let told = text(&failed.stderr);
    docker(&["rmi", &tag]);
    assert!(failed.status.code() == Some(1) && told.contains("the update was undone"), "{told}");
    assert_eq!((in_home(&operator, &name), containers_of(&session.name), containers_of(&name)), ("mine".to_owned(), 1, 0));
    operator.profile(MINE);
    assert_eq!(operator.drift(&name)["state"], serde_json::json!(["current"]));
}
