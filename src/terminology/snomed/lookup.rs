//! What is known of a concept, as the parameters of `$lookup` (<https://hl7.org/fhir/R4/snomedct.html#properties>).

use serde_json::{Value, json};

use super::edition::Edition;

impl Edition {
    /// The parameters of an answer. `wanted` names properties; all where it is empty. With a language, designations are those in
    /// it.
    #[must_use]
    pub fn lookup(&self, at: u32, wanted: &[&str], language: Option<&str>) -> Vec<Value> {
        let is_wanted = |name: &str| wanted.is_empty() || wanted.contains(&name);
        let mut list = vec![
            json!({ "name": "name", "valueString": "SNOMED CT" }),
            json!({ "name": "version", "valueString": self.version().uri() }),
        ];
        list.extend(self.display(at, language).map(|text| json!({ "name": "display", "valueString": text })));
        if is_wanted("designation") {
            list.extend(self.designations(at, language).iter().map(designation));
        }
        let mut add = |name: &str, kind: &str, value: Value| {
            if is_wanted(name) {
                let mut shown = json!({ "name": "value" });
                shown[format!("value{kind}")] = value;
                list.push(json!({ "name": "property", "part": [{ "name": "code", "valueCode": name }, shown] }));
            }
        };
        add("inactive", "Boolean", json!(!self.is_active(at)));
        add("sufficientlyDefined", "Boolean", json!(self.defined.contains(at)));
        let module = self.modules.get(at as usize).and_then(|number| self.module_ids.get(usize::from(*number)));
        if let Some(module) = module {
            add("moduleId", "Code", json!(module.to_string()));
        }
        if let Some(time) = self.times.get(at as usize) {
            add("effectiveTime", "String", json!(format!("{time:08}")));
        }
        for (name, lists) in [("parent", &self.parents), ("child", &self.children)] {
            lists.of(at).iter().for_each(|other| add(name, "Code", json!(self.id(*other).to_string())));
        }
        for attribute in self.attributes_of(at) {
            add(&self.id(attribute.name).to_string(), "Code", json!(self.id(attribute.value).to_string()));
        }
        list
    }
}

/// A designation as the part of an answer.
fn designation(stated: &Value) -> Value {
    let value = |name: &str| stated.get(name).cloned().unwrap_or_default();
    json!({ "name": "designation", "part": [
        { "name": "language", "valueCode": value("language") },
        { "name": "use", "valueCoding": value("use") },
        { "name": "value", "valueString": value("value") },
    ] })
}
