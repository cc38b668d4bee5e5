//! Numbers that look random and are the same on every machine: SplitMix64 (Steele, Lea, Flood 2014), restarted for each
//! resource from its number, so that a resource does not depend on how many others there are.

/// A source of numbers.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The numbers of one resource.
    pub(super) fn of(seed: u64, stream: u64, number: u64) -> Self {
        let mut random = Self(seed ^ stream.rotate_left(48) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// One of several.
    pub(super) fn choose<T: Copy>(&mut self, all: &[T], otherwise: T) -> T {
        let place = usize::try_from(self.below(all.len() as u64)).unwrap_or_default();
        all.get(place).copied().unwrap_or(otherwise)
    }

    /// One of several with weights.
    pub(super) fn weighted<T: Copy>(&mut self, all: &[(T, u64)], otherwise: T) -> T {
        let mut left = self.below(all.iter().map(|(_, weight)| weight).sum());
        for (one, weight) in all {
            if left < *weight {
                return *one;
            }
            left -= weight;
        }
        otherwise
    }
}
