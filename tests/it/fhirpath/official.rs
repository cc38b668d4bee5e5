//! Every invariant and every search parameter expression of R4 core, as embedded: all compile, and the invariants name
//! elements that exist.

use std::collections::BTreeMap;

use kith::fhir::definitions::{Definitions, StructureDefinition};
use kith::fhir::types::{TypeIndex, Types};
use kith::fhirpath::Expression;
