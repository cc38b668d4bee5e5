//! A snapshot as JSON: `StructureDefinition.snapshot.element` (<https://hl7.org/fhir/R4/elementdefinition.html>). What is not
//! kept of definitions (texts, mappings) comes from the differential as it was sent, where it says so; else a definition
//! names where the element is defined. Called by `$snapshot`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::Snapshot;
use crate::fhir::definitions::model::{
    Aggregation, Binding, Constraint, DiscriminatorKind, ElementDefinition, Max, Slicing, SlicingRules, Strength,
    TypeRef,
};
use crate::fhir::types::{TypeIndex, Types};

/// Bounds the codes of a binding that is not required.
const MAX_VALUE_SET: &str = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet";

impl Snapshot {
    /// The elements; `sent` are those of the differential.
    #[must_use]
    pub fn to_json(&self, sent: &[Value]) -> Vec<Value> {
        let sent: HashMap<&str, &Map<String, Value>> =
            sent.iter().filter_map(|element| Some((element.get("id")?.as_str()?, element.as_object()?))).collect();
        let mut types: HashMap<&str, TypeIndex> = HashMap::new();
        let mut all = Vec::with_capacity(self.elements.len());
        for element in &self.elements {
            let origin = Origin::of(element, &types);
            types.extend(origin.type_.map(|type_| (element.id.as_str(), type_)));
            all.push(shown(element, &origin, sent.get(element.id.as_str()).copied()));
        }
        all
    }
}

/// Where an element was defined first.
struct Origin {
    path: String,
    min: u32,
    max: Max,
    /// The type that holds the elements below.
    type_: Option<TypeIndex>,
}

impl Origin {
    /// `types` are those of the elements above, by id.
    fn of(element: &ElementDefinition, types: &HashMap<&str, TypeIndex>) -> Self {
        let table = Types::r4();
        let unknown = Self {
            path: element.path.clone(),
            min: element.min.unwrap_or(0),
            max: element.max.unwrap_or(Max::Unbounded),
            type_: table.get(&element.path),
        };
        let holder = element.id.rsplit_once('.').and_then(|(holder, _)| types.get(holder));
        let name = element.name().trim_end_matches("[x]");
        let found = holder.and_then(|holder| {
            let has = |index: &TypeIndex| table.definition(*index).children.iter().any(|child| *child.name == *name);
            let bases = std::iter::successors(Some(*holder), |index| table.definition(*index).base);
            bases.take_while(has).last()
        });
        let Some(owner) = found else { return unknown };
        let owner = table.definition(owner);
        let Some(child) = owner.children.iter().find(|child| *child.name == *name) else { return unknown };
        let stated = || element.types.first().and_then(|type_| table.get(&type_.code));
        Self {
            path: format!("{}.{name}{}", owner.name, if child.is_choice { "[x]" } else { "" }),
            min: child.min,
            max: if child.repeats { Max::Unbounded } else { Max::Count(1) },
            type_: if let [(_, only)] = child.choices.as_slice() { Some(*only) } else { stated() },
        }
    }
}

fn shown(element: &ElementDefinition, origin: &Origin, sent: Option<&Map<String, Value>>) -> Value {
    let mut out = Map::new();
    out.insert("id".to_owned(), json!(element.id));
    out.insert("path".to_owned(), json!(element.path));
    out.extend(sent.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            out.insert(name.to_owned(), value);
        }
    };
    put("sliceName", element.slice_name.as_ref().map(|name| json!(name)));
    put("representation", list(&element.representation, |text| json!(text)));
    put("slicing", element.slicing.as_ref().map(slicing));
    put("min", Some(json!(element.min.unwrap_or(origin.min))));
    put("max", Some(json!(max(element.max.unwrap_or(origin.max)))));
    put("base", Some(json!({ "path": origin.path, "min": origin.min, "max": max(origin.max) })));
    put("contentReference", element.content_reference.as_ref().map(|id| json!(id)));
    put("type", list(&element.types, type_ref));
    put("maxLength", element.max_length.map(|length| json!(length)));
    put("constraint", list(&element.constraints, |constraint| self::constraint(constraint, sent)));
    put("mustSupport", element.must_support.map(Value::Bool));
    put("isModifier", element.is_modifier.map(Value::Bool));
    put("isSummary", element.is_summary.map(Value::Bool));
    put("binding", element.binding.as_ref().map(|known| binding(known, sent)));
    for (stem, value) in [
        ("fixed", &element.fixed),
        ("pattern", &element.pattern),
        ("minValue", &element.min_value),
        ("maxValue", &element.max_value),
    ] {
        chosen(&mut out, stem, value.as_deref(), &element.types);
    }
    if element.is_modifier == Some(true) && !out.contains_key("isModifierReason") {
        out.insert("isModifierReason".to_owned(), json!(format!("As {} says.", origin.path)));
    }
    let definition = out.get("short").cloned().unwrap_or_else(|| json!(format!("As {} says.", origin.path)));
    out.entry("definition").or_insert(definition);
    Value::Object(out)
}

