//! XML events to the JSON model. What makes a document unreadable stops the reader; unknown, repeated and misplaced
//! elements are collected, so that one attempt shows them all.

mod element;
mod source;

use serde_json::{Map, Value};

use super::syntax_issue;
use crate::fhir::codec::Limits;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::path::Path;
use crate::fhir::primitive::is_permitted_in_xml;
use crate::fhir::suggest::nearest;
use crate::fhir::types::{TypeIndex, TypeKind, Types};

use source::{Source, Space, Tag, Token};

/// More issues than this say nothing new.
const MAX_ISSUES: usize = 50;

/// Reads a document: the resource and what was collected about it, or the issues of which the last stopped the reader.
pub(super) fn read(text: &str, limits: &Limits, types: &Types) -> Result<(Value, Vec<Issue>), Vec<Issue>> {
    if !is_permitted_in_xml(text) {
        let is_wrong = |(_, character): &(usize, char)| !is_permitted_in_xml(character.encode_utf8(&mut [0; 4]));
        let offset = text.char_indices().find(is_wrong).map_or(0, |(offset, _)| offset);
        return Err(vec![syntax_issue(text, offset, "XML does not allow this control character. Remove it.")]);
    }
    let mut reader =
        Reader { source: Source::new(text), types, issues: Vec::new(), depth: limits.levels(), left: limits.levels() };
    match reader.document() {
        Ok(value) => Ok((value, reader.issues)),
        Err(fatal) => {
            reader.issues.push(*fatal.0);
            Err(reader.issues)
        }
    }
}

/// What makes a document unreadable; boxed, because every result on the way up has its size.
struct Fatal(Box<Issue>);

/// The state of one reading. A fatal fault is an `Err` all the way up.
struct Reader<'a> {
    source: Source<'a>,
    types: &'a Types,
    issues: Vec<Issue>,
    depth: usize,
    left: usize,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Value, Fatal> {
        let root = match self.source.next()? {
            Token::Start(tag) => tag,
            Token::Text => return Err(self.source.fault("text stands before the first element. Remove it.")),
            Token::End | Token::Eof => return Err(self.source.fault("there is no element: send one FHIR resource.")),
        };
        if root.namespace != Space::Fhir {
            let text = "the namespace of the resource is not FHIR's. Write xmlns=\"http://hl7.org/fhir\" on the first element.";
            return Err(self.source.fault(text));
        }
        let Some(index) = self.resource_type(&root.name) else { return Err(self.unknown_resource(&root.name)) };
        let path = Path::Root(&self.types.definition(index).name);
        let value = self.resource(&root, index, &path)?;
        match self.source.next()? {
            Token::Eof => Ok(value),
            _ => Err(self.source.fault("something follows the resource. Send one resource, or a Bundle.")),
        }
    }

    /// Reads the content of a resource element whose start tag has been read.
    fn resource(&mut self, tag: &Tag, index: TypeIndex, path: &Path<'_>) -> Result<Value, Fatal> {
        let mut object = Map::new();
        let name = self.types.definition(index).name.to_string();
        object.insert("resourceType".to_owned(), Value::String(name));
        self.object(tag, index, path, &mut object)?;
        Ok(Value::Object(object))
    }

    /// Reads an element that holds one resource (`contained`, `resource`, `outcome`, `response`).
    fn container(&mut self, path: &Path<'_>) -> Result<Option<Value>, Fatal> {
        let mut resource = None;
        loop {
            match self.source.next()? {
                Token::Start(tag) if resource.is_none() && tag.namespace == Space::Fhir => {
                    match self.resource_type(&tag.name) {
                        Some(index) => resource = Some(self.resource(&tag, index, path)?),
                        None => return Err(self.unknown_resource(&tag.name)),
                    }
                }
                Token::Start(_) => {
                    self.report(
                        "cardinality-max",
                        path,
                        "this element holds one resource and has another element beside it.",
                    );
                    self.source.skip()?;
                }
                Token::Text => self.report_text(path),
                Token::End | Token::Eof => break,
            }
        }
        if resource.is_none() {
            self.report("cardinality-min", path, "this element must hold a resource.");
        }
        Ok(resource)
    }

    fn resource_type(&self, name: &str) -> Option<TypeIndex> {
        let index = self.types.get(name)?;
        let definition = self.types.definition(index);
        (definition.kind == TypeKind::Resource && !definition.abstract_).then_some(index)
    }

    fn unknown_resource(&self, name: &str) -> Fatal {
        let known = self.types.resource_types().iter().map(String::as_str);
        let help = nearest(name, known).map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        let shown = crate::fhir::codec::place::shown(name);
        self.source.fault(&format!("{shown} is not a resource type of FHIR R4.{help}"))
    }

    /// Takes one level of depth.
    fn descend(&mut self) -> Result<(), Fatal> {
        let text = || format!("elements are nested more than {} levels deep. Flatten them.", self.depth);
        self.left = self.left.checked_sub(1).ok_or_else(|| self.source.fault(&text()))?;
        Ok(())
    }

    /// Collects an issue at the start of the current tag.
    fn report(&mut self, rule: &str, path: &Path<'_>, what: &str) {
        if self.issues.len() < MAX_ISSUES {
            let text = format!("{}: {what}", self.source.place());
            self.issues.push(Issue::new(Severity::Error, IssueCode::Structure, rule, text).at(path.to_string()));
        }
    }

    fn report_text(&mut self, path: &Path<'_>) {
        self.report("xml-text", path, "text stands between elements. FHIR writes values in the attribute value=\"…\".");
    }
}
