//! What is known of a code, and how two codes relate (<https://hl7.org/fhir/R4/codesystem-operation-lookup.html>,
//! <https://hl7.org/fhir/R4/codesystem-operation-subsumes.html>). Called by the operations `$lookup` and `$subsumes`.

use serde_json::{Value, json};

use super::check::find;
use super::{CompiledCodeSystem, CompiledConcept};

/// How one code relates to another (<https://hl7.org/fhir/R4/valueset-concept-subsumption-outcome.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subsumption {
    /// They are the same.
    Equivalent,
    /// The first is above the second.
    Subsumes,
    /// The first is below the second.
    SubsumedBy,
    /// Neither.
    NotSubsumed,
}

impl Subsumption {
    /// The FHIR code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::Subsumes => "subsumes",
            Self::SubsumedBy => "subsumed-by",
            Self::NotSubsumed => "not-subsumed",
        }
    }
}

impl CompiledCodeSystem {
    /// How two codes relate; none where the hierarchy of the system does not say what is a kind of what.
    #[must_use]
    pub fn subsumption(&self, first: &CompiledConcept, second: &CompiledConcept) -> Option<Subsumption> {
        if first.code == second.code {
            return Some(Subsumption::Equivalent);
        }
        if self.definition().hierarchy.as_deref().is_some_and(|meaning| meaning != "is-a") {
            return None;
        }
        Some(if self.above(&second.code, false).contains(&first.code) {
            Subsumption::Subsumes
        } else if self.above(&first.code, false).contains(&second.code) {
            Subsumption::SubsumedBy
        } else {
            Subsumption::NotSubsumed
        })
    }

    /// What is known of a code, as the parameters of an answer. `wanted` names properties; all where it is empty. With a
    /// language, designations are those in it.
    #[must_use]
    pub fn lookup(&self, concept: &CompiledConcept, wanted: &[&str], language: Option<&str>) -> Vec<Value> {
        let definition = self.definition();
        let is_wanted = |name: &str| wanted.is_empty() || wanted.contains(&name);
        let name = if definition.name.is_empty() { &definition.url } else { &definition.name };
        let mut list = vec![json!({ "name": "name", "valueString": name })];
        list.extend(definition.version.as_ref().map(|version| json!({ "name": "version", "valueString": version })));
        let display = concept.display.as_deref().unwrap_or(&concept.code);
        list.push(json!({ "name": "display", "valueString": display }));
        let stated = find(&definition.concepts, &concept.code);
        if let Some(stated) = stated.filter(|_| is_wanted("designation")) {
            list.extend(stated.designations.iter().filter_map(|stated| designation(stated, language)));
        }
        if let Some(text) = stated.and_then(|stated| stated.definition.as_ref()).filter(|_| is_wanted("definition")) {
            list.push(property("definition", "String", &json!(text)));
        }
        if is_wanted("inactive") {
            list.push(property("inactive", "Boolean", &json!(concept.is_inactive())));
        }
        let mut related = Vec::new();
        if is_wanted("parent") {
            related.extend(concept.parents.iter().map(|code| ("parent", code.to_string())));
        }
        if is_wanted("child") {
            related.extend(self.children(&concept.code).into_iter().map(|code| ("child", code)));
        }
        list.extend(related.iter().map(|(name, code)| property(name, "Code", &json!(code))));
        // Said already, whichever way the system states it.
        let said = ["parent", "child", "inactive", "definition"];
        let others = concept.properties.iter().filter(|stated| !said.contains(&stated.code.as_str()));
        let others = others.filter(|stated| is_wanted(&stated.code));
        list.extend(others.map(|stated| property(&stated.code, &stated.kind, &stated.value)));
        list
    }

    /// The codes directly below a code.
    fn children(&self, code: &str) -> Vec<String> {
        let is_child = |concept: &&CompiledConcept| concept.parents.iter().any(|parent| &**parent == code);
        let mut codes: Vec<String> = self.concepts().filter(is_child).map(|child| child.code.to_string()).collect();
        codes.sort_unstable();
        codes
    }
}

fn property(code: &str, kind: &str, value: &Value) -> Value {
    let mut shown = json!({ "name": "value" });
    shown[format!("value{kind}")] = value.clone();
    json!({ "name": "property", "part": [{ "name": "code", "valueCode": code }, shown] })
}

fn designation(stated: &Value, language: Option<&str>) -> Option<Value> {
    let own = stated.get("language").and_then(Value::as_str);
    if language.is_some_and(|language| own != Some(language)) {
        return None;
    }
    let mut part = Vec::new();
    part.extend(own.map(|own| json!({ "name": "language", "valueCode": own })));
    part.extend(stated.get("use").map(|purpose| json!({ "name": "use", "valueCoding": purpose })));
    part.push(json!({ "name": "value", "valueString": stated.get("value")? }));
    Some(json!({ "name": "designation", "part": part }))
}
