//! What one ElementDefinition demands of a value, as rules: one function a facet.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::fhir::definitions::{Constraint, ElementDefinition, Strength, TypeRef};
use crate::fhir::issue::Severity;
use crate::fhir::types::{TypeIndex, TypeKind, Types};
use crate::fhirpath::Expression;

use crate::validate::rule::{Binding, BuiltIn, Invariant, Rule, Target};
use crate::validate::schema::ProfileIndex;

/// Where HL7 publishes the base definitions.
pub const HL7: &str = "http://hl7.org/fhir/StructureDefinition/";

/// Invariants that the walk checks without a rule, or that say nothing a program can check.
const WITHOUT_RULE: [&str; 5] = ["ele-1", "dom-3", "dom-4", "dom-5", "txt-2"];

/// `fixed`, `pattern`, limits and length.
pub fn values(element: &ElementDefinition, rules: &mut Vec<Rule>) {
    rules.extend(element.max_length.map(Rule::MaxLength));
    rules.extend(element.min_value.as_deref().cloned().map(Rule::MinValue));
    rules.extend(element.max_value.as_deref().cloned().map(Rule::MaxValue));
    rules.extend(element.min_value.as_deref().and_then(|limit| relative_limit("min-value", "<", "-", limit)));
    rules.extend(element.max_value.as_deref().and_then(|limit| relative_limit("max-value", ">", "+", limit)));
    rules.extend(element.fixed.as_deref().cloned().map(Rule::Fixed));
    rules.extend(element.pattern.as_deref().cloned().map(Rule::Pattern));
}

/// A limit that is a duration is relative to the current time, for dates
/// (<https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.maxValue_x_>): then it is an invariant.
fn relative_limit(rule: &str, order: &str, sign: &str, limit: &Value) -> Option<Rule> {
    const UNITS: [(&str, &str); 7] = [
        ("a", "years"),
        ("mo", "months"),
        ("wk", "weeks"),
        ("d", "days"),
        ("h", "hours"),
        ("min", "minutes"),
        ("s", "seconds"),
    ];
    let code = limit.get("code")?.as_str()?;
    let (_, unit) = UNITS.iter().find(|(known, _)| *known == code)?;
    let value = limit.get("value")?.as_i64()?;
    let source = format!(
        "where(($this is date and $this {order} today() {sign} {value} {unit}) or \
         (($this is dateTime or $this is instant) and $this {order} now() {sign} {value} {unit})).empty()"
    );
    let expression = Arc::new(Expression::compile(&source).ok()?);
    Some(Rule::Invariant(Invariant { key: rule.to_owned(), severity: Severity::Error, source, expression }))
}

/// The binding, unless it is only an example.
#[must_use]
pub fn binding(element: &ElementDefinition) -> Option<Binding> {
    let binding = element.binding.as_ref().filter(|binding| binding.strength != Strength::Example)?;
    Some(Binding {
        strength: binding.strength,
        value_set: binding.value_set.clone()?,
        max_value_set: binding.max_value_set.clone(),
        compiled: [OnceLock::new(), OnceLock::new()],
    })
}

/// The bindings that hold besides.
pub fn additional_bindings(element: &ElementDefinition) -> impl Iterator<Item = Binding> {
    let all = element.binding.iter().flat_map(|binding| &binding.additional);
    all.map(|(strength, value_set)| Binding {
        strength: *strength,
        value_set: value_set.clone(),
        max_value_set: None,
        compiled: [OnceLock::new(), OnceLock::new()],
    })
}

/// Where targets may stand, if every type of reference says the same.
#[must_use]
pub fn aggregation(types: &[TypeRef]) -> Option<Rule> {
    let mut all = types.iter().filter(|type_| type_.code == "Reference").map(|type_| &type_.aggregation);
    let first = all.next().filter(|modes| !modes.is_empty())?;
    all.all(|modes| modes == first).then(|| Rule::Aggregation(first.clone()))
}

/// The targets that references may have; none where any may. `resource_type` finds the type that a profile constrains.
#[must_use]
pub fn targets(types: &[TypeRef], resource_type: impl Fn(&str) -> Option<String>) -> Option<Vec<Target>> {
    let targets = all_targets(types, resource_type, |_| None);
    (!targets.is_empty() && targets.iter().all(|target| target.type_ != "Resource")).then_some(targets)
}

/// The profiles that targets must meet; none where any resource of a type will do.
#[must_use]
pub fn target_profiles(
    types: &[TypeRef],
    resource_type: impl Fn(&str) -> Option<String>,
    index: impl Fn(&str) -> Option<ProfileIndex>,
) -> Option<Rule> {
    let targets = all_targets(types, resource_type, index);
    targets.iter().any(|target| !target.is_type()).then_some(Rule::TargetProfiles(targets))
}

fn all_targets(
    types: &[TypeRef],
    resource_type: impl Fn(&str) -> Option<String>,
    index: impl Fn(&str) -> Option<ProfileIndex>,
) -> Vec<Target> {
    let references = types.iter().filter(|type_| type_.code == "Reference");
    let target = |canonical: &String| Target {
        type_: target_type(canonical, &resource_type),
        canonical: canonical.clone(),
        profile: index(canonical),
    };
    references.flat_map(|type_| &type_.target_profiles).map(target).collect()
}

