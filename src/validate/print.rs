//! Schemas as JSON, so that what the compiler makes can be read and compared.

use serde_json::{Map, Value, json};

use crate::fhir::types::{TypeIndex, Types};

use super::rule::{Binding, Rule};
use super::schema::{Condition, Node, ProfileIndex, ProfileSchema, Slice, Slicing, Step, Test, TypeSchema};
use super::schemas::Schemas;

fn name(index: TypeIndex) -> String {
    Types::r4().definition(index).name.to_string()
}

fn names(indexes: &[TypeIndex]) -> Value {
    indexes.iter().map(|index| name(*index)).collect()
}

/// Drops members that say nothing: null, 0, false, empty lists and objects.
fn tidy(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: Map<String, Value> = members.into_iter().filter(|(_, value)| says_something(value)).collect();
            Value::Object(members)
        }
        other => other,
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => number.as_u64() != Some(0),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    }
}

/// A base type.
#[must_use]
pub fn type_schema(schemas: &Schemas, schema: &TypeSchema) -> Value {
    let elements: Map<String, Value> = schema
        .elements
        .iter()
        .zip(0_u16..)
        .map(|(element, at)| {
            let names = schema.names.iter().filter(|name| name.element == at);
            let names: Map<String, Value> =
                names.map(|json| (json.json.clone(), Value::from(name(json.type_)))).collect();
            let printed = tidy(json!({
                "names": names, "repeats": element.repeats, "min": element.min, "rules": rules(schemas, &element.rules),
            }));
            (element.name.clone(), printed)
        })
        .collect();
    tidy(json!({
        "type": schema.name, "url": schema.url, "shape": format!("{:?}", schema.shape),
        "rules": rules(schemas, &schema.rules), "elements": elements,
    }))
}

/// A profile.
#[must_use]
pub fn profile_schema(schemas: &Schemas, schema: &ProfileSchema) -> Value {
    tidy(json!({
        "url": schema.url, "version": schema.version, "type": schema.type_name, "retired": schema.retired,
        "modifier": schema.modifier,
        "contexts": schema.contexts.iter().map(super::schema::Context::text).collect::<Vec<_>>(),
        "ancestors": profiles(schemas, &schema.ancestors),
        "root": schema.nodes.first().map(|root| node(schemas, schema, root)),
    }))
}

fn node(schemas: &Schemas, schema: &ProfileSchema, this: &Node) -> Value {
    let child = |position: u32| schema.nodes.get(position as usize).map(|child| node(schemas, schema, child));
    let children: Map<String, Value> =
        this.children.iter().filter_map(|(name, position)| Some((name.clone(), child(*position)?))).collect();
    tidy(json!({
        "id": this.id, "min": this.min, "max": this.max, "types": names(&this.types), "rules": rules(schemas, &this.rules),
        "slicing": this.slicing.as_ref().map(|this| slicing(schemas, this, &child)), "children": children,
    }))
}

fn slicing(schemas: &Schemas, this: &Slicing, child: &dyn Fn(u32) -> Option<Value>) -> Value {
    let slices: Map<String, Value> =
        this.slices.iter().map(|this| (this.name.clone(), slice(schemas, this, child))).collect();
    tidy(json!({ "rules": format!("{:?}", this.rules), "ordered": this.ordered, "slices": slices }))
}

fn slice(schemas: &Schemas, this: &Slice, child: &dyn Fn(u32) -> Option<Value>) -> Value {
    let conditions: Vec<Value> = this.conditions.iter().map(|this| condition(schemas, this)).collect();
    tidy(json!({ "min": this.min, "max": this.max, "conditions": conditions, "node": child(this.node) }))
}

fn condition(schemas: &Schemas, this: &Condition) -> Value {
    let steps: Vec<String> = this
        .steps
        .iter()
        .map(|step| match step {
            Step::Child(names) => names.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("|"),
            Step::Extension(url) => format!("extension({url})"),
            Step::Resolve => "resolve()".to_owned(),
            Step::OfType(type_) => format!("ofType({})", name(*type_)),
        })
        .collect();
    let tests: Vec<Value> = this
        .tests
        .iter()
        .map(|test| match test {
            Test::Equals(value) => json!({ "equals": value }),
            Test::Contains(value) => json!({ "contains": value }),
            Test::InValueSet(this) => json!({ "valueSet": this.value_set }),
            Test::Exists(wanted) => json!({ "exists": wanted }),
            Test::Types(types) => json!({ "types": names(types) }),
            Test::Profiles(list) => json!({ "profiles": profiles(schemas, list) }),
        })
        .collect();
    tidy(json!({ "path": steps.join("."), "tests": tests }))
}

fn profiles(schemas: &Schemas, list: &[ProfileIndex]) -> Value {
    list.iter().filter_map(|index| schemas.canonical(*index)).collect()
}

fn rules(schemas: &Schemas, list: &[Rule]) -> Value {
    list.iter().map(|this| rule(schemas, this)).collect()
}

fn rule(schemas: &Schemas, this: &Rule) -> Value {
    match this {
        Rule::MaxLength(limit) => json!({ "maxLength": limit }),
        Rule::MinValue(limit) => json!({ "minValue": limit }),
        Rule::MaxValue(limit) => json!({ "maxValue": limit }),
        Rule::Fixed(value) => json!({ "fixed": value }),
        Rule::Pattern(value) => json!({ "pattern": value }),
        Rule::Targets(targets) => {
            json!({ "targets": targets.iter().map(|target| target.canonical.as_str()).collect::<Vec<_>>() })
        }
        Rule::TargetProfiles(targets) => {
            json!({ "targetProfiles": targets.iter().map(|target| target.canonical.as_str()).collect::<Vec<_>>() })
        }
        Rule::UnknownProfiles(type_, list) => json!({ "profilesOf": name(*type_), "notLoaded": list }),
        Rule::Aggregation(modes) => json!({ "aggregation": format!("{modes:?}") }),
        Rule::ValuePresent => json!({ "valuePresent": true }),
        Rule::BuiltIn(rule) => json!({ "builtIn": format!("{rule:?}") }),
        Rule::Binding(this) => binding(this),
        Rule::Profiles(type_, list) => json!({ "profilesOf": name(*type_), "profiles": profiles(schemas, list) }),
        Rule::Invariant(this) => {
            json!({ "invariant": this.key, "severity": this.severity.code(), "expression": this.source })
        }
    }
}

fn binding(this: &Binding) -> Value {
    let strength = format!("{:?}", this.strength).to_lowercase();
    tidy(json!({ "binding": strength, "valueSet": this.value_set, "maxValueSet": this.max_value_set }))
}
