//! The closed set of rules that a schema can hold. Each is plain data; the file of the same name in `rules/` checks it.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

pub use crate::fhir::definitions::{Aggregation, Strength};
use crate::fhir::issue::Severity;
use crate::fhir::types::TypeIndex;
use crate::fhirpath::Expression;
use crate::terminology::CompiledValueSet;

use super::schema::ProfileIndex;

/// One rule of an element or a type, in the order of its cost.
#[derive(Debug, Clone)]
pub enum Rule {
    /// `maxLength`.
    MaxLength(u32),
    /// `minValue[x]`.
    MinValue(Value),
    /// `maxValue[x]`.
    MaxValue(Value),
    /// `fixed[x]`.
    Fixed(Value),
    /// `pattern[x]`.
    Pattern(Value),
    /// `targetProfile` of a Reference or canonical.
    Targets(Vec<Target>),
    /// An invariant checked by code of ours.
    BuiltIn(BuiltIn),
    /// `binding`.
    Binding(Binding),
    /// `type.profile`: a value of the type must meet one of the profiles.
    Profiles(TypeIndex, Vec<ProfileIndex>),
    /// `type.profile` that is not loaded: what a value of the type must meet cannot be checked.
    UnknownProfiles(TypeIndex, Vec<String>),
    /// `targetProfile` with profiles: the target, where the input has it, must meet one.
    TargetProfiles(Vec<Target>),
    /// `aggregation`: where the targets of references may stand.
    Aggregation(Vec<Aggregation>),
    /// A primitive must have a value, not extensions alone.
    ValuePresent,
    /// An invariant in FHIRPath.
    Invariant(Invariant),
}

impl Rule {
    /// Position in the order in which rules run: cheap before dear.
    #[must_use]
    pub const fn cost(&self) -> u8 {
        match self {
            Self::MaxLength(_) => 0,
            Self::MinValue(_) | Self::MaxValue(_) => 1,
            Self::Fixed(_) => 2,
            Self::Pattern(_) => 3,
            Self::Targets(_) | Self::Aggregation(_) | Self::ValuePresent => 4,
            Self::BuiltIn(_) => 5,
            Self::Binding(_) => 6,
            Self::Profiles(..) | Self::UnknownProfiles(..) | Self::TargetProfiles(_) => 7,
            Self::Invariant(_) => 8,
        }
    }
}

/// One allowed target of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Resource type; `Resource` for any.
    pub type_: String,
    /// Canonical as the definition states it.
    pub canonical: String,
    /// The profile that it names, where that is one and is loaded.
    pub profile: Option<ProfileIndex>,
}

impl Target {
    /// True where the definition names a type, not a profile.
    #[must_use]
    pub fn is_type(&self) -> bool {
        self.canonical.strip_prefix("http://hl7.org/fhir/StructureDefinition/").is_some_and(|name| name == self.type_)
    }
}

/// A binding to a value set.
#[derive(Debug, Clone)]
pub struct Binding {
    /// How strongly.
    pub strength: Strength,
    /// Canonical of the value set.
    pub value_set: String,
    /// Canonical of the set that bounds an extensible binding (extension elementdefinition-maxValueSet).
    pub max_value_set: Option<String>,
    /// The compiled sets, found at first use: the binding's own and the bound.
    pub compiled: [OnceLock<Option<Arc<CompiledValueSet>>>; 2],
}

/// An invariant in FHIRPath.
#[derive(Debug, Clone)]
pub struct Invariant {
    /// Key, which is the rule id of its issues.
    pub key: String,
    /// Severity as the definition states it.
    pub severity: Severity,
    /// The expression as written.
    pub source: String,
    /// The expression, compiled.
    pub expression: Arc<Expression>,
}

/// Invariants that are everywhere, and rules of the English NHS: checked by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltIn {
    /// `att-1`: Attachment.data needs a contentType.
    AttachmentType,
    /// `cpt-2`: ContactPoint.value needs a system.
    ContactSystem,
    /// `dom-2` … `dom-5`: contained resources.
    Contained,
    /// `dom-6`: a resource should have a narrative.
    Narrative,
    /// `ext-1`: an extension has a value or extensions, not both.
    ExtensionValue,
    /// `qty-3`: Quantity.code needs a system.
    QuantitySystem,
    /// `ref-1` and what else a Reference must be in itself.
    Reference,
    /// `txt-1`, `txt-2`: the narrative's xhtml.
    Xhtml,
    /// The check digit of an NHS number.
    NhsNumber,
    /// The value of an Identifier that says it is a uri.
    IdentifierUri,
    /// The url of a definition is absolute.
    OwnUrl,
    /// A definition is no experiment, where the deployment asks.
    Experimental,
    /// The content of a CodeSystem.
    CodeSystem,
    /// The codes of a ConceptMap.
    ConceptMap,
    /// The subjects of a MeasureReport.
    MeasureReport,
    /// What a StructureDefinition says of itself.
    StructureDefinition,
    /// The rule of a ValueSet.
    ValueSet,
    /// A Coding's code and display are of its code system.
    Coding,
    /// The unit of a Quantity is one of UCUM, where it says so.
    Unit,
    /// fullUrl of Bundle entries.
    BundleFullUrls,
    /// The size of an Attachment.
    AttachmentSize,
    /// A QuestionnaireResponse against its Questionnaire.
    QuestionnaireResponse,
    /// The conditions of a Questionnaire.
    Questionnaire,
}
