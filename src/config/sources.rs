//! Reads settings from flags, environment and file, and reports every mistake at once. Called by the commands.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, FromArgMatches};

use super::{
    ALL, Access, AuditReads, ConditionalDelete, Duplicates, Limits, LogFormat, References, Settings, Synchronous,
    ValidationMode,
};

/// The flags of one command line: `--config FILE` and one flag per setting in [`ALL`].
#[derive(Debug, Clone, Default)]
pub struct Flags {
    config: Option<PathBuf>,
    values: BTreeMap<&'static str, String>,
}

impl Flags {
    /// Flags given by a program instead of a command line; the key is that of the configuration file.
    #[must_use]
    pub fn of(pairs: &[(&'static str, &str)]) -> Self {
        Self { config: None, values: pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect() }
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self { config: matches.get_one::<PathBuf>("config").cloned(), values: BTreeMap::new() };
        for setting in ALL {
            if let Some(value) = matches.get_one::<String>(setting.key) {
                flags.values.insert(setting.key, value.clone());
            }
        }
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for Flags {
    fn augment_args(mut command: Command) -> Command {
        command = command.arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help("Configuration file (TOML) [env: KITH_CONFIG]"),
        );
        for setting in ALL {
            let mut help = setting.help.to_owned();
            if !setting.default.is_empty() {
                help = format!("{help} [default: {}]", setting.default);
            }
            help = format!("{help} [env: {}]", setting.variable());
            command = command.arg(Arg::new(setting.key).long(setting.flag()).value_name(setting.value_name).help(help));
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// Reads all sources. `environment` is asked for each `KITH_…` variable. The error lists every mistake, one a line, each
/// with the setting, where it came from and what would be right.
pub fn load(flags: &Flags, environment: impl Fn(&str) -> Option<String>) -> Result<Settings, Vec<String>> {
    let mut settings = defaults();
    let mut mistakes = Vec::new();
    let file = flags.config.clone().or_else(|| environment("KITH_CONFIG").map(PathBuf::from));
    let from_file = file.as_deref().map(|path| read_file(path, &mut mistakes)).unwrap_or_default();
    for setting in ALL {
        let variable = setting.variable();
        let sources = [
            (from_file.get(setting.key).cloned(), "the configuration file"),
            (environment(&variable), variable.as_str()),
            (flags.values.get(setting.key).cloned(), "the command line"),
        ];
        for (value, source) in sources {
            if let Some(Err(reason)) = value.map(|text| (setting.apply)(&mut settings, text.trim())) {
                mistakes.push(format!("{} (from {source}) {reason}", setting.key));
            }
        }
    }
    if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
}

fn defaults() -> Settings {
    let mut settings = Settings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
        database: String::new(),
        base_url: None,
        cors_origins: Vec::new(),
        workers: 0,
        log_filter: String::new(),
        log_format: LogFormat::Text,
        traces_url: None,
        audit_reads: AuditReads::Durable,
        audit_key: None,
        audit_checkpoints: None,
        audit_export: None,
        audit_retention: None,
        metrics_listen: None,
        synchronous: Synchronous::Full,
        cache: 0,
        access: Access::Open,
        provider_patient: String::new(),
        access_token_seconds: 300,
        access_local_key_urls: false,
        access_issuers: None,
        tls_certificate: None,
        tls_key: None,
        tls_client_authorities: None,
        proxies: Vec::new(),
        packages: Vec::new(),
        validation: ValidationMode::Enforce,
        validation_rules: BTreeMap::new(),
        duplicates: Duplicates::Refuse,
        limits: Limits::default(),
        body_limit: 0,
        depth_limit: 0,
        bundle_limit: 0,
        expansion_limit: 0,
        jobs_poll: 0,
        references_write: References::Enforce,
        references_delete: References::Enforce,
        conditional_delete: ConditionalDelete::Single,
    };
    for setting in ALL.iter().filter(|setting| !setting.default.is_empty()) {
        // A default that does not parse is a mistake in the list, which a test finds.
        let _ = (setting.apply)(&mut settings, setting.default);
    }
    settings
}

fn read_file(path: &Path, mistakes: &mut Vec<String>) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            mistakes.push(format!("configuration file {}: {error}", path.display()));
            return values;
        }
    };
    match text.parse::<toml::Table>() {
        Ok(table) => flatten("", &table, &mut values, mistakes),
        Err(error) => mistakes.push(format!("configuration file {}: {}", path.display(), error.message())),
    }
    for key in values.keys().filter(|key| ALL.iter().all(|setting| setting.key != key.as_str())) {
        let known: Vec<&str> = ALL.iter().map(|setting| setting.key).collect();
        mistakes.push(format!("{key} (from the configuration file) is not a setting; there are {}", known.join(", ")));
    }
    values
}

fn flatten(prefix: &str, table: &toml::Table, values: &mut BTreeMap<String, String>, mistakes: &mut Vec<String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::String(text) => drop(values.insert(key, text.clone())),
            toml::Value::Integer(number) => drop(values.insert(key, number.to_string())),
            toml::Value::Boolean(truth) => drop(values.insert(key, truth.to_string())),
            toml::Value::Array(items) => {
                let texts: Vec<&str> = items.iter().filter_map(toml::Value::as_str).collect();
                values.insert(key, texts.join(","));
            }
            // A setting of pairs may be a table of its own.
            toml::Value::Table(inner) if ALL.iter().any(|setting| setting.key == key) => {
                let pairs: Vec<String> = inner.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect();
                values.insert(key, pairs.join(","));
            }
            toml::Value::Table(inner) => flatten(&key, inner, values, mistakes),
            _ => mistakes
                .push(format!("{key} (from the configuration file) must be a text, a whole number or a list of texts")),
        }
    }
}

/// A text without its quotes; anything else as it stands, for the reader of the setting to refuse.
fn plain(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
