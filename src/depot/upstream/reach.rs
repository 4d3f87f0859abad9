//! Where the depot may be led. An index may name any address and a registry may redirect to any, and from where the depot
//! stands there is more than the public network: services of the engine's host, an instance's metadata, an office. So what
//! is not public is asked only where the operator's own settings name it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use hickory_resolver::TokioResolver;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;
use url::{Host, Url};

/// What the settings name: registries and the proxy.
pub struct Reach {
    /// Host names, whatever they resolve to.
    names: BTreeSet<String>,
    /// Addresses, each with its port.
    addresses: BTreeSet<(IpAddr, Option<u16>)>,
}

impl Reach {
    /// Everything public, and these.
    pub fn new<'a>(configured: impl IntoIterator<Item = &'a Url>) -> Self {
        let mut reach = Self { names: BTreeSet::new(), addresses: BTreeSet::new() };
        for url in configured {
            match place(url) {
                Some(Place::Name(name)) => _ = reach.names.insert(name),
                Some(Place::Address(address)) => _ = reach.addresses.insert((address, url.port_or_known_default())),
                None => {}
            }
        }
        reach
    }

    /// Whether an address that an index or a redirect names may be asked. A name passes: what it resolves to is judged later.
    pub fn allows(&self, url: &Url) -> bool {
        match place(url) {
            Some(Place::Name(_)) => true,
            Some(Place::Address(address)) => is_public(address) || self.addresses.contains(&(address, url.port_or_known_default())),
            None => false,
        }
    }

    fn allows_any_address_of(&self, name: &str) -> bool {
        self.names.contains(&name.trim_end_matches('.').to_ascii_lowercase())
    }
}

enum Place {
    Name(String),
    Address(IpAddr),
}

fn place(url: &Url) -> Option<Place> {
    Some(match url.host()? {
        Host::Domain(name) => Place::Name(name.trim_end_matches('.').to_ascii_lowercase()),
        Host::Ipv4(address) => Place::Address(address.into()),
        Host::Ipv6(address) => Place::Address(address.into()),
    })
}

/// Whether an address is of the public network, whichever way it is written.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_shared = first == 100 && second & 0xc0 == 64;
    let is_protocols = (first, second, third) == (192, 0, 0);
    !(first == 0
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || first >= 240
        || is_shared
        || is_protocols)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // Mapped and compatible addresses, and those that a translator takes for version 4.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => of(high, low),
        // Tunnels and local translators.
        [0x2001, 0, ..] | [0x64, 0xff9b, 1, ..] => false,
        [first, ..] => {
            let (is_unique_local, is_link_local, is_site_local) =
                (first & 0xfe00 == 0xfc00, first & 0xffc0 == 0xfe80, first & 0xffc0 == 0xfec0);
            !(is_unique_local || is_link_local || is_site_local || address.is_multicast())
        }
    }
}

/// Resolves names, and leaves out what they must not lead to: a public name may be given a private address by anyone.
#[derive(Clone)]
pub struct Guarded {
    reach: Arc<Reach>,
    /// Made when it is first asked, within the runtime.
    resolver: Arc<OnceCell<TokioResolver>>,
}

impl Guarded {
    /// A resolver within that reach.
    pub fn new(reach: Arc<Reach>) -> Self {
        Self { reach, resolver: Arc::default() }
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { reach, resolver } = self.clone();
        Box::pin(async move {
            let resolver = resolver.get_or_try_init(|| async { TokioResolver::builder_tokio()?.build() }).await?;
            let all: Vec<IpAddr> = resolver.lookup_ip(name.as_str()).await?.iter().collect();
            let is_free = reach.allows_any_address_of(name.as_str());
            let allowed: Vec<SocketAddr> =
                all.into_iter().filter(|address| is_free || is_public(*address)).map(|address| SocketAddr::new(address, 0)).collect();
            if allowed.is_empty() {
                return Err("its name leads to no public address".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn what_is_not_public_is_out_of_reach_however_it_is_written() {
        let reach = Reach::new(&[url("https://registry.example/npm/")]);
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0",
            "0.0.0.0",
            "10.1.2.3",
            "172.17.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.192",
            "224.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[::127.0.0.1]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:7f00:1::]",
            "[2001::1]",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[fec0::1]",
            "[ff02::1]",
        ] {
            assert!(!reach.allows(&url(&format!("http://{host}/x"))), "{host}");
        }
        for host in ["8.8.8.8", "203.0.113.80", "172.32.0.1", "100.128.0.1", "[2606:4700::1]", "[64:ff9b::808:808]", "files.example"] {
            assert!(reach.allows(&url(&format!("https://{host}/x"))), "{host}");
        }
    }

    #[test]
    fn what_the_settings_name_is_within_reach_and_no_other_service_beside_it() {
        let reach = Reach::new(&[url("http://172.17.0.1:8080/npm/"), url("https://Registry.corp.example./")]);
        assert!(reach.allows(&url("http://172.17.0.1:8080/files/x.tgz")));
        assert!(!reach.allows(&url("http://172.17.0.1:22/")) && !reach.allows(&url("http://172.17.0.1/")));
        assert!(reach.allows_any_address_of("registry.corp.example") && reach.allows_any_address_of("REGISTRY.corp.example."));
        assert!(!reach.allows_any_address_of("corp.example") && !reach.allows_any_address_of("x.registry.corp.example"));
    }
}
