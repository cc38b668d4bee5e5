//! SNOMED CT identifiers: digits, a partition, a check digit (SNOMED CT Release File Specifications, "SCTID").

/// Multiplication in the dihedral group D5, by which Verhoeff's check digit is made.
const PRODUCT: [[usize; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];

/// The permutation that is applied once more for each place.
const PERMUTATION: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

/// Reads the identifier of a concept: 6 to 18 digits without a leading zero, the partition of concepts, the right check
/// digit. None where it is none.
#[must_use]
pub fn concept(text: &str) -> Option<u64> {
    let id = number(text)?;
    (is_concept(id) && has_check_digit(text)).then_some(id)
}

/// Reads digits as a number; none where they are not 6 to 18 digits or begin with zero.
pub(super) fn number(text: &str) -> Option<u64> {
    let fits =
        (6..=18).contains(&text.len()) && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// True for identifiers of concepts (partition 00 or 10), false for those of descriptions and relationships.
pub(super) const fn is_concept(id: u64) -> bool {
    (id / 10).is_multiple_of(10)
}

/// The namespace of an identifier in the long format; none for the international release.
pub(super) fn namespace(id: u64) -> Option<u32> {
    if id / 100 % 10 == 1 { u32::try_from(id / 1000 % 10_000_000).ok() } else { None }
}

/// True where the last digit is the right one.
#[must_use]
pub fn has_check_digit(text: &str) -> bool {
    let mut sum = 0;
    for (place, byte) in text.bytes().rev().enumerate() {
        let mut digit = usize::from(byte.wrapping_sub(b'0'));
        for _ in 0..place % 8 {
            digit = PERMUTATION.get(digit).copied().unwrap_or(10);
        }
        let Some(next) = PRODUCT.get(sum).and_then(|row| row.get(digit)) else { return false };
        sum = *next;
    }
    sum == 0
}
