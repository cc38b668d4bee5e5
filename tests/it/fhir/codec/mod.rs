//! Tests of `kith::fhir::codec`.

mod json;
mod positions;
mod xml;
