//! `primitive-format`: the text of a primitive value (<https://hl7.org/fhir/R4/datatypes.html#primitive>).

use crate::fhir::issue::IssueCode;
use crate::fhir::path::Path;
use crate::fhir::primitive::Fault;
use crate::fhir::types::PrimitiveKind;

use crate::validate::run::{Origin, Run};

/// Reports a value that is not what its primitive type demands.
pub fn report(run: &mut Run<'_, '_>, kind: PrimitiveKind, fault: Fault, path: &Path<'_>, origin: Origin<'_>) {
    let text = format!("The value {} (type {}).", fault.text(), kind.name());
    let code = match fault {
        Fault::JsonKind(_) => IssueCode::Structure,
        Fault::Format(_) => IssueCode::Value,
    };
    run.error(code, fault.rule(), text, path, origin);
}
