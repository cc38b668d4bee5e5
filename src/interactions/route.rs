//! Which interaction an address means: path segments below the base become a [`Target`]. Used by dispatch, batch and
//! transaction.

use crate::fhir::definitions::Definitions;
use crate::fhir::primitive;
use crate::fhir::suggest;
use crate::fhir::types::PrimitiveKind;
use crate::problem::{Kind, Problem};
use crate::search::compartment;

/// What an address names (<https://hl7.org/fhir/R4/http.html#summary>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The base: batch, transaction, system search.
    System,
    /// `metadata`.
    Metadata,
    /// `_history`.
    SystemHistory,
    /// `_search`.
    SystemSearch,
    /// `[type]`.
    Type(String),
    /// `[type]/_search`.
    TypeSearch(String),
    /// `[type]/_history`.
    TypeHistory(String),
    /// `[type]/[id]`.
    Instance(String, String),
    /// `[type]/[id]/[member type]`, or `[type]/[id]/*` where the member is none: a search in a compartment.
    Compartment(String, String, Option<String>),
    /// `[type]/[id]/[member type]/_search` or `[type]/[id]/_search`.
    CompartmentSearch(String, String, Option<String>),
    /// `[type]/[id]/_history`.
    InstanceHistory(String, String),
    /// `[type]/[id]/_history/[version]`.
    Version(String, String, i64),
    /// `$name` at system, type or instance level.
    Operation {
        /// Name with the dollar sign.
        name: String,
        /// The type, below system level.
        resource_type: Option<String>,
        /// The id, at instance level.
        id: Option<String>,
        /// The version, where one version is named.
        version: Option<i64>,
    },
}

impl Target {
    /// The resource type that is asked for; none for the whole server and for all members of a compartment.
    #[must_use]
    pub fn resource_type(&self) -> Option<&str> {
        match self {
            Self::Type(name)
            | Self::TypeSearch(name)
            | Self::TypeHistory(name)
            | Self::Instance(name, _)
            | Self::InstanceHistory(name, _)
            | Self::Version(name, ..) => Some(name),
            Self::Compartment(.., member) | Self::CompartmentSearch(.., member) => member.as_deref(),
            Self::Operation { resource_type, .. } => resource_type.as_deref(),
            Self::System | Self::Metadata | Self::SystemHistory | Self::SystemSearch => None,
        }
    }

    /// Reads path segments. 404 with the nearest name where the resource type or the address is unknown.
    pub fn parse(path: &[String], definitions: &Definitions) -> Result<Self, Problem> {
        let segments: Vec<&str> = path.iter().map(String::as_str).collect();
        if let [first, ..] = segments.as_slice()
            && !first.starts_with(['$', '_'])
            && *first != "metadata"
            && !definitions.is_resource_type(first)
        {
            return Err(unknown_type(first, definitions));
        }
        match segments.as_slice() {
            [] => Ok(Self::System),
            ["metadata"] => Ok(Self::Metadata),
            ["_history"] => Ok(Self::SystemHistory),
            ["_search"] => Ok(Self::SystemSearch),
            [name] if name.starts_with('$') => Ok(operation(name, None, None)),
            [type_] => Ok(Self::Type((*type_).to_owned())),
            [type_, "_search"] => Ok(Self::TypeSearch((*type_).to_owned())),
            [type_, "_history"] => Ok(Self::TypeHistory((*type_).to_owned())),
            [type_, name] if name.starts_with('$') => Ok(operation(name, Some(type_), None)),
            [type_, id] => Ok(Self::Instance((*type_).to_owned(), checked_id(id)?)),
            [type_, id, "_history"] => Ok(Self::InstanceHistory((*type_).to_owned(), checked_id(id)?)),
            [type_, id, "_history", version] => version_target(type_, id, version),
            [type_, id, "_history", version, name] if name.starts_with('$') => {
                version_target(type_, id, version).map(|target| operation_on_version(name, target))
            }
            [type_, id, "*"] => compartment(type_, id, None).map(|(a, b, c)| Self::Compartment(a, b, c)),
            [type_, id, "_search"] => compartment(type_, id, None).map(|(a, b, c)| Self::CompartmentSearch(a, b, c)),
            [type_, id, member] if definitions.is_resource_type(member) => {
                compartment(type_, id, Some(member)).map(|(a, b, c)| Self::Compartment(a, b, c))
            }
            [type_, id, member, "_search"] if definitions.is_resource_type(member) => {
                compartment(type_, id, Some(member)).map(|(a, b, c)| Self::CompartmentSearch(a, b, c))
            }
            [type_, id, name] if name.starts_with('$') => Ok(operation(name, Some(type_), Some(checked_id(id)?))),
            _ => {
                Err(Problem::new(Kind::NotFound, "There is nothing at this address. GET metadata says what there is.")
                    .at("http.url"))
            }
        }
    }
}

fn compartment(
    resource_type: &str,
    id: &str,
    member: Option<&str>,
) -> Result<(String, String, Option<String>), Problem> {
    if compartment::of(resource_type).is_none() {
        let known: Vec<&str> = compartment::all().iter().map(|compartment| compartment.code.as_str()).collect();
        let text = format!("There is no compartment around this type; there is one around {}.", known.join(", "));
        return Err(Problem::new(Kind::NotFound, text).at("http.url"));
    }
    Ok((resource_type.to_owned(), checked_id(id)?, member.map(str::to_owned)))
}

fn operation(name: &str, resource_type: Option<&&str>, id: Option<String>) -> Target {
    let resource_type = resource_type.map(|type_| (*type_).to_owned());
    Target::Operation { name: name.to_owned(), resource_type, id, version: None }
}

fn operation_on_version(name: &str, target: Target) -> Target {
    match target {
        Target::Version(resource_type, id, version) => Target::Operation {
            name: name.to_owned(),
            resource_type: Some(resource_type),
            id: Some(id),
            version: Some(version),
        },
        other => other,
    }
}

fn version_target(resource_type: &str, id: &str, version: &str) -> Result<Target, Problem> {
    let id = checked_id(id)?;
    match version.parse::<i64>() {
        Ok(number) if number > 0 && !version.starts_with('+') => {
            Ok(Target::Version(resource_type.to_owned(), id, number))
        }
        _ => {
            Err(Problem::new(Kind::NotFound, "There is no such version. Versions are whole numbers from 1.")
                .at("http.url"))
        }
    }
}

/// Checks a logical id (<https://hl7.org/fhir/R4/datatypes.html#id>).
pub fn checked_id(id: &str) -> Result<String, Problem> {
    if primitive::check_text(PrimitiveKind::Id, id).is_ok() {
        return Ok(id.to_owned());
    }
    Err(Problem::new(Kind::Invalid, "A logical id has 1 to 64 characters out of letters, digits, '-' and '.'.")
        .at("http.url"))
}

fn unknown_type(name: &str, definitions: &Definitions) -> Problem {
    let hint = suggest::nearest(name, definitions.resource_types().iter().map(String::as_str))
        .map_or_else(String::new, |nearest| format!(" Did you mean {nearest}?"));
    Problem::new(Kind::NotFound, format!("The address does not begin with a resource type of FHIR R4.{hint}"))
        .at("http.url")
}
