//! The text of parameter values: separators, escapes and prefixes (<https://hl7.org/fhir/R4/search.html#escaping>).

/// Splits at a separator that is not escaped; the pieces keep their escapes (see [`unescape`]).
#[must_use]
pub fn split_raw(text: &str, separator: char) -> Vec<&str> {
    let (mut pieces, mut start, mut escaped) = (Vec::new(), 0, false);
    for (position, character) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == separator {
            pieces.extend(text.get(start..position));
            start = position + character.len_utf8();
        }
    }
    pieces.extend(text.get(start..));
    pieces
}

/// Takes the backslash away before `,`, `$`, `|` and `\`; any other backslash stands for itself.
#[must_use]
pub fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(&next @ (',' | '$' | '|' | '\\'))) => {
                plain.push(next);
                characters.next();
            }
            _ => plain.push(character),
        }
    }
    plain
}

/// The opposite of [`unescape`]: `text` as one literal piece of a value.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, ',' | '$' | '|' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The pieces of a value between separators, with their escapes taken away.
#[derive(Debug)]
pub struct Pieces;

impl Pieces {
    /// Splits `text` at each `separator` that is not escaped.
    pub fn split(text: &str, separator: char) -> impl Iterator<Item = String> {
        split_raw(text, separator).into_iter().map(unescape)
    }
}

/// How a row compares with a value (<https://hl7.org/fhir/R4/search.html#prefix>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prefix {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater.
    Gt,
    /// Less.
    Lt,
    /// Greater or equal.
    Ge,
    /// Less or equal.
    Le,
    /// Starts after.
    Sa,
    /// Ends before.
    Eb,
    /// About the same.
    Ap,
}

impl Prefix {
    /// Takes the prefix off a value; none means equal.
    #[must_use]
    pub fn split(text: &str) -> (Self, &str) {
        let prefix = match text.get(..2) {
            Some("eq") => Self::Eq,
            Some("ne") => Self::Ne,
            Some("gt") => Self::Gt,
            Some("lt") => Self::Lt,
            Some("ge") => Self::Ge,
            Some("le") => Self::Le,
            Some("sa") => Self::Sa,
            Some("eb") => Self::Eb,
            Some("ap") => Self::Ap,
            _ => return (Self::Eq, text),
        };
        (prefix, text.get(2..).unwrap_or_default())
    }
}
