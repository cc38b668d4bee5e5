//! Tests of definitions: registry, snapshots, packages.

mod official_snapshots;
mod registry;
mod snapshot;
mod uk_core;
