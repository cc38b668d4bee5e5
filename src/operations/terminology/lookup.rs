//! `CodeSystem/$lookup` (<https://hl7.org/fhir/R4/codesystem-operation-lookup.html>): what is known of a code.

use serde_json::Value;

use super::frame::{Call, Question};
use super::inputs::wrong;
use super::source;
use super::{no_such_code, no_such_concept, not_loaded, parameters};
use crate::problem::Problem;

/// The operation.
pub const LOOKUP: Question = Question {
    name: "lookup",
    definition: "http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup",
    resource_type: "CodeSystem",
    of_instances: false,
    refused: &["date"],
    supplements: true,
    subject: ["codeSystem", "version"],
    answer: |call| Box::pin(async move { lookup(call).await.map(|list| parameters(&list)) }),
};

async fn lookup(call: Call<'_>) -> Result<Vec<Value>, Problem> {
    let Call { server, request, inputs, .. } = call;
    let of_coding = |name: &str| inputs.object("coding")?.get(name)?.as_str();
    let (system, version, code) = if inputs.object("coding").is_some() {
        if inputs.text("code").is_some() {
            return Err(wrong("Give code with system, or coding; not both."));
        }
        (of_coding("system"), of_coding("version"), of_coding("code"))
    } else {
        (inputs.text("system"), inputs.text("version"), inputs.text("code"))
    };
    let (Some(system), Some(code)) = (system, code) else {
        return Err(wrong("Give a code and its code system: code with system, or a coding with both."));
    };
    let canonical = version.map_or_else(|| system.to_owned(), |version| format!("{system}|{version}"));
    let terminology = source::around_code_system(server, request, Some(&canonical), None, call.wishes(None)?).await?;
    let wanted: Vec<&str> = inputs.all("property").into_iter().filter_map(Value::as_str).collect();
    let language = inputs.text("displayLanguage");
    if let Some(edition) = terminology.edition(&canonical) {
        let found = edition.find(code).map(|at| edition.lookup(at, &wanted, language));
        return found.ok_or_else(|| no_such_concept(&edition, code, "code"));
    }
    let compiled = terminology.system(&canonical).ok_or_else(|| not_loaded(&canonical))?;
    let Some(concept) = compiled.concept(code) else {
        return Err(no_such_code(&compiled, &canonical, "code"));
    };
    Ok(compiled.lookup(concept, &wanted, language))
}
