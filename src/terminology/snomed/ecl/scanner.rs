//! The characters of an expression constraint: white space, comments, words, identifiers, terms.

use super::parser::EclError;
use crate::terminology::snomed::identifier;

/// A place in the text of a constraint.
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// What is next, after white space and comments.
    pub(super) fn peek(&mut self) -> Option<char> {
        self.skip();
        self.rest().chars().next()
    }

    fn skip(&mut self) {
        loop {
            let trimmed = self.rest().trim_start();
            self.at = self.text.len() - trimmed.len();
            let Some(comment) = trimmed.strip_prefix("/*") else { return };
            let Some(end) = comment.find("*/") else { return };
            self.at += end + 4;
        }
    }

    /// Takes a symbol where it is next.
    pub(super) fn take(&mut self, symbol: &str) -> bool {
        self.skip();
        let is_next = self.rest().starts_with(symbol);
        if is_next {
            self.at += symbol.len();
        }
        is_next
    }

    /// Takes a symbol that must be next.
    pub(super) fn need(&mut self, symbol: &str, why: &str) -> Result<(), EclError> {
        if self.take(symbol) { Ok(()) } else { Err(self.wrong(&format!("{symbol} is missing {why}"))) }
    }

    /// The word that is next, without taking it.
    pub(super) fn word(&mut self) -> &'t str {
        self.skip();
        let rest = self.rest();
        let end = rest.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// Takes a word, in any case, where it is next and whole.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let is_next = self.word().eq_ignore_ascii_case(word);
        if is_next {
            self.at += word.len();
        }
        is_next
    }

    /// Takes the digits of an identifier, and the term after it in pipes.
    pub(super) fn concept(&mut self) -> Result<u64, EclError> {
        let digits = self.word();
        // A wrong check digit is no mistake of the syntax: published constraints have some, and they name no concept.
        let Some(id) = identifier::number(digits) else {
            let text = if digits.bytes().next().is_some_and(|byte| byte.is_ascii_digit()) {
                "this is not an identifier of SNOMED CT (6 to 18 digits)"
            } else {
                "a concept identifier, * or ( is expected"
            };
            return Err(self.wrong(text));
        };
        self.at += digits.len();
        if self.take("|") {
            let Some(end) = self.rest().find('|') else { return Err(self.wrong("the term has no closing |")) };
            self.at += end + 1;
        }
        Ok(id)
    }

    /// Takes a number of a cardinality.
    pub(super) fn count(&mut self) -> Result<u32, EclError> {
        let digits = self.word();
        let count = digits.parse().map_err(|_| self.wrong("a number is expected in the cardinality"))?;
        self.at += digits.len();
        Ok(count)
    }

    /// True where `=` or `!=` stands after the brackets that begin here.
    pub(super) fn brackets_are_compared(&self) -> bool {
        let (mut depth, mut within_term) = (0_usize, false);
        for (at, byte) in self.rest().bytes().enumerate() {
            match byte {
                b'|' => within_term = !within_term,
                b'(' if !within_term => depth += 1,
                b')' if !within_term => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        let after = self.rest().get(at + 1..).unwrap_or_default().trim_start();
                        return after.starts_with(['=', '!', '<', '>']);
                    }
                }
                _ => {}
            }
        }
        false
    }

    /// The mistake at this place.
    pub(super) fn wrong(&self, text: &str) -> EclError {
        EclError { at: self.rest_at(), text: text.to_owned() }
    }

    /// How many characters stand before this place.
    fn rest_at(&self) -> usize {
        self.text.get(..self.at).map_or(0, |before| before.chars().count())
    }
}
