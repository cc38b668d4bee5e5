//! `code-system`, `code-unknown`, `display-mismatch`: a Coding names a code system, its code exists there and its display is one
//! that the system has, where the system is loaded and complete. Codes of a system with a grammar (units, languages, media
//! types) have its form.

use serde_json::Value;

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::member;
use crate::fhir::{suggest, ucum};
use crate::terminology::snomed::SYSTEM;
use crate::terminology::{Existence, LANGUAGES, Terminology};

use super::{language_tag, snomed, unit};
use crate::validate::run::{Origin, Place, Run};

/// Systems that HL7 goes on extending after R4: a code we do not know may be a newer one.
const GROWING: &str = "http://terminology.hl7.org/";

/// Checks a Coding against its code system.
pub fn check<'a>(run: &mut Run<'_, 'a>, coding: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let text_of = |name: &str| member::text(coding, name);
    let Some(system) = text_of("system") else { return };
    if system == SYSTEM && run.validator.terminology().edition(SYSTEM).is_some() {
        return snomed::check(run, coding, place, origin);
    }
    let Some(compiled) = run.validator.terminology().system(system) else {
        return match text_of("code").and_then(|code| Terminology::is_well_formed(system, code)) {
            Some(true) => {}
            Some(false) => malformed(run, coding, system, place, origin),
            None => unknown_system(run, system, place, origin),
        };
    };
    if compiled.definition().supplements.is_some() {
        let text = format!("{system} only adds to another code system. Name that one.");
        return run.error(IssueCode::CodeInvalid, "code-system", text, &place.path.element("system"), origin);
    }
    let Some(code) = text_of("code") else { return };
    match compiled.code_exists(code) {
        Existence::Unknown => {
            if Terminology::is_well_formed(system, code) == Some(false) {
                malformed(run, coding, system, place, origin);
            }
        }
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

/// The codes of the system follow a grammar, and this one does not.
fn malformed<'a>(run: &mut Run<'_, 'a>, coding: &'a Value, system: &str, place: Place<'_, 'a>, origin: Origin<'_>) {
    let path = place.path.element("code");
    match system {
        ucum::SYSTEM => unit::check(run, coding, place, origin),
        LANGUAGES => language_tag::report(run, member::text(coding, "code").unwrap_or_default(), &path, origin),
        _ => {
            let text = format!("This does not have the form of the codes of {system}.");
            run.error(IssueCode::CodeInvalid, "code-unknown", text, &path, origin);
        }
    }
}

/// What stands as system is at least the name of a code system.
fn unknown_system(run: &mut Run<'_, '_>, system: &str, place: Place<'_, '_>, origin: Origin<'_>) {
    let text = if !system.contains(':') {
        "The system of a code must be an absolute url.".to_owned()
    } else if run.validator.terminology().value_set(system).is_some() {
        format!("{system} is a value set. Name the code system that the code is from.")
    } else {
        return;
    };
    run.error(IssueCode::CodeInvalid, "code-system", text, &place.path.element("system"), origin);
}
