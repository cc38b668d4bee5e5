//! The JSON model to XML, elements in the order of the type table.

use serde_json::{Map, Value};

use super::escape::push_attribute;
use super::{FHIR_NAMESPACE, narrative};
use crate::fhir::codec::place::shown;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::path::Path;
use crate::fhir::primitive::is_permitted_in_xml;
use crate::fhir::types::{Child, PrimitiveKind, TypeIndex, TypeKind, Types};

/// Writes a resource, or says everything that has no XML form.
pub(super) fn write(resource: &Value, types: &Types, pretty: bool) -> Result<Vec<u8>, Vec<Issue>> {
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    let mut writer = Writer { out: declaration.to_owned(), types, pretty, issues: Vec::new(), depth: 0 };
    let path = Path::Root(resource.get("resourceType").and_then(Value::as_str).unwrap_or("Resource"));
    writer.resource(resource, &path);
    if pretty {
        writer.out.push('\n');
    }
    if writer.issues.is_empty() { Ok(writer.out.into_bytes()) } else { Err(writer.issues) }
}

/// Levels beyond which writing stops; stored resources are within [`crate::fhir::codec::Limits`], bundles of them deeper.
const MAX_DEPTH: usize = 120;

struct Writer<'a> {
    out: String,
    types: &'a Types,
    pretty: bool,
    issues: Vec<Issue>,
    depth: usize,
}

