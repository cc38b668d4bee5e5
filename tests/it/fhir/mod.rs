//! Tests of `kith::fhir`.

mod canonical;
mod codec;
mod decimal;
mod definitions;
mod language;
mod primitive;
mod reference;
mod specification;
mod temporal;
mod types;
mod ucum;
