//! Which version of a code system a request means where a value set does not say, or whatever it says: the parameters
//! `system-version`, `check-system-version` and `force-system-version` of `$expand`
//! (<https://hl7.org/fhir/R4/valueset-operation-expand.html>).

use std::collections::HashMap;

use crate::fhir::canonical::Canonical;

/// Versions by code system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    /// Where a value set names none.
    pub default: HashMap<String, String>,
    /// Where a value set names none; another one is an error.
    pub checked: HashMap<String, String>,
    /// Whatever a value set names.
    pub forced: HashMap<String, String>,
}

/// Reads `system|version`; none where one of them is missing.
#[must_use]
pub fn of_canonical(canonical: &str) -> Option<(String, String)> {
    let canonical = Canonical::parse(canonical);
    let version = canonical.version.filter(|version| !version.is_empty())?;
    (!canonical.url.is_empty()).then(|| (canonical.url.to_owned(), version.to_owned()))
}

impl Versions {
    /// True where the request asks for none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.default.is_empty() && self.checked.is_empty() && self.forced.is_empty()
    }

    /// The canonical of a code system, where a clause names this version of it, or none.
    #[must_use]
    pub fn canonical(&self, system: &str, named: Option<&str>) -> String {
        let of = |versions: &HashMap<String, String>| versions.get(system).map(String::to_owned);
        let version = of(&self.forced)
            .or_else(|| named.map(str::to_owned))
            .or_else(|| of(&self.checked))
            .or_else(|| of(&self.default));
        version.map_or_else(|| system.to_owned(), |version| format!("{system}|{version}"))
    }
}
