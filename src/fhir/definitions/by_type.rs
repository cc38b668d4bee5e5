//! Which profile is the general one for a resource type: UK Core's own CapabilityStatement says so.

use std::collections::HashMap;

use serde_json::Value;

use super::embedded;
use super::registry::Definitions;

/// Resource type to canonicals of profiles, as the CapabilityStatements of UK Core list them.
pub(super) fn general_profiles(definitions: &Definitions) -> HashMap<String, Vec<String>> {
    const STATEMENT: &str = "CapabilityStatement";
    let mut table: HashMap<String, Vec<String>> = HashMap::new();
    let of_uk_core = definitions.canonicals(STATEMENT).filter(|(package, _)| *package == embedded::UK_CORE);
    for (_, canonical) in of_uk_core {
        let Some(statement) = definitions.other(STATEMENT, &canonical) else { continue };
        for rest in items(&statement, "rest") {
            for resource in items(rest, "resource") {
                let text = |name: &str| resource.get(name).and_then(Value::as_str);
                if let (Some(kind), Some(profile)) = (text("type"), text("profile"))
                    && definitions.structure(profile).is_some()
                {
                    table.entry(kind.to_owned()).or_default().push(profile.to_owned());
                }
            }
        }
    }
    table
}

fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
