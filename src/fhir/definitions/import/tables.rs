//! Which elements of each kind of definition are facts. The order here is the order in the file.

use serde_json::Value;

/// One element that is kept.
pub(super) struct Field {
    /// The element's JSON name; ends in `*` for a choice such as `fixed[x]`.
    name: &'static str,
    pub(super) keep: Keep,
}

/// How much of an element is kept.
pub(super) enum Keep {
    /// All of it.
    All,
    /// These children.
    Fields(&'static [Field]),
    /// The same children as the table it stands in: concepts within concepts.
    Again,
    /// The items that pass the test, whole.
    Where(fn(&Value) -> bool),
}

impl Field {
    pub(super) fn matches(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(stem) => {
                name.strip_prefix(stem).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
            }
            None => self.name == name,
        }
    }
}

const fn all(name: &'static str) -> Field {
    Field { name, keep: Keep::All }
}

const fn some(name: &'static str, fields: &'static [Field]) -> Field {
    Field { name, keep: Keep::Fields(fields) }
}

const fn again(name: &'static str) -> Field {
    Field { name, keep: Keep::Again }
}

/// The table for a resource type.
pub(super) fn of(resource_type: &str) -> Option<&'static [Field]> {
    Some(match resource_type {
        "StructureDefinition" => STRUCTURE_DEFINITION,
        "ValueSet" => VALUE_SET,
        "CodeSystem" => CODE_SYSTEM,
        "ConceptMap" => CONCEPT_MAP,
        "SearchParameter" => SEARCH_PARAMETER,
        "CompartmentDefinition" => COMPARTMENT_DEFINITION,
        "OperationDefinition" => OPERATION_DEFINITION,
        "CapabilityStatement" => CAPABILITY_STATEMENT,
        _ => return None,
    })
}

static STRUCTURE_DEFINITION: &[Field] = &[
    all("resourceType"),
    all("url"),
    all("version"),
    all("name"),
    all("status"),
    all("kind"),
    all("abstract"),
    some("context", &[all("type"), all("expression")]),
    all("contextInvariant"),
    all("type"),
    all("baseDefinition"),
    all("derivation"),
    some("differential", ELEMENTS),
];

/// A differential or snapshot.
pub(super) static ELEMENTS: &[Field] = &[some("element", ELEMENT)];

static ELEMENT: &[Field] = &[
    Field { name: "extension", keep: Keep::Where(is_must_have_value) },
    all("id"),
    all("path"),
    all("representation"),
    all("sliceName"),
    all("sliceIsConstraining"),
    some("slicing", &[some("discriminator", &[all("type"), all("path")]), all("ordered"), all("rules")]),
    all("min"),
    all("max"),
    all("contentReference"),
    some("type", TYPE),
    all("defaultValue*"),
    all("fixed*"),
    all("pattern*"),
    all("minValue*"),
    all("maxValue*"),
    all("maxLength"),
    some("constraint", &[all("key"), all("severity"), all("expression"), all("source")]),
    all("mustSupport"),
    all("isModifier"),
    all("isSummary"),
    some(
        "binding",
        &[Field { name: "extension", keep: Keep::Where(is_further_value_set) }, all("strength"), all("valueSet")],
    ),
];

static TYPE: &[Field] = &[
    Field { name: "extension", keep: Keep::Where(is_fhir_type) },
    all("code"),
    all("profile"),
    all("targetProfile"),
    all("aggregation"),
    all("versioning"),
];

fn has_url(value: &Value, url: &str) -> bool {
    value.get("url").and_then(Value::as_str) == Some(url)
}

/// The FHIR type of elements whose type code is a FHIRPath system type.
fn is_fhir_type(value: &Value) -> bool {
    has_url(value, "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type")
}

/// The value set that bounds an extensible or preferred binding, and bindings that hold besides.
fn is_further_value_set(value: &Value) -> bool {
    ["elementdefinition-maxValueSet", "additional-binding", "extension-ElementDefinition.binding.additional"]
        .iter()
        .any(|name| value.get("url").and_then(Value::as_str).is_some_and(|url| url.rsplit('/').next() == Some(*name)))
}

/// That a primitive must have a value, which R4 says by an extension.
fn is_must_have_value(value: &Value) -> bool {
    has_url(value, "http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition.mustHaveValue")
}

