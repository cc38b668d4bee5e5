//! "Did you mean": the nearest name, code or url to one that is wrong, and what is allowed where that is short. Used by the
//! rules for the texts of their issues. What they cost is bounded: after many issues there are no more hints.

use crate::fhir::{suggest, ucum};
use crate::terminology::CompiledValueSet;

use super::run::Run;

/// A resource with more issues than this has other troubles than a mistyped name.
const MOST_ISSUES: usize = 64;

/// The same for urls and units: there are more than a thousand to compare with.
const MOST_ISSUES_FOR_URLS: usize = 8;

/// A list of so many codes is shown whole.
const SHORT: usize = 12;

/// ` Did you mean …?`, or nothing.
fn asked(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!(" Did you mean {nearest}?"))
}

impl Run<'_, '_> {
    /// Issues of the resource, or of the entry of a Bundle. Entries are counted each for itself, so that it does not matter
    /// on which thread they are walked.
    const fn issues_here(&self) -> usize {
        self.issues.len().saturating_sub(self.issues_before)
    }

    /// The nearest of the candidates, as a question with a space before it; empty where none is near.
    #[must_use]
    pub fn did_you_mean<'c>(&self, name: &str, candidates: impl IntoIterator<Item = &'c str>) -> String {
        if self.issues_here() > MOST_ISSUES { String::new() } else { asked(suggest::nearest(name, candidates)) }
    }

    /// The nearest unit of UCUM.
    #[must_use]
    pub fn nearest_unit(&self, code: &str) -> Option<String> {
        if self.issues_here() > MOST_ISSUES_FOR_URLS { None } else { ucum::nearest(code) }
    }

    /// The nearest url of a loaded profile or extension, as such a question.
    #[must_use]
    pub fn did_you_mean_profile(&self, canonical: &str) -> String {
        if !self.suggests_urls || self.issues_here() > MOST_ISSUES_FOR_URLS {
            return String::new();
        }
        let url = canonical.split('|').next().unwrap_or(canonical);
        let known: Vec<String> = self
            .validator
            .definitions()
            .canonicals("StructureDefinition")
            .map(|(_, canonical)| canonical.split('|').next().unwrap_or(&canonical).to_owned())
            .collect();
        match suggest::nearest_url(url, known.iter().map(String::as_str)) {
            // The url is right, so the version is not.
            Some(near) if near == url => " Another version of it is loaded.".to_owned(),
            near => asked(near),
        }
    }

    /// The codes of a list that is short enough to show, as a sentence with a space before it; else the nearest one.
    #[must_use]
    pub fn allowed_or_nearest(&self, code: Option<&str>, set: &CompiledValueSet) -> String {
        if self.issues_here() > MOST_ISSUES {
            return String::new();
        }
        let nearest = asked(code.and_then(|code| suggest::nearest(code, set.codes())));
        let mut first: Vec<&str> = set.codes().take(SHORT + 1).collect();
        if first.is_empty() || first.len() > SHORT || !set.is_complete() {
            return nearest;
        }
        first.sort_unstable();
        format!(" Allowed: {}.{nearest}", first.join(", "))
    }
}
