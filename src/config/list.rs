//! The list of settings: flag, environment variable, configuration key, help and reader all derive from one entry here.

use std::path::PathBuf;

use super::{
    Access, AuditReads, ConditionalDelete, Duplicates, References, RuleLevel, Settings, Synchronous, ValidationMode,
    limits, observing,
};

/// One setting. The key `audit.reads` makes the flag `--audit-reads`, the variable `KITH_AUDIT_READS` and the line
/// `reads = …` under `[audit]` in the configuration file.
#[derive(Debug)]
pub struct Setting {
    /// Dotted key in the configuration file.
    pub key: &'static str,
    /// What the value looks like in help texts.
    pub value_name: &'static str,
    /// One sentence of help.
    pub help: &'static str,
    /// Text of the default, for help; empty where there is none.
    pub default: &'static str,
    /// Reads the text into the settings; the error says what would be right.
    pub apply: fn(&mut Settings, &str) -> Result<(), String>,
}

impl Setting {
    /// The flag without its dashes.
    #[must_use]
    pub fn flag(&self) -> String {
        self.key.replace('.', "-")
    }

    /// The environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("KITH_{}", self.key.replace(['.', '-'], "_").to_uppercase())
    }
}

/// Every setting, in the order in which help shows them.
pub const ALL: &[Setting] = &[
    Setting {
        key: "listen",
        value_name: "ADDRESS:PORT",
        help: "Where to listen; port 0 picks a free one",
        default: "127.0.0.1:8080",
        apply: |settings, text| {
            settings.listen =
                text.parse().map_err(|_| "must be ADDRESS:PORT, for example 127.0.0.1:8080".to_owned())?;
            Ok(())
        },
    },
    Setting {
        key: "database",
        value_name: "URL",
        help: "Where data lies: sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE",
        default: "sqlite:kith.db",
        apply: |settings, text| {
            settings.database = database_url(text)?;
            Ok(())
        },
    },
    Setting {
        key: "base-url",
        value_name: "URL",
        help: "Public base URL of the FHIR API, as clients reach it [default: http://LISTEN/fhir]",
        default: "",
        apply: |settings, text| {
            if !(text.starts_with("http://") || text.starts_with("https://")) {
                return Err("must begin with http:// or https://".to_owned());
            }
            settings.base_url = Some(text.trim_end_matches('/').to_owned());
            Ok(())
        },
    },
    Setting {
        key: "cors.origins",
        value_name: "ORIGINS",
        help: "Origins whose pages may call the API from a browser, separated by commas; * for all [default: none]",
        default: "",
        apply: |settings, text| origins(text).map(|value| settings.cors_origins = value),
    },
    Setting {
        key: "workers",
        value_name: "COUNT",
        help: "HTTP worker threads; 0 = one per core",
        default: "0",
        apply: |settings, text| number(text, 0, 1024).map(|value| settings.workers = value),
    },
    Setting {
        key: "package",
        value_name: "PATHS",
        help: "Further FHIR packages to validate against (.tgz files or folders, separated by commas)",
        default: "",
        apply: |settings, text| {
            settings.packages =
                text.split(',').map(str::trim).filter(|path| !path.is_empty()).map(PathBuf::from).collect();
            Ok(())
        },
    },
    Setting {
        key: "validation.mode",
        value_name: "MODE",
        help: "enforce refuses invalid resources (422); report stores them",
        default: "enforce",
        apply: |settings, text| ValidationMode::parse(text).map(|value| settings.validation = value),
    },
    Setting {
        key: "validation.rules",
        value_name: "RULE=LEVEL,...",
        help: "Level of a validation rule or invariant: error, warning, information or off; best-practice stands for all invariants of that kind",
        default: "",
        apply: rule_levels,
    },
    Setting {
        key: "referral.duplicates",
        value_name: "ACTION",
        help: "A second open referral of one patient to one service: refuse (409), warn or allow",
        default: "refuse",
        apply: |settings, text| Duplicates::parse(text).map(|value| settings.duplicates = value),
    },
    Setting {
        key: "references.write",
        value_name: "ACTION",
        help: "A reference to a resource of this server that is not there: enforce refuses it (422), allow stores it",
        default: "enforce",
        apply: |settings, text| References::parse(text).map(|value| settings.references_write = value),
    },
    Setting {
        key: "references.delete",
        value_name: "ACTION",
        help: "Deleting what other resources refer to: enforce refuses it (409), allow carries it out",
        default: "enforce",
        apply: |settings, text| References::parse(text).map(|value| settings.references_delete = value),
    },
    Setting {
        key: "conditional-delete",
        value_name: "HOW_MANY",
        help: "DELETE [type]?[criteria] removes a single resource, or multiple: all that match (at most 1000)",
        default: "single",
        apply: |settings, text| ConditionalDelete::parse(text).map(|value| settings.conditional_delete = value),
    },
    Setting {
        key: "tls.certificate",
        value_name: "FILE",
        help: "Serve HTTPS with this certificate and its chain (PEM); a changed file is taken up within seconds",
        default: "",
        apply: |settings, text| {
            settings.tls_certificate = Some(PathBuf::from(text));
            Ok(())
        },
    },
    Setting {
        key: "tls.key",
        value_name: "FILE",
        help: "The private key of the certificate (PEM)",
        default: "",
        apply: |settings, text| {
            settings.tls_key = Some(PathBuf::from(text));
            Ok(())
        },
    },
    Setting {
        key: "tls.client-authorities",
        value_name: "FILE",
        help: "Certificates (PEM) under which clients' TLS certificates must be issued",
        default: "",
        apply: |settings, text| {
            settings.tls_client_authorities = Some(PathBuf::from(text));
            Ok(())
        },
    },
    Setting {
        key: "proxies",
        value_name: "ADDRESSES",
        help: "Reverse proxies before this server: only they may connect, and their X-Forwarded-For is believed",
        default: "",
        apply: |settings, text| {
            let addresses = text.split(',').map(|address| address.trim().parse());
            settings.proxies = addresses
                .collect::<Result<_, _>>()
                .map_err(|_| "must be IP addresses separated by commas".to_owned())?;
            Ok(())
        },
    },
    Setting {
        key: "access.mode",
        value_name: "MODE",
        help: "token: every request needs an access token; open: none does (on the loopback interface only)",
        default: "open",
        apply: |settings, text| Access::parse(text).map(|value| settings.access = value),
    },
    Setting {
        key: "access.token-seconds",
        value_name: "SECONDS",
        help: "How long an access token is good",
        default: "300",
        apply: |settings, text| {
            let seconds = number(text, 300, 3600)?;
            settings.access_token_seconds = i64::try_from(seconds).unwrap_or(300);
            Ok(())
        },
    },
    Setting {
        key: "access.provider-patient",
        value_name: "ELEMENTS",
        help: "The elements of a Patient that providers see and search by, separated by commas; all for all of them",
        default: "name,telecom,gender,birthDate,deceased,address,contact,communication",
        apply: |settings, text| {
            settings.provider_patient = if text == "all" { String::new() } else { text.to_owned() };
            Ok(())
        },
    },
    Setting {
        key: "access.local-key-urls",
        value_name: "YES_OR_NO",
        help: "Whether clients' key sets may be fetched from private addresses and over plain HTTP",
        default: "no",
        apply: |settings, text| yes_or_no(text).map(|value| settings.access_local_key_urls = value),
    },
    Setting {
        key: "access.issuers",
        value_name: "FILE",
        help: "External issuers whose access tokens are taken, TOML",
        default: "",
        apply: |settings, text| {
            settings.access_issuers = Some(PathBuf::from(text));
            Ok(())
        },
    },
    Setting {
        key: "audit.reads",
        value_name: "WHEN",
        help: "Audit events of reads reach the disk before the answer (durable) or within 100 ms (buffered)",
        default: "durable",
        apply: |settings, text| AuditReads::parse(text).map(|value| settings.audit_reads = value),
    },
    Setting {
        key: "audit.key",
        value_name: "FILE",
        help: "Ed25519 private key (PEM) that signs audit checkpoints [default: made beside the database]",
        default: "",
        apply: |settings, text| {
            settings.audit_key = Some(PathBuf::from(text));
            Ok(())
        },
    },
    Setting {
        key: "audit.checkpoints",
        value_name: "FILE",
        help: "File outside the database to which signed audit checkpoints are appended",
        default: "",
        apply: |settings, text| {
            settings.audit_checkpoints = Some(PathBuf::from(text));
            Ok(())
        },
    },
    Setting {
        key: "audit.export",
        value_name: "FOLDER",
        help: "Folder to which the audit trail is written as JSON lines, a new file each day",
        default: "",
        apply: |settings, text| {
            settings.audit_export = Some(PathBuf::from(text));
            Ok(())
        },
    },
    Setting {
        key: "audit.retention-days",
        value_name: "DAYS",
        help: "Remove audit rows from the database after so many days, once they are exported [default: never]",
        default: "",
        apply: |settings, text| {
            let days = number(text, 1, 100_000)?;
            settings.audit_retention = i64::try_from(days).ok();
            Ok(())
        },
    },
    Setting {
        key: "metrics.listen",
        value_name: "ADDRESS:PORT",
        help: "A second address that answers /metrics and health checks to everybody who reaches it [default: none]",
        default: "",
        apply: |settings, text| {
            let address = text.parse().map_err(|_| "must be ADDRESS:PORT, for example 127.0.0.1:9100".to_owned())?;
            settings.metrics_listen = Some(address);
            Ok(())
        },
    },
    Setting {
        key: "sqlite.synchronous",
        value_name: "LEVEL",
        help: "full: an acknowledged write survives power loss; normal: only a crash of the process (SQLite)",
        default: "full",
        apply: |settings, text| Synchronous::parse(text).map(|value| settings.synchronous = value),
    },
    Setting {
        key: "sqlite.cache",
        value_name: "BYTES",
        help: "Memory for current resources, so that reads by id need no query (SQLite); 0 for none",
        default: "33554432",
        apply: |settings, text| number(text, 0, 1 << 40).map(|value| settings.cache = value),
    },
    limits::URL,
    limits::HEADERS,
    limits::REQUESTS,
    limits::CONNECTIONS,
    limits::CLIENT_RATE_SETTING,
    limits::ADDRESS_RATE_SETTING,
    limits::HEAD_SECONDS,
    limits::BODY_SECONDS,
    limits::REQUEST_SECONDS,
    limits::DATABASE_SECONDS,
    limits::DRAIN_SECONDS,
    limits::STOP_SECONDS,
    limits::BODY,
    limits::DEPTH,
    limits::BUNDLE,
    limits::EXPANSION,
    Setting {
        key: "jobs.poll",
        value_name: "MILLISECONDS",
        help: "How often jobs and changed definitions of other processes are looked for; the same in all processes",
        default: "2000",
        apply: |settings, text| number(text, 10, 60_000).map(|value| settings.jobs_poll = value),
    },
    observing::LOG_FILTER,
    observing::LOG_FORMAT,
    observing::TRACES,
];