/// A value of any type, whose type is part of the name.
fn chosen(out: &mut Map<String, Value>, stem: &str, value: Option<&Value>, types: &[TypeRef]) {
    let is_there = out.keys().any(|name| {
        name.strip_prefix(stem).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
    });
    if let (Some(value), Some(type_), false) = (value, types.first(), is_there) {
        let mut name = stem.to_owned();
        let mut letters = type_.code.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters);
        out.insert(name, value.clone());
    }
}

fn list<T>(items: &[T], shown: impl Fn(&T) -> Value) -> Option<Value> {
    (!items.is_empty()).then(|| items.iter().map(shown).collect())
}

fn max(max: Max) -> String {
    match max {
        Max::Count(count) => count.to_string(),
        Max::Unbounded => "*".to_owned(),
    }
}

fn type_ref(known: &TypeRef) -> Value {
    let mut out = Map::new();
    out.insert("code".to_owned(), json!(known.code));
    let texts = [("profile", &known.profiles), ("targetProfile", &known.target_profiles)];
    for (name, texts) in texts.into_iter().filter(|(_, texts)| !texts.is_empty()) {
        out.insert(name.to_owned(), json!(texts));
    }
    let aggregation = |held: &Aggregation| match held {
        Aggregation::Contained => json!("contained"),
        Aggregation::Referenced => json!("referenced"),
        Aggregation::Bundled => json!("bundled"),
    };
    out.extend(list(&known.aggregation, aggregation).map(|held| ("aggregation".to_owned(), held)));
    Value::Object(out)
}

/// The constraint as it was sent, where it was; else with its key as wording.
fn constraint(known: &Constraint, sent: Option<&Map<String, Value>>) -> Value {
    let all = sent.and_then(|sent| sent.get("constraint")?.as_array()).into_iter().flatten();
    let mut same = all.filter(|constraint| constraint.get("key").and_then(Value::as_str) == Some(&known.key));
    if let Some(sent) = same.next() {
        return sent.clone();
    }
    let severity = if known.is_error { "error" } else { "warning" };
    let mut out = json!({ "key": known.key, "severity": severity, "human": format!("Rule {}.", known.key) });
    if let Some(expression) = &known.expression {
        out["expression"] = json!(expression);
    }
    if let Some(source) = &known.source {
        out["source"] = json!(source);
    }
    out
}

/// The binding, with what was sent of it besides.
fn binding(known: &Binding, sent: Option<&Map<String, Value>>) -> Value {
    let mut out = sent.and_then(|sent| sent.get("binding")).cloned().unwrap_or_else(|| json!({}));
    if let (Some(set), None) = (&known.max_value_set, out.get("extension")) {
        out["extension"] = json!([{ "url": MAX_VALUE_SET, "valueCanonical": set }]);
    }
    out["strength"] = json!(match known.strength {
        Strength::Example => "example",
        Strength::Preferred => "preferred",
        Strength::Extensible => "extensible",
        Strength::Required => "required",
    });
    if let Some(set) = &known.value_set {
        out["valueSet"] = json!(set);
    }
    out
}

fn slicing(known: &Slicing) -> Value {
    let discriminators = list(&known.discriminators, |discriminator| {
        let kind = match discriminator.kind {
            DiscriminatorKind::Value => "value",
            DiscriminatorKind::Exists => "exists",
            DiscriminatorKind::Pattern => "pattern",
            DiscriminatorKind::Type => "type",
            DiscriminatorKind::Profile => "profile",
        };
        json!({ "type": kind, "path": discriminator.path })
    });
    let rules = match known.rules {
        SlicingRules::Closed => "closed",
        SlicingRules::Open => "open",
        SlicingRules::OpenAtEnd => "openAtEnd",
    };
    let mut out = json!({ "ordered": known.ordered, "rules": rules });
    match discriminators {
        Some(discriminators) => out["discriminator"] = discriminators,
        // Without discriminators a text must say how the slices are told apart (eld-1).
        None => out["description"] = json!("By the content of the slices."),
    }
    out
}
