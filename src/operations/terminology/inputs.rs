//! The input parameters of an operation, checked against its OperationDefinition: from the address, from a Parameters
//! resource, or from both.

use std::collections::HashMap;

use serde_json::Value;

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::suggest;
use crate::fhir::types::Types;
use crate::interactions::request::{Body, Method, Request};
use crate::interactions::server::Server;
use crate::problem::{Kind, Problem};
use crate::terminology::versions::{self, Versions};

/// Types whose value is a text.
const TEXTS: [&str; 5] = ["code", "uri", "string", "canonical", "dateTime"];

/// What was given.
#[derive(Debug, Default)]
pub(in crate::operations) struct Inputs {
    /// Names with the value, the resource or the list of parts.
    given: Vec<(String, Value)>,
}

/// One parameter of the definition.
struct Declared<'d> {
    name: &'d str,
    kind: &'d str,
    repeats: bool,
}

/// R5's parameter that names the supplements to be used; R4 has none for it.
const SUPPLEMENT: Declared<'static> = Declared { name: "useSupplement", kind: "canonical", repeats: true };

impl Inputs {
    /// Reads the parameters of a call. 400 with all faults: a name that the operation does not have, a value of another type, a
    /// repetition; and what is of `refused`, since an answer that passed it over could be wrong.
    pub(super) fn read(
        server: &Server,
        request: &Request,
        definition: &str,
        refused: &[&str],
        supplements: bool,
    ) -> Result<Self, Problem> {
        let definition = server.definitions.other("OperationDefinition", definition).unwrap_or_default();
        let mut declared: Vec<Declared<'_>> = items(&definition, "parameter").iter().filter_map(declared).collect();
        if supplements {
            declared.push(SUPPLEMENT);
        }
        let mut inputs = Self::default();
        let mut issues = Vec::new();
        for (name, value, place) in raw(server, request, &declared)? {
            let fault = |code, text: String| Issue::new(Severity::Error, code, "", text).at(place.clone());
            let Some(known) = declared.iter().find(|declared| declared.name == name) else {
                issues.push(fault(IssueCode::NotSupported, unknown(&name, &declared)));
                continue;
            };
            if refused.contains(&known.name) {
                let text = format!("The parameter {} is not supported here.", known.name);
                issues.push(fault(IssueCode::NotSupported, text));
            } else if !known.repeats && inputs.given.iter().any(|(given, _)| *given == name) {
                issues.push(fault(IssueCode::Invalid, format!("The parameter {} is given once.", known.name)));
            } else if let Some(value) = typed(known.kind, value) {
                inputs.given.push((name, value));
            } else {
                let text = format!("The parameter {} takes {}.", known.name, described(known.kind));
                issues.push(fault(IssueCode::Value, text));
            }
        }
        if issues.is_empty() { Ok(inputs) } else { Err(Problem::with_issues(Kind::Invalid, issues)) }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.given.iter().find(|(given, _)| given == name).map(|(_, value)| value)
    }

    /// Every value of a parameter.
    pub(super) fn all(&self, name: &str) -> Vec<&Value> {
        self.given.iter().filter(|(given, _)| given == name).map(|(_, value)| value).collect()
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// Every text of a parameter.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        self.all(name).into_iter().filter_map(Value::as_str).collect()
    }

    /// The versions of code systems that the call asks for. 400 where one is not `system|version`.
    pub(super) fn versions(&self) -> Result<Versions, Problem> {
        let read = |name: &str| {
            let each = self.texts(name).into_iter().map(|text| {
                versions::of_canonical(text).ok_or_else(|| wrong(format!("The parameter {name} is system|version.")))
            });
            each.collect::<Result<HashMap<_, _>, _>>()
        };
        Ok(Versions {
            default: read("system-version")?,
            checked: read("check-system-version")?,
            forced: read("force-system-version")?,
        })
    }

    /// A boolean.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    /// A number of zero or more.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        usize::try_from(self.get(name)?.as_u64()?).ok()
    }

    /// A Coding, a CodeableConcept or a resource.
    pub(super) fn object(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| value.is_object())
    }
}

