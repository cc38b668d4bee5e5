//! Whether a code is a unit of UCUM (<https://ucum.org/ucum>): its grammar over its table of atoms and prefixes. Called by
//! terminology, for codes of the system, and by validation, for quantities. Nothing is kept or allocated for a right code.

mod near;
mod units;

use std::ops::Range;

pub use near::nearest;

/// The code system.
pub const SYSTEM: &str = "http://unitsofmeasure.org";

/// Brackets within brackets beyond this are no unit.
const DEEPEST: usize = 32;

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A unit, a number, an annotation or an opening bracket.
    Component,
    /// After a unit, a number or a closing bracket: an annotation, `.`, `/` or a closing bracket.
    Annotation,
    /// After an annotation: the same but for the annotation.
    Operator,
}

/// Whether a code is a unit, written with regard to case (<https://ucum.org/ucum#section-Syntax-Rules>).
#[must_use]
pub fn is_unit(code: &str) -> bool {
    fault(code).is_none()
}

/// The first part of a code that makes it no unit, empty where something is missing. None for a unit.
fn fault(code: &str) -> Option<Range<usize>> {
    let bytes = code.as_bytes();
    let mut at = usize::from(code.starts_with('/'));
    let (mut next, mut depth) = (Next::Component, 0_usize);
    while let Some(&first) = bytes.get(at) {
        let start = at;
        at += 1;
        next = match (next, first) {
            (Next::Component, b'(') if depth < DEEPEST => {
                depth += 1;
                Next::Component
            }
            (Next::Annotation | Next::Operator, b')') if depth > 0 => {
                depth -= 1;
                Next::Annotation
            }
            (Next::Annotation | Next::Operator, b'.' | b'/') => Next::Component,
            (Next::Component | Next::Annotation, b'{') => {
                let Some(end) = annotation_end(bytes, at) else { return Some(start..bytes.len()) };
                at = end;
                Next::Operator
            }
            (Next::Component, _) => {
                at = symbol_end(bytes, start);
                if !code.get(start..at).is_some_and(is_simple) {
                    return Some(start..at);
                }
                Next::Annotation
            }
            _ => return Some(start..bytes.len()),
        };
    }
    (next == Next::Component || depth > 0).then_some(at..at)
}

/// The end of an annotation, whose text begins at `start`; none where it does not end or is no plain ASCII text.
fn annotation_end(bytes: &[u8], start: usize) -> Option<usize> {
    let text = bytes.get(start..)?;
    let length = text.iter().position(|byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'{' | b'}'))?;
    (text[length] == b'}').then_some(start + length + 1)
}

/// The end of a symbol: at the next operator or bracket, but for those within `[` and `]`.
fn symbol_end(bytes: &[u8], start: usize) -> usize {
    let mut within = false;
    let ends = |byte: &u8| {
        match byte {
            b'[' => within = true,
            b']' => within = false,
            b'.' | b'/' | b'(' | b')' | b'{' | b'}' => return !within,
            _ => {}
        }
        false
    };
    bytes[start..].iter().position(ends).map_or(bytes.len(), |length| start + length)
}

/// A number, or an atom with an optional prefix and exponent.
fn is_simple(symbol: &str) -> bool {
    let (atom, exponent) = split_exponent(symbol);
    if atom.is_empty() {
        return !exponent.is_empty() && exponent.bytes().all(|byte| byte.is_ascii_digit());
    }
    is_atom(atom)
}

/// What stands before the exponent, and the exponent with its sign.
fn split_exponent(symbol: &str) -> (&str, &str) {
    let before = symbol.trim_end_matches(|character: char| character.is_ascii_digit());
    let signed = if before.len() < symbol.len() { before.strip_suffix(['+', '-']) } else { None };
    let atom = signed.unwrap_or(before);
    (atom, symbol.get(atom.len()..).unwrap_or_default())
}

fn is_atom(atom: &str) -> bool {
    let is_metric = |atom: &str| units::METRIC.binary_search(&atom).is_ok();
    units::PLAIN.binary_search(&atom).is_ok()
        || is_metric(atom)
        || units::PREFIXES.iter().any(|prefix| atom.strip_prefix(prefix).is_some_and(is_metric))
}
