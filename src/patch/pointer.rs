//! JSON Pointer (<https://www.rfc-editor.org/rfc/rfc6901>): read once, followed into a value. Used by JSON Patch.

use serde_json::Value;

/// A path of member names and array indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer(Vec<String>);

impl Pointer {
    /// Reads a pointer; none where it neither is empty nor begins with a slash, or has a stray `~`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Vec::new()));
        }
        text.strip_prefix('/')?.split('/').map(unescape).collect::<Option<_>>().map(Self)
    }

    /// How many steps it has.
    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }

    /// All steps.
    pub(super) fn steps(&self) -> &[String] {
        &self.0
    }

    /// The pointer to what holds the last step, and that step; none for the whole document.
    pub(super) fn split(&self) -> Option<(&[String], &str)> {
        self.0.split_last().map(|(last, above)| (above, last.as_str()))
    }

    /// True where `other` lies below this place.
    pub(super) fn is_above(&self, other: &Self) -> bool {
        other.0.len() > self.0.len() && other.0.starts_with(&self.0)
    }

    /// What the pointer means in `document`.
    pub(super) fn get<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(document, |value, step| match value {
            Value::Object(map) => map.get(step),
            Value::Array(items) => items.get(index(step)?),
            _ => None,
        })
    }
}

/// What lies at the end of some steps.
pub(super) fn get_mut<'a>(document: &'a mut Value, steps: &[String]) -> Option<&'a mut Value> {
    steps.iter().try_fold(document, |value, step| match value {
        Value::Object(map) => map.get_mut(step),
        Value::Array(items) => items.get_mut(index(step)?),
        _ => None,
    })
}

/// An array index: digits without leading zeros.
pub(super) fn index(step: &str) -> Option<usize> {
    let plain = step == "0" || (!step.starts_with('0') && !step.is_empty() && step.bytes().all(|b| b.is_ascii_digit()));
    plain.then(|| step.parse().ok()).flatten()
}

fn unescape(step: &str) -> Option<String> {
    let mut text = String::with_capacity(step.len());
    let mut characters = step.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '~' => match characters.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            other => other,
        });
    }
    Some(text)
}
