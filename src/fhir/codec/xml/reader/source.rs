//! The events of an XML text, reduced to what FHIR documents consist of: start tags with their attributes, end tags, text
//! where none should be. Comments and processing instructions are passed over; DOCTYPE stops the reading.

use std::ops::Range;

use quick_xml::NsReader;
use quick_xml::events::{BytesDecl, BytesStart, Event};
use quick_xml::name::{Namespace, PrefixDeclaration, QName, ResolveResult};

use super::Fatal;
use crate::fhir::codec::Place;
use crate::fhir::codec::xml::escape::attribute_value;
use crate::fhir::codec::xml::markup::check_start;
use crate::fhir::codec::xml::narrative::check_content;
use crate::fhir::codec::xml::{FHIR_NAMESPACE, XHTML_NAMESPACE, syntax_issue};

/// The namespace of schema locations, which any element may carry.
const SCHEMA_INSTANCE_NAMESPACE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// What comes next.
pub(super) enum Token {
    Start(Tag),
    End,
    /// Text that is not white space.
    Text,
    Eof,
}

/// A namespace, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    Fhir,
    Xhtml,
    Other,
}

/// A start tag.
pub(super) struct Tag {
    /// The name without prefix.
    pub(super) name: String,
    pub(super) namespace: Space,
    /// Attributes and their values, without namespace declarations and schema locations.
    pub(super) attributes: Vec<(String, String)>,
    /// The tag declares the XHTML namespace as its default, so that its text can stand alone.
    declares_xhtml: bool,
    /// The name has no prefix.
    is_plain: bool,
    /// Offset of the `<`.
    start: usize,
}