static VALUE_SET: &[Field] = &[
    all("resourceType"),
    all("url"),
    all("version"),
    all("name"),
    all("status"),
    some("compose", &[all("inactive"), some("include", INCLUDE), some("exclude", INCLUDE)]),
    some("expansion", &[some("contains", CONTAINS)]),
];

static INCLUDE: &[Field] = &[
    all("system"),
    all("version"),
    some("concept", &[all("code"), all("display")]),
    some("filter", &[all("property"), all("op"), all("value")]),
    all("valueSet"),
];

static CONTAINS: &[Field] =
    &[all("system"), all("version"), all("abstract"), all("inactive"), all("code"), all("display"), again("contains")];

static CODE_SYSTEM: &[Field] = &[
    all("resourceType"),
    all("url"),
    all("version"),
    all("name"),
    all("status"),
    all("caseSensitive"),
    all("valueSet"),
    all("hierarchyMeaning"),
    all("compositional"),
    all("content"),
    all("supplements"),
    some("property", &[all("code"), all("uri"), all("type")]),
    some("concept", CONCEPT),
];

static CONCEPT: &[Field] =
    &[all("code"), all("display"), Field { name: "property", keep: Keep::Where(is_used_property) }, again("concept")];

/// Registration numbers of HL7's version 3 vocabulary are of no use to anyone and a third of the text.
fn is_used_property(property: &Value) -> bool {
    property.get("code").and_then(Value::as_str) != Some("internalId")
}

static CONCEPT_MAP: &[Field] = &[
    all("resourceType"),
    all("url"),
    all("version"),
    all("name"),
    all("status"),
    all("source*"),
    all("target*"),
    some("group", MAP_GROUP),
];

static MAP_TARGET: &[Field] =
    &[all("code"), all("display"), all("equivalence"), some("dependsOn", MAP_OTHER), some("product", MAP_OTHER)];

static MAP_OTHER: &[Field] = &[all("property"), all("system"), all("value"), all("display")];

static MAP_GROUP: &[Field] = &[
    all("source"),
    all("sourceVersion"),
    all("target"),
    all("targetVersion"),
    some("element", &[all("code"), all("display"), some("target", MAP_TARGET)]),
    some("unmapped", &[all("mode"), all("code"), all("display"), all("url")]),
];

static SEARCH_PARAMETER: &[Field] = &[
    all("resourceType"),
    all("url"),
    all("version"),
    all("name"),
    all("status"),
    all("code"),
    all("base"),
    all("type"),
    all("expression"),
    all("target"),
    all("multipleOr"),
    all("multipleAnd"),
    all("comparator"),
    all("modifier"),
    all("chain"),
    some("component", &[all("definition"), all("expression")]),
];

static COMPARTMENT_DEFINITION: &[Field] = &[
    all("resourceType"),
    all("url"),
    all("version"),
    all("name"),
    all("status"),
    all("code"),
    all("search"),
    some("resource", &[all("code"), all("param")]),
];

static OPERATION_DEFINITION: &[Field] = &[
    all("resourceType"),
    all("url"),
    all("version"),
    all("name"),
    all("status"),
    all("kind"),
    all("affectsState"),
    all("code"),
    all("base"),
    all("resource"),
    all("system"),
    all("type"),
    all("instance"),
    all("inputProfile"),
    all("outputProfile"),
    some("parameter", PARAMETER),
];

static PARAMETER: &[Field] = &[
    all("name"),
    all("use"),
    all("min"),
    all("max"),
    all("type"),
    all("targetProfile"),
    all("searchType"),
    some("binding", &[all("strength"), all("valueSet")]),
    again("part"),
];

static CAPABILITY_STATEMENT: &[Field] = &[
    all("resourceType"),
    all("url"),
    all("version"),
    all("name"),
    all("status"),
    all("kind"),
    all("fhirVersion"),
    all("format"),
    some("rest", &[all("mode"), some("resource", REST_RESOURCE)]),
];

static REST_RESOURCE: &[Field] = &[
    all("type"),
    all("profile"),
    all("supportedProfile"),
    some("interaction", &[all("code")]),
    some("searchParam", &[all("name"), all("definition"), all("type")]),
];
