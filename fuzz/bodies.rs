//! What each fuzz target does with its bytes. The targets in `targets/` run these without end; `tests/it/fuzz.rs` runs them
//! for a bounded time on the stable compiler. Each says what must hold of any input: no panic, an end, and the stated equality.

use std::sync::{Arc, OnceLock};

use kith::clock::Clock;
use kith::fhir::codec::{Limits, json, xml};
use kith::fhir::definitions::package::{Manifest, Package};
use kith::fhir::definitions::{Definitions, ValueSet};
use kith::fhir::language;
use kith::fhir::temporal::{DateTime, Time};
use kith::fhir::types::{PrimitiveKind, TypeIndex, TypeKind, Types};
use kith::fhir::ucum;
use kith::fhirpath::{Context, Expression, Item};
use kith::interactions::url::query_pairs;
use kith::patch::Patch;
use kith::search::parameters::Registry;
use kith::search::query::{self, Handling};
use kith::search::sql::{Page, stages};
use kith::terminology::snomed::ecl::Ecl;
use kith::terminology::{Edition, Editions, Terminology, snomed};
use kith::validate::{Options, Settings, Validator};
use serde_json::{Map, Value, json};

/// Choices made by the bytes of an input; zero when they are used up.
struct Choices<'b>(&'b [u8]);

impl Choices<'_> {
    fn next(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first)
    }

    fn of<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        let at = self.next() | (self.next() << 8);
        &list[at % list.len()]
    }

    const fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}

/// A query string: parsed or refused.
pub fn query(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(pairs) = query_pairs(text) else { return };
    search(&pairs);
}

/// The expression of a `_filter`: parsed or refused.
pub fn filter(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    search(&[("_filter".to_owned(), text.to_owned())]);
}

/// Parameters of a search, and the statements that what is understood comes to.
fn search(pairs: &[(String, String)]) {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    let registry = REGISTRY.get_or_init(|| Registry::new(Definitions::embedded()));
    for (resource_type, handling) in [("Task", Handling::Strict), ("Observation", Handling::Lenient)] {
        let context = query::Context { registry, base: "http://kith.example/fhir", now: 0, handling };
        let Ok(query) = query::parse(resource_type, pairs, &context) else { continue };
        for few in [false, true] {
            let page = Page { query: &query, few, after: None, limit: 10 };
            assert!(!stages(&page).is_empty(), "a search without a statement");
        }
    }
}

/// A unit or a language tag: what is suggested in place of a wrong one is right.
pub fn code(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if !ucum::is_unit(text)
        && let Some(near) = ucum::nearest(text)
    {
        assert!(ucum::is_unit(&near), "{near} is suggested and no unit");
    }
    if !language::is_tag(text)
        && let Some(near) = language::nearest(text)
    {
        assert!(language::is_tag(&near), "{near} is suggested and no tag");
    }
}

/// A date, dateTime, instant or time: what is understood is an interval that does not end before it begins.
pub fn date(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Time::parse(text);
    for parse in [DateTime::parse_date, DateTime::parse, DateTime::parse_instant, DateTime::parse_partial] {
        if let Ok(moment) = parse(text) {
            let (low, high) = moment.interval();
            assert!(low <= high, "the interval ends before it begins");
        }
    }
}

/// An expression constraint of SNOMED CT: parsed or refused; what is parsed is worked out on an empty edition.
pub fn ecl(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if Ecl::parse(text).is_ok() {
        let filter = json!([{ "property": "constraint", "op": "=", "value": text }]);
        let compose = json!({ "include": [{ "system": snomed::SYSTEM, "filter": filter }] });
        let set = json!({ "resourceType": "ValueSet", "url": "urn:s", "compose": compose });
        let editions = Editions::from(Edition::default());
        let terminology = Terminology::with_editions(Definitions::embedded(), editions);
        if let Some(set) = ValueSet::from_json(&set) {
            assert!(terminology.compile(&set).members().next().is_none(), "a concept of an empty edition");
        }
    }
}

