//! One element with its attributes and children, by its type.

use serde_json::{Map, Value};

use super::super::values::{Primitive, count, drop_empty_arrays, primitive_value, push, push_primitive, put_primitive};
use super::source::{Space, Tag, Token};
use super::{Fatal, Reader};
use crate::fhir::codec::place::shown;
use crate::fhir::path::Path;
use crate::fhir::suggest::nearest;
use crate::fhir::types::{Child, PrimitiveKind, TypeIndex, TypeKind};

impl Reader<'_> {
    /// Reads attributes and children of an element that is no primitive.
    pub(super) fn object(
        &mut self,
        tag: &Tag,
        index: TypeIndex,
        path: &Path<'_>,
        object: &mut Map<String, Value>,
    ) -> Result<(), Fatal> {
        self.descend()?;
        if let Some(value) = self.attributes(tag, index, path, object) {
            drop(value);
            self.report("unknown-element", path, "only primitive elements have the attribute value.");
        }
        self.children(index, path, object)?;
        self.left += 1;
        Ok(())
    }

    /// Takes the attributes; returns that named `value`.
    fn attributes(
        &mut self,
        tag: &Tag,
        index: TypeIndex,
        path: &Path<'_>,
        object: &mut Map<String, Value>,
    ) -> Option<String> {
        let mut value = None;
        for (name, text) in &tag.attributes {
            match self.types.child(index, name) {
                Some((child, _)) if child.attribute => {
                    object.insert(name.clone(), Value::String(text.clone()));
                }
                _ if name == "value" => value = Some(text.clone()),
                _ => {
                    let what = format!("the attribute {} is not known here. Remove it.", shown(name));
                    self.report("unknown-element", path, &what);
                }
            }
        }
        value
    }

    fn children(&mut self, index: TypeIndex, path: &Path<'_>, object: &mut Map<String, Value>) -> Result<(), Fatal> {
        let mut last = 0;
        loop {
            match self.source.next()? {
                Token::Start(tag) => self.child(&tag, index, path, object, &mut last)?,
                Token::Text => self.report_text(path),
                Token::End => break,
                Token::Eof => return Err(self.source.ended()),
            }
        }
        drop_empty_arrays(object);
        Ok(())
    }

    /// Reads a child; `last` is one more than the position of the child before it in the definition.
    fn child(
        &mut self,
        tag: &Tag,
        parent: TypeIndex,
        path: &Path<'_>,
        object: &mut Map<String, Value>,
        last: &mut usize,
    ) -> Result<(), Fatal> {
        let types = self.types;
        let Some((child, index)) = types.child(parent, &tag.name).filter(|(child, _)| !child.attribute) else {
            self.unknown(tag, parent, path);
            return self.source.skip();
        };
        let named = path.element(&child.name);
        let here = if child.repeats { named.index(count(object, &tag.name)) } else { named };
        let is_xhtml = types.primitive(index) == Some(PrimitiveKind::Xhtml);
        if tag.namespace != (if is_xhtml { Space::Xhtml } else { Space::Fhir }) {
            let wanted = if is_xhtml { "http://www.w3.org/1999/xhtml" } else { "http://hl7.org/fhir" };
            self.report("unknown-element", &here, &format!("this element must be in the namespace {wanted}."));
            return self.source.skip();
        }
        let position =
            types.definition(parent).children.iter().position(|own| std::ptr::eq(own, child)).unwrap_or(0) + 1;
        if position < *last {
            let before = types.definition(parent).children.get(*last - 1).map_or("", |own| &own.name);
            self.report(
                "xml-order",
                &here,
                &format!("this element must stand before {before}: FHIR fixes the order in XML."),
            );
        } else if object.contains_key(&tag.name) && !child.repeats {
            self.report("cardinality-max", &here, "this element may stand only once.");
        }
        *last = (*last).max(position);
        self.value(tag, child, index, &here, object)
    }

    /// Reads a known child into the object.
    fn value(
        &mut self,
        tag: &Tag,
        child: &Child,
        index: TypeIndex,
        path: &Path<'_>,
        object: &mut Map<String, Value>,
    ) -> Result<(), Fatal> {
        let definition = self.types.definition(index);
        let value = match definition.kind {
            TypeKind::Primitive(PrimitiveKind::Xhtml) => Some(Value::String(self.source.narrative(tag)?)),
            TypeKind::Primitive(kind) => {
                let primitive = self.primitive(tag, kind, index, path)?;
                let put = if child.repeats { push_primitive } else { put_primitive };
                put(object, &tag.name, primitive);
                return Ok(());
            }
            TypeKind::Resource if definition.abstract_ => self.container(path)?,
            _ => {
                let mut inner = Map::new();
                self.object(tag, index, path, &mut inner)?;
                Some(Value::Object(inner))
            }
        };
        match value {
            Some(value) if child.repeats => push(object, &tag.name, value),
            Some(value) => drop(object.insert(tag.name.clone(), value)),
            None => {}
        }
        Ok(())
    }

    fn primitive(
        &mut self,
        tag: &Tag,
        kind: PrimitiveKind,
        index: TypeIndex,
        path: &Path<'_>,
    ) -> Result<Primitive, Fatal> {
        self.descend()?;
        let mut sibling = Map::new();
        let text = self.attributes(tag, index, path, &mut sibling);
        let has_text = text.is_some();
        let value = text.and_then(|text| primitive_value(kind, text));
        if has_text && value.is_none() {
            let wanted = if kind == PrimitiveKind::Boolean { "true or false" } else { "a number such as 1.50" };
            self.report("primitive-format", path, &format!("the value must be {wanted}."));
        }
        self.children(index, path, &mut sibling)?;
        self.left += 1;
        // An element with neither value nor content keeps an empty sibling, so that validation sees it.
        let sibling = (!sibling.is_empty() || !has_text).then_some(sibling);
        Ok(Primitive { value, sibling })
    }

    fn unknown(&mut self, tag: &Tag, parent: TypeIndex, path: &Path<'_>) {
        let definition = self.types.definition(parent);
        let known = definition.children.iter().filter(|child| !child.attribute).flat_map(|child| &child.choices);
        let help = match nearest(&tag.name, known.map(|(name, _)| &**name)) {
            Some(near) => format!(" Did you mean \"{near}\"?"),
            None => String::new(),
        };
        let what = format!("{} has no element {}.{help}", definition.name, shown(&tag.name));
        self.report("unknown-element", path, &what);
    }
}
