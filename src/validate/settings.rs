//! What may be chosen: per deployment (`Settings`) and per request (`Options`).

use std::sync::Arc;

use crate::clock::Clock;

use super::levels::Levels;

/// Choices of a deployment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Level by rule id, in place of the rule's own.
    pub levels: Levels,
    /// Profiles that apply where a condition holds, whether the resource declares them or not.
    pub conditional_profiles: Vec<ConditionalProfile>,
    /// What time it is, for `now()` in invariants.
    pub clock: Arc<Clock>,
}

/// A profile that applies to resources of a type where a condition holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionalProfile {
    /// Resource type.
    pub resource_type: String,
    /// FHIRPath on the resource.
    pub condition: String,
    /// Canonical of the profile.
    pub profile: String,
}

impl Default for Settings {
    /// R4's vital signs apply by LOINC code (<https://hl7.org/fhir/R4/observation-vitalsigns.html>).
    fn default() -> Self {
        let vital_signs = VITAL_SIGNS.iter().map(|(code, profile)| ConditionalProfile {
            resource_type: "Observation".to_owned(),
            condition: format!("code.coding.where(system = 'http://loinc.org' and code = '{code}').exists()"),
            profile: format!("http://hl7.org/fhir/StructureDefinition/{profile}"),
        });
        Self { levels: Levels::default(), conditional_profiles: vital_signs.collect(), clock: Arc::new(Clock::System) }
    }
}

/// LOINC codes that make an Observation a vital sign of R4, with the profile each demands.
const VITAL_SIGNS: [(&str, &str); 10] = [
    ("85353-1", "vitalspanel"),
    ("9279-1", "resprate"),
    ("8867-4", "heartrate"),
    ("2708-6", "oxygensat"),
    ("8310-5", "bodytemp"),
    ("8302-2", "bodyheight"),
    ("9843-4", "headcircum"),
    ("29463-7", "bodyweight"),
    ("39156-5", "bmi"),
    ("85354-9", "bp"),
];

/// What a resource is about to go through (<https://hl7.org/fhir/R4/resource-operation-validate.html>, parameter `mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Nothing in particular.
    #[default]
    Content,
    /// A create.
    Create,
    /// An update.
    Update,
    /// A delete; the content is not looked at by the server.
    Delete,
}

/// Choices of one validation.
#[derive(Debug, Clone)]
pub struct Options {
    /// Canonicals of profiles that the resource must meet, besides those it declares.
    pub profiles: Vec<String>,
    /// Whether profiles apply by resource type (UK Core) and by condition.
    pub apply_by_type: bool,
    /// What for.
    pub mode: Mode,
    /// Whether the elements that profiles mark as mustSupport are listed, those that are there and those that are not.
    pub must_support: bool,
    /// Whether the entries of a large Bundle may be divided among threads.
    pub parallel: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { profiles: Vec::new(), apply_by_type: true, mode: Mode::default(), must_support: false, parallel: false }
    }
}
