//! Sets of concepts of one edition, by position: bits while a constraint is worked out, the smaller of bits and a sorted list
//! once it is kept.

/// A set on its way: one bit for each concept of the edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// No concept of `count`.
    pub(super) fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    /// Adds a concept; true where it is new.
    pub(super) fn insert(&mut self, at: u32) -> bool {
        let (word, bit) = place(at);
        let Some(word) = self.0.get_mut(word) else { return false };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    pub(super) fn remove(&mut self, at: u32) {
        let (word, bit) = place(at);
        if let Some(word) = self.0.get_mut(word) {
            *word &= !bit;
        }
    }

    pub(super) fn contains(&self, at: u32) -> bool {
        let (word, bit) = place(at);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own |= other);
    }

    pub(super) fn keep(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own &= other);
    }

    pub(super) fn take_away(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own &= !other);
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().zip(0_u32..).flat_map(|(word, number)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(number * 64 + bit)
            })
        })
    }

    /// The words, for the file of an edition.
    pub(super) const fn words(&mut self) -> &mut Vec<u64> {
        &mut self.0
    }
}

impl Extend<u32> for Bits {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, positions: I) {
        for at in positions {
            self.insert(at);
        }
    }
}

impl Default for Bits {
    fn default() -> Self {
        Self::none(0)
    }
}

const fn place(at: u32) -> (usize, u64) {
    ((at / 64) as usize, 1 << (at % 64))
}

/// A set that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConceptSet(Kept);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kept {
    /// Positions in order.
    Few(Box<[u32]>),
    Many(Bits, usize),
}

impl From<Bits> for ConceptSet {
    fn from(bits: Bits) -> Self {
        let count = bits.len();
        // A position takes as much as 32 bits.
        if count < bits.0.len() * 2 { Self(Kept::Few(bits.iter().collect())) } else { Self(Kept::Many(bits, count)) }
    }
}

impl ConceptSet {
    /// Whether the concept at a position is in it.
    #[must_use]
    pub fn contains(&self, at: u32) -> bool {
        match &self.0 {
            Kept::Few(list) => list.binary_search(&at).is_ok(),
            Kept::Many(bits, _) => bits.contains(at),
        }
    }

    /// How many concepts are in it.
    #[must_use]
    pub const fn len(&self) -> usize {
        match &self.0 {
            Kept::Few(list) => list.len(),
            Kept::Many(_, count) => *count,
        }
    }

    /// True where none is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn bits(&self, count: usize) -> Bits {
        match &self.0 {
            Kept::Many(bits, _) => bits.clone(),
            Kept::Few(list) => {
                let mut bits = Bits::none(count);
                bits.extend(list.iter().copied());
                bits
            }
        }
    }

    /// What is in this set of an edition of `count` concepts, or in the other one.
    pub(in crate::terminology) fn or(&self, other: &Self, count: usize) -> Self {
        let mut bits = self.bits(count);
        bits.add(&other.bits(count));
        bits.into()
    }

    /// What is in this set and for which the condition holds.
    pub(in crate::terminology) fn filtered(&self, count: usize, holds: impl Fn(u32) -> bool) -> Self {
        let mut bits = self.bits(count);
        self.iter().filter(|at| !holds(*at)).for_each(|at| bits.remove(at));
        bits.into()
    }

    /// The positions in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let (few, many) = match &self.0 {
            Kept::Few(list) => (Some(list.iter().copied()), None),
            Kept::Many(bits, _) => (None, Some(bits.iter())),
        };
        few.into_iter().flatten().chain(many.into_iter().flatten())
    }
}