impl Writer<'_> {
    fn resource(&mut self, value: &Value, path: &Path<'_>) {
        let Some(object) = value.as_object() else {
            return self.report(path, "json-kind", "must be a resource object.");
        };
        let name = object.get("resourceType").and_then(Value::as_str).unwrap_or_default();
        let index = self.types.get(name).filter(|index| {
            let definition = self.types.definition(*index);
            definition.kind == TypeKind::Resource && !definition.abstract_
        });
        let Some(index) = index else {
            return self.report(path, "unknown-element", "resourceType must name a resource type of FHIR R4.");
        };
        self.element(name, object, index, path, None);
    }

    /// Writes an element: attributes, children, end. `value` is the value of a primitive.
    fn element(
        &mut self,
        name: &str,
        object: &Map<String, Value>,
        index: TypeIndex,
        path: &Path<'_>,
        value: Option<&str>,
    ) {
        if self.depth == MAX_DEPTH {
            return self.report(path, "xml-depth", "elements are nested too deeply.");
        }
        let types = self.types;
        let definition = types.definition(index);
        self.start(name);
        if definition.kind == TypeKind::Resource && (self.depth == 0) {
            self.attribute("xmlns", FHIR_NAMESPACE, path);
        }
        let mut written = usize::from(definition.kind == TypeKind::Resource && object.contains_key("resourceType"));
        for child in definition.children.iter().filter(|child| child.attribute) {
            written += self.attribute_child(child, object, path);
        }
        if let Some(value) = value {
            self.attribute("value", value, path);
        }
        let has_children = written < object.len();
        self.out.push_str(if has_children { ">" } else { "/>" });
        if has_children {
            self.depth += 1;
            for child in definition.children.iter().filter(|child| !child.attribute) {
                written += self.child(child, object, path);
            }
            self.depth -= 1;
            self.end(name);
        }
        if written < object.len() {
            self.unknown(object, index, path);
        }
    }

    /// Writes a child as an attribute; returns how many members of the object it used.
    fn attribute_child(&mut self, child: &Child, object: &Map<String, Value>, path: &Path<'_>) -> usize {
        match object.get(&*child.name) {
            None => 0,
            Some(Value::String(text)) => {
                self.attribute(&child.name, text, path);
                1
            }
            Some(_) => {
                self.report(&path.element(&child.name), "json-kind", "must be a JSON string.");
                1
            }
        }
    }

    /// Writes a child element under each name it is present with; returns how many members of the object it used.
    fn child(&mut self, child: &Child, object: &Map<String, Value>, path: &Path<'_>) -> usize {
        let mut used = 0;
        for (name, index) in &child.choices {
            let value = object.get(&**name);
            used += usize::from(value.is_some());
            let here = path.element(&child.name);
            if let TypeKind::Primitive(kind) = self.types.definition(*index).kind {
                let sibling = object.get(&format!("_{name}"));
                used += usize::from(sibling.is_some());
                if value.is_some() || sibling.is_some() {
                    self.primitives(child, name, (kind, *index), value, sibling, &here);
                }
            } else if let Some(value) = value {
                self.items(child, value, &here, |writer, item, path| writer.complex(name, item, *index, path));
            }
        }
        used
    }

    /// Calls `write` for the value, or for each item of its array.
    fn items(
        &mut self,
        child: &Child,
        value: &Value,
        path: &Path<'_>,
        mut write: impl FnMut(&mut Self, &Value, &Path<'_>),
    ) {
        match (child.repeats, value) {
            (true, Value::Array(items)) => {
                for (position, item) in items.iter().enumerate() {
                    write(self, item, &path.index(position));
                }
            }
            (false, Value::Array(_)) => {
                self.report(path, "json-kind", "must not be an array: this element does not repeat.");
            }
            (true, _) => self.report(path, "json-kind", "must be an array: this element repeats."),
            (false, value) => write(self, value, path),
        }
    }

    fn complex(&mut self, name: &str, value: &Value, index: TypeIndex, path: &Path<'_>) {
        let definition = self.types.definition(index);
        let Some(object) = value.as_object() else { return self.report(path, "json-kind", "must be a JSON object.") };
        if definition.kind == TypeKind::Resource && definition.abstract_ {
            self.start(name);
            self.out.push('>');
            self.depth += 1;
            self.resource(value, path);
            self.depth -= 1;
            self.end(name);
        } else {
            self.element(name, object, index, path, None);
        }
    }

    /// Writes a primitive or the items of a repeating one, each with what its sibling carries.
    fn primitives(
        &mut self,
        child: &Child,
        name: &str,
        kind: (PrimitiveKind, TypeIndex),
        value: Option<&Value>,
        sibling: Option<&Value>,
        path: &Path<'_>,
    ) {
        let arrays = |value: Option<&Value>| value.is_none_or(Value::is_array);
        if !child.repeats {
            return self.primitive(name, kind, value, sibling, path);
        }
        if !arrays(value) || !arrays(sibling) {
            return self.report(path, "json-kind", "must be an array: this element repeats.");
        }
        let items = |value: Option<&Value>| value.and_then(Value::as_array).map_or(0, Vec::len);
        for position in 0..items(value).max(items(sibling)) {
            self.primitive(name, kind, item(value, position), item(sibling, position), &path.index(position));
        }
    }

    fn primitive(
        &mut self,
        name: &str,
        (kind, index): (PrimitiveKind, TypeIndex),
        value: Option<&Value>,
        sibling: Option<&Value>,
        path: &Path<'_>,
    ) {
        if kind == PrimitiveKind::Xhtml {
            return self.narrative(value, sibling, path);
        }
        let text = match (value, kind) {
            (None, _) => None,
            (Some(Value::Bool(truth)), PrimitiveKind::Boolean) => Some(if *truth { "true" } else { "false" }),
            (Some(Value::Number(number)), _) if is_number(kind) => Some(number.as_str()),
            (Some(Value::String(text)), _) if kind != PrimitiveKind::Boolean && !is_number(kind) => Some(text.as_str()),
            _ => return self.report(path, "json-kind", "the JSON value is not of the kind that the type asks for."),
        };
        match sibling {
            None => self.element(name, &Map::new(), index, path, text),
            Some(Value::Object(object)) => self.element(name, object, index, path, text),
            Some(_) => self.report(path, "json-kind", "the member with the underscore must be a JSON object."),
        }
    }

    fn narrative(&mut self, value: Option<&Value>, sibling: Option<&Value>, path: &Path<'_>) {
        let Some(Value::String(text)) = value else {
            return self.report(path, "json-kind", "must be a JSON string that holds the div element.");
        };
        if sibling.is_some() {
            self.report(path, "unknown-element", "a narrative can have neither id nor extensions of its own in XML.");
        }
        match narrative::check(text) {
            Ok(()) if is_permitted_in_xml(text) => {
                self.line();
                self.out.push_str(text.trim());
            }
            Ok(()) => self.report(path, "xml-character", CONTROL_CHARACTER),
            Err(what) => self.report(path, "xml-narrative", what),
        }
    }

    fn start(&mut self, name: &str) {
        self.line();
        self.out.push('<');
        self.out.push_str(name);
    }

    fn end(&mut self, name: &str) {
        self.line();
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn line(&mut self) {
        if self.pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", self.depth));
        }
    }

    fn attribute(&mut self, name: &str, value: &str, path: &Path<'_>) {
        if !is_permitted_in_xml(value) {
            return self.report(path, "xml-character", CONTROL_CHARACTER);
        }
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        push_attribute(&mut self.out, value);
        self.out.push('"');
    }

    /// Reports every member that no child of the type has used.
    fn unknown(&mut self, object: &Map<String, Value>, index: TypeIndex, path: &Path<'_>) {
        let is_resource = self.types.definition(index).kind == TypeKind::Resource;
        for name in object.keys().filter(|name| !(is_resource && *name == "resourceType")) {
            let plain = name.strip_prefix('_').unwrap_or(name);
            let child = self.types.child(index, plain);
            let has_sibling =
                |(child, kind): (&Child, TypeIndex)| !child.attribute && self.types.primitive(kind).is_some();
            let known = if plain == name { child.is_some() } else { child.is_some_and(has_sibling) };
            if !known {
                let what = format!("the member {} has no XML form: the type does not know it.", shown(name));
                self.report(path, "unknown-element", &what);
            }
        }
    }

    fn report(&mut self, path: &Path<'_>, rule: &str, what: &str) {
        let text = format!("This resource cannot be written as XML: {what} Ask for JSON.");
        self.issues.push(Issue::new(Severity::Error, IssueCode::NotSupported, rule, text).at(path.to_string()));
    }
}

/// The item of an array, none where it has null.
fn item(array: Option<&Value>, position: usize) -> Option<&Value> {
    array.and_then(|items| items.get(position)).filter(|item| !item.is_null())
}

const CONTROL_CHARACTER: &str = "it has a control character that XML does not allow.";

const fn is_number(kind: PrimitiveKind) -> bool {
    matches!(
        kind,
        PrimitiveKind::Integer | PrimitiveKind::PositiveInt | PrimitiveKind::UnsignedInt | PrimitiveKind::Decimal
    )
}
