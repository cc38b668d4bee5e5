//! A FHIR request without its transport: made by `app` from HTTP and by batch and transaction from their entries.

use actix_web::web::Bytes;
use serde_json::Value;

use super::format::{BodyFormat, Wanted};
use super::precondition::Precondition;
use crate::access::Caller;
use crate::clock::Micros;
use crate::fhir::codec::{Limits, json, xml};
use crate::fhir::types::Types;
use crate::problem::{Kind, Problem};

/// The HTTP methods that FHIR uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read, search, history, operations without effect.
    Get,
    /// As GET, without a body in the answer.
    Head,
    /// Create, search, operations, batch and transaction.
    Post,
    /// Update.
    Put,
    /// Patch.
    Patch,
    /// Delete.
    Delete,
}

impl Method {
    /// Reads a method name as it stands in HTTP and in Bundle.entry.request.method.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => return None,
        })
    }

    /// The method's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What stands in the body.
#[derive(Debug, Clone)]
pub enum Body {
    /// Nothing.
    None,
    /// Bytes as they came, with the format that Content-Type names.
    Bytes(Bytes, BodyFormat),
    /// A resource already parsed: an entry of a Bundle.
    Resource(Value),
}

/// What the client prefers to get back (<https://hl7.org/fhir/R4/http.html#ops>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnPreference {
    /// Headers only.
    Minimal,
    /// The resource as stored.
    Representation,
    /// An OperationOutcome with what was noticed.
    OperationOutcome,
}

impl ReturnPreference {
    /// As Preference-Applied says it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Minimal => "return=minimal",
            Self::Representation => "return=representation",
            Self::OperationOutcome => "return=OperationOutcome",
        }
    }
}

/// The headers that steer an interaction.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    /// `If-Match`, the versions of which one must be current; `If-None-Match`, the versions the client has.
    pub precondition: Precondition,
    /// `If-Modified-Since`.
    pub if_modified_since: Option<Micros>,
    /// `If-None-Exist`, search criteria.
    pub if_none_exist: Option<String>,
    /// `Prefer: return=…`, where the client says.
    pub prefer_return: Option<ReturnPreference>,
    /// `Prefer: handling=strict`: unknown search parameters are refused.
    pub strict: bool,
}

/// Bounds of what a request may carry.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Deepest nesting of a body.
    pub depth: usize,
    /// Largest body in bytes.
    pub bytes: usize,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path segments below the base, percent-decoded.
    pub path: Vec<String>,
    /// Query parameters in order, decoded.
    pub query: Vec<(String, String)>,
    /// Steering headers.
    pub headers: Headers,
    /// The body.
    pub body: Body,
    /// The format of the answer.
    pub wanted: Wanted,
    /// Who calls.
    pub caller: Caller,
    /// `X-Request-Id`, given or minted.
    pub request_id: String,
    /// `X-Correlation-Id`, where given.
    pub correlation_id: Option<String>,
}

impl Request {
    /// The resource in the body. 400 where there is none or it cannot be read.
    pub fn resource(&self, bounds: Bounds) -> Result<Value, Problem> {
        let limits = Limits { depth: bounds.depth, bytes: bounds.bytes };
        match &self.body {
            Body::Resource(value) => Ok(value.clone()),
            Body::Bytes(bytes, _) if bytes.is_empty() => Err(no_body()),
            Body::Bytes(bytes, BodyFormat::Json) => json::parse(bytes, &limits),
            Body::Bytes(bytes, BodyFormat::Xml) => xml::parse(bytes, &limits, Types::r4()),
            Body::Bytes(_, _) => Err(Problem::new(
                Kind::UnsupportedMediaType,
                "The body must be a FHIR resource: Content-Type application/fhir+json or application/fhir+xml.",
            )
            .at("http.content-type")),
            Body::None => Err(no_body()),
        }
    }

    /// The last value of a query parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn no_body() -> Problem {
    Problem::new(Kind::Invalid, "The body is empty; this interaction takes a resource.").at("http.body")
}
