//! Continuation tokens of paging links: where a page ended or began, sealed so that a client can neither read sort values (they may be
//! names) nor make a token of its own, nor use one with another search. Called by the search interaction.
//!
//! The seal is a synthetic initialisation vector over one keyed function: tag = key(plain text), and the plain text is covered
//! with the stream key(tag, 0), key(tag, 1) …. The keyed function (HMAC-SHA-256) is passed in.

use serde_json::{Value, json};

use crate::problem::{Kind, Problem};
use crate::search::query::Query;
use crate::search::query::result::PAGE;
use crate::search::sql::{Bind, Position};

/// A keyed function with a uniform output of at least 16 bytes, such as HMAC-SHA-256 under the server's paging key.
pub type Keyed<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

/// Length of the tag in bytes.
const TAG: usize = 16;

/// What ties a token to its search: everything that was understood but the page itself and its size.
#[must_use]
pub fn fingerprint(query: &Query) -> String {
    let kept =
        query.understood.iter().filter(|(name, _)| !matches!(name.as_str(), PAGE | "_count" | "_format" | "_pretty"));
    let pairs: Vec<Value> = kept.map(|(name, value)| json!([name, value])).collect();
    json!([query.resource_type, pairs]).to_string()
}

/// The token for the page after or before `position`, for use with searches of this `fingerprint`.
#[must_use]
pub fn seal(position: &Position, fingerprint: &str, keyed: Keyed<'_>) -> String {
    let values: Vec<Value> = position.values.iter().map(Option::as_ref).map(value_to_json).collect();
    seal_value(&json!([position.stage, position.key, values, position.backwards]), fingerprint, keyed)
}

/// The token that holds any position, such as that of a history, for use with requests of this `fingerprint`.
#[must_use]
pub fn seal_value(position: &Value, fingerprint: &str, keyed: Keyed<'_>) -> String {
    let plain = position.to_string().into_bytes();
    let tag = tag(&plain, fingerprint, keyed);
    let mut sealed = tag.clone();
    sealed.extend(cover(&plain, &tag, keyed));
    encode(&sealed)
}

/// The position in a token. 400 if the token was not made by this server for this search.
pub fn open(token: &str, fingerprint: &str, keyed: Keyed<'_>) -> Result<Position, Problem> {
    let parts = open_value(token, fingerprint, keyed)?;
    position(&parts).ok_or_else(foreign)
}

/// What [`seal_value`] sealed. 400 if the token was not made by this server for this request.
pub fn open_value(token: &str, fingerprint: &str, keyed: Keyed<'_>) -> Result<Value, Problem> {
    read(token, fingerprint, keyed).ok_or_else(foreign)
}

fn foreign() -> Problem {
    let text = "This paging link does not belong to this request or is damaged. Follow the links of the answer itself, or \
                ask again without `_page`.";
    Problem::new(Kind::Invalid, text).at("http.query._page")
}

fn read(token: &str, fingerprint: &str, keyed: Keyed<'_>) -> Option<Value> {
    let sealed = decode(token)?;
    let (given, covered) = sealed.split_at_checked(TAG)?;
    let plain = cover(covered, given, keyed);
    let expected = tag(&plain, fingerprint, keyed);
    // Every byte is compared whatever the first difference, so that time tells nothing.
    let difference = expected.iter().zip(given).fold(0, |difference, (a, b)| difference | (a ^ b));
    if difference != 0 || expected.len() != given.len() {
        return None;
    }
    serde_json::from_slice(&plain).ok()
}

fn position(parts: &Value) -> Option<Position> {
    let stage = usize::try_from(parts.get(0)?.as_u64()?).ok()?;
    let values = parts.get(2)?.as_array()?.iter().map(value_from_json).collect();
    // Links from before there was a way back have no mark.
    let backwards = parts.get(3).and_then(Value::as_bool).unwrap_or_default();
    Some(Position { stage, key: parts.get(1)?.as_i64()?, values, backwards })
}

fn tag(plain: &[u8], fingerprint: &str, keyed: Keyed<'_>) -> Vec<u8> {
    let mut message = b"tag".to_vec();
    message.extend((fingerprint.len() as u64).to_be_bytes());
    message.extend(fingerprint.as_bytes());
    message.extend(plain);
    let mut tag = keyed(&message);
    tag.truncate(TAG);
    tag
}

/// Covers or uncovers: the same operation.
fn cover(bytes: &[u8], tag: &[u8], keyed: Keyed<'_>) -> Vec<u8> {
    let mut covered = Vec::with_capacity(bytes.len());
    let mut block = 0_u64;
    while covered.len() < bytes.len() {
        let stream = keyed(&[b"stream".as_slice(), tag, &block.to_be_bytes()].concat());
        let start = covered.len();
        covered.extend(bytes.iter().skip(start).zip(&stream).map(|(byte, mask)| byte ^ mask));
        if covered.len() == start {
            break;
        }
        block += 1;
    }
    covered
}

fn value_to_json(value: Option<&Bind>) -> Value {
    match value {
        Some(Bind::Text(text)) => json!({ "t": text }),
        Some(Bind::Integer(integer)) => json!({ "i": integer }),
        // The bits keep what text might round.
        Some(Bind::Real(real)) => json!({ "r": real.to_bits() }),
        Some(Bind::Bool(_) | Bind::Parameter { .. }) | None => Value::Null,
    }
}

fn value_from_json(value: &Value) -> Option<Bind> {
    let text = value.get("t").and_then(Value::as_str).map(|text| Bind::Text(text.to_owned()));
    let integer = || value.get("i").and_then(Value::as_i64).map(Bind::Integer);
    let real = || value.get("r").and_then(Value::as_u64).map(|bits| Bind::Real(f64::from_bits(bits)));
    text.or_else(integer).or_else(real)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64 for URLs without padding (RFC 4648 section 5).
fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| (group << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..=chunk.len() {
            let index = (group >> (18 - 6 * position)) & 63;
            text.push(ALPHABET.get(index as usize).copied().map_or('A', char::from));
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for chunk in text.as_bytes().chunks(4) {
        let mut group = 0_u32;
        for byte in chunk {
            let index = ALPHABET.iter().position(|letter| letter == byte)?;
            group = (group << 6) | u32::try_from(index).ok()?;
        }
        group <<= 6 * (4 - chunk.len());
        let [_, high, middle, low] = group.to_be_bytes();
        bytes.extend([high, middle, low].iter().take(chunk.len().checked_sub(1)?));
    }
    Some(bytes)
}
