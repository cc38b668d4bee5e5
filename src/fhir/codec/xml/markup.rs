//! What well-formed XML asks for and the event reader does not check: names, attributes, references, text.

use quick_xml::events::BytesStart;

use super::escape::{attribute_value, reference};

/// More attributes than this on one element are refused: the check for duplicates is quadratic.
const MAX_ATTRIBUTES: usize = 100;

/// Checks the name and all attributes of a start tag; `each` is given the name and raw value of every attribute.
pub(super) fn check_start<'a>(
    start: &'a BytesStart<'_>,
    mut each: impl FnMut(&'a str, &'a str),
) -> Result<(), &'static str> {
    if !is_name(start.name().into_inner()) {
        return Err("this is not a valid element name.");
    }
    let mut names: Vec<&str> = Vec::new();
    let raw = start.attributes_raw();
    let mut attributes = quick_xml::events::attributes::Attributes::new(raw, 0);
    attributes.with_checks(false);
    for attribute in attributes {
        let attribute = attribute.map_err(|_| "an attribute is not written as name=\"value\".")?;
        let name = attribute.key.into_inner();
        if !is_name(name) {
            return Err("this is not a valid attribute name.");
        }
        if names.contains(&name) {
            return Err("an attribute stands twice on this element.");
        }
        if names.len() == MAX_ATTRIBUTES {
            return Err("this element has too many attributes.");
        }
        names.push(name);
        let std::borrow::Cow::Borrowed(value) = attribute.value else { return Err("an attribute could not be read.") };
        attribute_value(value)?;
        each(name, value);
    }
    Ok(())
}

/// Checks character data: `]]>` may not stand in it.
pub(super) fn check_text(text: &str) -> Result<(), &'static str> {
    if text.contains("]]>") { Err("the characters ]]> stand in text. Write ]]&gt; instead.") } else { Ok(()) }
}

/// Checks a reference in text.
pub(super) fn check_reference(name: &str) -> Result<(), &'static str> {
    reference(name).map(|_| ())
}

/// True for XML names, as far as ASCII goes; beyond it every letter is taken.
fn is_name(name: &str) -> bool {
    let first =
        |character: char| character.is_ascii_alphabetic() || matches!(character, '_' | ':') || !character.is_ascii();
    let later = |character: char| first(character) || character.is_ascii_digit() || matches!(character, '-' | '.');
    name.starts_with(first) && name.chars().all(later)
}
