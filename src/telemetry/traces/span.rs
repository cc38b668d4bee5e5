//! A request as a span, and spans as OTLP has them in JSON (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>). A
//! span has what an access line of the log has, by the names of
//! <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>: no address as it was asked for, no parameter, no content.

use serde_json::{Value, json};

use super::context::Context;
use crate::clock::Micros;

/// The kind of span of who answers a request.
const SERVER: u8 = 2;
/// The status of a span whose work failed.
const FAILED: u8 = 2;

/// One answered request.
#[derive(Debug, Clone)]
pub struct Span {
    /// Where it belongs.
    pub context: Context,
    /// Its own id.
    pub id: String,
    /// HTTP method.
    pub method: &'static str,
    /// The pattern of its address.
    pub route: String,
    /// The FHIR interaction.
    pub interaction: &'static str,
    /// Status of the answer.
    pub status: u16,
    /// Request id.
    pub request: String,
    /// When it came.
    pub begun: Micros,
    /// When its answer was ready.
    pub ended: Micros,
}

impl Span {
    fn json(&self) -> Value {
        let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
        let mut attributes = vec![
            text("http.request.method", self.method),
            text("http.route", &self.route),
            json!({ "key": "http.response.status_code", "value": { "intValue": self.status.to_string() } }),
            text("kith.interaction", self.interaction),
        ];
        if !self.request.is_empty() {
            attributes.push(text("kith.request_id", &self.request));
        }
        let mut span = json!({
            "traceId": self.context.trace,
            "spanId": self.id,
            "name": format!("{} {}", self.method, self.route),
            "kind": SERVER,
            "startTimeUnixNano": nanoseconds(self.begun),
            "endTimeUnixNano": nanoseconds(self.ended.max(self.begun)),
            "attributes": attributes,
            "status": if self.status >= 500 { json!({ "code": FAILED }) } else { json!({}) },
        });
        if !self.context.parent.is_empty() {
            span["parentSpanId"] = json!(self.context.parent);
        }
        span
    }
}

fn nanoseconds(instant: Micros) -> String {
    (i128::from(instant) * 1000).to_string()
}

/// The request that brings spans to a collector.
#[must_use]
pub fn export(spans: &[Span]) -> Value {
    let attribute = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let version = env!("CARGO_PKG_VERSION");
    json!({ "resourceSpans": [{
        "resource": { "attributes": [attribute("service.name", "kith"), attribute("service.version", version)] },
        "scopeSpans": [{
            "scope": { "name": "kith", "version": version },
            "spans": spans.iter().map(Span::json).collect::<Vec<Value>>(),
        }],
    }] })
}
