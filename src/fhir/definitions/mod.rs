//! FHIR definitions as facts: packages, the registry that looks them up, the snapshot generator.

mod by_type;
pub(crate) mod embedded;
mod entry;
mod head;
pub mod import;
mod model;
pub mod package;
mod registry;
mod snapshot;

pub use model::*;
pub use registry::Definitions;
pub use snapshot::Snapshot;
