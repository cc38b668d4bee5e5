//! Fetches a client's or issuer's JWK set from its URL: over TLS, never from a private address unless the operator allows it,
//! without following redirects, bounded in size and time, and remembered.

use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::{ArrayVec, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::access::keys::KeySet;
use crate::clock::Micros;
use crate::interactions::server::Server;

/// How long a fetched set is used without asking again.
const GOOD_FOR: Micros = 5 * 60 * 1_000_000;
/// How soon it is fetched again where it lacks the key that was named.
const AGAIN_AFTER: Micros = 30 * 1_000_000;
/// Longest wait for the set.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest set, bytes.
const LARGEST: u64 = 256 * 1024;

/// The key set at `url`: the remembered one where it is fresh and has the key `id`.
pub(super) async fn keys(server: &Server, url: &str, id: Option<&str>) -> Result<Arc<KeySet>, String> {
    let now = server.clock.now();
    let known = server.access.fetched(url);
    if let Some((fetched, keys)) = &known {
        let has = id.is_none_or(|id| keys.names(id));
        if now - fetched < AGAIN_AFTER || (has && now - fetched < GOOD_FOR) {
            return Ok(Arc::clone(keys));
        }
    }
    let (address, private) = (url.to_owned(), server.settings.access_local_key_urls);
    let fetched = tokio::task::spawn_blocking(move || fetch(&address, private)).await;
    match fetched.unwrap_or_else(|_| Err("could not be fetched".to_owned())) {
        Ok(keys) => {
            let keys = Arc::new(keys);
            server.access.keep_fetched(url, now, Arc::clone(&keys));
            Ok(keys)
        }
        Err(reason) => {
            tracing::warn!(url, reason, "a key set could not be used");
            Err(format!("The client's key set at its URL {reason}."))
        }
    }
}

/// Checks a URL of a key set before it is registered. The error says what would be right.
pub fn check_url(url: &str, private: bool) -> Result<(), String> {
    let uri: Uri = url.parse().map_err(|_| "is not a URL".to_owned())?;
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if private => Ok(()),
        _ => Err("must begin with https://".to_owned()),
    }
}

fn fetch(url: &str, private: bool) -> Result<KeySet, String> {
    check_url(url, private)?;
    let config = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .max_redirects(0)
        .http_status_as_error(true)
        .proxy(None)
        .tls_config(
            TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(RootCerts::PlatformVerifier).build(),
        )
        .build();
    let agent = Agent::with_parts(config, DefaultConnector::default(), PublicAddresses { private });
    let mut response = agent.get(url).call().map_err(|_| "could not be fetched".to_owned())?;
    // A redirect is no error to the client library, and its body is not what the URL was registered for.
    if response.status().as_u16() != 200 {
        return Err("could not be fetched".to_owned());
    }
    let mut text = String::new();
    let body = response.body_mut().as_reader();
    body.take(LARGEST + 1).read_to_string(&mut text).map_err(|_| "could not be read".to_owned())?;
    if text.len() as u64 > LARGEST {
        return Err("is too large".to_owned());
    }
    let set = serde_json::from_str(&text).map_err(|_| "is not JSON".to_owned())?;
    KeySet::parse(&set)
}

/// Resolves names to public addresses only, so that a registered URL cannot reach into the operator's network.
#[derive(Debug)]
struct PublicAddresses {
    private: bool,
}

impl Resolver for PublicAddresses {
    fn resolve(&self, uri: &Uri, _: &ureq::config::Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        let found = (host, port).to_socket_addrs().map_err(|_| ureq::Error::HostNotFound)?;
        let mut addresses: ResolvedSocketAddrs = ArrayVec::from_fn(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
        found
            .filter(|address| self.private || is_public(address.ip()))
            .take(8)
            .for_each(|address| addresses.push(address));
        if addresses.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(addresses) }
    }
}

/// True for an address of the public internet: the only ones that a registered URL may lead to.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or_else(|| is_public_v6(address), is_public_v4),
    }
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // What is given out globally (<https://www.iana.org/assignments/ipv6-unicast-address-assignments>), without documentation,
    // and without Teredo and 6to4, which wrap addresses of the older kind.
    let global = first & 0xe000 == 0x2000;
    global && first != 0x2002 && !(first == 0x2001 && matches!(second, 0x0000 | 0x0db8))
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let local = address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified();
    let special =
        address.is_multicast() || address.is_broadcast() || address.is_documentation() || first >= 240 || first == 0;
    // Shared address space of carriers, addresses for benchmarks, and for protocols.
    let shared = first == 100 && (64..128).contains(&second)
        || first == 198 && (second == 18 || second == 19)
        || address.octets()[..3] == [192, 0, 0];
    !local && !special && !shared
}
