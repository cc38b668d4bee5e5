//! Settings of the server: defaults < configuration file < environment < flags. Every mistake is reported at once.
//! Commands that touch the database take [`Flags`]; [`load`] turns them into [`Settings`].

mod limits;
mod list;
mod observing;
mod sources;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

pub use limits::Limits;
pub use list::{ALL, Setting};
pub use sources::{Flags, load};

/// What the server runs with. Each field is one line in [`ALL`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Database URL: `sqlite:FILE` or `postgres://…`.
    pub database: String,
    /// Public base URL of the FHIR API, without a slash at the end; derived from `listen` where not set.
    pub base_url: Option<String>,
    /// Origins whose pages may call the API from a browser, `*` for all; none for no cross-origin calls.
    pub cors_origins: Vec<String>,
    /// HTTP worker threads; 0 = one per core.
    pub workers: usize,
    /// Filter of log lines, as `tracing_subscriber::EnvFilter` reads it.
    pub log_filter: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// The OpenTelemetry collector that spans are sent to: the whole address, `/v1/traces` and all.
    pub traces_url: Option<String>,
    /// When the audit events of reads reach the disk.
    pub audit_reads: AuditReads,
    /// The Ed25519 key (PEM) that signs audit checkpoints; made beside the database where not set.
    pub audit_key: Option<PathBuf>,
    /// A file outside the database to which signed audit checkpoints are appended.
    pub audit_checkpoints: Option<PathBuf>,
    /// A folder to which the audit trail is written, one file a day.
    pub audit_export: Option<PathBuf>,
    /// For how many days audit rows stay in the database once they are exported; none for ever.
    pub audit_retention: Option<i64>,
    /// A second address that answers metrics and health checks to everybody who reaches it.
    pub metrics_listen: Option<SocketAddr>,
    /// How hard a commit is pushed to the disk (SQLite).
    pub synchronous: Synchronous,
    /// Bytes of memory for current resources of a SQLite database; 0 for none.
    pub cache: usize,
    /// Further FHIR packages (`.tgz` or folder) to validate against.
    pub packages: Vec<PathBuf>,
    /// Whether invalid resources are refused or stored with a report.
    pub validation: ValidationMode,
    /// How bad the breach of a validation rule is, by rule id, where it is not what the rule says itself.
    pub validation_rules: BTreeMap<String, RuleLevel>,
    /// What happens to a second open referral of one patient to one service.
    pub duplicates: Duplicates,
    /// Whether requests need an access token.
    pub access: Access,
    /// The elements of Patient that providers see, separated by commas; empty for all.
    pub provider_patient: String,
    /// How long an access token is good, seconds.
    pub access_token_seconds: i64,
    /// The server's TLS certificate with its chain, PEM.
    pub tls_certificate: Option<PathBuf>,
    /// The private key of that certificate, PEM.
    pub tls_key: Option<PathBuf>,
    /// Roots of client certificates, PEM.
    pub tls_client_authorities: Option<PathBuf>,
    /// Addresses of the reverse proxies that end TLS before this server and say for whom they ask.
    pub proxies: Vec<IpAddr>,
    /// Whether clients' key sets may be fetched from private addresses and over plain HTTP.
    pub access_local_key_urls: bool,
    /// File of the external issuers whose access tokens are taken.
    pub access_issuers: Option<PathBuf>,
    /// How much a client may take of the server otherwise.
    pub limits: Limits,
    /// Largest request body in bytes.
    pub body_limit: usize,
    /// Deepest nesting of a body.
    pub depth_limit: usize,
    /// Most entries in a batch or transaction.
    pub bundle_limit: usize,
    /// Most codes in one expansion of a value set.
    pub expansion_limit: usize,
    /// How often jobs and definitions of other processes are looked for, in milliseconds.
    pub jobs_poll: usize,
    /// Whether what a written resource refers to on this server must be there.
    pub references_write: References,
    /// Whether what other resources refer to may be deleted.
    pub references_delete: References,
    /// How many resources a conditional delete may remove.
    pub conditional_delete: ConditionalDelete,
}

macro_rules! choices {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident => $text:literal),* $(,)? }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$inner])* $variant),* }

        impl $name {
            /// Every spelling that [`Self::parse`] takes.
            pub const CHOICES: &'static [&'static str] = &[$($text),*];

            /// The spelling of this one.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// Reads a setting's text; the error says what would be right.
            pub fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(format!("must be one of {}", Self::CHOICES.join(", "))),
                }
            }
        }
    };
}

choices! {
    /// How log lines look.
    LogFormat {
        /// For people.
        Text => "text",
        /// For machines: one JSON object a line.
        Json => "json",
    }
}

choices! {
    /// When the audit event of a read is on disk.
    AuditReads {
        /// Before the answer is sent.
        Durable => "durable",
        /// Within 100 ms after the answer; a crash may lose the events of those reads, never of writes.
        Buffered => "buffered",
    }
}

choices! {
    /// Whether requests need an access token.
    Access {
        /// They do not: everybody who reaches the server may do everything. On the loopback interface only.
        Open => "open",
        /// They do, but for what is public.
        Token => "token",
    }
}

choices! {
    /// SQLite's `synchronous` pragma.
    Synchronous {
        /// An acknowledged write survives power loss.
        Full => "full",
        /// An acknowledged write survives a crash of the process, not of the machine.
        Normal => "normal",
    }
}

choices! {
    /// What happens to a resource that breaks a validation rule.
    ValidationMode {
        /// It is refused with 422.
        Enforce => "enforce",
        /// It is stored; the issues are logged by rule and returned on demand.
        Report => "report",
    }
}

choices! {
    /// How bad the breach of a validation rule is.
    RuleLevel {
        /// The resource is refused.
        Error => "error",
        /// The resource is stored, with a warning.
        Warning => "warning",
        /// The resource is stored, with a remark.
        Information => "information",
        /// Nothing is said of it.
        Off => "off",
    }
}

choices! {
    /// What happens to a second open referral of one patient to one service.
    Duplicates {
        /// It is refused with 409.
        Refuse => "refuse",
        /// It is stored; the answer carries a warning.
        Warn => "warn",
        /// It is stored silently.
        Allow => "allow",
    }
}

choices! {
    /// Whether references within the server are kept whole (<https://hl7.org/fhir/R4/http.html#integrity>).
    References {
        /// A write that would leave a reference without its target is refused.
        Enforce => "enforce",
        /// It is carried out.
        Allow => "allow",
    }
}

choices! {
    /// How many resources a conditional delete may remove (<https://hl7.org/fhir/R4/valueset-conditional-delete-status.html>).
    ConditionalDelete {
        /// One; where more match, nothing is deleted.
        Single => "single",
        /// All that match, within bounds.
        Multiple => "multiple",
    }
}

impl Settings {
    /// The public base URL of the FHIR API, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> String {
        let scheme = if self.tls_certificate.is_some() { "https" } else { "http" };
        self.base_url.clone().unwrap_or_else(|| format!("{scheme}://{}/fhir", self.listen))
    }
}
