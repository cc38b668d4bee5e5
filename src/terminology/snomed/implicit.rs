//! Value sets that SNOMED CT has without a definition (<https://hl7.org/fhir/R4/snomedct.html#implicit>): their urls say what is in
//! them. Each is turned into the definition that says the same.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::SYSTEM;

/// The ValueSet of a url such as `http://snomed.info/sct?fhir_vs=ecl/<<73211009`; none where it is not one of them.
#[must_use]
pub fn value_set(url: &str) -> Option<Value> {
    let (system, query) = url.split_once('?')?;
    let version = system.strip_prefix(SYSTEM)?;
    if !(version.is_empty() || version.starts_with('/')) {
        return None;
    }
    let mut include = json!({ "system": SYSTEM });
    if !version.is_empty() {
        include["version"] = json!(system);
    }
    let filters = filters(query)?;
    if !filters.is_empty() {
        include["filter"] = Value::Array(filters);
    }
    let name = "SnomedImplicitValueSet";
    Some(
        json!({ "resourceType": "ValueSet", "url": url, "name": name, "status": "active", "compose": { "include": [include] } }),
    )
}

/// True where a canonical names such a value set.
#[must_use]
pub fn is_one(canonical: &str) -> bool {
    canonical.strip_prefix(SYSTEM).is_some_and(|rest| rest.starts_with(['?', '/']) && rest.contains("?fhir_vs"))
}

fn filters(query: &str) -> Option<Vec<Value>> {
    let Some(rule) = query.strip_prefix("fhir_vs=") else { return (query == "fhir_vs").then(Vec::new) };
    let filter = |property: &str, op: &str, value: &str| json!({ "property": property, "op": op, "value": value });
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().map(Cow::into_owned);
    Some(vec![if rule == "refset" {
        filter("constraint", "=", ALL_REFERENCE_SETS)
    } else if let Some(id) = rule.strip_prefix("isa/") {
        filter("concept", "is-a", id)
    } else if let Some(id) = rule.strip_prefix("refset/") {
        filter("concept", "in", id)
    } else {
        filter("constraint", "=", &decoded(rule.strip_prefix("ecl/")?).ok()?)
    }])
}

/// Everything below |Reference set|.
const ALL_REFERENCE_SETS: &str = "< 900000000000455006";
