//! `language-tag`: the name of a language is a well-formed tag of BCP 47
//! (<https://hl7.org/fhir/R4/valueset-all-languages.html>). Called for bindings to all languages and for Codings.

use crate::fhir::issue::IssueCode;
use crate::fhir::language;
use crate::fhir::path::Path;

use crate::validate::run::{Origin, Run};

/// Reports a text that is no language tag.
pub fn report(run: &mut Run<'_, '_>, tag: &str, path: &Path<'_>, origin: Origin<'_>) {
    let nearest = language::nearest(tag).map_or_else(String::new, |near| format!(" Did you mean {near}?"));
    let text = format!(
        "This is no language tag of BCP 47. A tag is a language of two or three letters, then parts with hyphens, such as \
         en or en-GB.{nearest}"
    );
    run.error(IssueCode::CodeInvalid, "language-tag", text, path, origin);
}
