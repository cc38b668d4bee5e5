//! The answer to a request without its transport, and the one place where headers, Prefer and formats become bytes.

use actix_web::web::Bytes;
use serde_json::Value;

use super::format::{Format, Wanted};
use super::request::{Request, ReturnPreference};
use crate::clock::Micros;
use crate::fhir::codec::{json, xml};
use crate::fhir::issue::{Issue, operation_outcome};
use crate::fhir::types::Types;
use crate::problem::Problem;

/// What the body is before it is written.
#[derive(Debug, Clone)]
pub enum Content {
    /// No body.
    Empty,
    /// JSON bytes as stored; sent as they are where JSON is wanted.
    Stored(Bytes),
    /// A resource made for this answer.
    Resource(Value),
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub content: Content,
    /// Version for ETag.
    pub version: Option<i64>,
    /// For Last-Modified.
    pub last_updated: Option<Micros>,
    /// Relative `Type/id/_history/version` for Location.
    pub location: Option<String>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// Warnings found on the way; shown where the client prefers an OperationOutcome.
    pub issues: Vec<Issue>,
    /// The preferences that were heeded, for Preference-Applied.
    pub applied: Vec<&'static str>,
}

impl Reply {
    /// An answer without version headers.
    #[must_use]
    pub const fn new(status: u16, content: Content) -> Self {
        Self {
            status,
            content,
            version: None,
            last_updated: None,
            location: None,
            headers: Vec::new(),
            issues: Vec::new(),
            applied: Vec::new(),
        }
    }

    /// The answer that shows a problem.
    #[must_use]
    pub fn problem(problem: &Problem) -> Self {
        Self::new(problem.kind.status(), Content::Resource(operation_outcome(problem.issues())))
    }

    /// Adds what ETag and Last-Modified say.
    #[must_use]
    pub const fn versioned(mut self, version: i64, last_updated: Micros) -> Self {
        self.version = Some(version);
        self.last_updated = Some(last_updated);
        self
    }

    /// Exchanges the body of a write for what the client prefers. There is nothing to show of what was deleted; where an
    /// OperationOutcome is preferred, 204 becomes 200 with it.
    #[must_use]
    pub fn preferring(mut self, request: &Request) -> Self {
        let Some(preference) = request.headers.prefer_return else { return self };
        match preference {
            ReturnPreference::Representation if self.status == 204 => return self,
            ReturnPreference::Representation => {}
            ReturnPreference::Minimal => self.content = Content::Empty,
            ReturnPreference::OperationOutcome => {
                self.content = Content::Resource(operation_outcome(&self.issues));
                self.status = if self.status == 204 { 200 } else { self.status };
            }
        }
        self.applied.push(preference.text());
        self
    }

    /// The ETag header's text.
    #[must_use]
    pub fn etag(&self) -> Option<String> {
        self.version.map(|version| format!("W/\"{version}\""))
    }

    /// The Last-Modified header's text.
    #[must_use]
    pub fn last_modified(&self) -> Option<String> {
        self.last_updated.map(super::header::format_http_date)
    }

    /// The body's bytes in the wanted format.
    pub fn bytes(&self, wanted: Wanted) -> Result<Bytes, Problem> {
        match (&self.content, wanted.format) {
            (Content::Empty, _) => Ok(Bytes::new()),
            (Content::Stored(bytes), Format::Json) if !wanted.pretty => Ok(bytes.clone()),
            (Content::Stored(bytes), _) => write(&json::parse_stored(bytes)?, wanted),
            (Content::Resource(value), _) => write(value, wanted),
        }
    }
}

fn write(value: &Value, wanted: Wanted) -> Result<Bytes, Problem> {
    let bytes = match (wanted.format, wanted.pretty) {
        (Format::Json, false) => json::to_bytes(value),
        (Format::Json, true) => json::to_pretty_bytes(value),
        (Format::Xml, false) => xml::to_bytes(value, Types::r4())?,
        (Format::Xml, true) => xml::to_pretty_bytes(value, Types::r4())?,
    };
    Ok(Bytes::from(bytes))
}
