//! `ValueSet/$validate-code` and `CodeSystem/$validate-code` at type and instance level
//! (<https://hl7.org/fhir/R4/valueset-operation-validate-code.html>,
//! <https://hl7.org/fhir/R4/codesystem-operation-validate-code.html>). What cannot be told because something is not loaded is
//! an OperationOutcome, never a result.

use std::sync::Arc;

use serde_json::{Value, json};

use super::frame::{Call, Question};
use super::inputs::{Inputs, items, wrong};
use super::source;
use super::{not_loaded, parameters};
use crate::fhir::canonical::Canonical;
use crate::problem::{Kind, Problem};
use crate::terminology::{Asked, Verdict};

/// The most codings of a CodeableConcept.
const MOST_CODINGS: usize = 100;

/// Whether a value set has a code.
pub const OF_VALUE_SET: Question = Question {
    name: "validate-code",
    definition: "http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code",
    resource_type: "ValueSet",
    of_instances: true,
    refused: &["context", "date"],
    supplements: true,
    subject: ["valueSet", "valueSetVersion"],
    answer: |call| Box::pin(async move { in_value_set(call).await.map(|verdict| shown(&verdict)) }),
};

/// Whether a code system has a code.
pub const OF_CODE_SYSTEM: Question = Question {
    name: "validate-code",
    definition: "http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code",
    resource_type: "CodeSystem",
    of_instances: true,
    refused: &["date"],
    supplements: true,
    subject: ["codeSystem", "version"],
    answer: |call| Box::pin(async move { in_code_system(call).await.map(|verdict| shown(&verdict)) }),
};

async fn in_value_set(call: Call<'_>) -> Result<Verdict, Problem> {
    let Call { server, request, inputs, .. } = call;
    let subject = call.value_set().await?;
    let asked = asked(inputs, inputs.text("system"), inputs.text("systemVersion"))?;
    let definition = source::value_set(&subject.resource)?;
    let wishes = call.wishes(Some(&subject.resource))?;
    let terminology = source::around_value_set(server, request, &definition, wishes).await?;
    let loaded = subject.loaded.as_deref().and_then(|canonical| terminology.compiled(canonical));
    let compiled = loaded.unwrap_or_else(|| Arc::new(terminology.compile(&definition)));
    best(&asked, |asked| terminology.check_member(&definition, &compiled, asked))
}

async fn in_code_system(call: Call<'_>) -> Result<Verdict, Problem> {
    let Call { server, request, inputs, .. } = call;
    let subject = match call.subject().await {
        // What is not there may have codes by a grammar; else it is not loaded.
        Err(problem) if inputs.text("url").is_some() && problem.kind == Kind::NotFound => None,
        other => other?,
    };
    let system = subject.map(|subject| source::code_system(&subject.resource)).transpose()?;
    let asked_url = inputs.text("url").map(|url| Canonical::parse(url).url.to_owned());
    let url = system.as_ref().map(|system| system.url.clone()).or(asked_url);
    let asked = asked(inputs, url.as_deref(), inputs.text("version"))?;
    if asked.iter().all(|asked| url.as_deref().is_some_and(|url| url != asked.system)) {
        let message = Some("The code is of another code system.".to_owned());
        return Ok(Verdict { message, ..Verdict::default() });
    }
    let of_it = asked.into_iter().filter(|asked| url.as_deref().is_none_or(|url| url == asked.system));
    let of_it: Vec<Asked<'_>> = of_it.collect();
    let named = of_it.first().filter(|_| system.is_none()).map(|asked| asked.system);
    let terminology = source::around_code_system(server, request, named, system, call.wishes(None)?).await?;
    best(&of_it, |asked| terminology.check_code(asked))
}

/// The codes of a call: code with system, coding, or codeableConcept; exactly one of them.
fn asked<'i>(inputs: &'i Inputs, system: Option<&'i str>, version: Option<&'i str>) -> Result<Vec<Asked<'i>>, Problem> {
    let abstract_allowed = inputs.flag("abstract") == Some(true);
    let of_coding = |coding: &'i Value| -> Option<Asked<'i>> {
        let text = |name: &str| coding.get(name).and_then(Value::as_str);
        let system = text("system").or(system)?;
        let (code, version) = (text("code")?, text("version").or(version));
        Some(Asked { system, version, code, display: text("display"), abstract_allowed })
    };
    match (inputs.text("code"), inputs.object("coding"), inputs.object("codeableConcept")) {
        (Some(code), None, None) => {
            let system = system.ok_or_else(|| wrong("A code needs its code system: give system as well."))?;
            Ok(vec![Asked { system, version, code, display: inputs.text("display"), abstract_allowed }])
        }
        (None, Some(coding), None) => {
            let asked = of_coding(coding);
            Ok(vec![asked.ok_or_else(|| wrong("The coding needs system and code."))?])
        }
        (None, None, Some(concept)) => {
            let all: Vec<Asked<'_>> = items(concept, "coding").iter().filter_map(of_coding).collect();
            if all.is_empty() || all.len() > MOST_CODINGS {
                return Err(wrong("The codeableConcept needs codings with system and code, a hundred at the most."));
            }
            Ok(all)
        }
        _ => Err(wrong("Give one of code (with its system), coding and codeableConcept.")),
    }
}

/// The best verdict on several codings of one concept: one that is right is enough; what is not known is no verdict.
fn best<'a>(asked: &[Asked<'a>], check: impl Fn(&Asked<'a>) -> Result<Verdict, String>) -> Result<Verdict, Problem> {
    let mut missing = None;
    let mut wrong: Option<Verdict> = None;
    for asked in asked {
        match check(asked) {
            Ok(verdict) if verdict.result => return Ok(verdict),
            // A right code with a wrong text says more than a wrong code.
            Ok(verdict) if wrong.as_ref().is_none_or(|known| known.display.is_none()) => wrong = Some(verdict),
            Ok(_) => {}
            Err(canonical) => missing = missing.or(Some(canonical)),
        }
    }
    match (missing, wrong) {
        (Some(canonical), _) => Err(not_loaded(&canonical)),
        (None, verdict) => Ok(verdict.unwrap_or_default()),
    }
}

fn shown(verdict: &Verdict) -> Value {
    let mut list = vec![json!({ "name": "result", "valueBoolean": verdict.result })];
    list.extend(verdict.message.as_ref().map(|text| json!({ "name": "message", "valueString": text })));
    list.extend(verdict.display.as_ref().map(|text| json!({ "name": "display", "valueString": text })));
    parameters(&list)
}
