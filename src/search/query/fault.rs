//! What can be wrong with a search, as issues that name the parameter, say what is allowed and never repeat the value.

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::search::parameters::{OfType, Registry};

/// Why a parameter of a query could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// There is no such parameter, or it has no value; lenient handling passes over it.
    Unknown(Box<Issue>),
    /// It is there, but wrongly used; never passed over, since that would widen the result.
    Wrong(Box<Issue>),
}

impl Fault {
    /// The same, never passed over: only a part of the parameter is unknown.
    #[must_use]
    pub fn definite(self) -> Self {
        match self {
            Self::Unknown(issue) | Self::Wrong(issue) => Self::Wrong(issue),
        }
    }
}

/// Where issues about a query parameter point.
#[must_use]
pub fn place(name: &str) -> String {
    let short: String = name.chars().filter(|character| !character.is_control()).take(100).collect();
    format!("http.query.{short}")
}

fn issue(name: &str, code: IssueCode, rule: &str, text: impl Into<String>) -> Issue {
    Issue::new(Severity::Error, code, rule, text).at(place(name))
}

/// The value cannot be read; `text` says what it should be.
pub fn value(name: &str, text: impl Into<String>) -> Fault {
    Fault::Wrong(Box::new(issue(name, IssueCode::Value, "search-value", text)))
}

/// The parameter has no value, which the specification says to ignore.
pub fn empty(name: &str) -> Fault {
    Fault::Unknown(Box::new(issue(name, IssueCode::Value, "search-value", "The parameter has no value.")))
}

/// The parameter is used in a way that is not allowed.
pub fn usage(name: &str, text: impl Into<String>) -> Fault {
    Fault::Wrong(Box::new(issue(name, IssueCode::Invalid, "search-parameter", text)))
}

/// The specification has it, this server does not.
pub fn unsupported(name: &str, text: impl Into<String>) -> Fault {
    Fault::Wrong(Box::new(issue(name, IssueCode::NotSupported, "search-not-supported", text)))
}

/// A code system or value set that the parameter needs cannot be used.
pub fn terminology(name: &str, code: IssueCode, text: impl Into<String>) -> Fault {
    Fault::Wrong(Box::new(issue(name, code, "search-terminology", text)))
}

/// The modifier does not apply to the parameter.
pub fn modifier(name: &str, kind: &str, allowed: &str) -> Fault {
    let text = format!("This modifier does not apply to a {kind} parameter. Allowed here: {allowed}.");
    Fault::Wrong(Box::new(issue(name, IssueCode::NotSupported, "search-modifier", text)))
}

/// No such parameter for the resource type; names what there is.
pub fn unknown(name: &str, code: &str, resource_type: &str, registry: &Registry) -> Fault {
    let parameters = registry.of_type(resource_type);
    let near = parameters.and_then(|parameters| parameters.nearest(code));
    let hint = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
    let codes: Vec<&str> = parameters.into_iter().flat_map(OfType::codes).chain(["_has"]).collect();
    let text = format!("Search on {resource_type} has no such parameter.{hint} Allowed: {}.", codes.join(", "));
    Fault::Unknown(Box::new(issue(name, IssueCode::NotSupported, "search-unknown-parameter", text)))
}