/// 400 for a combination of parameters that cannot be answered.
pub(in crate::operations) fn wrong(text: impl Into<String>) -> Problem {
    Problem::new(Kind::Invalid, text).at("Parameters.parameter")
}

pub(in crate::operations) fn items<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn declared(parameter: &Value) -> Option<Declared<'_>> {
    let text = |name: &str| parameter.get(name).and_then(Value::as_str);
    (text("use") == Some("in")).then_some(())?;
    Some(Declared { name: text("name")?, kind: text("type").unwrap_or_default(), repeats: text("max") == Some("*") })
}

/// Names, values and places as they came; `_format` and its like are none of the operation's.
fn raw(server: &Server, request: &Request, declared: &[Declared<'_>]) -> Result<Vec<(String, Value, String)>, Problem> {
    let query = request.query.iter().filter(|(name, _)| !name.starts_with('_'));
    let mut all: Vec<(String, Value, String)> =
        query.map(|(name, value)| (name.clone(), Value::from(value.as_str()), "http.query".to_owned())).collect();
    if request.method != Method::Post || is_empty(&request.body) {
        return Ok(all);
    }
    let body = request.resource(server.bounds())?;
    let found = body.get("resourceType").and_then(Value::as_str).unwrap_or_default();
    if found != "Parameters" {
        // The one resource that an operation takes may be sent by itself.
        let mut resources = declared.iter().filter(|declared| Types::r4().is_resource_type(declared.kind));
        if let (Some(only), None) = (resources.next(), resources.next())
            && only.kind == found
        {
            all.push((only.name.to_owned(), body, "http.body".to_owned()));
            return Ok(all);
        }
        return Err(Problem::new(Kind::Invalid, "This operation takes a Parameters resource.").at("http.body"));
    }
    for (at, parameter) in items(&body, "parameter").iter().enumerate() {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let members = parameter.as_object().into_iter().flatten();
        let mut values = members.filter(|(key, _)| key.starts_with("value") || *key == "resource" || *key == "part");
        let value = values.next().map_or(Value::Null, |(_, value)| value.clone());
        all.push((name, value, format!("Parameters.parameter[{at}]")));
    }
    Ok(all)
}

fn is_empty(body: &Body) -> bool {
    match body {
        Body::None => true,
        Body::Bytes(bytes, _) => bytes.is_empty(),
        Body::Resource(_) => false,
    }
}

/// A value of a type; texts of an address are read as what they stand for.
fn typed(kind: &str, value: Value) -> Option<Value> {
    let text = value.as_str();
    match kind {
        "boolean" => match text {
            Some("true") => Some(Value::Bool(true)),
            Some("false") => Some(Value::Bool(false)),
            _ => value.is_boolean().then_some(value),
        },
        "integer" => match text {
            Some(text) => text.parse::<u32>().ok().map(Value::from),
            None => value.as_u64().is_some_and(|number| u32::try_from(number).is_ok()).then_some(value),
        },
        "" => value.is_array().then_some(value),
        kind if TEXTS.contains(&kind) => text.is_some_and(|text| !text.trim().is_empty()).then_some(value),
        "Coding" | "CodeableConcept" => value.is_object().then_some(value),
        resource => (value.get("resourceType").and_then(Value::as_str) == Some(resource)).then_some(value),
    }
}

fn described(kind: &str) -> String {
    match kind {
        "boolean" => "true or false".to_owned(),
        "integer" => "a whole number of zero or more".to_owned(),
        "" => "parts, in a Parameters resource".to_owned(),
        kind if TEXTS.contains(&kind) => format!("a {kind}, which is not empty"),
        kind => format!("a {kind}, in a Parameters resource sent by POST"),
    }
}

fn unknown(name: &str, declared: &[Declared<'_>]) -> String {
    let hint = suggest::nearest(name, declared.iter().map(|declared| declared.name))
        .map_or_else(String::new, |nearest| format!(" Did you mean {nearest}?"));
    format!("This operation has no such parameter.{hint} Its OperationDefinition says what it takes.")
}
