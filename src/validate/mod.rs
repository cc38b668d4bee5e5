//! Validation of resources (<https://hl7.org/fhir/R4/validation.html>): definitions are compiled into schemas (`compile`,
//! kept in `schemas`), one walk of the JSON (`run`) asks every rule (`rules`) and collects every issue. Called by the
//! write path, `$validate` and `kith validate`. Pure: no input, no output.

pub mod admission;
pub mod catalogue;
pub mod compile;
mod hint;
pub mod levels;
pub mod print;
pub mod rule;
pub mod rules;
pub mod run;
pub mod schema;
pub mod schemas;
pub mod settings;

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use crate::fhir::definitions::{Changed, Definitions};
use crate::fhir::issue::{Issue, Severity};
use crate::fhir::types::{TypeIndex, Types};
use crate::fhirpath::{Expression, Node, Services};
use crate::problem::{Kind, Problem};
use crate::terminology::{Editions, Membership, Terminology};

use run::Run;
use schema::ProfileIndex;
use schemas::Schemas;
pub use settings::{ConditionalProfile, Mode, Options, Settings};

/// Validates resources. Made once; shared by all threads.
#[derive(Debug)]
pub struct Validator {
    schemas: Schemas,
    terminology: Arc<Terminology>,
    definitions: Arc<Definitions>,
    settings: Settings,
    known: Known,
    conditional: Vec<Conditional>,
    /// Whether rules that are silent unless configured speak: `example-url`, `experimental-content`, `must-support`.
    optional: [bool; 3],
}

/// A profile that applies where a condition holds.
#[derive(Debug)]
pub struct Conditional {
    type_: TypeIndex,
    /// The condition.
    pub condition: Expression,
    /// The profile.
    pub profile: ProfileIndex,
}

/// Types that the walk must know.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Element.
    pub element: TypeIndex,
    /// Extension.
    pub extension: TypeIndex,
    /// code.
    pub code: TypeIndex,
}

impl Validator {
    /// A validator for these definitions. Err: a setting names a profile or type that is not there, or a condition
    /// that does not compile.
    pub fn new(definitions: Arc<Definitions>, settings: Settings) -> Result<Self, Problem> {
        let schemas = Schemas::new(Arc::clone(&definitions));
        let terminology = Arc::new(Terminology::new(Arc::clone(&definitions)));
        Self::over(definitions, schemas, terminology, settings)
    }

    /// The validator for definitions that succeed those of this one; what was compiled of these stays as far as it is still
    /// true. Err: as for [`Validator::new`].
    pub fn succeeding(&self, definitions: Arc<Definitions>, changed: &Changed) -> Result<Self, Problem> {
        let schemas = Schemas::succeeding(&self.schemas, Arc::clone(&definitions), changed);
        let terminology = Arc::new(self.terminology.succeeding(Arc::clone(&definitions), changed));
        Self::over(definitions, schemas, terminology, self.settings.clone())
    }

    /// The same with other editions of SNOMED CT. Err: as for [`Validator::new`].
    pub fn with_editions(&self, editions: Editions) -> Result<Self, Problem> {
        let definitions = Arc::clone(&self.definitions);
        let schemas = Schemas::new(Arc::clone(&definitions));
        let terminology = Arc::new(Terminology::with_editions(Arc::clone(&definitions), editions));
        Self::over(definitions, schemas, terminology, self.settings.clone())
    }

    fn over(
        definitions: Arc<Definitions>,
        schemas: Schemas,
        terminology: Arc<Terminology>,
        settings: Settings,
    ) -> Result<Self, Problem> {
        let types = Types::r4();
        let find = |name: &str| types.get(name).ok_or_else(|| wrong(&format!("FHIR type {name} is not loaded.")));
        let known = Known { element: find("Element")?, extension: find("Extension")?, code: find("code")? };
        let mut conditional = Vec::new();
        for rule in &settings.conditional_profiles {
            let condition = Expression::compile(&rule.condition).map_err(|error| {
                wrong(&format!("The condition for profile {} does not compile: {error}", rule.profile))
            })?;
            let Some(profile) = schemas.profile_index(&rule.profile) else {
                return Err(wrong(&format!("Profile {} is not loaded.", rule.profile)));
            };
            conditional.push(Conditional { type_: find(&rule.resource_type)?, condition, profile });
        }
        let optional = ["example-url", "experimental-content", "must-support"].map(|rule| settings.levels.is_on(rule));
        Ok(Self { schemas, terminology, definitions, settings, known, conditional, optional })
    }

