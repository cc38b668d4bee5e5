//! `ConceptMap/$translate` at type and instance level (<https://hl7.org/fhir/R4/conceptmap-operation-translate.html>): a code in
//! the words of another code system.

use std::collections::{HashSet, VecDeque};

use serde_json::{Value, json};

use super::frame::{Call, Question};
use super::inputs::{Inputs, items, wrong};
use super::parameters;
use super::source;
use crate::interactions::request::Request;
use crate::interactions::server::Server;
use crate::problem::Problem;
use crate::terminology::translate::{Dependency, Question as Asked, Translated, Translation, translate};

/// The most maps that are asked for one answer.
const MOST_MAPS: usize = 200;

/// The most codings of a CodeableConcept.
const MOST_CODINGS: usize = 100;

/// The operation.
pub const TRANSLATE: Question = Question {
    name: "translate",
    definition: "http://hl7.org/fhir/OperationDefinition/ConceptMap-translate",
    resource_type: "ConceptMap",
    of_instances: true,
    refused: &[],
    supplements: false,
    subject: ["conceptMap", "conceptMapVersion"],
    answer: |call| Box::pin(async move { translated(call).await.map(|found| parameters(&shown(&found))) }),
};

async fn translated(call: Call<'_>) -> Result<Translated, Problem> {
    let Call { server, request, inputs, .. } = call;
    let asked = questions(inputs)?;
    let maps = match call.subject().await? {
        Some(subject) => vec![subject.resource],
        None => fitting(server, request, inputs, &asked).await?,
    };
    all(server, request, maps, &asked, &dependencies(inputs)).await
}

/// The codes of a call: code with system, coding, or codeableConcept; exactly one of them.
fn questions(inputs: &Inputs) -> Result<Vec<Asked<'_>>, Problem> {
    let common = Asked {
        target_system: inputs.text("targetsystem"),
        reverse: inputs.flag("reverse") == Some(true),
        ..Asked::default()
    };
    match (inputs.text("code"), inputs.object("coding"), inputs.object("codeableConcept")) {
        (Some(code), None, None) => {
            let system =
                inputs.text("system").ok_or_else(|| wrong("A code needs its code system: give system as well."))?;
            Ok(vec![Asked { system: Some(system), code, ..common }])
        }
        (None, Some(coding), None) => {
            Ok(vec![question(coding, common).ok_or_else(|| wrong("The coding needs system and code."))?])
        }
        (None, None, Some(concept)) => {
            let all: Vec<Asked<'_>> =
                items(concept, "coding").iter().filter_map(|coding| question(coding, common)).collect();
            if all.is_empty() || all.len() > MOST_CODINGS {
                return Err(wrong("The codeableConcept needs codings with system and code, a hundred at the most."));
            }
            Ok(all)
        }
        _ => Err(wrong("Give one of code (with its system), coding and codeableConcept.")),
    }
}

fn question<'i>(coding: &'i Value, common: Asked<'i>) -> Option<Asked<'i>> {
    let text = |name: &str| coding.get(name).and_then(Value::as_str);
    Some(Asked { system: Some(text("system")?), code: text("code")?, ..common })
}

