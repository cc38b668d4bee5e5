//! The tokens of JSON (RFC 8259), byte by byte: white space, strings with their escapes, numbers, punctuation.

use std::borrow::Cow;
use std::fmt;

use crate::fhir::codec::place::shown;

/// What is wrong with a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fhir::codec) enum Fault {
    /// Something else stands here; what is expected.
    Expected(&'static str),
    /// The text ends too early.
    Ended,
    /// Something follows the value.
    Trailing,
    /// A member name stands twice in one object.
    Duplicate(String),
    /// More levels than the limit.
    TooDeep(usize),
    /// An escape that JSON does not have, or half of a surrogate pair.
    Escape,
    /// A raw control character in a string.
    Control,
    /// U+0000.
    Nul,
    /// Not a number as JSON writes it.
    Number,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(what) => write!(formatter, "this is not JSON: expected {what}."),
            Self::Ended => formatter.write_str("the JSON text ends too early: a brace, bracket or quote is not closed."),
            Self::Trailing => formatter.write_str("something follows the end of the JSON value. Send one value only."),
            Self::Duplicate(name) => {
                write!(formatter, "the name {name} stands twice in this object. Remove one, or use an array.")
            }
            Self::TooDeep(limit) => write!(formatter, "elements are nested more than {limit} levels deep. Flatten them."),
            Self::Escape => formatter.write_str(
                "this escape is not allowed. Use \\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u with four hexadecimal digits \
                 (surrogates in pairs).",
            ),
            Self::Control => formatter.write_str("a control character stands in a string. Escape it, a line break as \\n."),
            Self::Nul => formatter.write_str("the character U+0000 is not allowed in FHIR. Remove it."),
            Self::Number => formatter.write_str(
                "this is not a number. Write it plainly, such as 1.50: no plus sign, no leading zero, a digit on both sides \
                 of the point.",
            ),
        }
    }
}

/// A fault and the offset of the byte at which it was found.
pub(in crate::fhir::codec) type Result<T> = std::result::Result<T, (usize, Fault)>;

/// Reads tokens from a text.
pub(in crate::fhir::codec) struct Scanner<'a> {
    text: &'a str,
    /// Offset of the next byte.
    pub(in crate::fhir::codec) position: usize,
}

impl<'a> Scanner<'a> {
    pub(in crate::fhir::codec) const fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    /// The next byte that is not white space, without taking it.
    pub(in crate::fhir::codec) fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.byte() {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.position += 1;
        }
        None
    }

    /// Takes white space and the byte `wanted` if it comes next.
    pub(in crate::fhir::codec) fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.position += usize::from(found);
        found
    }

    /// Takes `wanted` or fails with what is expected.
    pub(in crate::fhir::codec) fn expect(&mut self, wanted: u8, what: &'static str) -> Result<()> {
        if self.take(wanted) { Ok(()) } else { Err(self.unexpected(what)) }
    }

    /// Takes a word such as `true`.
    pub(in crate::fhir::codec) fn word(&mut self, word: &str) -> Result<()> {
        let found = self.text.as_bytes().get(self.position..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        if !found {
            return Err(self.unexpected("a value: an object, array, string, number, true, false or null"));
        }
        self.position += word.len();
        Ok(())
    }

    /// The fault that something else stands at the current place.
    pub(in crate::fhir::codec) fn unexpected(&mut self, what: &'static str) -> (usize, Fault) {
        match self.peek() {
            None => (self.position, Fault::Ended),
            Some(_) => (self.position, Fault::Expected(what)),
        }
    }

    /// Takes a number and returns its text.
    pub(in crate::fhir::codec) fn number(&mut self) -> Result<&'a str> {
        let start = self.position;
        while self.byte().is_some_and(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
            self.position += 1;
        }
        let text = self.text.get(start..self.position).unwrap_or_default();
        // FHIR's pattern for decimals is JSON's grammar for numbers.
        if crate::fhir::primitive::is_decimal(text) { Ok(text) } else { Err((start, Fault::Number)) }
    }

    /// Takes a string; it is borrowed from the text unless it has escapes.
    pub(in crate::fhir::codec) fn string(&mut self, what: &'static str) -> Result<Cow<'a, str>> {
        self.expect(b'"', what)?;
        let start = self.position;
        self.plain_run()?;
        let head = self.text.get(start..self.position).unwrap_or_default();
        if self.byte() == Some(b'"') {
            self.position += 1;
            return Ok(Cow::Borrowed(head));
        }
        let mut text = head.to_owned();
        while self.byte() == Some(b'\\') {
            text.push(self.escape()?);
            let start = self.position;
            self.plain_run()?;
            text.push_str(self.text.get(start..self.position).unwrap_or_default());
        }
        self.position += 1;
        Ok(Cow::Owned(text))
    }

    /// Moves to the next quote or backslash.
    fn plain_run(&mut self) -> Result<()> {
        let rest = self.text.as_bytes().get(self.position..).unwrap_or_default();
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F));
        self.position += length.unwrap_or(rest.len());
        match self.byte() {
            Some(b'"' | b'\\') => Ok(()),
            Some(0) => Err((self.position, Fault::Nul)),
            Some(_) => Err((self.position, Fault::Control)),
            None => Err((self.position, Fault::Ended)),
        }
    }

    fn escape(&mut self) -> Result<char> {
        let start = self.position;
        self.position += 1;
        let kind = self.byte().ok_or((start, Fault::Ended))?;
        self.position += 1;
        match kind {
            b'"' | b'\\' | b'/' => Ok(char::from(kind)),
            b'b' => Ok('\u{8}'),
            b'f' => Ok('\u{c}'),
            b'n' => Ok('\n'),
            b'r' => Ok('\r'),
            b't' => Ok('\t'),
            b'u' => self.unicode_escape(start),
            _ => Err((start, Fault::Escape)),
        }
    }

    fn unicode_escape(&mut self, start: usize) -> Result<char> {
        let first = self.hexadecimal().ok_or((start, Fault::Escape))?;
        let code = match first {
            0 => return Err((start, Fault::Nul)),
            0xD800..=0xDBFF => {
                let marked = self.text.as_bytes().get(self.position..).is_some_and(|rest| rest.starts_with(b"\\u"));
                self.position += if marked { 2 } else { 0 };
                let second = self.hexadecimal().filter(|low| marked && (0xDC00..=0xDFFF).contains(low));
                0x1_0000 + ((first - 0xD800) << 10) + second.ok_or((start, Fault::Escape))? - 0xDC00
            }
            code => code,
        };
        char::from_u32(code).ok_or((start, Fault::Escape))
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let digits = self.text.get(self.position..self.position + 4)?;
        let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        self.position += 4;
        all.then(|| u32::from_str_radix(digits, 16).ok())?
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }
}

/// The fault that a name stands twice.
pub(super) fn duplicate(name: &str) -> Fault {
    Fault::Duplicate(shown(name))
}
