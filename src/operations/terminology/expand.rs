//! `ValueSet/$expand` at type and instance level (<https://hl7.org/fhir/R4/valueset-operation-expand.html>): the codes of a
//! value set, filtered and in pages.

use serde_json::{Value, json};

use super::frame::{Call, Question};
use super::inputs::Inputs;
use super::source::{self, Subject};
use super::{not_loaded, too_costly};
use crate::fhir::canonical::Canonical;
use crate::fhir::temporal;
use crate::interactions::server::Server;
use crate::problem::{Kind, Problem};
use crate::terminology::{Expansion, Limits, Shown, Unexpanded};

/// Parameters that would change the answer and are not understood.
const REFUSED: [&str; 3] = ["context", "contextDirection", "date"];

/// Elements of the value set that its expansion shows too.
const SHOWN: [&str; 11] = [
    "resourceType",
    "id",
    "url",
    "identifier",
    "version",
    "name",
    "title",
    "status",
    "experimental",
    "date",
    "publisher",
];

/// How many codes are looked at for each that may be answered.
const WORK: usize = 50;

/// The operation.
pub const EXPAND: Question = Question {
    name: "expand",
    definition: "http://hl7.org/fhir/OperationDefinition/ValueSet-expand",
    resource_type: "ValueSet",
    of_instances: true,
    refused: &REFUSED,
    supplements: true,
    subject: ["valueSet", "valueSetVersion"],
    answer: |call| {
        Box::pin(async move {
            let subject = call.value_set().await?;
            let expansion = expansion(call, &subject).await?;
            shown(call.server, &subject, call.inputs, &expansion)
        })
    },
};

async fn expansion(call: Call<'_>, subject: &Subject) -> Result<Expansion, Problem> {
    let Call { server, request, inputs, .. } = call;
    let definition = source::value_set(&subject.resource)?;
    let wishes = call.wishes(Some(&subject.resource))?;
    let terminology = source::around_value_set(server, request, &definition, wishes).await?;
    let work = server.settings.expansion_limit.saturating_mul(WORK);
    let limits = Limits { work, filter: inputs.text("filter") };
    let mut expansion = terminology.expand(&definition, limits).map_err(|reason| refused(server, reason))?;
    if inputs.flag("activeOnly") == Some(true) {
        expansion.entries.retain(|entry| !entry.inactive);
    }
    let excluded = inputs.texts("exclude-system");
    expansion.entries.retain(|entry| !excluded.iter().any(|system| Canonical::parse(system).url == &*entry.system));
    if inputs.flag("excludeNotForUI") == Some(true) {
        expansion.entries.retain(|entry| !entry.is_abstract);
    }
    Ok(expansion)
}

fn refused(server: &Server, reason: Unexpanded) -> Problem {
    match reason {
        Unexpanded::Missing(canonical) => not_loaded(&canonical),
        Unexpanded::TooCostly => too_much(server),
        Unexpanded::Version(used) => Problem::new(
            Kind::Unprocessable,
            format!("The value set uses {used}, and check-system-version asks for another version."),
        ),
        Unexpanded::Unlistable(system) => too_costly(format!(
            "The codes of {system} follow a grammar and cannot be listed. $validate-code checks one of them."
        )),
        Unexpanded::Filter(system) => Problem::new(
            Kind::Unprocessable,
            format!("A filter of the value set on {system} has an operator or value that is not understood here."),
        ),
        Unexpanded::Constraint(text) => Problem::new(Kind::Unprocessable, text),
    }
}

fn too_much(server: &Server) -> Problem {
    let limit = server.settings.expansion_limit;
    too_costly(format!(
        "The expansion has more codes than an answer may have ({limit}). Ask for a page (offset, count) or with a filter."
    ))
}

/// The ValueSet with the page of the expansion that is asked for.
fn shown(server: &Server, subject: &Subject, inputs: &Inputs, expansion: &Expansion) -> Result<Value, Problem> {
    let total = expansion.entries.len();
    let (offset, count) = (inputs.number("offset"), inputs.number("count"));
    let paged = offset.is_some() || count.is_some();
    let start = offset.unwrap_or(0).min(total);
    let end = start.saturating_add(count.unwrap_or(total)).min(total);
    if end - start > server.settings.expansion_limit {
        return Err(too_much(server));
    }
    // Pages and selections are flat: what is above a code may not be among them.
    let nested = !paged && inputs.text("filter").is_none() && inputs.flag("excludeNested") != Some(true);
    let designations = inputs.flag("includeDesignations") == Some(true);
    let how = Shown { nested, designations, language: inputs.text("displayLanguage") };
    let mut shown = json!({});
    for name in SHOWN {
        if let Some(value) = subject.resource.get(name) {
            shown[name] = value.clone();
        }
    }
    if let Some(compose) = subject.resource.get("compose").filter(|_| inputs.flag("includeDefinition") == Some(true)) {
        shown["compose"] = compose.clone();
    }
    let mut list = json!({
        "identifier": format!("urn:uuid:{}", server.clock.new_id()),
        "timestamp": temporal::format_instant(server.clock.now()),
        "total": total,
    });
    if paged {
        list["offset"] = json!(start);
    }
    let parameters = used(inputs, expansion);
    if !parameters.is_empty() {
        list["parameter"] = Value::Array(parameters);
    }
    let contains = expansion.contains(start..end, how);
    if !contains.is_empty() {
        list["contains"] = Value::Array(contains);
    }
    shown["expansion"] = list;
    Ok(shown)
}

/// The parameters that made the expansion what it is, and the versions of the code systems.
fn used(inputs: &Inputs, expansion: &Expansion) -> Vec<Value> {
    let mut used = Vec::new();
    used.extend(inputs.text("filter").map(|value| json!({ "name": "filter", "valueString": value })));
    used.extend(inputs.text("displayLanguage").map(|value| json!({ "name": "displayLanguage", "valueCode": value })));
    for name in ["offset", "count"] {
        used.extend(inputs.number(name).map(|value| json!({ "name": name, "valueInteger": value })));
    }
    for name in ["activeOnly", "includeDesignations", "excludeNested", "excludeNotForUI"] {
        used.extend(inputs.flag(name).map(|value| json!({ "name": name, "valueBoolean": value })));
    }
    for name in ["system-version", "check-system-version", "force-system-version", "exclude-system", "useSupplement"] {
        used.extend(inputs.texts(name).iter().map(|value| json!({ "name": name, "valueUri": value })));
    }
    used.extend(expansion.versions.iter().map(|version| json!({ "name": "version", "valueUri": version })));
    used
}
