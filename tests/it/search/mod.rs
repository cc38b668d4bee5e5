//! Search: parameters, extraction, query parsing, SQL, paging.

mod every_parameter;
mod extract;
mod filters;
mod hierarchy;
mod kinds;
mod matching;
mod model;
mod paging;
mod paging_while_writing;
mod parameters;
mod plans;
mod prefixes;
mod query;
mod restrict;
mod sorting;
mod world;

use std::sync::{Arc, OnceLock};

use kith::clock::Micros;
use kith::fhir::definitions::Definitions;
use kith::problem::Problem;
use kith::search::parameters::Registry;
use kith::search::query::{Context, Handling, Query, parse};

/// The server's base in these tests.
pub const BASE: &str = "https://kith.example/fhir";

/// 2026-06-15T12:00:00Z.
pub const NOW: Micros = 1_781_524_800_000_000;

/// The registry over the embedded definitions.
pub fn registry() -> Arc<Registry> {
    static REGISTRY: OnceLock<Arc<Registry>> = OnceLock::new();
    Arc::clone(REGISTRY.get_or_init(|| Arc::new(Registry::new(Definitions::embedded()))))
}

/// Splits `a=b&c=d` without decoding.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('=').unwrap_or((part, ""))).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

/// Parses `Type?a=b&c=d`.
pub fn parsed(search: &str, handling: Handling) -> Result<Query, Problem> {
    let (resource_type, query) = search.split_once('?').unwrap_or((search, ""));
    let registry = registry();
    let context = Context { registry: &registry, base: BASE, now: NOW, handling };
    parse(resource_type, &pairs(query), &context)
}
