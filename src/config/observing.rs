//! What operators see of a running process: settings of log lines and traces. Entries of the list of settings.

use super::LogFormat;
use super::list::Setting;

pub(super) const LOG_FILTER: Setting = Setting {
    key: "log.filter",
    value_name: "FILTER",
    help: "Which log lines are written: a level, or target=level pairs separated by commas",
    // What actix_http has to say is that some client sent no HTTP: whoever wants could fill the log with it.
    default: "info,actix_server=warn,actix_http=off",
    apply: |settings, text| {
        text.parse::<tracing_subscriber::EnvFilter>()
            .map_err(|_| "must be a level (error, warn, info, debug, trace) or pairs such as kith=debug".to_owned())?;
        text.clone_into(&mut settings.log_filter);
        Ok(())
    },
};

pub(super) const LOG_FORMAT: Setting = Setting {
    key: "log.format",
    value_name: "FORMAT",
    help: "text for people, json for machines",
    default: "text",
    apply: |settings, text| LogFormat::parse(text).map(|value| settings.log_format = value),
};

pub(super) const TRACES: Setting = Setting {
    key: "traces.url",
    value_name: "URL",
    help: "The OpenTelemetry collector that a span of each request is sent to (OTLP over HTTP, JSON), for example http://localhost:4318/v1/traces",
    default: "",
    apply: |settings, text| {
        let named = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme)) && !text.contains('@');
        settings.traces_url = Some(text.to_owned()).filter(|_| named);
        if named { Ok(()) } else { Err("must begin with http:// or https://, and has no user in it".to_owned()) }
    },
};