    /// Validates a resource and returns everything found, worst first at the same place.
    #[must_use]
    pub fn validate(&self, resource: &Value, options: &Options) -> Vec<Issue> {
        let mut profiles = Vec::new();
        let mut issues = Vec::new();
        for canonical in &options.profiles {
            match self.schemas.profile_index(canonical) {
                Some(index) => match self.schemas.refusal(index) {
                    Some(reason) => issues.push(rules::profile::not_a_profile(canonical, reason)),
                    None => profiles.push(index),
                },
                None => issues.push(rules::profile::not_loaded(canonical)),
            }
        }
        let mut run = Run::new(self, profiles, options.apply_by_type, self.settings.clock.now());
        run.parallel = options.parallel;
        run.must_support = options.must_support || self.optional[2];
        run.root(resource);
        issues.append(&mut run.issues);
        self.finish(issues)
    }

    /// Drops repetitions (what a profile says again of its base) and applies the levels of the settings.
    fn finish(&self, mut issues: Vec<Issue>) -> Vec<Issue> {
        let mut unique: Vec<Issue> = Vec::with_capacity(issues.len());
        let mut seen = HashSet::new();
        for issue in issues.drain(..) {
            let is_new = if unique.len() < FEW {
                unique.iter().all(|known| !says_the_same(known, &issue))
            } else {
                // Many issues: a table of those so far, instead of looking at each.
                if seen.is_empty() {
                    seen.extend(unique.iter().map(digest));
                }
                seen.insert(digest(&issue))
            };
            if is_new {
                unique.push(issue);
            }
        }
        self.settings.levels.apply(&mut unique);
        unique
    }

    /// Compiles every type, profile and extension, and returns what cannot be used, with canonical, element and reason.
    #[must_use]
    pub fn compile_all(&self) -> Vec<Issue> {
        self.schemas.compile_all()
    }

    /// Err: the settings name rules that nobody knows, or levels that a rule cannot have; all of them, with what would be
    /// right. Called at start, when all definitions are there.
    pub fn check_levels(&self) -> Result<(), Problem> {
        let faults = self.settings.levels.faults(&self.definitions);
        if faults.is_empty() { Ok(()) } else { Err(wrong(&faults.join("\n"))) }
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The schemas.
    #[must_use]
    pub const fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    /// The terminology.
    #[must_use]
    pub const fn terminology(&self) -> &Arc<Terminology> {
        &self.terminology
    }

    /// The definitions.
    #[must_use]
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// The type table.
    #[must_use]
    pub fn types(&self) -> &'static Types {
        Types::r4()
    }

    /// Types that the walk must know.
    #[must_use]
    pub const fn known(&self) -> Known {
        self.known
    }

    /// Whether urls that are reserved for examples are reported.
    #[must_use]
    pub const fn reports_example_urls(&self) -> bool {
        self.optional[0]
    }

    /// Whether experimental definitions are reported.
    #[must_use]
    pub const fn reports_experimental(&self) -> bool {
        self.optional[1]
    }

    /// The profiles that apply to resources of a type on conditions.
    pub fn conditional_profiles(&self, type_: TypeIndex) -> impl Iterator<Item = &Conditional> {
        self.conditional.iter().filter(move |conditional| conditional.type_ == type_)
    }
}

impl Services for Validator {
    fn member_of(&self, value_set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        match self.terminology.member(value_set, system, code) {
            Membership::In => Some(true),
            Membership::NotIn => Some(false),
            Membership::Unknown { .. } => None,
        }
    }

    fn conforms_to(&self, node: &Node<'_>, profile: &str) -> Option<bool> {
        let index = self.schemas.profile_index(profile)?;
        let mut run = Run::new(self, vec![index], false, self.settings.clock.now());
        run.root(node.value());
        Some(!run.issues.iter().any(Issue::is_error))
    }
}

/// Up to so many issues are compared one by one.
const FEW: usize = 32;

/// A reference that points at a wrong type does so whoever asks: the allowed types do not matter.
fn text_of(issue: &Issue) -> &str {
    if issue.rule == "reference-target" { "" } else { &issue.text }
}

fn says_the_same(left: &Issue, right: &Issue) -> bool {
    left.expression == right.expression
        && left.rule == right.rule
        && left.severity == right.severity
        && text_of(left) == text_of(right)
}

fn digest(issue: &Issue) -> (Severity, String, Option<String>, String) {
    (issue.severity, issue.rule.clone(), issue.expression.clone(), text_of(issue).to_owned())
}

fn wrong(text: &str) -> Problem {
    Problem::new(Kind::Invalid, text)
}
