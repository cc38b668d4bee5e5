//! SNOMED CT (<https://hl7.org/fhir/R4/snomedct.html>). Nothing of it is shipped: an operator with a licence loads a release
//! (`kith terminology load`). Its files become an [`Edition`] ([`Builder`]), the edition is kept in the database in a form that
//! is read back whole ([`image`]), and every question is answered from memory: terms, hierarchy, reference sets, expression
//! constraints ([`ecl`]).

mod build;
mod concept_set;
pub mod ecl;
mod edition;
mod editions;
mod hierarchy;
mod identifier;
pub mod image;
pub mod implicit;
mod lookup;
mod rf2;
mod select;
mod texts;
mod version;

pub use build::Builder;
pub use concept_set::ConceptSet;
pub use edition::{Edition, EditionVersion};
pub use editions::Editions;
pub use identifier::{concept as concept_identifier, has_check_digit};
pub use rf2::FileKind;
pub(super) use select::{Unselected, select};

/// The url of the code system.
pub const SYSTEM: &str = "http://snomed.info/sct";
