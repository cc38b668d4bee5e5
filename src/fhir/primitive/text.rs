//! The text forms of the primitives that JSON writes as strings. White space in the published patterns is that of XML:
//! space, tab, line feed, carriage return.

/// The most characters a string may have (<https://hl7.org/fhir/R4/datatypes.html#string>).
pub const MAX_STRING_LENGTH: usize = 1_048_576;

/// `string` and `markdown`: not empty, not only white space (the XML form is trimmed to nothing), within the length limit,
/// and without characters that XML 1.0 cannot carry, because every resource can be asked for as XML.
#[must_use]
pub fn is_string(text: &str) -> bool {
    is_short_enough(text) && is_permitted_in_xml(text) && text.bytes().any(|byte| !is_space(byte))
}

/// True if XML 1.0 can carry every character: control characters below space other than tab, line feed and carriage return
/// and the two non-characters U+FFFE and U+FFFF have no representation, not even escaped.
#[must_use]
pub fn is_permitted_in_xml(text: &str) -> bool {
    let plain = |byte: u8| byte >= b' ' && byte != 0xEF;
    all(text, plain)
        || text.chars().all(|character| match character {
            '\t' | '\n' | '\r' => true,
            '\u{FFFE}' | '\u{FFFF}' => false,
            other => other >= ' ',
        })
}

/// `code`: `[^\s]+(\s[^\s]+)*`.
#[must_use]
pub fn is_code(text: &str) -> bool {
    if all(text, |byte| byte > b' ') {
        return !text.is_empty() && is_short_enough(text);
    }
    let mut after_space = true;
    for byte in text.bytes() {
        let space = is_space(byte);
        if (space && after_space) || (!space && byte < b' ') {
            return false;
        }
        after_space = space;
    }
    !after_space && is_short_enough(text)
}

/// `id`: `[A-Za-z0-9\-\.]{1,64}`.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

/// `uri`, `url`, `canonical`: `\S*`, and as every primitive not empty.
#[must_use]
pub fn is_uri(text: &str) -> bool {
    !text.is_empty() && all(text, |byte| byte > b' ') && is_short_enough(text)
}

/// `oid`: `urn:oid:[0-2](\.(0|[1-9][0-9]*))+`.
#[must_use]
pub fn is_oid(text: &str) -> bool {
    let Some(mut arcs) = text.strip_prefix("urn:oid:").map(|oid| oid.split('.')) else { return false };
    let root = arcs.next().is_some_and(|arc| matches!(arc, "0" | "1" | "2"));
    let mut count = 0;
    let rest = arcs.all(|arc| {
        count += 1;
        arc == "0" || (!arc.is_empty() && !arc.starts_with('0') && arc.bytes().all(|byte| byte.is_ascii_digit()))
    });
    root && rest && count > 0
}

/// `uuid`: `urn:uuid:` and a UUID in lower case.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    text.strip_prefix("urn:uuid:").is_some_and(|uuid| {
        uuid.len() == 36
            && uuid.bytes().enumerate().all(|(position, byte)| match position {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            })
    })
}

/// `base64Binary`: `(\s*([0-9a-zA-Z\+/=]){4}\s*)+`, and padding only where base64 has it: at most two `=`, at the end.
#[must_use]
pub fn is_base64(text: &str) -> bool {
    let (mut in_group, mut groups, mut padding) = (0_u8, 0_usize, 0_u8);
    for byte in text.bytes() {
        match byte {
            b'=' if in_group >= 2 || padding > 0 => padding += 1,
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'/' if padding == 0 => {}
            space if is_space(space) && in_group == 0 => continue,
            _ => return false,
        }
        in_group = (in_group + 1) % 4;
        if in_group == 0 {
            groups += 1;
        }
        if padding > 2 {
            return false;
        }
    }
    in_group == 0 && groups > 0
}

/// True where every byte passes. Many bytes at a time, without a branch for each, so that the compiler uses wide registers.
#[inline]
fn all(text: &str, passes: impl Fn(u8) -> bool + Copy) -> bool {
    let (blocks, rest) = text.as_bytes().as_chunks::<16>();
    blocks.iter().all(|block| block.iter().fold(true, |all, byte| all & passes(*byte)))
        && rest.iter().all(|byte| passes(*byte))
}

fn is_short_enough(text: &str) -> bool {
    text.len() <= MAX_STRING_LENGTH || text.chars().nth(MAX_STRING_LENGTH).is_none()
}

/// White space as XML and the published patterns have it.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
