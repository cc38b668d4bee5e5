//! The two formats of FHIR, read and written: JSON is the model of the server, XML is turned into it and made from it.
//! Called where bodies and files are read and answers are written. Nothing here panics or recurses without bound on hostile
//! input.

pub mod json;
mod place;
pub mod positions;
pub mod xml;

pub use place::{Place, shown};

/// How much a codec reads before it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of elements inside each other; an extension in an extension is a level, an item in an item too.
    pub depth: usize,
    /// Bytes of the whole text.
    pub bytes: usize,
}

impl Limits {
    /// The depth that keeps the JSON form (an array and an object for each level) within the 127 levels that other JSON
    /// readers, serde_json's own among them, take.
    pub const MAX_DEPTH: usize = 60;
}

impl Limits {
    /// The levels that readers allow: the limit, and never more than [`Limits::MAX_DEPTH`].
    #[must_use]
    pub fn levels(&self) -> usize {
        self.depth.min(Self::MAX_DEPTH)
    }
}

impl Default for Limits {
    /// 60 levels, 20 MB.
    fn default() -> Self {
        Self { depth: Self::MAX_DEPTH, bytes: 20 * 1024 * 1024 }
    }
}
