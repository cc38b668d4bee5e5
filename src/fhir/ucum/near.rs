//! The unit that was probably meant by a code that is none, for "did you mean".

use super::{fault, is_atom, split_exponent, units};
use crate::fhir::suggest;

/// So many parts of one code are put right.
const MOST_PARTS: usize = 3;

/// Longer codes get no suggestion.
const LONGEST: usize = 64;

/// Prefixes of everyday use: what is suggested has one of these.
const EVERYDAY: [&str; 10] = ["k", "h", "d", "c", "m", "u", "n", "p", "f", "M"];

/// The nearest unit to a code that is none: what people write by mistake, a change of case, a slip of the pen. None where
/// nothing is near.
#[must_use]
pub fn nearest(code: &str) -> Option<String> {
    if code.len() > LONGEST {
        return None;
    }
    if let Some(unit) = known_mistake(code) {
        return Some(unit.to_owned());
    }
    let mut right = code.trim().to_owned();
    for _ in 0..MOST_PARTS {
        let Some(part) = fault(&right) else { return Some(right) };
        let (wrong, exponent) = split_exponent(right.get(part.clone())?);
        let better = format!("{}{exponent}", symbol(wrong)?);
        right.replace_range(part, &better);
    }
    fault(&right).is_none().then_some(right)
}

fn known_mistake(text: &str) -> Option<&'static str> {
    let lower = text.trim().to_lowercase();
    units::MISTAKES.iter().find(|(wrong, _)| *wrong == lower).map(|(_, right)| *right)
}

/// The nearest symbol, its prefix included.
fn symbol(wrong: &str) -> Option<String> {
    if let Some(right) = known_mistake(wrong) {
        return Some(right.to_owned());
    }
    // Brackets are often left out.
    let bracketed = format!("[{wrong}]");
    if is_atom(&bracketed) {
        return Some(bracketed);
    }
    let plain = units::PLAIN.iter().chain(&units::METRIC).map(|atom| (*atom).to_owned());
    let prefixed = EVERYDAY.iter().flat_map(|prefix| units::METRIC.iter().map(move |atom| format!("{prefix}{atom}")));
    let all: Vec<String> = plain.chain(prefixed).collect();
    // Small letters are what is meant more often: kg, not kG.
    let small = |symbol: &&String| symbol.bytes().filter(u8::is_ascii_lowercase).count();
    let other_case = all.iter().filter(|symbol| symbol.eq_ignore_ascii_case(wrong)).max_by_key(small);
    other_case.cloned().or_else(|| suggest::nearest(wrong, all.iter().map(String::as_str)).map(str::to_owned))
}
