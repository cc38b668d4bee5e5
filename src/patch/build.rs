//! The content that an operation of a FHIRPath Patch brings: `value[x]`, a resource, or parts that name the elements of an
//! anonymous type (<https://hl7.org/fhir/R4/fhirpatch.html>).

use serde_json::{Map, Value};

use super::element::{self, Element};
use super::place::Declared;
use crate::fhir::types::TypeIndex;

/// What the `value` part of an operation holds.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// `value[x]`, with the type as its name says it: `Quantity`, `Code`.
    Typed(String, Element),
    /// A resource.
    Resource(Value),
    /// Parts with the names of elements.
    Parts(Vec<(String, Self)>),
}

/// Deepest nesting of parts.
const DEEPEST: usize = 20;

impl Content {
    /// Reads a part. The error says what is wrong with it.
    pub(super) fn read(part: &Map<String, Value>) -> Result<Self, String> {
        Self::nested(part, 0)
    }

    fn nested(part: &Map<String, Value>, depth: usize) -> Result<Self, String> {
        if depth > DEEPEST {
            return Err(format!("parts may be nested at most {DEEPEST} deep"));
        }
        if let Some(resource) = part.get("resource") {
            return Ok(Self::Resource(resource.clone()));
        }
        if let Some(list) = part.get("part").and_then(Value::as_array) {
            let inner = |item: &Value| {
                let map = item.as_object().ok_or("a part must be an object")?;
                let name = map.get("name").and_then(Value::as_str).ok_or("a part needs a name")?;
                Ok((name.to_owned(), Self::nested(map, depth + 1)?))
            };
            return list.iter().map(inner).collect::<Result<_, String>>().map(Self::Parts);
        }
        let mut names = part.keys().filter_map(|key| key.strip_prefix('_').unwrap_or(key).strip_prefix("value"));
        let Some(suffix) = names.next().filter(|suffix| !suffix.is_empty()) else {
            return Err("it needs a value[x], a resource or parts".to_owned());
        };
        let find = |name: String| part.get(&name).cloned();
        let value = find(format!("value{suffix}")).unwrap_or(Value::Null);
        Ok(Self::Typed(suffix.to_owned(), Element { value, sibling: find(format!("_value{suffix}")) }))
    }

    /// What chooses the type of a choice.
    pub(super) fn suffix(&self) -> Option<&str> {
        match self {
            Self::Typed(suffix, _) => Some(suffix),
            _ => None,
        }
    }

    /// The element as it is stored, of the type given. The error names the element that does not fit.
    pub(super) fn build(&self, type_: TypeIndex) -> Result<Element, String> {
        let value = match self {
            Self::Typed(_, element) => return Ok(element.clone()),
            Self::Resource(resource) => resource.clone(),
            Self::Parts(parts) => {
                let mut map = Map::new();
                for (name, content) in parts {
                    content.put(&mut map, type_, name)?;
                }
                Value::Object(map)
            }
        };
        Ok(Element { value, sibling: None })
    }

    /// Adds the content to the object of an element of type `type_` under the element's name.
    pub(super) fn put(&self, map: &mut Map<String, Value>, type_: TypeIndex, name: &str) -> Result<(), String> {
        let declared = Declared::find(type_, name, self.suffix()).map_err(|text| format!("the element {text}"))?;
        let built = self.build(declared.type_)?;
        if declared.repeats {
            let mut all = element::list(map, &declared.name);
            all.push(built);
            element::put_list(map, &declared.name, all);
        } else if declared.names.iter().any(|name| element::is_there(map, name)) {
            return Err("the element is there already and does not repeat; use replace".to_owned());
        } else {
            element::put_one(map, &declared.name, built);
        }
        Ok(())
    }
}
