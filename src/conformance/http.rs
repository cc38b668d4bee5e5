//! A transport over HTTP, for `kith conformance run` and for tests.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::Request as HttpRequest;

use super::transport::{Request, Response, Transport};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// The largest answer that is read, in bytes.
const LARGEST: u64 = 64 << 20;
/// What is sent and asked for where a step does not say.
const MEDIA_TYPE: &str = "application/fhir+json";

/// A server at a base address.
#[derive(Debug)]
pub struct Http {
    base: String,
    agent: Agent,
    headers: Vec<(String, String)>,
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
        Self { base: base.trim_end_matches('/').to_owned(), agent: config.new_agent(), headers: Vec::new() }
    }

    /// Sends a header with every request, a bearer token for example.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with("http://") || path.starts_with("https://") {
            return path.to_owned();
        }
        let separator = if path.is_empty() || path.starts_with('?') { "" } else { "/" };
        format!("{}{separator}{path}", self.base)
    }

    /// The headers of the request, then ours where the request does not name them; those with an empty value fall out.
    fn headers(&self, request: &Request) -> Vec<(String, String)> {
        let mut headers = request.headers.clone();
        let mut ours = self.headers.clone();
        ours.push(("Accept".to_owned(), MEDIA_TYPE.to_owned()));
        if request.body.is_some() {
            ours.push(("Content-Type".to_owned(), MEDIA_TYPE.to_owned()));
        }
        for (name, value) in ours {
            if !headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                headers.push((name, value));
            }
        }
        headers.retain(|(_, value)| !value.is_empty());
        headers
    }
}

impl Transport for Http {
    fn base(&self) -> &str {
        &self.base
    }

    fn send(&mut self, request: &Request) -> Result<Response, String> {
        let url = self.url(&request.path);
        let no_answer = |error: &dyn std::fmt::Display| format!("{} {url}: {error}", request.method);
        let mut builder = HttpRequest::builder().method(request.method.as_str()).uri(&url);
        for (name, value) in self.headers(request) {
            builder = builder.header(name, value);
        }
        let body = match &request.body {
            Some(Value::String(text)) => Some(text.clone()),
            Some(body) => Some(body.to_string()),
            None => None,
        };
        let answer = match body {
            Some(body) => self.agent.run(builder.body(body).map_err(|error| no_answer(&error))?),
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
        Response::new(status, headers, text).map_err(|error| no_answer(&error))
    }
}
