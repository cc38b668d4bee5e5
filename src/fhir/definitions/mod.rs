//! FHIR definitions as facts: packages, the registry that looks them up, the snapshot generator.

mod by_type;
pub(crate) mod embedded;
mod entry;
mod head;
pub mod import;
mod mentions;
mod model;
pub mod package;
mod part;
mod precedence;
mod registry;
mod snapshot;
mod succession;

pub use mentions::Changed;
pub use model::*;
pub use part::Part;
pub use registry::Definitions;
pub use snapshot::Snapshot;
