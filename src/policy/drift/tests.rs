use super::terms::Terms;
use super::*;
use crate::policy::plan::{plan, samples};
use crate::policy::{Network, PidsLimit, Policy, Request, Timeout, WorkspaceMode, WorkspaceMount};
use crate::session::ContainerFacts;
use crate::units::{Bytes, Cpus, Seconds};

fn made() -> Terms {
    Terms::of(&samples::policy(), &samples::request())
}

fn fields(differences: &[Difference]) -> Vec<&str> {
    differences.iter().map(|difference| difference.field.as_str()).collect()
}

fn told(difference: &Difference) -> (&str, &str, &str, Needs) {
    (&difference.field, difference.then.raw(), difference.now.raw(), difference.needs)
}

/// A container as the sample's plan makes it.
fn live() -> ContainerFacts {
    ContainerFacts {
        name: "palisade-web".into(),
        image_id: "sha256:00".to_owned(),
        user: "1000:1000".into(),
        pids_limit: Some(100),
        memory: Some(4 << 30),
        memory_swap: Some(4 << 30),
        nano_cpus: Some(2_000_000_000),
        read_only_rootfs: true,
        network_mode: "none".to_owned(),
        restart_policy: "no".to_owned(),
        ..ContainerFacts::default()
    }
}

#[test]
fn a_policy_that_says_the_same_makes_no_difference_and_the_label_reads_back() {
    assert_eq!(outdated(&made(), &made()), []);
    assert_eq!(Terms::read(&made().written()), Some(made()));
    assert_eq!(Standing::new(&made(), drifted(&made(), "web", &live(), None), Ok(&made())).words(), ["current"]);
}

#[test]
fn what_a_profile_changes_is_named_by_its_key_with_both_values() {
    let policy = Policy {
        pids_limit: PidsLimit::new(50).unwrap(),
        memory: Bytes::gib(8),
        timeout: Timeout::After(Seconds::new(3600)),
        network: Network::Open,
        env: [("CI".to_owned(), "1".to_owned())].into(),
        ..samples::policy()
    };
    let found = outdated(&made(), &Terms::of(&policy, &samples::request()));
    assert_eq!(fields(&found), ["env.CI", "memory", "network", "pids_limit", "timeout"]);
    assert_eq!(told(&found[1]), ("memory", "4 GiB", "8 GiB", Needs::Recreate));
    assert_eq!(told(&found[3]), ("pids_limit", "100", "50", Needs::Live));
    assert_eq!(told(&found[4]), ("timeout", "0s", "1h", Needs::Recreate));
    assert!(found[0].then.raw() == "none" && found[0].now.raw().starts_with("set ("), "{found:?}");
}

#[test]
fn what_machine_and_engine_have_now_makes_a_difference_too() {
    let workspace = |inode| Some(WorkspaceMount { source: "/srv/p".to_owned(), device: 1, inode, mode: WorkspaceMode::ReadWrite });
    let made = Terms::of(&samples::policy(), &Request { workspace: workspace(7), ..samples::request() });
    let image = crate::policy::ImageFacts { id: "sha256:01".to_owned(), ..samples::request().image };
    let today = Terms::of(&samples::policy(), &Request { workspace: workspace(8), image, ..samples::request() });
    assert_eq!(fields(&outdated(&made, &today)), ["image_id", "workspace_folder"]);
}

#[test]
fn another_palisade_is_told_quietly_and_what_it_alone_knows_is_no_difference() {
    let mut today = Terms::of(&samples::policy(), &Request { supervisor_volume: "palisade-supervisor-y".to_owned(), ..samples::request() });
    today.0.insert("a_new_key".to_owned(), "0".to_owned());
    let standing = Standing::new(&made(), Vec::new(), Ok(&today));
    assert!(standing.another_palisade && standing.is_current() && standing.words() == ["current"], "{standing:?}");
    // It is what an update is for, where nothing else is.
    let changes = standing.changes();
    assert!(matches!(changes.as_slice(), [one] if one.field == "supervisor" && one.needs == Needs::Recreate));
    today.0.insert("memory".to_owned(), "1".to_owned());
    assert_eq!(fields(&Standing::new(&made(), Vec::new(), Ok(&today)).outdated), ["memory"]);
}