/// Adds to what other sources say; of two levels for one rule the later counts. A table of a file comes as such pairs.
fn rule_levels(settings: &mut Settings, text: &str) -> Result<(), String> {
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let Some((rule, level)) = pair.split_once('=') else {
            return Err("must be pairs such as dom-6=off, separated by commas".to_owned());
        };
        let level = RuleLevel::parse(level.trim()).map_err(|reason| format!("{}: {reason}", rule.trim()))?;
        settings.validation_rules.insert(rule.trim().to_owned(), level);
    }
    Ok(())
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("must be yes or no".to_owned()),
    }
}

pub(super) fn number(text: &str, low: usize, high: usize) -> Result<usize, String> {
    match text.parse() {
        Ok(value) if (low..=high).contains(&value) => Ok(value),
        _ => Err(format!("must be a whole number from {low} to {high}")),
    }
}

fn origins(text: &str) -> Result<Vec<String>, String> {
    let origins: Vec<String> =
        text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(str::to_owned).collect();
    let is_origin = |origin: &String| {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        origin == "*" || host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '*', ' ']))
    };
    if origins.iter().all(is_origin) {
        return Ok(origins);
    }
    Err("must be * or origins such as https://app.example.org, without a path".to_owned())
}

fn database_url(text: &str) -> Result<String, String> {
    if text.starts_with("postgres://") || text.starts_with("postgresql://") || text.starts_with("sqlite:") {
        return Ok(text.to_owned());
    }
    if text.contains("://") || text.is_empty() {
        return Err("must be sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE".to_owned());
    }
    Ok(format!("sqlite:{text}"))
}
