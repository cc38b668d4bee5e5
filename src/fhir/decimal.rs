//! Exact decimals: the text is the value (<https://hl7.org/fhir/R4/datatypes.html#decimal>), `1.00` is more precise than
//! `1.0`, and nothing goes through binary floating point. Called by primitive checks, validation, search and FHIRPath.

use std::cmp::Ordering;

/// Exponents beyond this are held here: no two texts of a size that the server reads differ by it.
const EXPONENT_LIMIT: i64 = 1_000_000_000_000;

/// A decimal that borrows its text.
#[derive(Debug, Clone, Copy)]
pub struct Decimal<'a> {
    text: &'a str,
    negative: bool,
    integer: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Decimal<'a> {
    /// Reads `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`; none if the text is anything else.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (negative, rest) = bytes.strip_prefix(b"-").map_or((false, bytes), |rest| (true, rest));
        let (integer, rest) = split_digits(rest);
        if integer.is_empty() || (integer.len() > 1 && integer.starts_with(b"0")) {
            return None;
        }
        let (fraction, rest) = match rest.strip_prefix(b".") {
            Some(rest) => split_digits(rest),
            None => (rest.get(..0)?, rest),
        };
        if fraction.is_empty() && bytes.contains(&b'.') {
            return None;
        }
        let exponent = match rest.split_first() {
            None => 0,
            Some((b'e' | b'E', rest)) => parse_exponent(rest)?,
            Some(_) => return None,
        };
        Some(Self { text, negative, integer, fraction, exponent })
    }

    /// The text as it was written.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// True for zero of any precision and sign.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.digits().next().is_none()
    }

    /// True for numbers below zero; not for `-0`.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.negative && !self.is_zero()
    }

    /// Digits after the decimal point that the text states: 2 for `1.00`, -2 for `1e2`.
    #[must_use]
    pub fn scale(&self) -> i64 {
        length(self.fraction) - self.exponent
    }

    /// Number of significant digits: 3 for `1.00`, 1 for `0.01`; zero has one.
    #[must_use]
    pub fn significant_digits(&self) -> usize {
        self.digits().count().max(1)
    }

    /// True if the value has no part after the decimal point (`1`, `1.0`, `1e2`).
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let trailing = self.digits().collect_trailing_zeros();
        self.is_zero() || self.scale() <= trailing
    }

    /// The numeric order; precision does not matter (`1.0` equals `1.00`).
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self.sign(), other.sign()) {
            (0, 0) => Ordering::Equal,
            (1, 1) => self.compare_magnitude(other),
            (-1, -1) => other.compare_magnitude(self),
            (left, right) => left.cmp(&right),
        }
    }

    /// The values that round to this one at its stated precision, as decimal texts: lowest and highest. `100` covers 99.5 to
    /// 100.5 and `1e2` covers 50 to 150 (<https://hl7.org/fhir/R4/search.html#number>).
    #[must_use]
    pub fn significance(&self) -> (String, String) {
        let mut digits: Vec<u8> = self.integer.iter().chain(self.fraction).copied().collect();
        let exponent = self.exponent - length(self.fraction) - 1;
        let outer = text_of(&digits, b'5', exponent);
        let inner = decrement(&mut digits).then(|| text_of(&digits, b'5', exponent));
        match (inner, self.negative) {
            (None, _) => (format!("-{outer}"), outer),
            (Some(inner), false) => (inner, outer),
            (Some(inner), true) => (format!("-{outer}"), format!("-{inner}")),
        }
    }

    fn sign(&self) -> i8 {
        match (self.is_zero(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// Digits from the first that is not zero.
    fn digits(&self) -> impl Iterator<Item = u8> + Clone + use<'a> {
        self.integer.iter().chain(self.fraction).copied().skip_while(|digit| *digit == b'0')
    }

    /// Position of the decimal point relative to the first digit that is not zero.
    fn magnitude(&self) -> i64 {
        let leading = self.integer.iter().chain(self.fraction).take_while(|digit| **digit == b'0').count();
        length(self.integer) + self.exponent - i64::try_from(leading).unwrap_or(i64::MAX)
    }

    fn compare_magnitude(&self, other: &Self) -> Ordering {
        self.magnitude().cmp(&other.magnitude()).then_with(|| {
            let (mut left, mut right) = (self.digits(), other.digits());
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return Ordering::Equal,
                    (left, right) => match left.unwrap_or(b'0').cmp(&right.unwrap_or(b'0')) {
                        Ordering::Equal => {}
                        unequal => return unequal,
                    },
                }
            }
        })
    }
}

/// Counts the zeros at the end of a sequence of digits.
trait TrailingZeros: Iterator<Item = u8> + Sized {
    fn collect_trailing_zeros(self) -> i64 {
        self.fold(0, |count, digit| if digit == b'0' { count + 1 } else { 0 })
    }
}

impl<I: Iterator<Item = u8>> TrailingZeros for I {}

fn split_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

fn length(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

fn parse_exponent(bytes: &[u8]) -> Option<i64> {
    let (sign, digits) = match bytes.split_first()? {
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => (1, bytes),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = digits.iter().fold(0_i64, |number, digit| {
        number.saturating_mul(10).saturating_add(i64::from(digit - b'0')).min(EXPONENT_LIMIT)
    });
    Some(sign * size)
}

/// Subtracts one from a whole number written in digits; false if it was zero.
fn decrement(digits: &mut [u8]) -> bool {
    if digits.iter().all(|digit| *digit == b'0') {
        return false;
    }
    for digit in digits.iter_mut().rev() {
        if *digit == b'0' {
            *digit = b'9';
        } else {
            *digit -= 1;
            break;
        }
    }
    true
}

/// `digits` followed by `last`, times ten to the `exponent`, without leading zeros.
fn text_of(digits: &[u8], last: u8, exponent: i64) -> String {
    let mut text: String = digits.iter().skip_while(|digit| **digit == b'0').map(|digit| char::from(*digit)).collect();
    text.push(char::from(last));
    match usize::try_from(-exponent) {
        Ok(0) => text,
        Ok(places) if places <= 40 => {
            if text.len() <= places {
                text.insert_str(0, &"0".repeat(places + 1 - text.len()));
            }
            text.insert(text.len() - places, '.');
            text
        }
        _ => format!("{text}e{exponent}"),
    }
}
