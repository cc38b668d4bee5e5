//! A resource: its type, the profiles that apply to it, then its elements. Contained resources and Bundle entries come
//! here too, each with a scope of its own.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::fhir::issue::IssueCode;
use crate::fhir::member;
use crate::fhir::path::Path;
use crate::fhir::suggest;
use crate::fhir::types::TypeIndex;

use crate::validate::rules::{choice_type, invariant, profile as rule};
use crate::validate::schema::{ProfileIndex, Shape};

use super::{BundleEntries, Focus, Holder, Origin, Place, Range, Run, Scope};

/// Profiles of Kith begin so; they make some rules stricter.
const KITH_PROFILE: &str = "https://kith.example/fhir/StructureDefinition/";

/// A Bundle with more entries is a large one.
const FEW_ENTRIES: usize = 32;

impl<'a> Run<'_, 'a> {
    /// Checks the resource at the root.
    pub fn root(&mut self, value: &'a Value) {
        let name = member::text(value, "resourceType").unwrap_or("Resource");
        let known = self.validator.types().get(name).is_some();
        let path = Path::Root(if known { name } else { "Resource" });
        let scope = Scope { resource: value, root: value, bundle: None, types: [None; 3], strict: false };
        let profiles = std::mem::take(&mut self.profiles);
        self.resource(value, &profiles, Range { start: 0, end: 0 }, self.by_type, &path, (scope, None));
    }

    /// Checks a resource within another: contained, an entry of a Bundle, a parameter.
    pub(super) fn inner_resource(
        &mut self,
        name: &str,
        focus: Focus<'a>,
        range: Range,
        place: Place<'_, 'a>,
        origin: Origin<'_>,
    ) -> bool {
        let Some(value) = focus.value.filter(|value| value.is_object()) else {
            self.not_a_resource(place, origin);
            return false;
        };
        let outer = place.scope;
        let contained = name == "contained";
        let scope = if contained {
            Scope { resource: value, ..*outer }
        } else {
            Scope {
                resource: value,
                root: value,
                bundle: Some(outer.resource),
                types: [None, None, outer.types[0]],
                strict: false,
            }
        };
        self.resource(value, &[], range, self.by_type && !contained, place.path, (scope, Some(place)));
        true
    }

    fn resource(
        &mut self,
        value: &'a Value,
        profiles: &[ProfileIndex],
        range: Range,
        by_type: bool,
        path: &Path<'_>,
        (mut scope, around): (Scope<'a>, Option<Place<'_, 'a>>),
    ) {
        let Some((object, type_)) = self.resource_type(value, path) else { return };
        let Ok(schema) = self.validator.schemas().type_(type_) else { return };
        scope.types[0] = Some(type_);
        scope.types[1] = scope.types[1].or(Some(type_));
        let outer_bundle = self.bundle.clone();
        if schema.name == "Bundle" {
            let entries = BundleEntries::of(value);
            self.suggests_urls &= entries.count <= FEW_ENTRIES;
            self.bundle = Some(Arc::new(entries));
        }
        let start = self.overlays.len();
        self.overlays.extend_from_within(range.start..range.end);
        if !self.trial {
            self.applicable(value, type_, profiles, by_type, &scope, path);
        }
        self.drop_other_types(start, type_, path);
        let range = Range { start, end: self.overlays.len() };
        scope.strict |= self.overlays(range).iter().any(|overlay| overlay.profile.url.starts_with(KITH_PROFILE));
        let holder = Holder { name: &schema.name, type_, value: Some(value), parent: None };
        let place = Place { path, holder: Some(&holder), scope: &scope };
        self.object(schema, object, range, place);
        let focus = Focus { value: Some(value), sibling: None, type_ };
        match around {
            // What a profile of the Bundle says of its entries is said of the Bundle: %resource is the Bundle.
            Some(around) => {
                self.type_rules(schema, focus, place);
                #[expect(
                    clippy::redundant_closure_for_method_calls,
                    reason = "the method is not general enough in its lifetime"
                )]
                self.profile_rules(range, focus, place, |overlay| overlay.is_root());
                self.profile_rules(range, focus, around, |overlay| !overlay.is_root());
            }
            None => self.rules(schema, focus, range, place),
        }
        self.overlays.truncate(start);
        self.bundle = outer_bundle;
    }

    /// The members and the type, or an issue that says what is wrong.
    fn resource_type(&mut self, value: &'a Value, path: &Path<'_>) -> Option<(&'a Map<String, Value>, TypeIndex)> {
        let origin =
            Origin { profile: "http://hl7.org/fhir/StructureDefinition/Resource", element: "Resource", base: true };
        let Some(object) = value.as_object() else {
            let text = "A resource must be a JSON object.".to_owned();
            self.error(IssueCode::Structure, "json-kind", text, path, origin);
            return None;
        };
        let Some(name) = member::of(object, "resourceType").and_then(Value::as_str) else {
            let text = "resourceType is missing or is not a string; every resource must name its type.".to_owned();
            self.error(IssueCode::Structure, "resource-type", text, path, origin);
            return None;
        };
        let is_concrete = |index: &TypeIndex| {
            self.validator.schemas().type_(*index).is_ok_and(|schema| schema.shape == Shape::Resource)
        };
        let found = self.validator.types().get(name).filter(is_concrete);
        if found.is_none() {
            let names = self.validator.definitions().resource_types();
            let hint = suggest::nearest(name, names.iter().map(String::as_str))
                .map_or_else(String::new, |nearest| format!(" Did you mean {nearest}?"));
            let text = format!("resourceType names no resource type of FHIR R4.{hint}");
            self.error(IssueCode::Structure, "resource-type", text, path, origin);
        }
        found.map(|index| (object, index))
    }

    /// Puts every profile that applies on the stack: asked for, declared, by condition, by type.
    fn applicable(
        &mut self,
        value: &'a Value,
        type_: TypeIndex,
        profiles: &[ProfileIndex],
        by_type: bool,
        scope: &Scope<'a>,
        path: &Path<'_>,
    ) {
        let start = self.overlays.len();
        for profile in profiles {
            self.add_profile(start, *profile);
        }
        rule::declared(self, value, start, path);
        if by_type {
            for conditional in self.validator.conditional_profiles(type_) {
                if invariant::holds(
                    self,
                    &conditional.condition,
                    Focus { value: Some(value), sibling: None, type_ },
                    scope,
                ) {
                    self.add_profile(start, conditional.profile);
                }
            }
            for profile in self.validator.schemas().by_type(type_) {
                self.add_profile(start, *profile);
            }
        }
    }

    /// Reports and drops profiles that constrain another type.
    fn drop_other_types(&mut self, start: usize, type_: TypeIndex, path: &Path<'_>) {
        let mut position = start;
        while position < self.overlays.len() {
            let overlay = self.overlays[position];
            let is_root = std::ptr::eq(overlay.node, &raw const overlay.profile.nodes[0]);
            if is_root && !self.validator.types().is_subtype(type_, overlay.profile.type_) {
                rule::other_type(self, overlay.profile, path);
                self.overlays.remove(position);
            } else {
                choice_type::check_resource(self, overlay, type_, path);
                position += 1;
            }
        }
    }
}
