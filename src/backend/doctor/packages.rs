//! Whether packages can be had: the settings of the registries, and the depot as it stands. A launch makes what is missing.

use super::judge::{advice_of, failed, ok, warning};
use super::{Check, DepotSide, EngineSide, Facts};

/// By the settings alone.
pub(super) fn registries(facts: &Facts) -> Check {
    let proxy = match &facts.host.proxy {
        Ok(proxy) => proxy,
        Err(failure) => {
            let found = failure.details.iter().fold(failure.message.clone(), |found, line| format!("{found}, {line}"));
            return failed("registries", found, advice_of(failure));
        }
    };
    let host = url::Url::parse(proxy).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    if host == "localhost" || host.starts_with("127.") || host == "[::1]" {
        return warning(
            "registries",
            "the proxy is at this machine's own loopback address, which the depot does not share",
            "have the proxy listen at an address of the depot's network, and name that in 'packages.proxy'",
        );
    }
    ok("registries", if proxy.is_empty() { "asked directly" } else { "asked by a proxy" })
}

/// On this engine.
pub(super) fn depot(engine: &EngineSide) -> Check {
    let (name, found) = &engine.depot;
    let start = "palisade depot start";
    match found {
        Ok(DepotSide::Absent) => ok("depot", format!("{name} is not there yet: the first launch makes it")),
        Ok(DepotSide::Foreign) => failed(
            "depot",
            format!("a container {name} is there that is not palisade's"),
            "rename it, or give 'depot.name' another value in config.toml; --network none launches without a depot",
        ),
        Ok(DepotSide::Stopped) => ok("depot", format!("{name} does not run: the next launch starts it")),
        Ok(DepotSide::Running { away }) if away.is_empty() => ok("depot", format!("{name} runs")),
        Ok(DepotSide::Running { away }) => warning(
            "depot",
            format!("{name} runs, and could not reach {}", away.join("; ")),
            "'depot.network' and 'packages.proxy' are its ways out; what is stored is served all the same",
        ),
        Err(failure) => warning("depot", format!("{name}: {}", failure.message), failure.hint.as_deref().unwrap_or(start)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::judge::tests::{facts, good_engine};
    use super::*;
    use crate::backend::doctor::CheckState;
    use crate::failure::{Code, Failure};

    #[test]
    fn a_depot_that_cannot_reach_a_registry_is_a_warning_and_a_foreign_one_a_failure() {
        let of = |side| depot(&EngineSide { depot: ("palisade-depot".into(), Ok(side)), ..good_engine() });
        assert_eq!(of(DepotSide::Absent).state, CheckState::Ok);
        assert_eq!(of(DepotSide::Stopped).state, CheckState::Ok);
        assert_eq!(of(DepotSide::Running { away: Vec::new() }).state, CheckState::Ok);
        assert_eq!(of(DepotSide::Foreign).state, CheckState::Failed);
        let away = of(DepotSide::Running { away: vec!["https://pypi.example/: refused\u{1b}[2J".into()] });
        assert!(away.state == CheckState::Warning && away.found.contains("pypi.example") && !away.found.contains('\u{1b}'));
    }

    #[test]
    fn a_proxy_that_only_this_machine_sees_is_a_warning() {
        let of = |proxy: &str| {
            let mut facts = facts(good_engine());
            facts.host.proxy = Ok(proxy.to_owned());
            registries(&facts).state
        };
        assert_eq!((of(""), of("http://proxy.example:3128")), (CheckState::Ok, CheckState::Ok));
        for proxy in ["http://127.0.0.1:3128", "http://localhost:1", "http://[::1]:1"] {
            assert_eq!(of(proxy), CheckState::Warning, "{proxy}");
        }
        let mut facts = facts(good_engine());
        facts.host.proxy = Err(Failure::new(Code::InvalidConfig, "a token is readable by others"));
        assert_eq!(registries(&facts).state, CheckState::Failed);
    }
}
