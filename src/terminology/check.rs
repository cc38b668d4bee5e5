//! Whether a code is right: in a value set or a code system, with its display
//! (<https://hl7.org/fhir/R4/valueset-operation-validate-code.html>). Called by the operations `$validate-code`.

use serde_json::Value;

use super::compile::versioned;
use super::{CompiledCodeSystem, CompiledValueSet, Edition, Existence, Membership, Terminology, syntax};
use crate::fhir::definitions::{Concept, ValueSet};

/// A code to be checked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The code system.
    pub system: &'a str,
    /// The version of the code system.
    pub version: Option<&'a str>,
    /// The code.
    pub code: &'a str,
    /// The text that comes with it.
    pub display: Option<&'a str>,
    /// Codes that only group others are welcome.
    pub abstract_allowed: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// The code is right.
    pub result: bool,
    /// Why not, or a hint.
    pub message: Option<String>,
    /// The text that the code should have.
    pub display: Option<String>,
}

impl Verdict {
    fn no(message: impl Into<String>) -> Self {
        Self { result: false, message: Some(message.into()), display: None }
    }
}

impl Terminology {
    /// Whether a value set has a code. Err: the code system or value set that would be needed.
    pub fn check_member(
        &self,
        definition: &ValueSet,
        compiled: &CompiledValueSet,
        asked: &Asked<'_>,
    ) -> Result<Verdict, String> {
        let membership = compiled.member(Some(asked.system), asked.code);
        if let Some(edition) = self.edition(&versioned(asked.system, asked.version)) {
            return match membership {
                Membership::Unknown { missing } => Err(missing),
                Membership::In => Ok(of_snomed(&edition, asked, texts_of(definition, asked))),
                Membership::NotIn if edition.code_exists(asked.code) == Existence::Missing => Ok(no_such(asked, true)),
                Membership::NotIn => Ok(not_in(definition)),
            };
        }
        let known = self.known(asked)?;
        match membership {
            Membership::Unknown { missing } => Err(missing),
            Membership::In => Ok(with_display(asked, known.as_deref(), texts_of(definition, asked))),
            Membership::NotIn => {
                let exists = known.as_deref().map(|known| known.code_exists(asked.code));
                Ok(if exists == Some(Existence::Missing) { no_such(asked, true) } else { not_in(definition) })
            }
        }
    }

    /// Whether a code system has a code. Err: the code system that would be needed.
    pub fn check_code(&self, asked: &Asked<'_>) -> Result<Verdict, String> {
        if let Some(edition) = self.edition(&versioned(asked.system, asked.version)) {
            return match edition.code_exists(asked.code) {
                Existence::Exists => Ok(of_snomed(&edition, asked, Vec::new())),
                Existence::Missing => Ok(no_such(asked, false)),
                Existence::Unknown => Err(edition.beyond(asked.code)),
            };
        }
        let known = self.known(asked)?;
        let existence = known.as_deref().map_or(Existence::Unknown, |known| known.code_exists(asked.code));
        match (existence, syntax::grammar(asked.system)) {
            (Existence::Exists, _) => Ok(with_display(asked, known.as_deref(), Vec::new())),
            (_, Some(grammar)) if grammar.accepts(asked.code) => Ok(with_display(asked, known.as_deref(), Vec::new())),
            (Existence::Unknown, None) => Err(versioned(asked.system, asked.version)),
            _ => Ok(no_such(asked, false)),
        }
    }

    /// The code system of a code; none where it is not loaded. Err where it is loaded in another version only.
    fn known(&self, asked: &Asked<'_>) -> Result<Option<std::sync::Arc<CompiledCodeSystem>>, String> {
        let canonical = versioned(asked.system, asked.version);
        match self.system(&canonical) {
            None if asked.version.is_some() => Err(canonical),
            found => Ok(found),
        }
    }
}

fn no_such(asked: &Asked<'_>, of_value_set: bool) -> Verdict {
    let end = if of_value_set { ", so it is not in the value set." } else { "." };
    Verdict::no(format!("The code system {} has no such code{end}", asked.system))
}

fn not_in(definition: &ValueSet) -> Verdict {
    Verdict::no(format!("The code is not in the value set {}.", named(&definition.url)))
}

/// The concept is there, or listed by the value set: its display is compared with all its descriptions.
fn of_snomed(edition: &Edition, asked: &Asked<'_>, texts: Vec<String>) -> Verdict {
    let Some(at) = edition.find(asked.code) else {
        return Verdict { result: true, message: None, display: texts.into_iter().next() };
    };
    let display = texts.first().cloned().or_else(|| edition.display(at, None).map(str::to_owned));
    if let Some(given) = asked.display
        && let Some(right) = edition.wrong_display(at, given)
        && texts.iter().all(|text| !text.eq_ignore_ascii_case(given))
    {
        let message = Some(format!("The code is right, its display is not: it should be \"{right}\"."));
        return Verdict { result: false, message, display };
    }
    let message = (!edition.is_active(at)).then(|| "The code is not in use any more (inactive).".to_owned());
    Verdict { result: true, message, display }
}

/// The code is there; its display is compared, and what is unusual about it is said.
fn with_display(asked: &Asked<'_>, known: Option<&CompiledCodeSystem>, mut texts: Vec<String>) -> Verdict {
    let concept = known.and_then(|known| known.concept(asked.code));
    if let Some(concept) = concept {
        if concept.is_abstract() && !asked.abstract_allowed {
            return Verdict::no("The code only groups others and is not meant to be used (abstract).");
        }
        // The value set's own text comes first.
        texts.extend(concept.display.as_deref().map(str::to_owned));
        let definition = known.and_then(|known| find(&known.definition().concepts, &concept.code));
        texts.extend(definition.into_iter().flat_map(|definition| values(&definition.designations)));
    }
    let display = texts.first().cloned();
    let plain = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    match (asked.display, &display) {
        (Some(given), Some(right)) if texts.iter().all(|text| plain(text) != plain(given)) => Verdict {
            result: false,
            message: Some(format!("The code is right, its display is not: it should be \"{right}\".")),
            display,
        },
        (Some(_), None) => Verdict {
            result: true,
            message: Some(format!(
                "The display could not be checked: the texts of the code system {} are not loaded.",
                asked.system
            )),
            display,
        },
        _ => {
            let inactive = concept.is_some_and(super::CompiledConcept::is_inactive);
            let message = inactive.then(|| "The code is not in use any more (inactive).".to_owned());
            Verdict { result: true, message, display }
        }
    }
}

/// The texts that a value set gives a code.
fn texts_of(definition: &ValueSet, asked: &Asked<'_>) -> Vec<String> {
    let clauses = definition.compose.include.iter().filter(|include| include.system.as_deref() == Some(asked.system));
    let listed = clauses.flat_map(|include| &include.concepts).filter(|listed| listed.code == asked.code);
    listed.flat_map(|listed| listed.display.iter().cloned().chain(values(&listed.designations))).collect()
}

fn values(designations: &[Value]) -> impl Iterator<Item = String> {
    designations.iter().filter_map(|designation| Some(designation.get("value")?.as_str()?.to_owned()))
}

/// A concept of a definition.
pub(super) fn find<'c>(concepts: &'c [Concept], code: &str) -> Option<&'c Concept> {
    concepts.iter().find_map(|concept| if concept.code == code { Some(concept) } else { find(&concept.concepts, code) })
}

fn named(url: &str) -> &str {
    if url.is_empty() { "that was sent" } else { url }
}
