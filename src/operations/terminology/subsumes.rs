//! `CodeSystem/$subsumes` at type and instance level (<https://hl7.org/fhir/R4/codesystem-operation-subsumes.html>): whether one
//! code is a kind of another.

use serde_json::{Value, json};

use super::frame::{Call, Question};
use super::inputs::{Inputs, wrong};
use super::source::{self, Wishes};
use super::{no_such_code, no_such_concept, not_loaded, parameters};
use crate::fhir::codec::json;
use crate::interactions::operation::Level;
use crate::interactions::scope::living;
use crate::problem::{Kind, Problem};
use crate::terminology::Subsumption;

/// The operation.
pub const SUBSUMES: Question = Question {
    name: "subsumes",
    definition: "http://hl7.org/fhir/OperationDefinition/CodeSystem-subsumes",
    resource_type: "CodeSystem",
    of_instances: true,
    refused: &[],
    supplements: false,
    subject: ["codeSystem", "version"],
    answer: |call| {
        Box::pin(async move {
            let outcome = outcome(call).await?;
            Ok(parameters(&[json!({ "name": "outcome", "valueCode": outcome.code() })]))
        })
    },
};

/// A code with its system and version, as far as they are given.
struct Given<'i> {
    system: Option<&'i str>,
    version: Option<&'i str>,
    code: &'i str,
}

fn given<'i>(inputs: &'i Inputs, code: &str, coding: &str) -> Result<Given<'i>, Problem> {
    match (inputs.text(code), inputs.object(coding)) {
        (Some(code), None) => Ok(Given { system: inputs.text("system"), version: inputs.text("version"), code }),
        (None, Some(coding)) => {
            let text = |name: &str| coding.get(name).and_then(Value::as_str);
            let code = text("code").ok_or_else(|| wrong("Each coding needs a code."))?;
            let (system, version) = (text("system"), text("version"));
            Ok(Given { system: system.or(inputs.text("system")), version: version.or(inputs.text("version")), code })
        }
        _ => Err(wrong("Give two codes: codeA and codeB with system, or codingA and codingB.")),
    }
}

async fn outcome(call: Call<'_>) -> Result<Subsumption, Problem> {
    let Call { server, request, level, inputs, .. } = call;
    let (first, second) = (given(inputs, "codeA", "codingA")?, given(inputs, "codeB", "codingB")?);
    let own = match level {
        Level::Instance(name, id) => {
            let stored = living(server, request, name, id).await?;
            Some(source::code_system(&json::parse_stored(&stored.body)?)?)
        }
        _ => None,
    };
    let url = own.as_ref().map(|own| own.url.clone());
    let system = first.system.or(url.as_deref());
    let system = system.ok_or_else(|| wrong("The codes need their code system: give system as well."))?.to_owned();
    if second.system.is_some_and(|second| second != system) || url.as_ref().is_some_and(|url| *url != system) {
        return Err(wrong("Both codes must be of the one code system that is asked."));
    }
    let version = first.version.or(second.version);
    let canonical = version.map_or_else(|| system.clone(), |version| format!("{system}|{version}"));
    let terminology = source::around_code_system(server, request, Some(&canonical), own, Wishes::default()).await?;
    if let Some(edition) = terminology.edition(&canonical) {
        let concept = |code: &str, name: &str| edition.find(code).ok_or_else(|| no_such_concept(&edition, code, name));
        return Ok(edition.subsumption(concept(first.code, "codeA")?, concept(second.code, "codeB")?));
    }
    let compiled = terminology.system(&canonical).ok_or_else(|| not_loaded(&canonical))?;
    let concept =
        |code: &str, name: &str| compiled.concept(code).ok_or_else(|| no_such_code(&compiled, &canonical, name));
    let (first, second) = (concept(first.code, "codeA")?, concept(second.code, "codeB")?);
    match compiled.subsumption(first, second) {
        // In a part of a system two codes may look unrelated.
        Some(Subsumption::NotSubsumed) if !compiled.is_complete() => Err(not_loaded(&canonical)),
        Some(outcome) => Ok(outcome),
        None => {
            let text = format!("The hierarchy of {system} does not say what is a kind of what (hierarchyMeaning).");
            Err(Problem::new(Kind::Unprocessable, text))
        }
    }
}