fn target_type(canonical: &str, resource_type: impl Fn(&str) -> Option<String>) -> String {
    match canonical.strip_prefix(HL7) {
        Some(name) if Types::r4().get(name).is_some() => name.to_owned(),
        // A profile that is not loaded cannot narrow anything.
        _ => resource_type(canonical).unwrap_or_else(|| "Resource".to_owned()),
    }
}

/// The profiles of the rules that every value of a type must meet. Where several will do, the rule itself tries them.
#[must_use]
pub fn demanded(rules: &[Rule]) -> Vec<(TypeIndex, ProfileIndex)> {
    let single = rules.iter().filter_map(|rule| match rule {
        Rule::Profiles(type_, profiles) => match profiles.as_slice() {
            [profile] => Some((*type_, *profile)),
            _ => None,
        },
        _ => None,
    });
    single.collect()
}

/// The profiles that values of each type must meet one of. `index` finds profiles.
pub fn type_profiles(types: &[TypeRef], index: impl Fn(&str) -> Option<ProfileIndex>, rules: &mut Vec<Rule>) {
    for type_ in types.iter().filter(|type_| !type_.profiles.is_empty()) {
        let Some(code) = Types::r4().get(&type_.code) else { continue };
        let profiles: Option<Vec<ProfileIndex>> = type_.profiles.iter().map(|canonical| index(canonical)).collect();
        // An extension that is not known is reported by itself.
        let unknown = || (type_.code != "Extension").then(|| Rule::UnknownProfiles(code, type_.profiles.clone()));
        rules.extend(profiles.map(|profiles| Rule::Profiles(code, profiles)).or_else(unknown));
    }
}

/// An invariant as a rule; none where something else checks it. Err: why the expression does not compile.
pub fn invariant(constraint: &Constraint) -> Result<Option<Rule>, String> {
    let Some(source) = &constraint.expression else { return Ok(None) };
    if WITHOUT_RULE.contains(&constraint.key.as_str()) {
        return Ok(None);
    }
    if let Some(rule) = built_in(&constraint.key) {
        return Ok(Some(Rule::BuiltIn(rule)));
    }
    let expression = Expression::compile(source)
        .map_err(|error| format!("invariant {} does not compile: {error}", constraint.key))?;
    Ok(Some(Rule::Invariant(Invariant {
        key: constraint.key.clone(),
        severity: if constraint.is_error { Severity::Error } else { Severity::Warning },
        source: source.clone(),
        expression: Arc::new(expression),
    })))
}

fn built_in(key: &str) -> Option<BuiltIn> {
    Some(match key {
        "att-1" => BuiltIn::AttachmentType,
        "cpt-2" => BuiltIn::ContactSystem,
        "dom-2" => BuiltIn::Contained,
        "dom-6" => BuiltIn::Narrative,
        "ext-1" => BuiltIn::ExtensionValue,
        "qty-3" => BuiltIn::QuantitySystem,
        "ref-1" => BuiltIn::Reference,
        "txt-1" => BuiltIn::Xhtml,
        _ => return None,
    })
}

/// Rules of a type that no definition states.
#[must_use]
pub fn own_rules(type_name: &str) -> &'static [BuiltIn] {
    match type_name {
        "Identifier" => &[BuiltIn::NhsNumber, BuiltIn::IdentifierUri],
        "Coding" => &[BuiltIn::Coding],
        "Quantity" => &[BuiltIn::Unit],
        "Bundle" => &[BuiltIn::BundleFullUrls],
        "QuestionnaireResponse" => &[BuiltIn::QuestionnaireResponse],
        "Questionnaire" => &[BuiltIn::Questionnaire],
        "Attachment" => &[BuiltIn::AttachmentSize],
        "CodeSystem" => &[BuiltIn::CodeSystem],
        "ConceptMap" => &[BuiltIn::ConceptMap],
        "MeasureReport" => &[BuiltIn::MeasureReport],
        "StructureDefinition" => &[BuiltIn::StructureDefinition],
        "ValueSet" => &[BuiltIn::ValueSet],
        _ => &[],
    }
}

/// Rules of an element of a type that no definition states.
#[must_use]
pub fn own_element_rules(owner: TypeIndex, name: &str) -> Option<BuiltIn> {
    let types = Types::r4();
    let is_definition = || {
        types.definition(owner).kind == TypeKind::Resource
            && ["url", "version", "status"].iter().all(|name| types.child(owner, name).is_some())
    };
    match name {
        "url" => is_definition().then_some(BuiltIn::OwnUrl),
        "experimental" => Some(BuiltIn::Experimental),
        _ => None,
    }
}

/// The types that type references name.
#[must_use]
pub fn type_indexes(types: &[TypeRef]) -> Vec<TypeIndex> {
    types.iter().filter_map(|type_| Types::r4().get(&type_.code)).collect()
}

/// Cheap rules first.
pub fn sort(rules: &mut [Rule]) {
    rules.sort_by_key(Rule::cost);
}
