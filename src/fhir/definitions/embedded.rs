//! The package folders below `profiles/`, embedded in the binary by `build.rs` as text that is parsed when asked for.

/// Name below `profiles/` and text of every embedded file, sorted by name.
pub(crate) static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/profiles.rs"));

/// The folder of FHIR R4's own definitions.
pub(crate) const CORE: &str = "hl7.fhir.r4.core";

/// The folder of UK Core.
pub(crate) const UK_CORE: &str = "uk-core";
/// The folder of our own implementation guide.
pub(crate) const KITH: &str = "kith";

/// True for a file of definitions in the folder of a package.
pub(crate) fn is_definition_of(file: &str, package: &str) -> bool {
    file.strip_prefix(package).is_some_and(|rest| rest.starts_with('/') && !rest.ends_with("/package.json"))
}

/// The text of an embedded file, empty where there is none.
pub(crate) fn text(name: &str) -> &'static str {
    FILES.binary_search_by_key(&name, |(file, _)| file).ok().and_then(|at| FILES.get(at)).map_or("", |(_, text)| text)
}
