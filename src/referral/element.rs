//! Small readers over JSON resources, shared by the referral rules.

use serde_json::Value;

/// The text of a string element, empty where it is absent.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a repeating element, none where it is absent.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// True where a CodeableConcept has this coding.
pub(super) fn has_coding(concept: &Value, system: &str, code: &str) -> bool {
    list(concept, "coding").iter().any(|coding| text(coding, "system") == system && text(coding, "code") == code)
}

/// True where `meta.profile` names this canonical, with or without a version.
pub(super) fn declares(resource: &Value, canonical: &str) -> bool {
    resource
        .get("meta")
        .map(|meta| list(meta, "profile"))
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .any(|profile| profile.split('|').next() == Some(canonical))
}

/// Type and id of a literal reference to a resource on this server (`Type/id`, perhaps with `/_history/v`).
pub(super) fn local(reference: &str) -> Option<(&str, &str)> {
    let mut parts = reference.split('/');
    let (resource_type, id) = (parts.next()?, parts.next()?);
    let version = match (parts.next(), parts.next()) {
        (None, _) => true,
        (Some("_history"), Some(_)) => parts.next().is_none(),
        _ => false,
    };
    let named = resource_type.starts_with(|first: char| first.is_ascii_uppercase()) && !id.is_empty();
    (named && version).then_some((resource_type, id))
}

/// Type and id of the local resource that the Reference element `name` points to.
pub(super) fn target<'a>(resource: &'a Value, name: &str) -> Option<(&'a str, &'a str)> {
    local(text(resource.get(name)?, "reference"))
}

/// `Type/id` of a stored resource.
pub(super) fn own_reference(resource: &Value) -> String {
    format!("{}/{}", text(resource, "resourceType"), text(resource, "id"))
}

/// True where two Reference elements point to the same thing: same literal reference (versions aside), or the same
/// identifier where one of them has no literal reference. Display texts do not count.
pub(super) fn same_reference(left: Option<&Value>, right: Option<&Value>) -> bool {
    let (left, right) = match (left, right) {
        (None, None) => return true,
        (Some(left), Some(right)) => (left, right),
        _ => return false,
    };
    let (one, other) = (text(left, "reference"), text(right, "reference"));
    if one.is_empty() || other.is_empty() {
        return one == other && identifier_key(left) == identifier_key(right);
    }
    let strip = |reference: &str| reference.split("/_history/").next().unwrap_or_default().to_owned();
    strip(one) == strip(other)
}

/// Writes the references that the rules follow, where they name this server by its base address, as `Type/id`.
pub(super) fn localise(resource: &mut Value, base: &str) {
    const ONE: [&str; 5] = ["focus", "for", "requester", "owner", "subject"];
    const MANY: [&str; 4] = ["partOf", "basedOn", "replaces", "performer"];
    let shorten = |reference: &mut Value| {
        let own = |text: &str| {
            text.strip_prefix(base)?.strip_prefix('/').filter(|rest| local(rest).is_some()).map(str::to_owned)
        };
        if let Some(text) = reference.get_mut("reference")
            && let Some(short) = text.as_str().and_then(own)
        {
            *text = Value::String(short);
        }
    };
    for name in ONE {
        resource.get_mut(name).into_iter().for_each(shorten);
    }
    for name in MANY {
        resource.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().for_each(shorten);
    }
}

/// System and value of Reference.identifier.
pub(super) fn identifier_key(reference: &Value) -> Option<(&str, &str)> {
    let identifier = reference.get("identifier")?;
    let value = text(identifier, "value");
    (!value.is_empty()).then(|| (text(identifier, "system"), value))
}
