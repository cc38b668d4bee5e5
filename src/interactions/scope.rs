//! What a search searches: one resource type, all or some types of the server, or a compartment. A scope and parameters become
//! one query for each type; the search interaction runs them as one.

use super::request::{Method, Request};
use super::route::Target;
use super::server::Server;
use super::visible;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::problem::{Kind, Problem};
use crate::search::compartment::{self, Compartment};
use crate::search::query::{self, Context, Handling, Query, Sort, SortBy};
use crate::store::Stored;

/// Where a search looks.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// `[base]?…` (<https://hl7.org/fhir/R4/http.html#search>).
    System,
    /// `[type]?…`
    Type(&'a str),
    /// `[type]/[id]/[member]?…`, all members where none is named (<https://hl7.org/fhir/R4/compartmentdefinition.html>).
    Compartment {
        /// The type of the resource in its centre.
        centre: &'a str,
        /// The id of the resource in its centre.
        id: &'a str,
        /// The type that is searched.
        member: Option<&'a str>,
    },
}

/// The parameter that names types where a search has many.
const TYPE: &str = "_type";

type Parameters = [(String, String)];
/// Types, and parameters that are left.
type Split = (Vec<String>, Vec<(String, String)>);

impl<'a> Scope<'a> {
    /// What a method searches at an address; none where it does not search.
    #[must_use]
    pub fn of(target: &'a Target, method: Method) -> Option<Self> {
        use Method::{Get, Head, Post};
        match (target, method) {
            (Target::System, Get | Head) | (Target::SystemSearch, Post) => Some(Self::System),
            (Target::Type(name), Get | Head) | (Target::TypeSearch(name), Post) => Some(Self::Type(name)),
            (Target::Compartment(centre, id, member), Get | Head)
            | (Target::CompartmentSearch(centre, id, member), Post) => {
                Some(Self::Compartment { centre, id, member: member.as_deref() })
            }
            _ => None,
        }
    }
}

impl Scope<'_> {
    /// The FHIR code of the interaction.
    #[must_use]
    pub const fn interaction(&self) -> &'static str {
        if self.resource_type().is_some() { "search-type" } else { "search-system" }
    }

    /// The address below the base.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::System => String::new(),
            Self::Type(name) => (*name).to_owned(),
            Self::Compartment { centre, id, member } => format!("{centre}/{id}/{}", member.unwrap_or("*")),
        }
    }

    /// The resource type that is searched; none where there may be many.
    #[must_use]
    pub const fn resource_type(&self) -> Option<&str> {
        match self {
            Self::Type(name) | Self::Compartment { member: Some(name), .. } => Some(name),
            _ => None,
        }
    }

    /// One query for each resource type, at least one; all have the same parameters, and an order where there are several.
    /// 400 with an issue for each fault, among them parameters that only some of the types have.
    pub fn queries(&self, parameters: &Parameters, context: &Context<'_>) -> Result<Vec<Query>, Problem> {
        if let Self::Type(name) = self {
            return Ok(vec![query::parse(name, parameters, context)?]);
        }
        let compartment = self.compartment();
        let (names, chosen) = match self {
            Self::Compartment { member: Some(member), .. } => (vec![(*member).to_owned()], parameters.to_vec()),
            _ => named_types(parameters, context)?,
        };
        let types = match compartment {
            Some(compartment) => members(compartment, names)?,
            None if names.is_empty() => context.registry.definitions().resource_types().to_vec(),
            None => names,
        };
        let mut queries = common(&types, &chosen, context)?;
        let type_parameter = parameters.iter().find(|(name, _)| name == TYPE && chosen.len() < parameters.len());
        for query in &mut queries {
            if let Self::Compartment { id, .. } = self {
                let belongs = compartment
                    .and_then(|compartment| compartment.condition(context.registry, &query.resource_type, Some(id)));
                query.conditions.extend(belongs);
            }
            if let Some(parameter) = type_parameter {
                query.understood.insert(0, parameter.clone());
            }
        }
        Ok(queries)
    }

    fn compartment(&self) -> Option<&'static Compartment> {
        match self {
            Self::Compartment { centre, .. } => compartment::of(centre),
            _ => None,
        }
    }
}

