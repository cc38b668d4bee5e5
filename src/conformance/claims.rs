//! What a server claims in its CapabilityStatement (<https://hl7.org/fhir/R4/capabilitystatement.html>), so that a case which
//! needs more is reported as not claimed rather than as failed.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a case relies on: by resource type, `system`, `format`, `patchFormat` or `product`, a list of
///
/// - an interaction (`create`, `history-type`; at `system`: `transaction`),
/// - a search parameter (`?identifier`) or an operation (`$meta`),
/// - a flag of the resource that must be on (`conditionalCreate`) or say something (`conditionalDelete=multiple`);
/// - a format, or the name of the software.
pub type Needs = BTreeMap<String, Vec<String>>;

/// What one server claims.
#[derive(Debug, Clone, Default)]
pub struct Claims {
    statement: Value,
}

impl Claims {
    /// Reads a CapabilityStatement.
    #[must_use]
    pub const fn new(statement: Value) -> Self {
        Self { statement }
    }

    /// What is needed and not claimed, each as `Patient.create`.
    #[must_use]
    pub fn missing(&self, needs: &Needs) -> Vec<String> {
        let mut missing = Vec::new();
        for (place, wanted) in needs {
            for need in wanted.iter().filter(|need| !self.has(place, need)) {
                missing.push(format!("{place}.{need}"));
            }
        }
        missing
    }

    fn has(&self, place: &str, need: &str) -> bool {
        let rest = &self.statement["rest"][0];
        match place {
            "system" => Self::offers(rest, need),
            "format" => lists(&self.statement["format"], need),
            "patchFormat" => lists(&self.statement["patchFormat"], need),
            "product" => self.statement["software"]["name"] == need,
            _ => {
                let resource = items(&rest["resource"]).find(|resource| resource["type"] == place);
                resource.is_some_and(|resource| Self::offers(resource, need))
                    || (need.starts_with('?') && Self::offers(rest, need))
            }
        }
    }

    fn offers(entry: &Value, need: &str) -> bool {
        if let Some(name) = need.strip_prefix('?') {
            return items(&entry["searchParam"]).any(|parameter| parameter["name"] == name);
        }
        if let Some(name) = need.strip_prefix('$') {
            let named = |operation: &Value| operation["name"].as_str().map(|text| text.trim_start_matches('$') == name);
            return items(&entry["operation"]).filter_map(named).any(|same| same);
        }
        if let Some((flag, value)) = need.split_once('=') {
            return entry[flag] == value || lists(&entry[flag], value);
        }
        if need.contains('-') || need.chars().all(|letter| letter.is_ascii_lowercase()) {
            return items(&entry["interaction"]).any(|interaction| interaction["code"] == need);
        }
        match &entry[need] {
            Value::Bool(on) => *on,
            Value::String(text) => !matches!(text.as_str(), "not-supported" | "no-version"),
            _ => false,
        }
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn lists(value: &Value, text: &str) -> bool {
    items(value).any(|item| item == text)
}
