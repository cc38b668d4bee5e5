//! `questionnaire-*`: a QuestionnaireResponse against its Questionnaire
//! (<https://hl7.org/fhir/R4/questionnaireresponse.html#notes>). The Questionnaire is looked for where a validator without
//! input or output can: contained, in the Bundle around, among the definitions that are loaded.

mod answer;
pub mod definition;
mod enabled;
mod items;
mod limits;
mod options;

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::member;

use crate::validate::run::{Origin, Place, Run};

/// What the walk of one response knows.
struct Form<'q, 'a> {
    /// The Questionnaire.
    questionnaire: &'q Value,
    /// Every linkId of the Questionnaire.
    links: HashSet<&'q str>,
    /// The objects with items around the current one, outermost first: the response, items, answers.
    holders: Vec<&'a Value>,
    /// True where the response claims to be complete, so that what is required must be there.
    complete: bool,
    /// How many more items the search for the questions of conditions may look at.
    budget: usize,
}

/// Enough for thousands of conditions on a response of ordinary size.
const BUDGET: usize = 1_000_000;

/// Checks a QuestionnaireResponse.
pub fn check<'a>(run: &mut Run<'_, 'a>, response: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let Some(canonical) = member::text(response, "questionnaire") else { return };
    let loaded;
    let questionnaire = if let Some(found) = within(canonical, place) {
        found
    } else if let Some(found) = run.validator.definitions().questionnaire(canonical) {
        loaded = found;
        Arc::as_ref(&loaded)
    } else {
        let text =
            "The Questionnaire is not loaded, so the answers were not compared with it. Load it as a definition.";
        let issue = Issue::new(Severity::Information, IssueCode::NotFound, "questionnaire-unknown", text);
        return run.push(issue, &place.path.element("questionnaire"), origin);
    };
    let mut links = HashSet::new();
    collect(questionnaire, &mut links, 0);
    let status = member::text(response, "status").unwrap_or_default();
    let mut form = Form {
        questionnaire,
        links,
        holders: vec![response],
        complete: matches!(status, "completed" | "amended"),
        budget: BUDGET,
    };
    items::check(run, &mut form, list(questionnaire, "item"), place, origin);
}

/// The Questionnaire within the input: contained, or an entry of the Bundle.
fn within<'a>(canonical: &str, place: Place<'_, 'a>) -> Option<&'a Value> {
    let is_questionnaire = |value: &&Value| member::text(value, "resourceType") == Some("Questionnaire");
    if canonical.starts_with('#') {
        let contained = list(place.scope.root, "contained").iter();
        return contained
            .filter(is_questionnaire)
            .find(|inner| member::text(inner, "id").is_some_and(|id| canonical.get(1..) == Some(id)));
    }
    let url = canonical.split('|').next().unwrap_or(canonical);
    let entries = place.scope.bundle.map(|bundle| list(bundle, "entry")).unwrap_or_default();
    let resources = entries.iter().filter_map(|entry| member::member(entry, "resource"));
    resources.filter(is_questionnaire).find(|resource| member::text(resource, "url") == Some(url))
}

fn collect<'q>(holder: &'q Value, links: &mut HashSet<&'q str>, depth: usize) {
    for item in list(holder, "item") {
        links.extend(member::text(item, "linkId"));
        if depth < 64 {
            collect(item, links, depth + 1);
        }
    }
}

/// The items of an array member; none where there is no such array.
fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    member::member(value, name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn flag(value: &Value, name: &str) -> bool {
    member::member(value, name).and_then(Value::as_bool) == Some(true)
}

/// The values (`value[x]`) of the extensions with a url.
fn extensions<'v>(value: &'v Value, url: &str) -> impl Iterator<Item = &'v Value> {
    let of_url = list(value, "extension").iter().filter(move |extension| {
        let found = member::text(extension, "url");
        found.is_some_and(|found| found.strip_prefix(EXTENSION) == Some(url) || found.strip_prefix(SDC) == Some(url))
    });
    of_url.filter_map(|extension| choice(extension, "value").map(|(_, value)| value))
}

const EXTENSION: &str = "http://hl7.org/fhir/StructureDefinition/";

/// Where the guide for structured data capture has its own.
const SDC: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-";

/// The type suffix and the value of a choice such as `value[x]`.
fn choice<'v>(value: &'v Value, name: &str) -> Option<(&'v str, &'v Value)> {
    let mut members = value.as_object()?.iter();
    members.find_map(|(key, value)| {
        key.strip_prefix(name).filter(|suffix| !suffix.is_empty()).map(|suffix| (suffix, value))
    })
}
