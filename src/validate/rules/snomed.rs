//! `code-unknown`, `code-inactive`, `display-mismatch` for codes of SNOMED CT, where an edition is loaded
//! (<https://hl7.org/fhir/R4/snomedct.html>). A display that no active description has is a warning and no error: descriptions are
//! retired with every release, and what was right when it was recorded is not to be refused for that.

use serde_json::Value;

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::member;
use crate::terminology::snomed::SYSTEM;
use crate::terminology::{Edition, Existence};

use crate::validate::run::{Origin, Place, Run};

/// Checks a Coding of SNOMED CT. A version that is not loaded, an extension that the edition has not, and expressions get no
/// verdict; where nothing is loaded at all, the binding says so.
pub fn check<'a>(run: &mut Run<'_, 'a>, coding: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let Some(code) = member::text(coding, "code") else { return };
    let version = member::text(coding, "version");
    let canonical = version.map_or_else(|| SYSTEM.to_owned(), |version| format!("{SYSTEM}|{version}"));
    let Some(edition) = run.validator.terminology().edition(&canonical) else { return };
    match edition.find(code) {
        Some(at) => known(run, &edition, at, coding, place, origin),
        None if edition.code_exists(code) == Existence::Missing => {
            let text = format!("SNOMED CT ({}) has no such code.", edition.version().uri());
            let issue = Issue::new(Severity::Error, IssueCode::CodeInvalid, "code-unknown", text);
            run.push(issue, &place.path.element("code"), origin);
        }
        None => {
            let missing = edition.beyond(code);
            let text = format!("The code could not be checked: {missing} is not loaded.");
            let issue = Issue::new(Severity::Warning, IssueCode::NotFound, "terminology-unloaded", text);
            run.push(issue, &place.path.element("code"), origin);
        }
    }
}

fn known<'a>(
    run: &mut Run<'_, 'a>,
    edition: &Edition,
    at: u32,
    coding: &'a Value,
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    if !edition.is_active(at) {
        let text = "The code is not in use any more (inactive) in SNOMED CT. Choose one that is.".to_owned();
        let issue = Issue::new(Severity::Warning, IssueCode::BusinessRule, "code-inactive", text);
        run.push(issue, &place.path.element("code"), origin);
    }
    let Some(display) = member::text(coding, "display") else { return };
    if let Some(right) = edition.wrong_display(at, display) {
        let text = format!(
            "The display is none of the code's active descriptions in SNOMED CT; the preferred one is '{right}'."
        );
        let issue = Issue::new(Severity::Warning, IssueCode::CodeInvalid, "display-mismatch", text);
        run.push(issue, &place.path.element("display"), origin);
    }
}
