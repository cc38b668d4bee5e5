//! Whether a search parameter can be used yet, and the numbers that say by which definitions an index was made. FHIR's own
//! parameters can be used always; one that a package or an operator adds, once every resource of the type was indexed by it.

use std::collections::{HashMap, HashSet};

use super::Parameter;
use crate::fhir::definitions::SearchParameter;

/// Raise this whenever extraction yields other rows for the same resource and definitions, or parties are read otherwise: at their
/// next start servers then index everything anew.
const EXTRACTION: i64 = 3;

/// Whether searches may use a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// They may.
    Ready,
    /// Not before the re-index job is done: a search would miss what is not indexed yet.
    Indexing,
    /// Not before its status is active; resources are indexed by it already.
    Draft,
}

impl Standing {
    /// Why searches may not use it; none where they may.
    #[must_use]
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Ready => None,
            Self::Indexing => Some(
                "This search parameter is new, and the resources are being indexed by it. Search by it when the re-index \
                 job is done; the CapabilityStatement lists it then.",
            ),
            Self::Draft => {
                Some("The definition of this search parameter is a draft. Search by it when its status is active.")
            }
        }
    }
}

/// What is known of parameters beyond their definitions.
#[derive(Debug, Clone, Default)]
pub struct Standings {
    /// Canonical urls of definitions whose status is draft.
    pub drafts: HashSet<String>,
    /// Generation by which all resources of a type are indexed, by type and code; code empty for the whole set of the type.
    pub indexed: HashMap<(String, String), i64>,
}

impl Standings {
    /// The generation by which all resources of a type are indexed.
    #[must_use]
    pub fn indexed(&self, resource_type: &str, code: &str) -> Option<i64> {
        self.indexed.get(&(resource_type.to_owned(), code.to_owned())).copied()
    }
}

/// The number of a parameter's definition: another one where anything that decides on its rows differs.
pub(super) fn of_definition(definition: &SearchParameter, expression: &str) -> i64 {
    let parts = definition.components.iter().flat_map(|part| [part.definition.as_str(), part.expression.as_str()]);
    let texts = [definition.code.as_str(), definition.kind.code(), expression].into_iter();
    let texts = texts.chain(definition.target.iter().map(String::as_str)).chain(parts);
    number(texts.flat_map(|text| text.bytes().chain([0])))
}

/// The number of a set of parameters, sorted by code. Never 0, which stands for rows of unknown making.
pub(super) fn of_set<'a>(parameters: impl IntoIterator<Item = &'a Parameter>) -> i64 {
    let numbers = parameters.into_iter().map(|parameter| parameter.generation);
    number([EXTRACTION].into_iter().chain(numbers).flat_map(i64::to_le_bytes)).max(1)
}

/// 64-bit FNV-1a, the same in every process and version, halved so that it is positive.
fn number(bytes: impl IntoIterator<Item = u8>) -> i64 {
    let hash = bytes
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash >> 1).cast_signed()
}
