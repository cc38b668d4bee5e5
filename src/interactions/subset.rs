//! `_summary` and `_elements`: leaves elements out of a match and marks it as incomplete
//! (<https://hl7.org/fhir/R4/search.html#summary>).

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::fhir::codec::json as fhir_json;
use crate::fhir::types::{Child, Types};
use crate::problem::Problem;
use crate::search::query::{Query, Summary};
use crate::store::Stored;

/// The code system of SUBSETTED.
const SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

/// The JSON of a stored resource, reduced to what the query asks for.
pub fn resource<'a>(query: &Query, stored: &'a Stored) -> Result<Cow<'a, [u8]>, Problem> {
    let summary = query.summary.filter(|summary| !matches!(summary, Summary::False | Summary::Count));
    if summary.is_none() && query.elements.is_empty() {
        return Ok(Cow::Borrowed(&stored.body));
    }
    let mut value: Value = fhir_json::parse_stored(&stored.body)?;
    if let Value::Object(map) = &mut value {
        retain(map, &stored.resource_type, summary, &query.elements);
        mark(map);
    }
    serde_json::to_vec(&value).map(Cow::Owned).map_err(Problem::internal)
}

fn retain(map: &mut Map<String, Value>, resource_type: &str, summary: Option<Summary>, elements: &[String]) {
    let types = Types::r4();
    let Some(index) = types.get(resource_type) else { return };
    map.retain(|name, _| {
        let plain = name.strip_prefix('_').unwrap_or(name);
        match types.child(index, plain) {
            Some((child, _)) => keeps(child, plain, summary, elements),
            None => matches!(plain, "resourceType"),
        }
    });
}

fn keeps(child: &Child, name: &str, summary: Option<Summary>, elements: &[String]) -> bool {
    let always = child.min > 0 || child.is_modifier || matches!(name, "id" | "meta");
    let named = |element: &String| {
        let first = element.split('.').next().unwrap_or_default();
        first == name || first == &*child.name
    };
    match summary {
        Some(Summary::Text) => always || name == "text",
        Some(Summary::Data) => name != "text",
        Some(Summary::True) => always || child.is_summary,
        _ => always || elements.iter().any(named),
    }
}

/// Adds the tag that warns against storing the reduced resource.
fn mark(map: &mut Map<String, Value>) {
    let meta = map.entry("meta").or_insert_with(|| json!({}));
    let tag = json!({ "system": SYSTEM, "code": "SUBSETTED", "display": "Resource encoded in summary mode" });
    match meta.get_mut("tag").and_then(Value::as_array_mut) {
        Some(tags) => tags.push(tag),
        None => meta["tag"] = json!([tag]),
    }
}