/// A FHIRPath source: compiled or refused; what compiles runs to an end within its limits.
pub fn fhirpath(bytes: &[u8]) {
    let Ok(source) = std::str::from_utf8(bytes) else { return };
    let Ok(expression) = Expression::compile(source) else { return };
    let patient = json!({
        "resourceType": "Patient", "id": "p", "active": true, "birthDate": "1974-12", "multipleBirthInteger": 3,
        "contained": [{ "resourceType": "Organization", "id": "o", "name": "Practice" }],
        "name": [{ "family": "Chalmers", "given": ["Peter", null], "_given": [null, { "id": "g" }] }],
        "managingOrganization": { "reference": "#o" }
    });
    let mut context = Context::new(&patient, 0);
    context.limits.steps = 50_000;
    context.limits.items = 2_000;
    context.limits.text = 10_000;
    let _ = expression.evaluate(&context, Item::resource(&patient, Types::r4()));
    if let Some(type_) = Types::r4().get("Patient") {
        let _ = expression.check(type_);
    }
}

/// JSON: what is read is written so that it reads the same.
pub fn json(bytes: &[u8]) {
    let Ok(value) = json::parse(bytes, &Limits::default()) else { return };
    let again = json::parse(&json::to_bytes(&value), &Limits::default());
    assert!(again.is_ok_and(|again| again == value), "what was written reads differently");
}

/// XML: what is read can be written, and reads the same.
pub fn xml(bytes: &[u8]) {
    let types = Types::r4();
    let _ = xml::parse_leniently(bytes, &Limits::default(), types);
    let Ok(value) = xml::parse(bytes, &Limits::default(), types) else { return };
    let Ok(written) = xml::to_bytes(&value, types) else { return };
    let again = xml::parse(&written, &Limits::default(), types);
    assert!(again.is_ok_and(|again| again == value), "what was written reads differently");
}

/// A JSON Patch or a FHIRPath Patch: a changed resource or a problem.
pub fn patch(bytes: &[u8]) {
    const OPERATIONS: &[&str] = &["add", "remove", "replace", "move", "copy", "test", "insert", "delete", "odd"];
    const POINTERS: &[&str] = &[
        "",
        "/",
        "/name",
        "/name/0",
        "/name/-",
        "/name/0/given/1",
        "/a~1b",
        "/~2",
        "/name/01",
        "/id",
        "/resourceType",
        "/active/x",
    ];
    const PATHS: &[&str] = &[
        "Patient",
        "Patient.name",
        "Patient.name[0].given",
        "name.where(family = 'a')",
        "Patient.active",
        "Patient.id",
        "Patient.multipleBirth",
        "%resource",
        "Patient.name.given[1]",
        "((",
        "1",
        "Patient.deceased",
    ];
    let patient = json!({
        "resourceType": "Patient", "id": "p", "active": true, "multipleBirthInteger": 3,
        "name": [{ "family": "a", "given": ["b", "c"], "_given": [null, { "id": "g" }] }],
    });
    let mut choices = Choices(bytes);
    let (mut operations, mut parameters) = (Vec::new(), Vec::new());
    while !choices.is_over() && operations.len() < 8 {
        let value = [json!("x"), json!({ "family": "z" }), json!(["y"]), Value::Null][choices.next() % 4].clone();
        operations.push(json!({
            "op": choices.of(OPERATIONS), "path": choices.of(POINTERS), "from": choices.of(POINTERS), "value": value,
        }));
        let name = choices.of(&["name", "given", "active", "deceased", "", "nothing"]);
        parameters.push(json!({ "name": "operation", "part": [
            { "name": "type", "valueCode": choices.of(OPERATIONS) }, { "name": "path", "valueString": choices.of(PATHS) },
            { "name": "name", "valueString": name }, { "name": "index", "valueInteger": choices.next() % 4 },
            { "name": "source", "valueInteger": choices.next() % 4 },
            { "name": "destination", "valueInteger": choices.next() % 4 },
            { "name": "value", "valueString": value },
        ] }));
    }
    let parameters = json!({ "resourceType": "Parameters", "parameter": parameters });
    // The bytes may be a patch themselves.
    let written = json::parse(bytes, &Limits::default()).unwrap_or_default();
    let patches = [Patch::json(&Value::Array(operations)), Patch::fhirpath(&parameters)];
    for patch in patches.into_iter().chain([Patch::json(&written), Patch::fhirpath(&written)]).flatten() {
        let _ = patch.apply(&patient, 0);
    }
}

