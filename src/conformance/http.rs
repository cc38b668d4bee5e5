//! A transport over HTTP, for `kith conformance run`.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::Request as HttpRequest;

use super::transport::{Request, Response, Transport};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// The largest answer that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// A server at a base address.
#[derive(Debug)]
pub struct Http {
    base: String,
    agent: Agent,
}

impl Http {
    /// The server at `base` (`http://host:port/fhir`).
    #[must_use]
    pub fn new(base: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(PATIENCE))
            .build();
        Self { base: base.trim_end_matches('/').to_owned(), agent: config.new_agent() }
    }
}

impl Transport for Http {
    fn send(&mut self, request: &Request) -> Result<Response, String> {
        let url = format!("{}/{}", self.base, request.path);
        let url = url.trim_end_matches('/');
        let no_answer = |error: &dyn std::fmt::Display| format!("{} {url}: {error}", request.method);
        let mut builder = HttpRequest::builder().method(request.method.as_str()).uri(url);
        builder = builder.header("Accept", "application/fhir+json");
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let answer = match &request.body {
            Some(body) => {
                let builder = builder.header("Content-Type", "application/fhir+json");
                self.agent.run(builder.body(body.to_string()).map_err(|error| no_answer(&error))?)
            }
            None => self.agent.run(builder.body(()).map_err(|error| no_answer(&error))?),
        };
        let mut answer = answer.map_err(|error| no_answer(&error))?;
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        let status = answer.status().as_u16();
        let text =
            answer.body_mut().with_config().limit(LARGEST).read_to_string().map_err(|error| no_answer(&error))?;
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).map_err(|_| no_answer(&"the answer is not JSON"))?
        };
        Ok(Response { status, headers, body })
    }
}
