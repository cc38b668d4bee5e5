//! Attribute values: references resolved and white space normalised when reading, escaped when writing.

use std::borrow::Cow;

use crate::fhir::primitive::is_permitted_in_xml;

/// The value of an attribute as XML 1.0 section 3.3.3 defines it: literal tabs and line breaks become spaces, references
/// are resolved. The error says what is wrong.
pub(super) fn attribute_value(raw: &str) -> Result<Cow<'_, str>, &'static str> {
    let special = |byte: u8| matches!(byte, b'&' | b'<' | b'\t' | b'\n' | b'\r');
    if !raw.bytes().any(special) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(position) = rest.bytes().position(special) {
        let (plain, tail) = rest.split_at(position);
        value.push_str(plain);
        rest = match tail.as_bytes() {
            [b'<', ..] => return Err("the character < stands in an attribute. Write &lt; instead."),
            [b'&', ..] => {
                let (name, after) = tail.get(1..).unwrap_or_default().split_once(';').ok_or(UNKNOWN_REFERENCE)?;
                value.push(reference(name)?);
                after
            }
            [b'\r', b'\n', ..] => {
                value.push(' ');
                tail.get(2..).unwrap_or_default()
            }
            _ => {
                value.push(' ');
                tail.get(1..).unwrap_or_default()
            }
        };
    }
    value.push_str(rest);
    Ok(Cow::Owned(value))
}

const UNKNOWN_REFERENCE: &str =
    "this entity is not defined. Use &amp; &lt; &gt; &quot; &apos; or a character reference such as &#160;.";

/// The character that a reference (without `&` and `;`) stands for.
pub(super) fn reference(name: &str) -> Result<char, &'static str> {
    const NOT_A_CHARACTER: &str = "this character reference names no character that XML allows. Remove it.";
    let code = match name {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => match (name.strip_prefix("#x"), name.strip_prefix('#')) {
            (Some(digits), _) => parse_digits(digits, 16),
            (None, Some(digits)) => parse_digits(digits, 10),
            (None, None) => return Err(UNKNOWN_REFERENCE),
        },
    };
    let character = code.and_then(char::from_u32).ok_or(NOT_A_CHARACTER)?;
    let permitted = is_permitted_in_xml(character.encode_utf8(&mut [0; 4]));
    if permitted { Ok(character) } else { Err(NOT_A_CHARACTER) }
}

fn parse_digits(digits: &str, radix: u32) -> Option<u32> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| u32::from_str_radix(digits, radix).ok())?
}

/// Appends `text` so that it can stand in an attribute within double quotes and is read back unchanged.
pub(super) fn push_attribute(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(position) =
        rest.bytes().position(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\t' | b'\n' | b'\r'))
    {
        let (plain, tail) = rest.split_at(position);
        out.push_str(plain);
        out.push_str(match tail.as_bytes().first() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'"') => "&quot;",
            Some(b'\t') => "&#x9;",
            Some(b'\n') => "&#xA;",
            _ => "&#xD;",
        });
        rest = tail.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}
