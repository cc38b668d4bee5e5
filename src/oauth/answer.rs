//! Answers of the OAuth endpoints: JSON, never cached, errors as <https://www.rfc-editor.org/rfc/rfc6749#section-5.2> has them.

use serde_json::{Value, json};

use crate::problem::{Kind, Problem};

/// An answer of an OAuth endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Value,
}

impl Answer {
    /// 200 with this body.
    #[must_use]
    pub const fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }

    /// The answer to a request that could not be carried out, whatever it asked for.
    #[must_use]
    pub fn failed(problem: &Problem) -> Self {
        let text = problem.issues().first().map_or("", |issue| issue.text.as_ref());
        let status = problem.kind.status();
        let code = if status < 500 { "invalid_request" } else { "server_error" };
        Self { status, body: json!({ "error": code, "error_description": text }) }
    }
}

/// Why a request to an OAuth endpoint is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    /// HTTP status.
    pub(super) status: u16,
    /// Error code of OAuth.
    pub(super) code: &'static str,
    /// What the client's developer reads.
    pub(super) text: String,
}

impl Refusal {
    /// 400 with an error code.
    pub(super) fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { status: 400, code, text: text.into() }
    }

    /// 401: it is not known who asks.
    pub(super) fn client(text: impl Into<String>) -> Self {
        Self { status: 401, code: "invalid_client", text: text.into() }
    }

    /// The answer.
    pub(super) fn answer(&self) -> Answer {
        Answer { status: self.status, body: json!({ "error": self.code, "error_description": self.text }) }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        if problem.kind == Kind::Internal {
            tracing::error!(%problem, "an OAuth request failed");
        }
        let status = if problem.kind == Kind::Unavailable { 503 } else { 500 };
        Self { status, code: "server_error", text: "The server cannot answer now. Try again later.".to_owned() }
    }
}
