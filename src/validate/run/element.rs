//! One occurrence of an element: by its shape, then every rule of element, type and profiles.

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member;
use crate::fhir::primitive;
use crate::fhir::types::{PrimitiveKind, TypeIndex, TypeKind};

use crate::validate::rules::{self, json_kind};
use crate::validate::schema::{Element, Name, ProfileIndex, Shape, TypeSchema};

use super::{Focus, Holder, MAX_DEPTH, Origin, Overlay, Place, Range, Run};

impl<'v, 'a> Run<'v, 'a> {
    /// Checks one occurrence of an element and all below it.
    pub(super) fn item(
        &mut self,
        name: &'v Name,
        element: &'v Element,
        (value, sibling): (Option<&'a Value>, Option<&'a Value>),
        range: Range,
        place: Place<'_, 'a>,
    ) {
        let focus = Focus { value, sibling, type_: name.type_ };
        let origin = Origin { profile: &element.url, element: &element.id, base: true };
        let range = self.with_type_profiles(element, focus, range);
        if !self.walk(&element.name, focus, range, place, origin) {
            return;
        }
        for rule in &element.rules {
            rules::check(self, rule, focus, place, origin);
        }
    }

    /// Checks a value by its own type and by the profile nodes of `range`, wherever it stands.
    pub(super) fn value(&mut self, focus: Focus<'a>, range: Range, place: Place<'_, 'a>) {
        let origin = Origin { profile: "", element: "", base: true };
        let name = place.holder.map_or("", |holder| holder.name);
        self.walk(name, focus, range, place, origin);
    }

    /// Shape, members and rules of type and profiles. False where the JSON kind is wrong, so that no rule can be asked.
    fn walk(&mut self, name: &str, focus: Focus<'a>, range: Range, place: Place<'_, 'a>, origin: Origin<'_>) -> bool {
        let schema = match self.validator.schemas().type_(focus.type_) {
            Ok(schema) => schema,
            Err(issue) => {
                self.issues.push(issue.clone());
                return false;
            }
        };
        if let Shape::Primitive(kind) = schema.shape
            && focus.sibling.is_none()
            && let Some(value) = focus.value
        {
            // Most values are such: nothing below them, nothing beside them.
            let sound = self.text_form(kind, value, place, origin);
            if sound {
                self.rules(schema, focus, range, place);
            }
            return sound;
        }
        if self.depth > MAX_DEPTH {
            self.too_deep(place, origin);
            return false;
        }
        self.depth += 1;
        let holder = Holder { name, type_: focus.type_, value: focus.value, parent: place.holder };
        let inner = Place { path: place.path, holder: Some(&holder), scope: place.scope };
        let extended = self.overlays.len();
        let range = if focus.type_ == self.validator.known().extension {
            self.extension(focus, range, place, inner)
        } else {
            range
        };
        let sound = match schema.shape {
            Shape::Primitive(kind) => self.primitive(kind, focus, range, inner, origin),
            Shape::Object => match json_kind::object(self, focus.value, place.path, origin) {
                Some(object) => {
                    self.object(schema, object, range, inner);
                    true
                }
                None => false,
            },
            Shape::Resource | Shape::AnyResource => self.inner_resource(name, focus, range, place, origin),
        };
        if sound && !matches!(schema.shape, Shape::Resource | Shape::AnyResource) {
            self.rules(schema, focus, range, place);
        }
        self.overlays.truncate(extended);
        self.depth -= 1;
        sound
    }

    /// The rules of the type and of the profile nodes.
    pub(super) fn rules(&mut self, schema: &'v TypeSchema, focus: Focus<'a>, range: Range, place: Place<'_, 'a>) {
        self.type_rules(schema, focus, place);
        self.profile_rules(range, focus, place, |_| true);
    }

    /// The rules of the type.
    pub(super) fn type_rules(&mut self, schema: &'v TypeSchema, focus: Focus<'a>, place: Place<'_, 'a>) {
        let origin = Origin { profile: &schema.url, element: &schema.name, base: true };
        for rule in &schema.rules {
            rules::check(self, rule, focus, place, origin);
        }
    }

