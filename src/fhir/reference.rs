//! The forms of Reference.reference (<https://hl7.org/fhir/R4/references.html#literal>) told apart without allocation.
//! Called by search extraction, validation, FHIRPath resolve() and the bundle rewriting.

use crate::fhir::primitive::is_id;

/// A literal reference, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reference<'a> {
    /// `#id`: a contained resource; the empty id (`#`) is the container itself.
    Contained(&'a str),
    /// `Type/id` or `Type/id/_history/version` on this server.
    Relative(Target<'a>),
    /// `http://server/base/Type/id`: the base has no slash at its end.
    Absolute {
        /// Service base URL.
        base: &'a str,
        /// What is meant on that server.
        target: Target<'a>,
    },
    /// `Type?parameter=value`: a conditional reference, allowed in transactions.
    Conditional {
        /// Resource type.
        resource_type: &'a str,
        /// What stands after the question mark.
        query: &'a str,
    },
    /// `urn:uuid:…`, the UUID in lower case.
    Uuid(&'a str),
    /// `urn:oid:…`
    Oid(&'a str),
    /// Any other absolute URL or URN.
    Other(&'a str),
}

/// A resource, or one version of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Target<'a> {
    /// Resource type; it looks like one, whether FHIR knows it is for the caller to ask.
    pub resource_type: &'a str,
    /// Logical id.
    pub id: &'a str,
    /// Version id.
    pub version: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Takes a reference apart; none if the text is none of the forms (for example `patient 1` or `Patient/`).
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.is_empty() || text.bytes().any(|byte| byte.is_ascii_whitespace()) {
            return None;
        }
        if let Some(id) = text.strip_prefix('#') {
            return Some(Self::Contained(id));
        }
        if text.starts_with("urn:") {
            return Some(Self::parse_urn(text));
        }
        // No scheme has a colon in it, so the first one decides.
        match at(text, b':').map(|colon| (&text[..colon], &text[colon + 1..])) {
            Some((scheme, rest)) if is_scheme(scheme) && rest.len() > 2 && rest.starts_with("//") => {
                Some(Self::parse_absolute(text))
            }
            _ => Self::parse_relative(text),
        }
    }

    /// The resource that the reference names on this server or another, if it has the RESTful form.
    #[must_use]
    pub const fn target(&self) -> Option<&Target<'a>> {
        match self {
            Self::Relative(target) | Self::Absolute { target, .. } => Some(target),
            _ => None,
        }
    }

    fn parse_urn(text: &'a str) -> Self {
        if let Some(uuid) = text.strip_prefix("urn:uuid:") {
            return Self::Uuid(uuid);
        }
        text.strip_prefix("urn:oid:").map_or(Self::Other(text), Self::Oid)
    }

    fn parse_absolute(text: &'a str) -> Self {
        let after_scheme = text.find("://").map_or(0, |position| position + 3);
        let mut segments = text.rsplit('/');
        let (last, second, third) = (segments.next(), segments.next(), segments.next());
        let tail_segments = match (second, third) {
            (Some("_history"), Some(_)) => 4,
            _ => 2,
        };
        let start = text.rmatch_indices('/').nth(tail_segments - 1).map_or(0, |(position, _)| position);
        if last.is_none() || start < after_scheme {
            return Self::Other(text);
        }
        match (text.get(..start), text.get(start + 1..).and_then(Target::parse)) {
            (Some(base), Some(target)) => Self::Absolute { base, target },
            _ => Self::Other(text),
        }
    }

    fn parse_relative(text: &'a str) -> Option<Self> {
        if let Some((resource_type, query)) = text.split_once('?') {
            return is_type_name(resource_type).then_some(Self::Conditional { resource_type, query });
        }
        Target::parse(text).map(Self::Relative)
    }
}

impl<'a> Target<'a> {
    /// Reads `Type/id` or `Type/id/_history/version`.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let slash = at(text, b'/')?;
        let (resource_type, rest) = (&text[..slash], &text[slash + 1..]);
        let (id, version) = match at(rest, b'/').map(|slash| (&rest[..slash], &rest[slash + 1..])) {
            None => (rest, None),
            Some((id, rest)) => (id, Some(rest.strip_prefix("_history/").filter(|version| is_id(version))?)),
        };
        (is_type_name(resource_type) && is_id(id)).then_some(Self { resource_type, id, version })
    }
}

/// Where an ASCII character stands first. References are short: a plain loop is faster than a prepared search.
fn at(text: &str, character: u8) -> Option<usize> {
    text.bytes().position(|byte| byte == character)
}

/// True for names shaped as resource types are: a capital letter, then letters.
fn is_type_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase()) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// True for a URL scheme (RFC 3986 section 3.1).
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}
