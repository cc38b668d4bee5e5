//! Places in a text, for messages about syntax.

use std::fmt;

/// Line and column of a byte in a text, both counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
}

impl Place {
    /// The place of the byte at `offset`; the end of the text for offsets beyond it.
    #[must_use]
    pub fn of(bytes: &[u8], offset: usize) -> Self {
        let before = bytes.get(..offset).unwrap_or(bytes);
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |position| position + 1);
        let line = before.split(|byte| *byte == b'\n').count();
        let column = before.iter().skip(line_start).filter(|byte| (**byte & 0xC0) != 0x80).count() + 1;
        Self { line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}", self.line, self.column)
    }
}

/// A name from the input as it may stand in a message: element names only, since anything else could be personal data.
#[must_use]
pub fn shown(name: &str) -> String {
    let plain =
        name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':'));
    if plain { format!("\"{name}\"") } else { "(a name that is no FHIR element name)".to_owned() }
}
