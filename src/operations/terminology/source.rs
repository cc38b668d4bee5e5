//! Where definitions come from: packages, resources stored on this server, resources sent with the request. Reads what the pure
//! terminology needs before it works.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::inputs::{Inputs, wrong};
use super::{not_loaded, too_costly};
use crate::access;
use crate::access::scope::Permission;
use crate::fhir::canonical::Canonical;
use crate::fhir::codec::json;
use crate::fhir::definitions::{CodeSystem, ValueSet};
use crate::interactions::operation::Level;
use crate::interactions::pages::{self, Search};
use crate::interactions::request::Request;
use crate::interactions::scope::living;
use crate::interactions::search;
use crate::interactions::server::Server;
use crate::problem::{Kind, Problem};
use crate::search::query;
use crate::terminology::{Stored, Terminology, Versions, implicit, is_named, supplement};

/// The most definitions that are looked for in the database for one answer.
const MOST: usize = 100;

/// The longest canonical that is looked for.
const LONGEST: usize = 1000;

/// What an operation is asked about.
pub(in crate::operations) struct Subject {
    /// The definition.
    pub(in crate::operations) resource: Value,
    /// Its canonical, where a package has it.
    pub(in crate::operations) loaded: Option<String>,
}

/// The definition that a call names: by its address, its canonical url, or sent with it; none where it names none. `version` and
/// `inline` are the names of the parameters. 400 where it names several, 404 where there is no such definition.
pub(super) async fn subject(
    server: &Server,
    request: &Request,
    level: &Level,
    inputs: &Inputs,
    [inline, version]: [&str; 2],
) -> Result<Option<Subject>, Problem> {
    let (url, sent) = (inputs.text("url"), inputs.object(inline));
    match (level, url, sent) {
        (Level::Instance(name, id), None, None) => {
            let stored = living(server, request, name, id).await?;
            Ok(Some(Subject { resource: json::parse_stored(&stored.body)?, loaded: None }))
        }
        (Level::Type(_), None, Some(sent)) => Ok(Some(Subject { resource: sent.clone(), loaded: None })),
        (Level::Type(name), Some(url), None) => {
            let canonical = match inputs.text(version) {
                Some(version) if !url.contains('|') => format!("{url}|{version}"),
                _ => url.to_owned(),
            };
            let found = named(server, request, name, &canonical).await?;
            found.map(Some).ok_or_else(|| {
                let text = format!(
                    "There is no {name} with this canonical url here, neither loaded from a package nor stored."
                );
                Problem::new(Kind::NotFound, text).at("Parameters.parameter.where(name = 'url')")
            })
        }
        (Level::Type(_), None, None) => Ok(None),
        _ => Err(wrong(format!(
            "Name the definition in one way: by the address of a resource, by the parameter url, or by {inline}."
        ))),
    }
}

/// The definition with a canonical, of a package or stored.
pub(super) async fn named(
    server: &Server,
    request: &Request,
    resource_type: &str,
    canonical: &str,
) -> Result<Option<Subject>, Problem> {
    if let Some(resource) = implicit::value_set(canonical).filter(|_| resource_type == "ValueSet") {
        return Ok(Some(Subject { resource, loaded: None }));
    }
    if let Some(resource) = server.validator.definitions().other(resource_type, canonical) {
        return Ok(Some(Subject { resource, loaded: Some(canonical.to_owned()) }));
    }
    let stored = find(server, request, resource_type, canonical).await?;
    Ok(stored.map(|resource| Subject { resource, loaded: None }))
}

/// The stored definition with a canonical: of several the one that was changed last, those that are retired only where there is
/// no other. None where the caller may not read resources of its type.
async fn find(
    server: &Server,
    request: &Request,
    resource_type: &str,
    canonical: &str,
) -> Result<Option<Value>, Problem> {
    let url = Canonical::parse(canonical).url;
    if url.is_empty() || url.len() > LONGEST {
        return Ok(None);
    }
    let found = stored(server, request, resource_type, &[("url", url)]).await?;
    let text = |resource: &Value, name: &str| resource.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut fitting: Vec<Value> =
        found.into_iter().filter(|found| is_named(canonical, url, text(found, "version").as_deref())).collect();
    // The sort is stable: the newest stays first among equals.
    fitting.sort_by_key(|found| text(found, "status").as_deref() == Some("retired"));
    Ok(fitting.into_iter().next())
}

/// The stored resources that a search finds, those changed last first, at most [`MOST`]; none where the caller may not read them.
pub(super) async fn stored(
    server: &Server,
    request: &Request,
    resource_type: &str,
    criteria: &[(&str, &str)],
) -> Result<Vec<Value>, Problem> {
    let Ok(grant) = access::grant_permission(&request.caller, Some(Permission::Read), Some(resource_type)) else {
        return Ok(Vec::new());
    };
    let mut parameters: Vec<(String, String)> =
        criteria.iter().map(|(name, value)| ((*name).to_owned(), escaped(value))).collect();
    parameters.push(("_sort".to_owned(), "-_lastUpdated".to_owned()));
    parameters.push(("_count".to_owned(), MOST.to_string()));
    let restrictions = grant.restrictions();
    let query = query::parse(resource_type, &parameters, &search::context(server, request))?;
    let search = Search::new(resource_type.to_owned(), vec![restrictions.apply(query)])?;
    let answer = pages::answer(server, &request.caller, &search, &restrictions).await?;
    answer.matches.iter().map(|stored| json::parse_stored(&stored.body)).collect()
}

