//! The descriptions of concepts: which one is shown, which displays are right, which concepts a text finds.

use serde_json::{Value, json};

use super::SYSTEM;
use super::edition::Edition;

/// Preferred in the realm of the NHS.
pub(super) const NHS: u8 = 1;
/// Preferred in British English.
pub(super) const BRITISH: u8 = 2;
/// Preferred in American English.
pub(super) const AMERICAN: u8 = 4;
/// Acceptable in one of these.
pub(super) const ACCEPTABLE: u8 = 8;
/// A fully specified name.
pub(super) const FULL_NAME: u8 = 128;

/// One description.
#[derive(Debug, Clone, Copy)]
pub(super) struct Description<'e> {
    pub(super) text: &'e str,
    pub(super) kind: u8,
    language: u16,
}

/// The rank of a description among those of its concept: the one that is shown has the lowest.
pub(super) const fn rank(kind: u8) -> u8 {
    if kind & FULL_NAME != 0 {
        5
    } else if kind & NHS != 0 {
        0
    } else if kind & BRITISH != 0 {
        1
    } else if kind & AMERICAN != 0 {
        2
    } else if kind & ACCEPTABLE != 0 {
        3
    } else {
        4
    }
}

/// Two letters of a language code as a number.
pub(super) fn pack(language: &str) -> u16 {
    language.as_bytes().first_chunk().map_or(0, |letters| u16::from_le_bytes(*letters))
}

impl Edition {
    /// The descriptions of a concept: the preferred term first, the fully specified name last.
    pub(super) fn texts_of(&self, at: u32) -> impl Iterator<Item = Description<'_>> + '_ {
        let all = &self.texts;
        all.offsets.range(at).filter_map(|index| {
            let start = *all.offsets.items.get(index)? as usize;
            let bytes = all.arena.get(start..start + usize::from(*all.lengths.get(index)?))?;
            let text = std::str::from_utf8(bytes).ok()?;
            Some(Description { text, kind: *all.kinds.get(index)?, language: *all.languages.get(index)? })
        })
    }

    /// The preferred term, in American English where that is asked for and there is one.
    #[must_use]
    pub fn display(&self, at: u32, language: Option<&str>) -> Option<&str> {
        let american = language.is_some_and(|language| language.eq_ignore_ascii_case("en-US"));
        let of_america = || self.texts_of(at).find(|description| description.kind & AMERICAN != 0);
        let found = if american { of_america() } else { None };
        found.or_else(|| self.texts_of(at).next()).map(|description| description.text)
    }

    /// The preferred term, where the given text is none of the concept's descriptions; case and spaces do not count.
    #[must_use]
    pub fn wrong_display(&self, at: u32, display: &str) -> Option<&str> {
        let plain = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
        let given = plain(display);
        if self.texts_of(at).any(|description| description.text == display || plain(description.text) == given) {
            return None;
        }
        self.display(at, None)
    }

    /// Whether every word of a filter (in lower case) stands in one of the concept's descriptions.
    pub(in crate::terminology) fn has_words(&self, at: u32, words: &[&str]) -> bool {
        self.texts_of(at).any(|description| {
            let text = description.text.to_lowercase();
            words.iter().all(|word| text.contains(word))
        })
    }

    /// The descriptions as designations; with a language only those in it.
    #[must_use]
    pub fn designations(&self, at: u32, language: Option<&str>) -> Vec<Value> {
        let all = self.texts_of(at).filter(|description| language.is_none_or(|language| description.is_in(language)));
        all.map(Description::designation).collect()
    }
}

impl Description<'_> {
    fn is_in(self, language: &str) -> bool {
        let plain = language.split('-').next().unwrap_or_default();
        pack(&plain.to_ascii_lowercase()) == self.language
            && match language.to_ascii_lowercase().as_str() {
                "en-us" => self.kind & (AMERICAN | ACCEPTABLE | FULL_NAME) != 0,
                "en-gb" => self.kind & (NHS | BRITISH | ACCEPTABLE | FULL_NAME) != 0,
                _ => true,
            }
    }

    fn designation(self) -> Value {
        let (code, display) = if self.kind & FULL_NAME != 0 {
            ("900000000000003001", "Fully specified name")
        } else {
            ("900000000000013009", "Synonym")
        };
        let letters = self.language.to_le_bytes();
        let language = std::str::from_utf8(&letters).unwrap_or_default();
        json!({ "language": language, "use": { "system": SYSTEM, "code": code, "display": display }, "value": self.text })
    }
}
