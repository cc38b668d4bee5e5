//! `CodeSystem/$lookup` (<https://hl7.org/fhir/R4/codesystem-operation-lookup.html>): what is known of a code.

use std::sync::Arc;

use serde_json::Value;

use super::inputs::{Inputs, wrong};
use super::source;
use super::{answer, no_such_code, no_such_concept, not_loaded, parameters};
use crate::access::Grant;
use crate::interactions::operation::{Answer, Level, Operation};
use crate::interactions::request::Request;
use crate::interactions::server::Server;
use crate::problem::Problem;

const DEFINITION: &str = "http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup";

/// The operation.
#[derive(Debug)]
pub struct Lookup;

impl Operation for Lookup {
    fn name(&self) -> &'static str {
        "lookup"
    }

    fn definition(&self) -> &'static str {
        DEFINITION
    }

    fn offered_at(&self, level: &Level) -> bool {
        matches!(level, Level::Type(name) if name == "CodeSystem")
    }

    fn by_get(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, server: &'a Arc<Server>, request: &'a Request, level: &'a Level, _grant: Grant) -> Answer<'a> {
        Box::pin(async move {
            let inputs = Inputs::read(server, request, DEFINITION, &["date"])?;
            let list = lookup(server, request, &inputs).await?;
            answer(server, request, level, "lookup", parameters(&list)).await
        })
    }
}

async fn lookup(server: &Server, request: &Request, inputs: &Inputs) -> Result<Vec<Value>, Problem> {
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
    let terminology = source::around_code_system(server, request, Some(&canonical), None).await?;
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
