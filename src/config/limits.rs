//! How much a client may take of the server: settings of size, rate and patience. Entries of the list of settings.

use super::Settings;
use super::list::{Setting, number};

/// Bounds of requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Longest request target, bytes.
    pub url: usize,
    /// Largest sum of the names and values of all headers, bytes.
    pub headers: usize,
    /// Requests that are worked on at the same time.
    pub requests: usize,
    /// Open connections for each worker thread.
    pub connections: usize,
    /// Requests a second of one client; 0 for any number, `None` where it depends on who can reach the server.
    pub client_rate: Option<usize>,
    /// Requests a second from one network address; likewise.
    pub address_rate: Option<usize>,
    /// Seconds for the head of a request to arrive.
    pub head_seconds: usize,
    /// Seconds for the body to arrive.
    pub body_seconds: usize,
    /// Seconds for the answer to be made.
    pub request_seconds: usize,
    /// Seconds for one statement, or one transaction, of the database.
    pub database_seconds: usize,
    /// Seconds for which the server says that it is not ready, and goes on serving, before it stops.
    pub drain_seconds: usize,
    /// Seconds that running requests get to finish when the server is told to stop.
    pub stop_seconds: usize,
}

/// Requests a second of one client where others than this machine can reach the server.
const CLIENT_RATE: usize = 200;
/// Requests a second from one address, which may be a gateway that many clients share.
const ADDRESS_RATE: usize = 1000;

impl Settings {
    /// Requests a second of one client; 0 for any number.
    #[must_use]
    pub fn client_rate(&self) -> usize {
        self.limits.client_rate.unwrap_or(if self.is_exposed() { CLIENT_RATE } else { 0 })
    }

    /// Requests a second from one network address; 0 for any number.
    #[must_use]
    pub fn address_rate(&self) -> usize {
        self.limits.address_rate.unwrap_or(if self.is_exposed() { ADDRESS_RATE } else { 0 })
    }

    /// True where others than this machine can reach the server, itself or through a proxy.
    fn is_exposed(&self) -> bool {
        !self.listen.ip().is_loopback() || !self.proxies.is_empty()
    }
}

pub(super) const BODY: Setting = Setting {
    key: "limits.body",
    value_name: "BYTES",
    help: "Largest request body",
    default: "16777216",
    apply: |settings, text| number(text, 1024, 1 << 30).map(|value| settings.body_limit = value),
};
pub(super) const DEPTH: Setting = Setting {
    key: "limits.depth",
    value_name: "LEVELS",
    help: "Deepest nesting of a body",
    default: "60",
    apply: |settings, text| number(text, 8, 60).map(|value| settings.depth_limit = value),
};
pub(super) const BUNDLE: Setting = Setting {
    key: "limits.bundle",
    value_name: "ENTRIES",
    help: "Most entries in a batch or transaction",
    default: "1000",
    apply: |settings, text| number(text, 1, 100_000).map(|value| settings.bundle_limit = value),
};
pub(super) const EXPANSION: Setting = Setting {
    key: "limits.expansion",
    value_name: "COUNT",
    help: "Most codes in one answer of $expand; a larger value set is too costly, or read in pages",
    default: "10000",
    apply: |settings, text| number(text, 1, 1_000_000).map(|value| settings.expansion_limit = value),
};
pub(super) const URL: Setting = Setting {
    key: "limits.url",
    value_name: "BYTES",
    help: "Longest address of a request",
    default: "16384",
    apply: |settings, text| number(text, 256, 65_536).map(|value| settings.limits.url = value),
};
pub(super) const HEADERS: Setting = Setting {
    key: "limits.headers",
    value_name: "BYTES",
    help: "Largest sum of all headers of a request (there are 96 at most)",
    default: "32768",
    apply: |settings, text| number(text, 1024, 131_072).map(|value| settings.limits.headers = value),
};
pub(super) const REQUESTS: Setting = Setting {
    key: "limits.requests",
    value_name: "COUNT",
    help: "Requests worked on at the same time; more are refused with 503",
    default: "1024",
    apply: |settings, text| number(text, 1, 1_000_000).map(|value| settings.limits.requests = value),
};
pub(super) const CONNECTIONS: Setting = Setting {
    key: "limits.connections",
    value_name: "COUNT",
    help: "Open connections for each worker thread; further ones wait",
    default: "10000",
    apply: |settings, text| number(text, 1, 1_000_000).map(|value| settings.limits.connections = value),
};
pub(super) const CLIENT_RATE_SETTING: Setting = Setting {
    key: "limits.client-rate",
    value_name: "PER_SECOND",
    help: "Requests a second of one client, five times as many at once; 0 for any number [default: 200, on loopback 0]",
    default: "",
    apply: |settings, text| number(text, 0, 1_000_000).map(|value| settings.limits.client_rate = Some(value)),
};
pub(super) const ADDRESS_RATE_SETTING: Setting = Setting {
    key: "limits.address-rate",
    value_name: "PER_SECOND",
    help: "Requests a second from one address, five times as many at once; 0 for any number [default: 1000, on loopback 0]",
    default: "",
    apply: |settings, text| number(text, 0, 1_000_000).map(|value| settings.limits.address_rate = Some(value)),
};
pub(super) const HEAD_SECONDS: Setting = Setting {
    key: "timeouts.head",
    value_name: "SECONDS",
    help: "How long the head of a request may take to arrive",
    default: "5",
    apply: |settings, text| number(text, 1, 600).map(|value| settings.limits.head_seconds = value),
};
pub(super) const BODY_SECONDS: Setting = Setting {
    key: "timeouts.body",
    value_name: "SECONDS",
    help: "How long the body of a request may take to arrive",
    default: "30",
    apply: |settings, text| number(text, 1, 3600).map(|value| settings.limits.body_seconds = value),
};
pub(super) const REQUEST_SECONDS: Setting = Setting {
    key: "timeouts.request",
    value_name: "SECONDS",
    help: "How long an answer may take to be made; then it is 503",
    default: "60",
    apply: |settings, text| number(text, 1, 3600).map(|value| settings.limits.request_seconds = value),
};
pub(super) const DATABASE_SECONDS: Setting = Setting {
    key: "timeouts.database",
    value_name: "SECONDS",
    help: "How long a statement that reads, or a transaction that writes, may take (PostgreSQL)",
    default: "30",
    apply: |settings, text| number(text, 1, 3600).map(|value| settings.limits.database_seconds = value),
};
pub(super) const STOP_SECONDS: Setting = Setting {
    key: "timeouts.stop",
    value_name: "SECONDS",
    help: "How long running requests may take to finish when the server is told to stop",
    default: "10",
    apply: |settings, text| number(text, 0, 3600).map(|value| settings.limits.stop_seconds = value),
};
pub(super) const DRAIN_SECONDS: Setting = Setting {
    key: "timeouts.drain",
    value_name: "SECONDS",
    help: "How long /health/ready says 503 before the server stops, so that a proxy sends requests elsewhere",
    default: "0",
    apply: |settings, text| number(text, 0, 3600).map(|value| settings.limits.drain_seconds = value),
};
