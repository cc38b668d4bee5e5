//! Canonical references to definitions, `url|version#fragment` (<https://hl7.org/fhir/R4/references.html#canonical>).
//! Called by definition look-ups, validation and terminology.

use std::fmt;

/// A canonical reference, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Canonical<'a> {
    /// The url of the definition; empty if only a fragment is given (a contained definition).
    pub url: &'a str,
    /// The version after `|`.
    pub version: Option<&'a str>,
    /// The element or contained resource after `#`.
    pub fragment: Option<&'a str>,
}

impl<'a> Canonical<'a> {
    /// Splits a canonical reference. Never fails: what is not there is absent. The fragment is found before the version too,
    /// because both orders are in use.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let (before, version) = match text.split_once('|') {
            Some((before, version)) => (before, Some(version)),
            None => (text, None),
        };
        let (url, url_fragment) = split_fragment(before);
        let (version, version_fragment) = match version.map(split_fragment) {
            Some((version, fragment)) => (Some(version), fragment),
            None => (None, None),
        };
        let version = version.filter(|version| !version.is_empty());
        Self { url, version, fragment: version_fragment.or(url_fragment) }
    }
}

fn split_fragment(text: &str) -> (&str, Option<&str>) {
    match text.split_once('#') {
        Some((before, fragment)) => (before, Some(fragment).filter(|fragment| !fragment.is_empty())),
        None => (text, None),
    }
}

impl fmt::Display for Canonical<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.url)?;
        if let Some(version) = self.version {
            write!(formatter, "|{version}")?;
        }
        if let Some(fragment) = self.fragment {
            write!(formatter, "#{fragment}")?;
        }
        Ok(())
    }
}
