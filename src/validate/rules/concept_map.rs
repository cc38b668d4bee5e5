//! `concept-map-code`: the codes that a ConceptMap maps are of the value sets and code systems that it names
//! (<https://hl7.org/fhir/R4/conceptmap.html>). What is not loaded is not judged.

use serde_json::Value;

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::member::{member, text};
use crate::fhir::path::Path;
use crate::terminology::{Existence, Membership};

use crate::validate::run::{Origin, Place, Run};

/// Where codes of one side come from.
#[derive(Clone, Copy)]
struct Side<'a> {
    words: &'static str,
    value_set: Option<&'a str>,
    system: Option<&'a str>,
    /// How bad a code is that is not in the value set. The target value set only says what the map is meant for.
    outside: Severity,
}

/// Checks the codes of a ConceptMap.
pub fn check<'a>(run: &mut Run<'_, 'a>, map: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let value_set = |name: &str| text(map, &format!("{name}Canonical")).or_else(|| text(map, &format!("{name}Uri")));
    let (source_set, target_set) = (value_set("source"), value_set("target"));
    let groups = place.path.element("group");
    for (index, group) in list(map, "group").iter().enumerate() {
        let source =
            Side { words: "source", value_set: source_set, system: text(group, "source"), outside: Severity::Error };
        let target =
            Side { words: "target", value_set: target_set, system: text(group, "target"), outside: Severity::Warning };
        let path = groups.index(index);
        let elements = path.element("element");
        for (index, element) in list(group, "element").iter().enumerate() {
            let path = elements.index(index);
            code(run, source, element, &path, origin);
            let targets = path.element("target");
            for (index, element) in list(element, "target").iter().enumerate() {
                code(run, target, element, &targets.index(index), origin);
            }
        }
    }
}

fn code(run: &mut Run<'_, '_>, side: Side<'_>, holder: &Value, path: &Path<'_>, origin: Origin<'_>) {
    let (Some(code), Some(system)) = (text(holder, "code"), side.system) else { return };
    let terminology = run.validator.terminology();
    let of_set = side.value_set.map(|set| terminology.member(set, Some(system), code));
    let (severity, fault) = if terminology.code_exists(system, code) == Existence::Missing {
        (Severity::Error, format!("The {} code system {system} has no such code.", side.words))
    } else if of_set == Some(Membership::NotIn) {
        let fault = format!("The code is not in the {} value set {}.", side.words, side.value_set.unwrap_or_default());
        (side.outside, fault)
    } else {
        return;
    };
    let issue = Issue::new(severity, IssueCode::CodeInvalid, "concept-map-code", fault);
    run.push(issue, &path.element("code"), origin);
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    member(value, name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