/// Reads tokens.
pub(super) struct Source<'a> {
    text: &'a str,
    reader: NsReader<&'a [u8]>,
    /// Offset of the event that was read last.
    offset: usize,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut reader = NsReader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        Self { text, reader, offset: 0 }
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Token, Fatal> {
        loop {
            self.offset = self.position();
            let (namespace, event) = match self.reader.read_resolved_event() {
                Ok((ResolveResult::Bound(Namespace(FHIR_NAMESPACE)), event)) => (Space::Fhir, event),
                Ok((ResolveResult::Bound(Namespace(XHTML_NAMESPACE)), event)) => (Space::Xhtml, event),
                Ok((_, event)) => (Space::Other, event),
                Err(error) => return Err(self.malformed(&error)),
            };
            match event {
                Event::Start(start) => return self.tag(&start, namespace).map(Token::Start),
                Event::End(_) => return Ok(Token::End),
                Event::Eof => return Ok(Token::Eof),
                Event::Text(text) if text.trim_ascii().is_empty() => {}
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => return Ok(Token::Text),
                Event::DocType(_) => {
                    return Err(self.fault("a DOCTYPE is not allowed in FHIR: it could define entities. Remove it."));
                }
                Event::Decl(declaration) => self.check_declaration(&declaration)?,
                Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
            }
        }
    }

    /// Passes over the rest of the element whose start tag has been read.
    pub(super) fn skip(&mut self) -> Result<(), Fatal> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next()? {
                Token::Start(_) => depth += 1,
                Token::End => depth -= 1,
                Token::Text => {}
                Token::Eof => return Err(self.ended()),
            }
        }
        Ok(())
    }

    /// Reads the rest of a narrative `div` and returns its text, unchanged where it can stand alone.
    pub(super) fn narrative(&mut self, tag: &Tag) -> Result<String, Fatal> {
        let mut names = vec![tag.is_plain];
        let mut edits: Vec<(Range<usize>, &str)> = Vec::new();
        if !tag.is_plain || !tag.declares_xhtml {
            let name_end = tag.start + 1 + self.name_length(tag.start + 1);
            edits.push((tag.start + 1..name_end, "div xmlns=\"http://www.w3.org/1999/xhtml\""));
        }
        while !names.is_empty() {
            let before = self.position();
            self.offset = before;
            let is_xhtml = match self.reader.read_resolved_event() {
                Err(error) => return Err(self.malformed(&error)),
                Ok((namespace, Event::Start(start))) => {
                    let is_xhtml = namespace == ResolveResult::Bound(Namespace(XHTML_NAMESPACE));
                    let prefixed = start.name().prefix().is_some();
                    check_start(&start, |_, _| {}).map_err(|what| self.fault_at(before, what))?;
                    names.push(!(is_xhtml && prefixed));
                    Some((is_xhtml && prefixed, before + 1))
                }
                Ok((_, Event::End(_))) => {
                    let plain = names.pop().unwrap_or(true);
                    // A tag that closes itself has its end at the same place and no name of its own.
                    Some((!plain && self.position() > before, before + 2))
                }
                Ok((_, Event::Eof)) => return Err(self.ended()),
                Ok((_, event)) => {
                    check_content(&event, true).map_err(|what| self.fault_at(before, what))?;
                    None
                }
            };
            if let Some((true, name)) = is_xhtml {
                let prefix = self.text.get(name..).and_then(|rest| rest.find(':')).map_or(0, |colon| colon + 1);
                edits.push((name..name + prefix, ""));
            }
        }
        Ok(self.edited(tag.start, &edits))
    }

    /// A fault at the current place that stops the reading.
    pub(super) fn fault(&self, what: &str) -> Fatal {
        self.fault_at(self.offset, what)
    }

    fn fault_at(&self, offset: usize, what: &str) -> Fatal {
        Fatal(Box::new(syntax_issue(self.text, offset, what)))
    }

    /// The place of the current token.
    pub(super) fn place(&self) -> Place {
        Place::of(self.text.as_bytes(), self.offset)
    }

    fn tag(&self, start: &BytesStart<'_>, namespace: Space) -> Result<Tag, Fatal> {
        let resolver = self.reader.resolver();
        let mut attributes = Vec::new();
        let mut declares_xhtml = false;
        let collect = |name: &str, raw: &str| match QName(name).as_namespace_binding() {
            Some(PrefixDeclaration::Default) => declares_xhtml = raw == XHTML_NAMESPACE,
            Some(PrefixDeclaration::Named(_)) => {}
            None => {
                let namespace = resolver.resolve_attribute(QName(name)).0;
                if namespace != ResolveResult::Bound(Namespace(SCHEMA_INSTANCE_NAMESPACE)) {
                    let value = attribute_value(raw).unwrap_or_default().into_owned();
                    attributes.push((name.to_owned(), value));
                }
            }
        };
        check_start(start, collect).map_err(|what| self.fault(what))?;
        let name = start.local_name().into_inner().to_owned();
        let is_plain = start.name().prefix().is_none();
        Ok(Tag { name, namespace, attributes, declares_xhtml, is_plain, start: self.offset })
    }

    fn check_declaration(&self, declaration: &BytesDecl<'_>) -> Result<(), Fatal> {
        let version = declaration.version().map_err(|error| self.malformed(&error))?;
        if version != "1.0" {
            return Err(self.fault("the XML version must be 1.0."));
        }
        match declaration.encoding() {
            Some(Ok(name)) if !["utf-8", "us-ascii"].iter().any(|known| name.eq_ignore_ascii_case(known)) => {
                Err(self.fault("the encoding must be UTF-8. Convert the document and correct the declaration."))
            }
            _ => Ok(()),
        }
    }

    fn malformed(&self, error: &quick_xml::Error) -> Fatal {
        use quick_xml::errors::{Error, IllFormedError, SyntaxError};
        let what = match error {
            Error::IllFormed(IllFormedError::MismatchedEndTag { .. } | IllFormedError::UnmatchedEndTag(_)) => {
                "an end tag does not match the start tag that is open. Correct the nesting."
            }
            Error::Syntax(SyntaxError::UnclosedTag | SyntaxError::UnclosedComment | SyntaxError::UnclosedCData) => {
                "a tag or comment is not closed."
            }
            Error::Namespace(_) => "there are too many or wrong namespace declarations.",
            _ => "this is not well-formed XML.",
        };
        self.fault(what)
    }

    pub(super) fn ended(&self) -> Fatal {
        self.fault("the document ends too early: an element is not closed.")
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(self.text.len())
    }

    /// Length of the name that begins at `start`.
    fn name_length(&self, start: usize) -> usize {
        let rest = self.text.get(start..).unwrap_or_default();
        rest.find(|character: char| character.is_ascii_whitespace() || matches!(character, '>' | '/')).unwrap_or(0)
    }

    /// The text from `start` to the current position with the edits made.
    fn edited(&self, start: usize, edits: &[(Range<usize>, &str)]) -> String {
        let mut out = String::new();
        let mut from = start;
        for (range, replacement) in edits {
            out.push_str(self.text.get(from..range.start).unwrap_or_default());
            out.push_str(replacement);
            from = range.end;
        }
        out.push_str(self.text.get(from..self.position()).unwrap_or_default());
        out
    }
}