/// JSON of nearly the right shape, against every profile there is.
pub fn validate(bytes: &[u8]) {
    static VALIDATOR: OnceLock<(Validator, Vec<String>)> = OnceLock::new();
    let (validator, profiles) = VALIDATOR.get_or_init(|| {
        let definitions = Definitions::embedded();
        let all = definitions.canonicals("StructureDefinition").map(|(_, canonical)| canonical);
        let profiles = all.collect();
        let settings = Settings { clock: Arc::new(Clock::System), ..Settings::default() };
        (Validator::new(definitions, settings).unwrap_or_else(|problem| panic!("{problem:?}")), profiles)
    });
    let mut choices = Choices(bytes);
    let profile = choices.of(profiles).clone();
    let name = choices.of(Types::r4().resource_types());
    let resource = Types::r4().get(name).map_or(Value::Null, |type_| instance(&mut choices, type_, 0));
    let options = Options { profiles: vec![profile], ..Options::default() };
    let first = validator.validate(&resource, &options);
    assert!(first == validator.validate(&resource, &options), "two validations differ");
}

/// Texts that some rule or other looks at.
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "#",
    "#a",
    "Patient/1",
    "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    "http://loinc.org",
    "85354-9",
    "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
    "http://unitsofmeasure.org",
    "mm[Hg]",
    "2025-02-30",
    "2025",
    "2025-01-01T10:00:00Z",
    "10:00:00",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>",
    "<div",
    "en-GB",
    "final",
    "https://fhir.nhs.uk/Id/nhs-number",
    "9876543210",
    "\u{e9}\u{0}\u{1F600}",
    "group",
    "AAAA",
    "-1",
    "1e400",
];

/// A value of a type, mostly: a wrong name, kind or array now and then.
fn instance(choices: &mut Choices<'_>, type_: TypeIndex, depth: usize) -> Value {
    let definition = Types::r4().definition(type_);
    let odd = choices.next();
    if odd >= 250 || depth > 12 {
        return [Value::Null, json!({}), json!([]), json!("a"), json!([null])][odd % 5].clone();
    }
    match definition.kind {
        TypeKind::Primitive(PrimitiveKind::Boolean) => Value::Bool(odd.is_multiple_of(2)),
        TypeKind::Primitive(kind) if kind.is_number() => Value::from(i64::try_from(odd).unwrap_or(0) - 50),
        TypeKind::Primitive(_) => Value::from(*choices.of(TEXTS)),
        kind => {
            let mut object = Map::new();
            if kind == TypeKind::Resource {
                let name =
                    if definition.abstract_ { choices.of(Types::r4().resource_types()) } else { &*definition.name };
                object.insert("resourceType".to_owned(), Value::from(name));
            }
            if definition.children.is_empty() {
                return Value::Object(object);
            }
            for _ in 0..choices.next() % 6 {
                member(choices, type_, depth, &mut object);
            }
            Value::Object(object)
        }
    }
}

fn member(choices: &mut Choices<'_>, type_: TypeIndex, depth: usize, object: &mut Map<String, Value>) {
    if choices.is_over() {
        return;
    }
    let child = choices.of(&Types::r4().definition(type_).children);
    let Some((name, type_)) = child.choices.get(choices.next() % child.choices.len().max(1)) else { return };
    let how = choices.next();
    let name = match how {
        240.. => format!("_{name}"),
        235..=239 => format!("{name}x"),
        _ => name.to_string(),
    };
    let is_odd = how % 16 == 15;
    let value = if child.repeats ^ is_odd {
        (0..=(how % 3)).map(|_| instance(choices, *type_, depth + 1)).collect()
    } else {
        instance(choices, *type_, depth + 1)
    };
    object.insert(name, value);
}

