//! The data model of `conformance/http/*.toml` (its README describes it for people): the behaviour that one section of the
//! FHIR specification asks for, as cases that a server passes or fails.

use serde::Deserialize;

use super::claims::Needs;
use super::journey::{Journey, Step};

/// One file: cases that share a place in the specification and, where they need it, the same resources.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Short name, the same as the file's.
    pub section: String,
    /// One line for people.
    pub title: String,
    /// Where the specification says so.
    pub link: String,
    /// What a server must claim for any of these cases to apply.
    #[serde(default)]
    pub needs: Needs,
    /// Played once before the cases.
    #[serde(default)]
    pub setup: Vec<Step>,
    /// The cases, each independent of the others.
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

/// One behaviour.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Short name, unique in all files.
    pub id: String,
    /// What a server must do.
    pub title: String,
    /// Where the specification says so, where it is not the section's link.
    #[serde(default)]
    pub link: Option<String>,
    /// What a server must claim for this case to apply, besides what the section needs.
    #[serde(default)]
    pub needs: Needs,
    /// The requests, in order.
    pub steps: Vec<Step>,
}

impl Section {
    /// Reads a section file.
    ///
    /// # Errors
    /// A sentence that says what cannot be understood, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| format!("not a section: {error}"))
    }

    /// The referral journeys as a section of their own. They show rules of this product, so other servers do not claim them.
    #[must_use]
    pub fn of_journeys(journeys: Vec<Journey>) -> Self {
        let case = |journey: Journey| Case {
            id: format!("referral-{}", journey.journey),
            title: format!("{}: {}", journey.title, journey.description),
            link: None,
            needs: Needs::default(),
            steps: journey.steps,
        };
        Self {
            section: "referral".to_owned(),
            title: "Social-prescribing referrals, from beginning to end".to_owned(),
            link: "https://hl7.org/fhir/R4/task.html".to_owned(),
            needs: Needs::from([("product".to_owned(), vec!["Kith".to_owned()])]),
            setup: Vec::new(),
            cases: journeys.into_iter().map(case).collect(),
        }
    }
}