/// A value of a search parameter without its special characters.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, '\\' | ',' | '|' | '$') {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

/// What a call asks of the definitions around its subject.
#[derive(Debug, Default)]
pub(in crate::operations) struct Wishes {
    /// Versions of code systems.
    pub(super) versions: Versions,
    /// Canonicals of the supplements to be used.
    pub(super) supplements: Vec<String>,
}

/// Puts the code systems that supplements add to before those that are loaded. 422 where a supplement is not here, is none, or
/// adds to what is not loaded.
async fn supplement(
    server: &Server,
    request: &Request,
    canonicals: &[String],
    stored: &mut Stored,
) -> Result<(), Problem> {
    let mut by_base: HashMap<String, Vec<CodeSystem>> = HashMap::new();
    for canonical in canonicals.iter().take(MOST) {
        let found = named(server, request, "CodeSystem", canonical).await?.ok_or_else(|| not_loaded(canonical))?;
        let found = CodeSystem::from_json(&found.resource).filter(supplement::is_supplement);
        let found = found.ok_or_else(|| wrong(format!("{canonical} is no supplement (content, supplements).")))?;
        by_base.entry(found.supplements.clone().unwrap_or_default()).or_default().push(found);
    }
    for (base, supplements) in by_base {
        if server.validator.terminology().edition(&base).is_some() {
            return Err(wrong(format!("Supplements of {base} are not used here: its texts come from its release.")));
        }
        let whole = named(server, request, "CodeSystem", &base).await?.ok_or_else(|| not_loaded(&base))?;
        let whole = CodeSystem::from_json(&whole.resource).ok_or_else(|| not_loaded(&base))?;
        stored.give_code_system(supplement::supplemented(&whole, &supplements));
    }
    Ok(())
}

/// A definition that is needed: resource type and canonical.
type Need = (&'static str, String);

/// The terminology with all that a value set needs of what is stored.
pub(super) async fn around_value_set(
    server: &Server,
    request: &Request,
    definition: &ValueSet,
    wishes: Wishes,
) -> Result<Terminology, Problem> {
    gather(server, request, needs(definition, &wishes.versions), Stored::default(), wishes).await
}

/// The terminology with a code system, and with one that was sent or is asked for by its address.
pub(super) async fn around_code_system(
    server: &Server,
    request: &Request,
    canonical: Option<&str>,
    given: Option<CodeSystem>,
    wishes: Wishes,
) -> Result<Terminology, Problem> {
    let mut stored = Stored::default();
    if let Some(given) = given {
        stored.give_code_system(given);
    }
    let needs = canonical.map(|canonical| ("CodeSystem", canonical.to_owned())).into_iter().collect();
    gather(server, request, needs, stored, wishes).await
}

async fn gather(
    server: &Server,
    request: &Request,
    mut open: Vec<Need>,
    mut stored: Stored,
    wishes: Wishes,
) -> Result<Terminology, Problem> {
    let base = server.validator.terminology();
    supplement(server, request, &wishes.supplements, &mut stored).await?;
    let mut asked: HashSet<Need> = HashSet::new();
    let mut looked = 0;
    while let Some(need) = open.pop() {
        if !asked.insert(need.clone()) {
            continue;
        }
        let (resource_type, canonical) = &need;
        if *resource_type == "ValueSet" {
            if let Some(known) = base.value_set(canonical) {
                open.extend(needs(&known, &wishes.versions));
                continue;
            }
        } else if base.edition(canonical).is_some() || base.code_system(canonical).is_some() {
            continue;
        }
        looked += 1;
        if looked > MOST {
            let text = format!("More than {MOST} definitions would have to be looked for among the stored resources.");
            return Err(too_costly(text));
        }
        let Some(found) = find(server, request, resource_type, canonical).await? else { continue };
        if *resource_type == "CodeSystem" {
            if let Some(found) = CodeSystem::from_json(&found) {
                stored.add_code_system(found);
            }
        } else if let Some(found) = ValueSet::from_json(&found) {
            open.extend(needs(&found, &wishes.versions));
            stored.add_value_set(found);
        }
    }
    Ok(base.with_stored(stored).with_versions(wishes.versions))
}

/// What a value set refers to.
fn needs(definition: &ValueSet, versions: &Versions) -> Vec<Need> {
    let mut all = Vec::new();
    for clause in definition.compose.include.iter().chain(&definition.compose.exclude) {
        all.extend(clause.value_sets.iter().map(|canonical| ("ValueSet", canonical.clone())));
        let version = clause.version.as_deref();
        all.extend(clause.system.iter().map(|system| ("CodeSystem", versions.canonical(system, version))));
    }
    all
}

/// A value set that may have no url, since it was sent.
pub(super) fn value_set(resource: &Value) -> Result<ValueSet, Problem> {
    ValueSet::from_json(&with_url(resource)).ok_or_else(|| wrong("The ValueSet cannot be read."))
}

/// A code system that may have no url, since it was sent.
pub(super) fn code_system(resource: &Value) -> Result<CodeSystem, Problem> {
    CodeSystem::from_json(&with_url(resource)).ok_or_else(|| wrong("The CodeSystem cannot be read."))
}

fn with_url(resource: &Value) -> Value {
    let mut resource = resource.clone();
    if resource.get("url").is_none() {
        resource["url"] = json!("");
    }
    resource
}
