use std::fs;

use super::*;
use crate::policy::{Network, Seccomp, Timeout};

/// A config folder and a project folder.
struct Machine {
    root: tempfile::TempDir,
    paths: Paths,
    settings: Settings,
}

impl Machine {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::under(root.path());
        fs::create_dir_all(paths.profiles()).unwrap();
        fs::create_dir_all(root.path().join("project")).unwrap();
        Self { root, paths, settings: Settings::default() }
    }

    fn own(self, name: &str, text: &str) -> Self {
        fs::write(self.paths.profiles().join(format!("{name}.toml")), text).unwrap();
        self
    }

    fn project(self, text: &str) -> Self {
        fs::write(self.root.path().join("project/.palisade.toml"), text).unwrap();
        self
    }

    fn get(&self, profile: Option<&str>) -> Result<Policy> {
        resolved(&self.paths, &self.settings, profile, Some(&self.root.path().join("project")), Profile::default())
    }

    fn refusal(&self, profile: &str) -> String {
        self.get(Some(profile)).unwrap_err().to_string()
    }
}

#[test]
fn every_embedded_profile_resolves_and_is_what_its_name_says() {
    let summaries = list(&Machine::new().paths, &Settings::default()).unwrap();
    assert_eq!(summaries.iter().map(|summary| summary.name.as_str()).collect::<Vec<_>>(), ["build", "default", "offline", "strict"]);
    assert!(summaries.iter().all(|summary| !summary.description.is_empty() && summary.origin == "embedded"));
    let [build, default, offline, strict] = [0, 1, 2, 3].map(|index| summaries[index].policy.clone());
    assert_eq!((default.pids_limit.get(), default.memory.get(), default.cpus.as_milli()), (100, 4 << 30, 2000));
    assert_eq!((default.network, offline.network, default.min_age.get()), (Network::Packages, Network::None, 0));
    assert_eq!(Policy { profile: "default".to_owned(), network: Network::Packages, ..offline }, default);
    assert_eq!((build.network, build.pids_limit.get(), build.memory.get()), (Network::Open, 512, 8 << 30));
    assert_eq!((strict.network, strict.seccomp, strict.workspace_read_only), (Network::Packages, Seccomp::Strict, true));
    assert_eq!((strict.min_age.get(), strict.min_age_allow.len()), (3 * 24 * 3600, 0));
    assert!(strict.pids_limit < default.pids_limit && strict.memory < default.memory && strict.cpus < default.cpus);
}

#[test]
fn a_wide_default_of_the_operators_does_not_widen_strict_or_offline() {
    let plain = Machine::new();
    let wide = "cap_add = ['NET_ADMIN', 'CHOWN']\nnetwork = 'open'\npids_limit = 4096\nmemory = '64GiB'\ncpus = 64\nnofile = 1048576\n\
                read_only_rootfs = false\ntmp_size = '64GiB'\nrun_size = '1GiB'\nshm_size = '1GiB'\nlog_max_size = '1GiB'\nlog_max_file = 9";
    let machine = Machine::new().own("default", wide);
    for name in ["strict", "offline"] {
        assert_eq!(machine.get(Some(name)).unwrap(), plain.get(Some(name)).unwrap());
    }
    assert_eq!(machine.get(None).unwrap().cap_add.len(), 2);
    assert_eq!(machine.get(Some("build")).unwrap().nofile, 16384);
}

#[test]
fn an_operators_profile_starts_from_its_base_and_may_widen() {
    let machine = Machine::new()
        .own("web", "base = 'strict'\ndescription = 'mine'\nnetwork = 'open'\ncap_add = ['NET_BIND_SERVICE']")
        .own("web2", "base = 'web'\npids_limit = 70")
        .own("strict", "base = 'strict'\nmemory = '3GiB'");
    let policy = machine.get(Some("web2")).unwrap();
    assert_eq!((policy.profile.as_str(), policy.network, policy.seccomp), ("web2", Network::Open, Seccomp::Strict));
    assert_eq!((policy.pids_limit.get(), policy.memory.get(), policy.cap_add.len()), (70, 3 << 30, 1));
    let summaries = list(&machine.paths, &machine.settings).unwrap();
    let strict = summaries.iter().find(|summary| summary.name == "strict").unwrap();
    assert!(strict.origin.ends_with("profiles/strict.toml"));
}

#[test]
fn the_configured_profile_and_image_are_the_ones_of_a_launch_that_names_none() {
    let mut machine = Machine::new().own("mine", "pids_limit = 99").own("pinned", "image = 'debian:12'");
    machine.settings.profile = "mine".to_owned();
    machine.settings.image.tag = "own:1".to_owned();
    let policy = machine.get(None).unwrap();
    assert_eq!((policy.profile.as_str(), policy.pids_limit.get(), policy.image.as_str()), ("mine", 99, "own:1"));
    assert_eq!(machine.get(Some("pinned")).unwrap().image, "debian:12");
}

#[test]
fn bases_that_lead_in_a_circle_too_deep_or_nowhere_are_named() {
    let machine = Machine::new().own("a", "base = 'b'").own("b", "base = 'a'").own("self", "base = 'self'").own("lost", "base = 'stritc'");
    assert!(machine.refusal("a").contains("a → b → a"));
    assert!(machine.refusal("self").contains("self → self"));
    let lost = machine.refusal("lost");
    assert!(
        lost.contains("there is no profile 'stritc'") && lost.contains("lost.toml: stritc") && lost.contains("did you mean 'strict'?"),
        "{lost}"
    );
    let deep = (1..10).fold(Machine::new().own("p0", ""), |machine, n| machine.own(&format!("p{n}"), &format!("base = 'p{}'", n - 1)));
    assert!(deep.refusal("p9").contains("more than 8 bases"));
    assert!(deep.get(Some("p5")).is_ok());
    let circle = Machine::new().own("default", "base = 'strict'");
    assert!(circle.refusal("default").contains("default → strict → default"));
}

