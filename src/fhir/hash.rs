//! A fast hash for tables whose keys come from definitions only: nobody can choose keys that collide. Used by terminology
//! (codes, canonicals) and by validation (canonicals of profiles and extensions).

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// An odd number without pattern: the golden ratio as a fraction of 2^64.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Eight bytes at a time: mix in, multiply, rotate; the high bits go down at the end.
#[derive(Debug, Clone, Copy, Default)]
pub struct CodeHasher(u64);

impl CodeHasher {
    const fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    }
}

impl Hasher for CodeHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        let mut last = rest.len() as u64;
        for byte in rest {
            last = (last << 8) | u64::from(*byte);
        }
        self.mix(last);
    }

    fn write_u8(&mut self, _: u8) {
        // Strings end with a byte that tells two of them apart; a table of single strings needs none.
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

/// A table by text.
pub type TextMap<K, T> = HashMap<K, T, BuildHasherDefault<CodeHasher>>;

/// A table by code.
pub type CodeMap<T> = TextMap<Box<str>, T>;
