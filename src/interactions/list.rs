//! The interactions that are offered; the CapabilityStatement and its test derive from this list.

use super::request::Method;
use super::route::Target;

/// At which level an interaction works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The whole server.
    System,
    /// One resource type.
    Type,
    /// One resource.
    Instance,
}

/// One interaction (<https://hl7.org/fhir/R4/valueset-restful-interaction.html>).
#[derive(Debug, Clone, Copy)]
pub struct Interaction {
    /// Its FHIR code.
    pub code: &'static str,
    /// Where it works.
    pub level: Level,
    /// False for what the CapabilityStatement has no code for.
    pub listed: bool,
}

const fn entry(code: &'static str, level: Level) -> Interaction {
    Interaction { code, level, listed: true }
}

/// Every interaction of this server.
pub const INTERACTIONS: &[Interaction] = &[
    Interaction { code: "capabilities", level: Level::System, listed: false },
    entry("transaction", Level::System),
    entry("batch", Level::System),
    entry("search-system", Level::System),
    entry("history-system", Level::System),
    entry("create", Level::Type),
    entry("search-type", Level::Type),
    entry("history-type", Level::Type),
    entry("read", Level::Instance),
    entry("vread", Level::Instance),
    entry("update", Level::Instance),
    entry("patch", Level::Instance),
    entry("delete", Level::Instance),
    entry("history-instance", Level::Instance),
];

/// The FHIR code of what a method asks for at an address; empty where nothing of FHIR is asked for. For audit events of
/// requests that were refused before they were carried out.
#[must_use]
pub const fn code(target: &Target, method: Method) -> &'static str {
    match (target, method) {
        (Target::Operation { .. }, _) => "operation",
        (Target::Metadata, Method::Get | Method::Head) => "capabilities",
        (Target::System, Method::Post) => "transaction",
        (Target::System | Target::SystemSearch, _) => "search-system",
        (Target::SystemHistory, _) => "history-system",
        (Target::TypeHistory(_), _) => "history-type",
        (Target::InstanceHistory(..), _) => "history-instance",
        (Target::Version(..), _) => "vread",
        (Target::TypeSearch(_) | Target::Compartment(..) | Target::CompartmentSearch(..), _)
        | (Target::Type(_), Method::Get | Method::Head) => "search-type",
        (Target::Type(_), Method::Post) => "create",
        (Target::Instance(..), Method::Get | Method::Head) => "read",
        (Target::Type(_) | Target::Instance(..), Method::Put) => "update",
        (Target::Type(_) | Target::Instance(..), Method::Patch) => "patch",
        (Target::Type(_) | Target::Instance(..), Method::Delete) => "delete",
        _ => "",
    }
}

/// The methods that are offered at an address; the Allow header and OPTIONS say so, and a test holds dispatch to it. What an
/// operation takes stands with the operation.
#[must_use]
pub const fn methods(target: &Target) -> &'static [Method] {
    use Method::{Delete, Get, Head, Patch, Post, Put};
    match target {
        Target::Metadata
        | Target::SystemHistory
        | Target::TypeHistory(_)
        | Target::InstanceHistory(..)
        | Target::Version(..)
        | Target::Compartment(..) => &[Get, Head],
        Target::System => &[Get, Head, Post],
        Target::SystemSearch | Target::TypeSearch(_) | Target::CompartmentSearch(..) => &[Post],
        Target::Type(_) => &[Get, Head, Post, Put, Patch, Delete],
        Target::Instance(..) => &[Get, Head, Put, Patch, Delete],
        Target::Operation { .. } => &[],
    }
}