#[test]
fn an_unknown_name_lists_what_there_is_and_reaches_no_file() {
    let machine = Machine::new().own("mine", "");
    let error = machine.get(Some("nonesuch")).unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    assert!(error.to_string().contains("the profiles are build, default, mine, offline, strict"), "{error}");
    for name in ["", "..", ".hidden", "-x", "a\u{1b}[2J", "a\0b", "naïve", &"x".repeat(300)] {
        let error = machine.get(Some(name)).unwrap_err();
        assert_eq!(error.code, Code::NotFound, "{name:?}");
        assert!(!error.to_string().contains(['\u{1b}', '\0']));
    }
}

#[test]
fn a_file_may_only_narrow_and_says_so_with_the_way_out() {
    let machine = Machine::new();
    let file = machine.root.path().join("x.toml");
    let by_file = || machine.get(Some(file.to_str().unwrap()));
    assert_eq!(by_file().unwrap_err().code, Code::NotFound);
    fs::write(&file, "base = 'strict'\npids_limit = 20\ncap_drop = ['NET_RAW']").unwrap();
    let policy = by_file().unwrap();
    assert_eq!(
        (policy.profile.as_str(), policy.pids_limit.get(), policy.seccomp, policy.workspace_read_only),
        ("x.toml", 20, Seccomp::Strict, true)
    );
    fs::write(&file, "cap_add = ['NET_ADMIN']").unwrap();
    let error = by_file().unwrap_err();
    assert_eq!(error.details, [format!("'cap_add' in {}: NET_ADMIN", file.display())]);
    assert_eq!(error.hint.as_deref(), Some("allow it in your own config, or pass --cap-add NET_ADMIN"));
    fs::write(&file, "base = 'build'").unwrap();
    let error = by_file().unwrap_err();
    assert_eq!(error.code, Code::Refused);
    assert!(error.to_string().contains("'network' in profile build, the base of"), "{error}");
    fs::write(&file, "base = '/etc/passwd'").unwrap();
    assert!(by_file().unwrap_err().to_string().contains("there is no profile '/etc/passwd'"));
}

#[test]
fn a_project_narrows_whatever_profile_it_is_launched_with() {
    let machine = Machine::new()
        .own("wide", "cap_add = ['NET_RAW', 'KILL']\nnetwork = 'open'\nimage = 'debian:12'\nenv = { A = '1' }")
        .project("base = 'strict'\ntimeout = '10m'\nmemory = '512MiB'");
    let policy = machine.get(Some("wide")).unwrap();
    assert_eq!((policy.network, policy.cap_add.len(), policy.seccomp), (Network::Packages, 0, Seccomp::Strict));
    assert_eq!((policy.timeout, policy.memory.get()), (Timeout::After(crate::units::Seconds::new(600)), 512 << 20));
    assert_eq!((policy.profile.as_str(), policy.image.as_str(), policy.env["A"].as_str()), ("wide", "debian:12", "1"));
    assert_eq!(machine.get(Some("strict")).unwrap().memory.get(), 512 << 20);
    let greedy = Machine::new().project("memory = '64GiB'\nimage = 'evil'\nprivileged = true");
    assert!(greedy.refusal("default").contains("'privileged' in .palisade.toml, line 3"));
    let greedy = Machine::new().project("memory = '64GiB'\nimage = 'evil'").get(None).unwrap_err();
    assert_eq!((greedy.code, greedy.details.len()), (Code::Refused, 2));
    assert_eq!(greedy.details[0], "'memory' in .palisade.toml: 64 GiB (above 4 GiB)");
}

#[test]
fn the_command_line_is_the_highest_layer_and_a_project_is_left_out_when_told() {
    let machine = Machine::new().project("memory = '1GiB'");
    let project = machine.root.path().join("project");
    let overrides: Profile = toml::from_str("memory = '8GiB'\ncap_add = ['NET_ADMIN']").unwrap();
    let (name, layers) = layers(&machine.paths, &machine.settings, None, Some(&project), overrides).unwrap();
    let origins: Vec<_> = layers.iter().map(|layer| layer.origin.as_str()).collect();
    assert_eq!((name.as_str(), origins), ("default", vec!["profile default", ".palisade.toml", "the command line"]));
    assert_eq!(resolve(&name, &layers).unwrap().memory.get(), 8 << 30);
    let without = resolved(&machine.paths, &machine.settings, None, None, Profile::default()).unwrap();
    assert_eq!(without.memory.get(), 4 << 30);
}

#[test]
fn a_broken_profile_of_the_operators_is_named_when_the_profiles_are_listed() {
    let machine = Machine::new().own("mine", "pids_limit = 5").own("bad name", "").own("typo", "pid_limit = 50");
    let error = machine.get(Some("typo")).unwrap_err().to_string();
    assert!(error.contains("typo.toml, line 1") && error.contains("did you mean 'pids_limit'?"), "{error}");
    assert!(list(&machine.paths, &machine.settings).unwrap_err().to_string().contains("mine.toml: 5"));
}

/// The project's own rule: addresses of public registries stand in the settings and nowhere in the program.
#[test]
fn no_public_registry_is_named_outside_the_settings() {
    let hosts = [["pypi", "org"].join("."), ["npmjs", "org"].join("."), ["deb.debian", "org"].join(".")];
    let mut folders: Vec<PathBuf> = ["src", "scripts", "assets"].map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).to_vec();
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                seen += 1;
                assert!(!hosts.iter().any(|host| text.contains(host)), "{} names a public registry", path.display());
            }
        }
    }
    assert!(seen > 20);
}