/// The maps for the value sets and systems of a call that names no map: those of packages, then those that are stored.
async fn fitting(
    server: &Server,
    request: &Request,
    inputs: &Inputs,
    questions: &[Asked<'_>],
) -> Result<Vec<Value>, Problem> {
    let [source, target, wanted] = ["source", "target", "targetsystem"].map(|name| inputs.text(name));
    if source.or(target).or(wanted).is_none() {
        return Err(wrong(
            "Name a concept map (url, conceptMap), or say from or into what: source, target, targetsystem.",
        ));
    }
    let definitions = server.validator.definitions();
    let canonicals: Vec<String> = definitions.canonicals("ConceptMap").map(|(_, canonical)| canonical).collect();
    let loaded = canonicals.iter().filter_map(|canonical| definitions.other("ConceptMap", canonical));
    let reverse = questions.first().is_some_and(|question| question.reverse);
    let mut maps: Vec<Value> = loaded.collect();
    let systems: HashSet<&str> = questions.iter().filter_map(|question| question.system).collect();
    for system in systems {
        let parameter = if reverse { "target-system" } else { "source-system" };
        maps.extend(source::stored(server, request, "ConceptMap", &[(parameter, system)]).await?);
    }
    let (from, into) = if reverse { ("target", "source") } else { ("source", "target") };
    let is_for = |map: &Value, side: &str, wanted: Option<&str>| {
        wanted.is_none_or(|wanted| {
            ["Uri", "Canonical"]
                .iter()
                .any(|kind| map.get(format!("{side}{kind}")).and_then(Value::as_str) == Some(wanted))
        })
    };
    maps.retain(|map| is_for(map, from, source) && is_for(map, into, target));
    let mut seen = HashSet::new();
    maps.retain(|map| seen.insert(map.get("url").map(ToString::to_string).unwrap_or_default()));
    maps.truncate(MOST_MAPS);
    Ok(maps)
}

/// Asks the maps, and those which they refer to.
async fn all(
    server: &Server,
    request: &Request,
    maps: Vec<Value>,
    questions: &[Asked<'_>],
    given: &[Dependency],
) -> Result<Translated, Problem> {
    let mut answer = Translated::default();
    let mut open = VecDeque::from(maps);
    let mut asked: HashSet<String> = HashSet::new();
    while let Some(map) = open.pop_front() {
        for question in questions {
            let found = translate(&map, question, given);
            answer.depends |= found.depends;
            for translation in found.translations {
                if !answer.translations.contains(&translation) {
                    answer.translations.push(translation);
                }
            }
            for canonical in found.others {
                if asked.len() < MOST_MAPS && asked.insert(canonical.clone()) {
                    open.extend(
                        source::named(server, request, "ConceptMap", &canonical).await?.map(|found| found.resource),
                    );
                }
            }
        }
    }
    Ok(answer)
}

/// What is known beside the code.
fn dependencies(inputs: &Inputs) -> Vec<Dependency> {
    let mut all = Vec::new();
    for dependency in inputs.all("dependency") {
        let parts = dependency.as_array().map_or(&[][..], Vec::as_slice);
        let part = |name: &str| parts.iter().find(|part| part.get("name").and_then(Value::as_str) == Some(name));
        let element = part("element").and_then(|part| part.get("valueUri")).and_then(Value::as_str);
        let concept = part("concept").and_then(|part| part.get("valueCodeableConcept"));
        let (Some(element), Some(concept)) = (element, concept) else { continue };
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let values =
            items(concept, "coding").iter().filter_map(|coding| Some((text(coding, "system"), text(coding, "code")?)));
        let plain = text(concept, "text").map(|text| (None, text));
        let known = values.chain(plain);
        all.extend(known.map(|(system, value)| Dependency { element: element.to_owned(), system, value }));
    }
    all
}

fn shown(found: &Translated) -> Vec<Value> {
    let result = found.translations.iter().any(Translation::is_match);
    let mut list = vec![json!({ "name": "result", "valueBoolean": result })];
    let message = match (result, found.depends) {
        (_, true) => Some("A translation depends on more than the code: give it as dependency (element, concept)."),
        (false, false) => Some("No concept map that was asked has a translation of this code."),
        (true, false) => None,
    };
    list.extend(message.map(|text| json!({ "name": "message", "valueString": text })));
    list.extend(found.translations.iter().map(match_of));
    list
}

fn match_of(translation: &Translation) -> Value {
    let mut part = vec![json!({ "name": "equivalence", "valueCode": translation.equivalence })];
    part.extend(translation.concept.as_ref().map(|concept| json!({ "name": "concept", "valueCoding": concept })));
    part.extend(translation.products.iter().map(product));
    if !translation.source.is_empty() {
        part.push(json!({ "name": "source", "valueUri": translation.source }));
    }
    json!({ "name": "match", "part": part })
}

fn product(product: &Value) -> Value {
    let mut coding = json!({});
    for (name, own) in [("system", "system"), ("code", "value"), ("display", "display")] {
        if let Some(value) = product.get(own) {
            coding[name] = value.clone();
        }
    }
    let element = product.get("property").cloned().unwrap_or_default();
    json!({ "name": "product", "part": [
        { "name": "element", "valueUri": element }, { "name": "concept", "valueCoding": coding },
    ] })
}