#[test]
fn each_thing_done_behind_our_back_is_named() {
    let found = |change: fn(&mut ContainerFacts)| {
        let mut facts = live();
        change(&mut facts);
        drifted(&made(), "web", &facts, None)
    };
    let one = |found: Vec<Difference>| {
        assert_eq!(found.len(), 1, "{found:?}");
        (found[0].field.clone(), found[0].then.raw().to_owned(), found[0].now.raw().to_owned(), found[0].needs)
    };
    let is = |field: &str, then: &str, now: &str, needs| (field.to_owned(), then.to_owned(), now.to_owned(), needs);
    assert_eq!(one(found(|facts| facts.pids_limit = Some(200))), is("pids_limit", "100", "200", Needs::Live));
    assert_eq!(one(found(|facts| facts.pids_limit = None)), is("pids_limit", "100", "unlimited", Needs::Live));
    let more = found(|facts| (facts.memory, facts.memory_swap) = (Some(8 << 30), Some(8 << 30)));
    assert_eq!(one(more), is("memory", "4 GiB", "8 GiB", Needs::Live));
    assert_eq!(one(found(|facts| facts.memory_swap = Some(8 << 30))), is("memory_swap", "4 GiB", "8 GiB", Needs::Live));
    assert_eq!(one(found(|facts| facts.nano_cpus = Some(500_000_000))), is("cpus", "2", "0.5", Needs::Live));
    assert_eq!(one(found(|facts| facts.cpuset_cpus = "0".to_owned())), is("cpuset", "none", "0", Needs::Recreate));
    assert_eq!(one(found(|facts| facts.name = "palisade-api".into())), is("name", "web", "api", Needs::Live));
    assert_eq!(one(found(|facts| facts.restart_policy = "always".to_owned())), is("restart_policy", "no", "always", Needs::Live));
    assert_eq!(one(found(|facts| facts.networks = vec!["lab".into()])), is("networks", "none", "lab", Needs::Live));
    assert_eq!(one(found(|facts| facts.image_id = "sha256:01".to_owned())), is("image_id", "sha256:00", "sha256:01", Needs::Recreate));
    let shares = found(|facts| facts.other_limits = [("cpu_shares".to_owned(), "2".to_owned())].into());
    assert_eq!(one(shares), is("cpu_shares", "none", "2", Needs::Recreate));
    // An engine that does not count swap, and one that rounds, changed nothing.
    assert_eq!(found(|facts| facts.memory_swap = None), []);
    assert_eq!(found(|facts| (facts.memory, facts.nano_cpus) = (Some((4 << 30) - 4096), Some(1_999_999_000))), []);
}

#[test]
fn an_open_session_has_one_network_whatever_the_engine_calls_it() {
    let open = Terms::of(&Policy { network: Network::Open, ..samples::policy() }, &samples::request());
    let with = |names: &[&str]| {
        let networks = names.iter().map(|name| (*name).into()).collect();
        drifted(&open, "web", &ContainerFacts { networks, network_mode: "bridge".to_owned(), ..live() }, None)
    };
    assert_eq!((with(&["bridge"]), with(&["podman"])), (Vec::new(), Vec::new()));
    assert_eq!(told(&with(&["bridge", "lab"])[0]), ("networks", "bridge", "bridge lab", Needs::Live));
    assert_eq!(told(&with(&[])[0]), ("networks", "bridge", "none", Needs::Recreate));
}

#[test]
fn an_update_goes_from_what_is_to_what_today_wants_once_for_each_field() {
    let today =
        Terms::of(&Policy { pids_limit: PidsLimit::new(50).unwrap(), cpus: Cpus::milli(4000), ..samples::policy() }, &samples::request());
    let facts = ContainerFacts { pids_limit: Some(200), restart_policy: "always".to_owned(), ..live() };
    let standing = Standing::new(&made(), drifted(&made(), "web", &facts, None), Ok(&today));
    assert_eq!(standing.words(), ["drifted", "outdated"]);
    let changes: Vec<_> = standing
        .changes()
        .into_iter()
        .map(|change| (change.field, change.from.raw().to_owned(), change.to.raw().to_owned(), change.needs))
        .collect();
    let is = |field: &str, from: &str, to: &str, needs| (field.to_owned(), from.to_owned(), to.to_owned(), needs);
    let expected = [
        is("cpus", "2", "4", Needs::Recreate),
        is("pids_limit", "200", "50", Needs::Live),
        is("restart_policy", "always", "no", Needs::Live),
    ];
    assert_eq!(changes, expected);
}

#[test]
fn a_limit_that_was_lowered_to_what_today_wants_is_settled_and_one_that_was_raised_is_not() {
    let standing = |wanted: u64| {
        let today = Terms::of(&Policy { pids_limit: PidsLimit::new(wanted).unwrap(), ..samples::policy() }, &samples::request());
        let facts = ContainerFacts { pids_limit: Some(wanted), ..live() };
        Standing::new(&made(), drifted(&made(), "web", &facts, None), Ok(&today))
    };
    assert_eq!(standing(50).words(), ["current"]);
    // The label still says 100: every audit would call 200 weaker.
    assert_eq!(standing(200).words(), ["drifted", "outdated"]);
    assert_eq!(standing(200).changes()[0].needs, Needs::Recreate);
}

#[test]
fn two_plans_for_one_request_are_equal_exactly_where_their_terms_are() {
    let request = samples::request();
    let other = |change: fn(&mut Policy)| {
        let mut policy = samples::policy();
        change(&mut policy);
        policy
    };
    let changes: [fn(&mut Policy); 8] = [
        |policy| policy.pids_limit = PidsLimit::new(99).unwrap(),
        |policy| policy.stop_grace = Seconds::new(11),
        |policy| policy.terminal.title = true,
        |policy| policy.log.max_file = 2,
        |policy| policy.min_age = Seconds::new(1),
        |policy| policy.workspace_read_only = true,
        |policy| policy.image = "other".to_owned(),
        |_| (),
    ];
    let base = plan(&samples::policy(), &request).unwrap();
    for change in changes {
        let policy = other(change);
        let is_same = Terms::of(&policy, &request) == made();
        assert_eq!(plan(&policy, &request).unwrap().hash() == base.hash(), is_same, "{policy:?}");
    }
}
