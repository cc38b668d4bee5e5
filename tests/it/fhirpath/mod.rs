//! FHIRPath: the public suite, the official expressions, properties, and behaviour of our own.

mod behaviour;
mod official;
mod properties;
mod suite;
mod suite_reader;
