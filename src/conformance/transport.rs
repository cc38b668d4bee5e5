//! How a player reaches the server. `Http` implements it for the commands and the tests; a test of the player has one that
//! answers from a script.

use serde_json::Value;

use crate::fhir::codec::{Limits, xml};
use crate::fhir::types::Types;

/// A request, complete but for the base address and credentials.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who makes it, as the journey names them.
    pub actor: String,
    /// HTTP method.
    pub method: String,
    /// Path and query below the base, without a leading slash; or an absolute address that the server gave.
    pub path: String,
    /// Headers; one with an empty value is not sent, not even where a transport sends it by itself.
    pub headers: Vec<(String, String)>,
    /// What to send: a text as it is, anything else as JSON; `application/fhir+json` unless a header says otherwise.
    pub body: Option<Value>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers, names in any case.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub text: String,
    /// The resource in the body, be it JSON or XML; null where there is none.
    pub body: Value,
}

impl Response {
    /// An answer whose body is read by its Content-Type.
    ///
    /// # Errors
    /// A sentence, where the body is not what Content-Type says.
    pub fn new(status: u16, headers: Vec<(String, String)>, text: String) -> Result<Self, String> {
        let mut response = Self { status, headers, text, body: Value::Null };
        let media = response.header("Content-Type").unwrap_or_default().to_ascii_lowercase();
        if response.text.is_empty() {
            return Ok(response);
        }
        if media.contains("json") {
            response.body = serde_json::from_str(&response.text)
                .map_err(|error| format!("the answer says it is JSON and is not: {error}"))?;
        } else if media.contains("xml") && !media.contains("html") {
            response.body = xml::parse(response.text.as_bytes(), &Limits::default(), Types::r4())
                .map_err(|problem| format!("the answer says it is FHIR in XML and is not: {problem}"))?;
        }
        Ok(response)
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A way to the server.
pub trait Transport {
    /// The base address of the server, without a slash at the end.
    fn base(&self) -> &str;

    /// Sends one request and waits for the answer.
    ///
    /// # Errors
    /// A sentence, where no answer came or its body is not what it says it is.
    fn send(&mut self, request: &Request) -> Result<Response, String>;
}
