//! What a scope says after its question mark: search parameters that a resource must fit
//! (<https://hl7.org/fhir/smart-app-launch/STU2.1/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters>).
//! `scope` reads them; `oauth` and `kith client` ask whether this server can keep them; `visibility` makes restrictions of them.

use percent_encoding::percent_decode_str;

use super::visibility::minimum::Minimum;
use crate::search::query::{self, Condition, Context};

/// The most parameters of one scope.
const MOST: usize = 20;

/// Modifiers under which a parameter still looks at what the resource itself has, and nothing else. `:not` and `:missing` hold for
/// what lacks the element as well; `:in`, `:above` and `:below` depend on other resources and on code systems.
const MODIFIERS: [&str; 5] = ["contains", "exact", "identifier", "of-type", "text"];

/// A type that is searched, but not by the rows that conditions look into.
const NOT_INDEXED: &str = "AuditEvent";

/// The search parameters of one scope; all of them must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// As it was written.
    text: String,
    /// Names and values, decoded.
    pairs: Vec<(String, String)>,
}

/// By what a server can keep a constraint.
#[derive(Debug, Clone, Copy)]
pub struct Means<'a> {
    /// The search parameters that it knows.
    pub context: Context<'a>,
    /// What of a Patient is shown to who has the scope: nobody may choose by what it is not shown.
    pub minimum: &'a Minimum,
}

impl Constraint {
    /// Reads `name=value&name=value`. None where it is something else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let pair = |part: &str| {
            let (name, value) = part.split_once('=')?;
            let pair = (decoded(name)?, decoded(value)?);
            (!pair.0.is_empty() && !pair.1.is_empty()).then_some(pair)
        };
        let pairs: Vec<(String, String)> = text.split('&').map(pair).collect::<Option<_>>()?;
        (pairs.len() <= MOST).then(|| Self { text: text.to_owned(), pairs })
    }

    /// True where what fits `other` fits this one, because `other` has the same parameters and perhaps more.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.pairs.iter().all(|pair| other.pairs.contains(pair))
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What must hold of a resource of this type. The error says why it cannot be asked here.
    pub(super) fn condition(&self, resource_type: &str, means: &Means<'_>) -> Result<Condition, String> {
        if resource_type == NOT_INDEXED || !means.context.registry.is_resource_type(resource_type) {
            return Err(format!("{resource_type} is not a type of resources that a scope can constrain"));
        }
        let each = |(name, value): &(String, String)| one(resource_type, name, value, means);
        let mut all: Vec<Condition> = self.pairs.iter().map(each).collect::<Result<_, _>>()?;
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::All(all) })
    }
}

/// One parameter. Whatever it does beyond looking at the resource itself is refused.
fn one(resource_type: &str, name: &str, value: &str, means: &Means<'_>) -> Result<Condition, String> {
    let refused = || {
        let allowed = MODIFIERS.join(", :");
        format!(
            "{name} is not a parameter of {resource_type} that looks at the resource alone: no chain, no result parameter, and no \
             modifier but :[type], :{allowed}"
        )
    };
    let is_type = |modifier: &str| means.context.registry.is_resource_type(modifier);
    let modifier = name.split_once(':').map(|(_, modifier)| modifier);
    if name == "_filter" || modifier.is_some_and(|modifier| !MODIFIERS.contains(&modifier) && !is_type(modifier)) {
        return Err(refused());
    }
    let pair = [(name.to_owned(), value.to_owned())];
    let mut query = query::parse(resource_type, &pair, &means.context).map_err(|problem| {
        let texts: Vec<&str> = problem.issues().iter().map(|issue| issue.text.trim_end_matches('.')).collect();
        format!("{name}: {}", texts.join("; "))
    })?;
    if let Some(parameter) = means.minimum.looks_further(&query) {
        return Err(format!("{parameter} is not shown to this role"));
    }
    match query.conditions.pop() {
        Some(condition) if is_own(&condition) => Ok(condition),
        _ => Err(refused()),
    }
}

/// True where the resource alone decides.
fn is_own(condition: &Condition) -> bool {
    match condition {
        Condition::Rows(_) | Condition::Id(_) | Condition::LastUpdated(_) => true,
        Condition::All(all) | Condition::Any(all) => all.iter().all(is_own),
        _ => false,
    }
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