/// A profile with any differential: a snapshot and a schema, or a problem; and then a resource that it may be asked of.
pub fn snapshot(bytes: &[u8]) {
    let mut choices = Choices(bytes);
    let type_ = *choices.of(&["Observation", "Patient", "Bundle", "Extension", "Questionnaire", "Composition"]);
    let mut elements = Vec::new();
    while !choices.is_over() && elements.len() < 16 {
        elements.push(element(&mut choices, type_));
    }
    let url = "http://test.example/StructureDefinition/any";
    let structure = json!({
        "resourceType": "StructureDefinition", "url": url, "name": "Any", "status": "active", "abstract": false,
        "kind": if type_ == "Extension" { "complex-type" } else { "resource" }, "type": type_, "derivation": "constraint",
        "baseDefinition": choices.of(&[&*format!("http://hl7.org/fhir/StructureDefinition/{type_}"), url]),
        "differential": { "element": elements },
    });
    let package = Package::new(Manifest::default(), &[structure]);
    let Ok(definitions) = Definitions::embedded().with_packages(vec![package]) else { return };
    let _ = definitions.snapshot(url);
    let Ok(validator) = Validator::new(Arc::new(definitions), Settings::default()) else { return };
    let options = Options { profiles: vec![url.to_owned()], ..Options::default() };
    let _ = validator.validate(&json!({ "resourceType": type_, "extension": [{ "url": url }] }), &options);
}

fn element(choices: &mut Choices<'_>, root: &str) -> Value {
    const NAMES: &[&str] = &[
        "identifier",
        "name",
        "extension",
        "value[x]",
        "valueQuantity",
        "component",
        "code",
        "coding",
        "contained",
        "entry",
        "resource",
        "item",
        "section",
        "url",
        "system",
        "subject",
        "id",
        "meta",
        "profile",
        "text",
        "nothing",
    ];
    let (mut path, mut id) = (root.to_owned(), root.to_owned());
    for _ in 0..choices.next() % 4 {
        let name = choices.of(NAMES);
        path = format!("{path}.{name}");
        id = format!("{id}.{name}");
        if choices.next() % 4 == 3 {
            id = format!("{id}:{}", choices.of(&["a", "b", "a/b", "valueQuantity", ""]));
        }
    }
    let mut element = json!({ "id": id, "path": path });
    if let Some((_, slice)) = id.rsplit_once(':') {
        element["sliceName"] = Value::from(slice);
    }
    for _ in 0..choices.next() % 4 {
        let (name, value) = facet(choices);
        element[name] = value;
    }
    element
}

fn facet(choices: &mut Choices<'_>) -> (&'static str, Value) {
    match choices.next() % 10 {
        0 => ("min", Value::from(choices.next() % 4)),
        1 => ("max", Value::from(*choices.of(&["0", "1", "2", "*", "x"]))),
        2 => {
            let kind = choices.of(&["value", "pattern", "type", "profile", "exists", "odd"]);
            let path = choices.of(&[
                "$this",
                "url",
                "code",
                "system",
                "resolve()",
                "extension('a')",
                "value.ofType(Quantity)",
                "a.b",
                "",
            ]);
            let rules = choices.of(&["open", "closed", "openAtEnd"]);
            (
                "slicing",
                json!({ "discriminator": [{ "type": kind, "path": path }], "rules": rules, "ordered": choices.next().is_multiple_of(2) }),
            )
        }
        3 => {
            let code = choices.of(&[
                "Quantity",
                "Reference",
                "CodeableConcept",
                "string",
                "Extension",
                "Element",
                "Patient",
                "Nothing",
            ]);
            let profile = choices
                .of(&["http://test.example/StructureDefinition/any", "http://hl7.org/fhir/StructureDefinition/bp"]);
            ("type", json!([{ "code": code, "profile": [profile], "targetProfile": [profile] }]))
        }
        4 => {
            ("contentReference", Value::from(*choices.of(&["#Observation.component", "#Questionnaire.item", "#a", ""])))
        }
        5 => ("fixedString", Value::from(*choices.of(TEXTS))),
        6 => (
            "patternCodeableConcept",
            json!({ "coding": [{ "system": choices.of(TEXTS), "code": choices.of(TEXTS) }] }),
        ),
        7 => (
            "binding",
            json!({ "strength": "required", "valueSet": choices.of(&["http://hl7.org/fhir/ValueSet/observation-status", "urn:none"]) }),
        ),
        8 => (
            "constraint",
            json!([{ "key": "t-1", "severity": "error", "human": "", "expression": choices.of(&["true", "name.exists()", "((", "repeat($this)"]) }]),
        ),
        _ => ("maxLength", Value::from(choices.next())),
    }
}