/// The types that `_type` names (none: all), and the other parameters.
fn named_types(parameters: &Parameters, context: &Context<'_>) -> Result<Split, Problem> {
    let refused = |text: &str| Problem::new(Kind::Invalid, text).at("http.query._type");
    let (named, others): (Vec<_>, Vec<_>) = parameters.iter().cloned().partition(|(name, _)| name == TYPE);
    let [(_, value)] = named.as_slice() else {
        return if named.is_empty() { Ok((Vec::new(), others)) } else { Err(refused("_type may be given only once.")) };
    };
    let mut types: Vec<String> = value.split(',').map(|name| name.trim().to_owned()).collect();
    types.sort();
    types.dedup();
    if types.iter().all(|name| context.registry.is_resource_type(name)) {
        Ok((types, others))
    } else {
        Err(refused("_type takes names of resource types with commas, for example Task,ServiceRequest."))
    }
}

/// Those of the named types that belong to a compartment; all of its types where none is named.
fn members(compartment: &Compartment, names: Vec<String>) -> Result<Vec<String>, Problem> {
    if names.is_empty() {
        return Ok(compartment.types().map(str::to_owned).collect());
    }
    if names.iter().all(|name| compartment.types().any(|member| member == name)) {
        return Ok(names);
    }
    let text = format!(
        "This resource type cannot belong to the compartment of a {}. Those that can: {}.",
        compartment.code,
        compartment.types().collect::<Vec<_>>().join(", ")
    );
    Err(Problem::new(Kind::Invalid, text).at("http.url"))
}

/// Parses the parameters for each type. Where the types are several, only what all of them have is understood.
fn common(types: &[String], parameters: &Parameters, context: &Context<'_>) -> Result<Vec<Query>, Problem> {
    let [_, _, ..] = types else {
        return types.iter().map(|name| query::parse(name, parameters, context)).collect();
    };
    let lenient = Context { handling: Handling::Lenient, ..*context };
    let parse = |parameters: &Parameters| -> Result<Vec<Query>, Problem> {
        types.iter().map(|name| query::parse(name, parameters, &lenient)).collect()
    };
    let mut queries = parse(parameters)?;
    let missing = |parameter: &(String, String)| queries.iter().find(|query| !query.understood.contains(parameter));
    let passed_over: Vec<Issue> = parameters
        .iter()
        .filter_map(|parameter| Some(not_common(&parameter.0, &missing(parameter)?.resource_type, context.handling)))
        .collect();
    if context.handling == Handling::Strict && !passed_over.is_empty() {
        return Err(Problem::with_issues(Kind::Invalid, passed_over));
    }
    if !passed_over.is_empty() {
        let kept: Vec<_> = parameters.iter().filter(|parameter| missing(parameter).is_none()).cloned().collect();
        queries = parse(&kept)?;
    }
    for query in &mut queries {
        query.warnings.clone_from(&passed_over);
        if query.sort.is_empty() {
            query.sort.push(Sort { by: SortBy::Id, descending: false });
        }
    }
    Ok(queries)
}

fn not_common(name: &str, resource_type: &str, handling: Handling) -> Issue {
    let severity = if handling == Handling::Strict { Severity::Error } else { Severity::Warning };
    let text = format!(
        "A search over several resource types takes what all of them have; {resource_type} has no such parameter. Name \
         fewer types with `_type`."
    );
    Issue::new(severity, IssueCode::NotSupported, "search-unknown-parameter", text).at(query::fault::place(name))
}

/// The queries on types of which there are resources; at least one.
pub async fn in_use(server: &Server, queries: Vec<Query>) -> Result<Vec<Query>, Problem> {
    if queries.len() < 2 {
        return Ok(queries);
    }
    let types = server.store.types().await?;
    let first = queries.first().cloned();
    let kept: Vec<Query> = queries.into_iter().filter(|query| types.contains(&query.resource_type)).collect();
    Ok(if kept.is_empty() { first.into_iter().collect() } else { kept })
}

/// The current version of a resource that a request is built on. 404 where it never existed, 410 where it is deleted.
pub async fn living(server: &Server, request: &Request, resource_type: &str, id: &str) -> Result<Stored, Problem> {
    match visible::read(server, &request.caller, resource_type, id).await? {
        None => Err(Problem::new(Kind::NotFound, "There is no such resource.").at("http.url")),
        Some(stored) if stored.deleted => Err(Problem::new(Kind::Gone, "The resource was deleted.").at("http.url")),
        Some(stored) => Ok(stored),
    }
}
