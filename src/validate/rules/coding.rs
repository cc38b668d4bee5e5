//! `code-unknown`, `display-mismatch`: a Coding's code exists in its code system and its display is one the system has,
//! where the system is loaded and complete.

use serde_json::Value;

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::member;
use crate::fhir::suggest;
use crate::terminology::Existence;

use crate::validate::run::{Origin, Place, Run};

/// Systems that HL7 goes on extending after R4: a code we do not know may be a newer one.
const GROWING: &str = "http://terminology.hl7.org/";

/// Checks a Coding against its code system.
pub fn check<'a>(run: &mut Run<'_, 'a>, coding: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let text_of = |name: &str| member::text(coding, name);
    let (Some(system), Some(code)) = (text_of("system"), text_of("code")) else { return };
    let Some(compiled) = run.validator.terminology().system(system) else { return };
    match compiled.code_exists(code) {
        Existence::Unknown => {}
        Existence::Missing => {
            let hint = suggest::nearest(code, compiled.codes())
                .map_or_else(String::new, |nearest| format!(" Did you mean {nearest}?"));
            let severity = if system.starts_with(GROWING) { Severity::Warning } else { Severity::Error };
            let text = format!("Code system {system} has no such code.{hint}");
            let path = place.path.element("code");
            run.push(Issue::new(severity, IssueCode::CodeInvalid, "code-unknown", text), &path, origin);
        }
        Existence::Exists => {
            let Some(display) = text_of("display") else { return };
            if let Some(right) = compiled.wrong_display(code, display) {
                let text = format!("The display is not that of the code in {system}, which is '{right}'.");
                let path = place.path.element("display");
                run.error(IssueCode::CodeInvalid, "display-mismatch", text, &path, origin);
            }
        }
    }
}
