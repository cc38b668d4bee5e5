//! The text forms of numbers: whole numbers are 32 bits wide and written plainly, decimals are exact.

use crate::fhir::decimal::Decimal;

/// `integer`: `-?(0|[1-9][0-9]*)` within 32 bits.
#[must_use]
pub fn is_integer(text: &str) -> bool {
    is_plain(text.strip_prefix('-').unwrap_or(text)) && text.parse::<i32>().is_ok()
}

/// `unsignedInt`: 0 to 2147483647.
#[must_use]
pub fn is_unsigned_integer(text: &str) -> bool {
    is_plain(text) && text.parse::<i32>().is_ok()
}

/// `positiveInt`: 1 to 2147483647.
#[must_use]
pub fn is_positive_integer(text: &str) -> bool {
    is_unsigned_integer(text) && text != "0"
}

/// `decimal`: any number of digits, exponent allowed.
#[must_use]
pub fn is_decimal(text: &str) -> bool {
    Decimal::parse(text).is_some()
}

/// Digits only, no leading zero.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.is_empty() && !text.starts_with('0'))
}
