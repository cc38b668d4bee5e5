//! One file per rule. `check` runs a rule that a schema holds; the other files serve the walk, which knows by itself when
//! to ask them.

pub mod attachment_size;
pub mod binding;
pub mod bundle;
pub mod cardinality;
pub mod choice_type;
pub mod code_system;
pub mod coding;
pub mod concept_map;
pub mod contained;
pub mod extension;
pub mod fixed_value;
pub mod invariant;
pub mod json_kind;
pub mod language_tag;
pub mod max_length;
pub mod measure_report;
pub mod must_support;
pub mod narrative;
pub mod narrative_links;
pub mod nhs_number;
pub mod pattern_value;
pub mod presence;
pub mod primitive_format;
pub mod profile;
pub mod questionnaire;
pub mod reference;
pub mod slicing;
pub mod snomed;
pub mod structure_definition;
pub mod target;
pub mod unit;
pub mod unknown_element;
pub mod uri;
pub mod value_range;
pub mod value_set;
pub mod xhtml;

use super::rule::{BuiltIn, Rule};
use super::run::{Focus, Origin, Place, Run};

/// Checks one rule of a schema on a value.
pub fn check<'a>(run: &mut Run<'_, 'a>, rule: &Rule, focus: Focus<'a>, place: Place<'_, 'a>, origin: Origin<'_>) {
    match rule {
        Rule::MaxLength(limit) => max_length::check(run, *limit, focus, place, origin),
        Rule::MinValue(limit) => value_range::check_min(run, limit, focus, place, origin),
        Rule::MaxValue(limit) => value_range::check_max(run, limit, focus, place, origin),
        Rule::Fixed(value) => fixed_value::check(run, value, focus, place, origin),
        Rule::Pattern(pattern) => pattern_value::check(run, pattern, focus, place, origin),
        Rule::Targets(targets) => reference::check_targets(run, targets, focus, place, origin),
        Rule::TargetProfiles(targets) => target::check_profiles(run, targets, focus, place, origin),
        Rule::UnknownProfiles(type_, profiles) => profile::check_unknown(run, *type_, profiles, focus, place, origin),
        Rule::Aggregation(modes) => target::check_aggregation(run, modes, focus, place, origin),
        Rule::ValuePresent => presence::value(run, focus, place, origin),
        Rule::BuiltIn(rule) => built_in(run, *rule, focus, place, origin),
        Rule::Binding(binding) => binding::check(run, binding, focus, place, origin),
        Rule::Profiles(type_, profiles) => profile::check_any(run, *type_, profiles, focus, place, origin),
        Rule::Invariant(invariant) => invariant::check(run, invariant, focus, place, origin),
    }
}

fn built_in<'a>(run: &mut Run<'_, 'a>, rule: BuiltIn, focus: Focus<'a>, place: Place<'_, 'a>, origin: Origin<'_>) {
    let Some(value) = focus.value else { return };
    match rule {
        BuiltIn::AttachmentType => presence::attachment_type(run, value, place, origin),
        BuiltIn::ContactSystem => presence::contact_system(run, value, place, origin),
        BuiltIn::QuantitySystem => presence::quantity_system(run, value, place, origin),
        BuiltIn::ExtensionValue => presence::extension_value(run, value, place, origin),
        BuiltIn::Contained => contained::check(run, value, place, origin),
        BuiltIn::Narrative => narrative::check(run, value, place, origin),
        BuiltIn::Reference => reference::check(run, value, place, origin),
        BuiltIn::Xhtml => {
            xhtml::check(run, value, place, origin);
            narrative_links::check(run, value, place, origin);
        }
        BuiltIn::NhsNumber => nhs_number::check(run, value, place, origin),
        BuiltIn::IdentifierUri => uri::check_identifier(run, value, place, origin),
        BuiltIn::CodeSystem => code_system::check(run, value, place, origin),
        BuiltIn::ConceptMap => concept_map::check(run, value, place, origin),
        BuiltIn::MeasureReport => measure_report::check(run, value, place, origin),
        BuiltIn::StructureDefinition => structure_definition::check(run, value, place, origin),
        BuiltIn::ValueSet => value_set::check(run, value, place, origin),
        BuiltIn::Experimental => uri::check_experimental(run, value, place, origin),
        BuiltIn::OwnUrl => uri::check_own(run, value, place, origin),
        BuiltIn::Coding => coding::check(run, value, place, origin),
        BuiltIn::Unit => unit::check(run, value, place, origin),
        BuiltIn::BundleFullUrls => bundle::check(run, value, place, origin),
        BuiltIn::AttachmentSize => attachment_size::check(run, value, place, origin),
        BuiltIn::QuestionnaireResponse => questionnaire::check(run, value, place, origin),
        BuiltIn::Questionnaire => questionnaire::definition::check(run, value, place, origin),
    }
}
