//! What definitions cost at start, each measured once in a fresh process because all of it is kept:
//! `cargo bench --bench definitions`.
#![allow(clippy::print_stdout, clippy::allow_attributes, missing_docs, reason = "a bench prints its figures")]

use std::sync::Arc;
use std::time::Instant;

use kith::fhir::definitions::{Definitions, Part};
use kith::fhir::types::Types;
use kith::validate::{Settings, Validator};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn measure<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (start, ran) = (Instant::now(), on_processor());
    let result = work();
    let (wall, processor) = (start.elapsed().as_secs_f64() * 1000.0, on_processor() - ran);
    println!("{what:<44} {wall:>9.2} ms   {processor:>9.2} ms on the processor   {:>6} kB resident", resident());
    result
}

/// Milliseconds this process has spent on a processor, 0 where the system does not say; steadier than the clock on a busy
/// machine.
fn on_processor() -> f64 {
    let statistics = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds: Option<f64> = statistics.split_whitespace().next().and_then(|first| first.parse().ok());
    nanoseconds.unwrap_or(0.0) / 1_000_000.0
}

/// Resident memory of this process in kB, 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn main() {
    measure("type table", Types::r4);
    let definitions = measure("index of all embedded definitions", Definitions::embedded);
    measure("one snapshot (UK Core Patient)", || {
        drop(definitions.snapshot("https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient"));
    });
    measure("search parameters", || drop(definitions.search_parameters("Patient")));
    let structures: Vec<String> =
        definitions.canonicals("StructureDefinition").map(|(_, canonical)| canonical).collect();
    measure("parse all StructureDefinitions", || {
        structures.iter().filter(|canonical| definitions.structure(canonical).is_some()).count()
    });
    if std::env::args().any(|argument| argument == "memory") {
        return everything(&definitions);
    }
    measure("all snapshots", || structures.iter().filter(|canonical| definitions.snapshot(canonical).is_ok()).count());
    measure("parse all value sets and code systems", || {
        let value_sets = definitions.canonicals("ValueSet").filter(|(_, url)| definitions.value_set(url).is_some());
        let code_systems =
            definitions.canonicals("CodeSystem").filter(|(_, url)| definitions.code_system(url).is_some());
        value_sets.count() + code_systems.count()
    });
    everything(&definitions);
}

/// Everything compiled, with the packages (.tgz) of the folder that `KITH_PACKAGES` names. Snapshots are not part of it: a
/// server keeps none but those it is asked for.
fn everything(embedded: &Definitions) {
    let folder = std::env::var_os("KITH_PACKAGES").map(std::fs::read_dir);
    let paths = folder.into_iter().flatten().flatten().flatten().map(|entry| entry.path());
    let parts: Vec<Part> = measure("packages read and indexed", || {
        let packages = paths.filter(|path| path.extension().is_some_and(|extension| extension == "tgz"));
        packages.filter_map(|path| Part::of_package(kith::package::load(&path).ok()?).ok()).collect()
    });
    let definitions = Arc::new(embedded.with_parts(&parts));
    let Ok(validator) = Validator::new(Arc::clone(&definitions), Settings::default()) else { return };
    measure("every type, profile and extension compiled", || validator.compile_all().len());
    measure("every code system compiled", || {
        let all = definitions.canonicals("CodeSystem");
        all.filter(|(_, canonical)| validator.terminology().system(canonical).is_some()).count()
    });
    measure("every value set compiled", || {
        let all = definitions.canonicals("ValueSet");
        all.filter(|(_, canonical)| validator.terminology().compiled(canonical).is_some()).count()
    });
}
