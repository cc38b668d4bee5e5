//! Additional string functions: encode, decode, escape, unescape (<https://hl7.org/fhirpath/2018Sep/#additional-string-functions>).

use super::super::evaluate::Outcome;
use super::super::navigate::Sink;
use super::{Call, Function, MORE, emit_text, values};
use crate::fhir::base64;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    values("encode", 1, 1, |call, sink| transform(call, encode, sink)),
    values("decode", 1, 1, |call, sink| transform(call, decode, sink)),
    values("escape", 1, 1, |call, sink| transform(call, escape, sink)),
    values("unescape", 1, 1, |call, sink| transform(call, unescape, sink)),
];

fn transform<'a>(call: &Call<'_, 'a>, change: fn(&str, &str) -> Option<String>, sink: Sink<'_, 'a>) -> Outcome {
    let (Some(text), Some(format)) = (call.text_input()?, call.text_argument(0)?) else { return MORE };
    emit_text(call, change(&text, &format), sink)
}

fn encode(text: &str, format: &str) -> Option<String> {
    match format {
        "hex" => Some(text.bytes().flat_map(|byte| [hex_digit(byte >> 4), hex_digit(byte & 15)]).collect()),
        "base64" => Some(base64::encode(text.as_bytes(), base64::STANDARD)),
        "urlbase64" => Some(base64::encode(text.as_bytes(), base64::URL)),
        _ => None,
    }
}

fn hex_digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or('0')
}

fn decode(text: &str, format: &str) -> Option<String> {
    let bytes = match format {
        "hex" => decode_hex(text)?,
        "base64" => base64::decode(text, base64::STANDARD)?,
        "urlbase64" => base64::decode(text, base64::URL)?,
        _ => return None,
    };
    String::from_utf8(bytes).ok()
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    pairs
        .remainder()
        .is_empty()
        .then(|| pairs.map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

const HTML: [(char, &str); 5] = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];

fn escape(text: &str, format: &str) -> Option<String> {
    match format {
        "html" => {
            let mut escaped = String::with_capacity(text.len());
            for character in text.chars() {
                match HTML.iter().find(|(plain, _)| *plain == character) {
                    Some((_, entity)) => escaped.push_str(entity),
                    None => escaped.push(character),
                }
            }
            Some(escaped)
        }
        "json" => {
            let quoted = serde_json::to_string(text).ok()?;
            quoted.strip_prefix('"')?.strip_suffix('"').map(str::to_owned)
        }
        _ => None,
    }
}

fn unescape(text: &str, format: &str) -> Option<String> {
    match format {
        // `&amp;` last, so that `&amp;lt;` becomes `&lt;`.
        "html" => Some(
            HTML.iter()
                .rev()
                .fold(text.to_owned(), |text, (plain, entity)| text.replace(entity, plain.encode_utf8(&mut [0; 4]))),
        ),
        "json" => unescape_json(text),
        _ => None,
    }
}

/// Bare quotes are taken as they are; everything else follows JSON.
fn unescape_json(text: &str) -> Option<String> {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut escaped = false;
    for character in text.chars() {
        if character == '"' && !escaped {
            quoted.push('\\');
        }
        escaped = character == '\\' && !escaped;
        quoted.push(character);
    }
    quoted.push('"');
    serde_json::from_str(&quoted).ok()
}
