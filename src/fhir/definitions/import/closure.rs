//! Which value sets and code systems a package needs: those that bindings reach, directly or through other value sets.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What to reach, and how large a terminology definition may be.
#[derive(Debug, Clone)]
pub struct Closure {
    /// The binding strengths that count.
    pub strengths: Vec<String>,
    /// Largest line in bytes for what only bindings other than required and extensible reach.
    pub limit: usize,
}

/// The urls of the value sets and code systems among `definitions` (facts) that bindings in `definitions` and in `roots`
/// reach. Systems of CodeSystem supplements and the code system's own `valueSet` are not followed.
#[must_use]
pub fn reach(definitions: &[Value], roots: &[Value], closure: &Closure) -> BTreeSet<String> {
    let known: BTreeMap<&str, &Value> = definitions
        .iter()
        .filter(|definition| matches!(text(definition, "resourceType"), "ValueSet" | "CodeSystem"))
        .map(|definition| (text(definition, "url"), definition))
        .collect();
    let mut reached = BTreeSet::new();
    for binding_is_firm in [true, false] {
        let mut found = Vec::new();
        for definition in definitions.iter().chain(roots) {
            collect_bindings(definition, closure, binding_is_firm, &mut found);
        }
        for root in roots {
            collect_includes(root, &mut found);
        }
        let limit = if binding_is_firm { usize::MAX } else { closure.limit };
        follow(&known, found, limit, &mut reached);
    }
    reached
}

fn follow(known: &BTreeMap<&str, &Value>, mut found: Vec<String>, limit: usize, reached: &mut BTreeSet<String>) {
    while let Some(url) = found.pop() {
        let Some(definition) = known.get(url.as_str()) else { continue };
        if reached.contains(&url) || definition.to_string().len() > limit {
            continue;
        }
        reached.insert(url);
        collect_includes(definition, &mut found);
    }
}

fn collect_includes(definition: &Value, found: &mut Vec<String>) {
    for part in ["/compose/include", "/compose/exclude"] {
        for include in items(definition.pointer(part)) {
            found.extend(include.get("system").and_then(Value::as_str).map(ToOwned::to_owned));
            found.extend(items(include.get("valueSet")).iter().filter_map(Value::as_str).map(without_version));
        }
    }
}

/// Value sets of all bindings in the definition, wherever they stand.
fn collect_bindings(value: &Value, closure: &Closure, firm: bool, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_bindings(item, closure, firm, found)),
        Value::Object(fields) => {
            if let Some(binding) = fields.get("binding") {
                collect_binding(binding, closure, firm, found);
            }
            fields.values().for_each(|field| collect_bindings(field, closure, firm, found));
        }
        _ => {}
    }
}

fn collect_binding(binding: &Value, closure: &Closure, firm: bool, found: &mut Vec<String>) {
    let strength = text(binding, "strength");
    let is_firm = matches!(strength, "required" | "extensible");
    if is_firm != firm || !closure.strengths.iter().any(|wanted| wanted == strength) {
        return;
    }
    found.extend(binding.get("valueSet").and_then(Value::as_str).map(without_version));
    let maximum = items(binding.get("extension")).iter().filter_map(|extension| extension.get("valueCanonical"));
    found.extend(maximum.filter_map(Value::as_str).map(without_version));
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn without_version(canonical: &str) -> String {
    canonical.split('|').next().unwrap_or(canonical).to_owned()
}
