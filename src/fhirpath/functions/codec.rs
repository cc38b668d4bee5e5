//! Additional string functions: encode, decode, escape, unescape (<https://hl7.org/fhirpath/2018Sep/#additional-string-functions>).

use super::super::evaluate::Outcome;
use super::super::navigate::Sink;
use super::{Call, Function, MORE, emit_text, values};

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

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode(text: &str, format: &str) -> Option<String> {
    match format {
        "hex" => Some(text.bytes().flat_map(|byte| [hex_digit(byte >> 4), hex_digit(byte & 15)]).collect()),
        "base64" => Some(base64(text.as_bytes(), STANDARD)),
        "urlbase64" => Some(base64(text.as_bytes(), URL)),
        _ => None,
    }
}

fn hex_digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or('0')
}

fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut encoded = String::new();
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for position in 0..4_usize {
            let six = (word >> (18 - 6 * position)) & 63;
            let letter = alphabet.get(six as usize).copied().map_or('=', char::from);
            encoded.push(if position > chunk.len() { '=' } else { letter });
        }
    }
    encoded
}

fn decode(text: &str, format: &str) -> Option<String> {
    let bytes = match format {
        "hex" => decode_hex(text)?,
        "base64" => decode_base64(text, STANDARD)?,
        "urlbase64" => decode_base64(text, URL)?,
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

fn decode_base64(text: &str, alphabet: &[u8; 64]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut word, mut bits) = (0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        let six = alphabet.iter().position(|known| *known == letter)?;
        word = (word << 6 | u32::try_from(six).ok()?) & 0xFFFF;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(word >> bits & 0xFF).ok()?);
        }
    }
    Some(bytes)
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
