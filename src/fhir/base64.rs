//! Base 64 (<https://www.rfc-editor.org/rfc/rfc4648>), for FHIRPath's `encode` and `decode` and for patches in a Binary.

/// The standard alphabet.
pub const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// The alphabet for addresses.
pub const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Bytes as text, padded.
#[must_use]
pub fn encode(bytes: &[u8], alphabet: &[u8; 64]) -> String {
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

/// The bytes that a text stands for, padded or not; none where it has other characters.
#[must_use]
pub fn decode(text: &str, alphabet: &[u8; 64]) -> Option<Vec<u8>> {
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
