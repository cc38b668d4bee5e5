//! FHIRPath: the public suite, the official expressions, properties, and behaviour of our own.

mod official;
mod suite;
mod suite_reader;