    /// The rules of those profile nodes that `is_asked` picks.
    pub(super) fn profile_rules(
        &mut self,
        range: Range,
        focus: Focus<'a>,
        place: Place<'_, 'a>,
        is_asked: impl Fn(&Overlay<'_>) -> bool,
    ) {
        for position in range.start..range.end {
            let overlay = self.overlays[position];
            if !is_asked(&overlay) {
                continue;
            }
            let origin = Origin { profile: &overlay.profile.url, element: &overlay.node.id, base: false };
            for rule in &overlay.node.rules {
                rules::check(self, rule, focus, place, origin);
            }
        }
    }

    fn primitive(
        &mut self,
        kind: PrimitiveKind,
        focus: Focus<'a>,
        range: Range,
        place: Place<'_, 'a>,
        origin: Origin<'_>,
    ) -> bool {
        if let Some(sibling) = focus.sibling {
            self.primitive_extras(sibling, range, place, origin);
        }
        if let Some(value) = focus.value {
            return self.text_form(kind, value, place, origin);
        }
        if focus.sibling.is_some_and(|sibling| sibling.is_object() && !member::has(sibling, "extension")) {
            json_kind::empty_object(self, place.path, origin);
        }
        focus.sibling.is_some()
    }

    /// The value of a primitive by itself.
    fn text_form(&mut self, kind: PrimitiveKind, value: &Value, place: Place<'_, 'a>, origin: Origin<'_>) -> bool {
        match primitive::check(kind, value) {
            Ok(()) => {
                if matches!(kind, PrimitiveKind::Uri | PrimitiveKind::Url | PrimitiveKind::Canonical)
                    && let Value::String(text) = value
                {
                    rules::uri::check(self, kind, text, place.path, origin);
                }
                true
            }
            Err(fault) => {
                rules::primitive_format::report(self, kind, fault, place.path, origin);
                false
            }
        }
    }

    /// The `_name` object: id and extensions of a primitive.
    fn primitive_extras(&mut self, sibling: &'a Value, range: Range, place: Place<'_, 'a>, origin: Origin<'_>) {
        let Some(object) = json_kind::object(self, Some(sibling), place.path, origin) else { return };
        if let Ok(schema) = self.validator.schemas().type_(self.validator.known().element) {
            self.object(schema, object, range, place);
        }
    }

    /// Adds the profiles that the element and its nodes demand of this type.
    pub(super) fn with_type_profiles(&mut self, element: &Element, focus: Focus<'a>, range: Range) -> Range {
        let nodes = &self.overlays[range.start..range.end];
        if element.demanded.is_empty() && nodes.iter().all(|overlay| overlay.node.demanded.is_empty()) {
            return range;
        }
        let actual = self.actual_type(focus);
        let is_of_type = |type_: TypeIndex| type_ == focus.type_ || type_ == actual;
        let start = self.overlays.len();
        self.overlays.extend_from_within(range.start..range.end);
        let add = |run: &mut Self, list: &[(TypeIndex, ProfileIndex)]| {
            for (_, profile) in list.iter().filter(|(type_, _)| is_of_type(*type_)) {
                run.add_profile(start, *profile);
            }
        };
        add(self, &element.demanded);
        for position in range.start..range.end {
            add(self, &self.overlays[position].node.demanded);
        }
        Range { start, end: self.overlays.len() }
    }

    /// The type of a value; of a resource the one that it says itself.
    #[must_use]
    pub fn actual_type(&self, focus: Focus<'_>) -> TypeIndex {
        let types = self.validator.types();
        if types.definition(focus.type_).kind != TypeKind::Resource {
            return focus.type_;
        }
        let named = focus.value.and_then(|value| member::text(value, "resourceType"));
        named.and_then(|name| types.get(name)).unwrap_or(focus.type_)
    }

    /// Reports a value that is no resource where one must be.
    pub(super) fn not_a_resource(&mut self, place: Place<'_, 'a>, origin: Origin<'_>) {
        let text = "A resource is expected here: a JSON object with resourceType.".to_owned();
        self.error(IssueCode::Structure, "json-kind", text, place.path, origin);
    }
}
