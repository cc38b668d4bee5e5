//! How a player reaches the server: over HTTP, or straight into the application. Implemented by tests and by commands.

use serde_json::Value;

/// A request, complete but for the base address and credentials.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who makes it, as the journey names them.
    pub actor: String,
    /// HTTP method.
    pub method: String,
    /// Path and query below the base, without a leading slash.
    pub path: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The resource to send as `application/fhir+json`.
    pub body: Option<Value>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers, names in any case.
    pub headers: Vec<(String, String)>,
    /// The body as JSON; null where there is none.
    pub body: Value,
}

impl Response {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A way to the server.
pub trait Transport {
    /// Sends one request and waits for the answer.
    ///
    /// # Errors
    /// A sentence, where no answer came or its body is not JSON.
    fn send(&mut self, request: &Request) -> Result<Response, String>;
}
