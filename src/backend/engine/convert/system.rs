//! What an engine says of itself.

use bollard::models::{SystemInfo, SystemVersion};

use super::{sorted, untrusted};
use crate::backend::engine::{EngineInfo, EngineVersion};
use crate::units::Bytes;

/// `1.41` as a pair.
pub(in crate::backend::engine) fn api_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The version, with the API at the lower of the engine's and ours; `None` where the engine names no API.
pub(in crate::backend::engine) fn engine_version(answer: SystemVersion, ours: (u32, u32)) -> Option<EngineVersion> {
    let api = api_version(answer.api_version.as_deref()?)?.min(ours);
    let component = answer.components.unwrap_or_default().into_iter().next().map_or_else(String::new, |component| component.name);
    let product = match component.as_str() {
        "" | "Engine" => "Docker Engine".to_owned(),
        _ => component,
    };
    Some(EngineVersion {
        version: answer.version.unwrap_or_default(),
        api,
        os: answer.os.unwrap_or_default(),
        architecture: answer.arch.unwrap_or_default(),
        kernel: answer.kernel_version.unwrap_or_default(),
        product,
    })
}

/// What `doctor` reports.
pub(in crate::backend::engine) fn engine_info(info: SystemInfo) -> EngineInfo {
    EngineInfo {
        id: info.id.unwrap_or_default(),
        name: info.name.unwrap_or_default(),
        cgroup_version: info.cgroup_version.map(|version| version.to_string()).unwrap_or_default(),
        cgroup_driver: info.cgroup_driver.map(|driver| driver.to_string()).unwrap_or_default(),
        security_options: info.security_options.unwrap_or_default(),
        storage_driver: info.driver.unwrap_or_default(),
        root_dir: info.docker_root_dir.unwrap_or_default(),
        cpus: info.ncpu.and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
        memory: Bytes::new(info.mem_total.and_then(|total| u64::try_from(total).ok()).unwrap_or(0)),
        runtimes: sorted(info.runtimes.unwrap_or_default().into_keys().collect()),
        default_runtime: info.default_runtime.unwrap_or_default(),
        init_binary: info.init_binary.unwrap_or_default(),
        supports_pids_limit: info.pids_limit.unwrap_or(false),
        supports_memory_limit: info.memory_limit.unwrap_or(false),
        supports_swap_limit: info.swap_limit.unwrap_or(false),
        supports_cpu_quota: info.cpu_cfs_quota.unwrap_or(false),
        warnings: untrusted(info.warnings),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Option<EngineVersion> {
        engine_version(serde_json::from_str(text).unwrap(), (1, 53))
    }

    #[test]
    fn the_api_is_the_lower_of_both() {
        let old = version(include_str!("../fixtures/version-docker-20.10.json")).unwrap();
        assert_eq!((old.api, old.product.as_str(), old.os.as_str()), ((1, 41), "Docker Engine", "linux"));
        assert!(old.version.starts_with("20.10.24"));
        assert_eq!(version(r#"{"ApiVersion":"1.60","Version":"40.0"}"#).unwrap().api, (1, 53));
        assert!(version(r#"{"Version":"x"}"#).is_none() && version(r#"{"ApiVersion":"new"}"#).is_none());
    }

    #[test]
    fn podman_says_that_it_is_podman() {
        let text = r#"{"ApiVersion":"1.41","Version":"4.3.1","Components":[{"Name":"Podman Engine","Version":"4.3.1"}]}"#;
        assert_eq!(version(text).unwrap().product, "Podman Engine");
    }

    #[test]
    fn an_engine_describes_its_host() {
        let info = engine_info(serde_json::from_str(include_str!("../fixtures/info-docker-20.10.json")).unwrap());
        assert_eq!((info.cgroup_version.as_str(), info.cgroup_driver.as_str()), ("1", "cgroupfs"));
        assert_eq!(info.security_options, ["name=seccomp,profile=default"]);
        assert_eq!((info.cpus, info.default_runtime.as_str(), info.init_binary.as_str()), (2, "runc", "docker-init"));
        assert!(info.supports_pids_limit && info.supports_memory_limit && info.supports_swap_limit && info.supports_cpu_quota);
        assert!(info.runtimes.contains(&"runc".to_owned()) && info.warnings.is_empty());
        assert_eq!(engine_info(SystemInfo::default()), EngineInfo::default());
    }
}
