//! Code systems whose codes are defined by a grammar rather than a list: language tags, media types, units.

use crate::fhir::{language, ucum};

/// The code system of language tags.
pub const LANGUAGES: &str = "urn:ietf:bcp:47";

/// The grammar of a code system, where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grammar {
    /// BCP 47 (<https://www.rfc-editor.org/rfc/rfc5646>).
    Language,
    /// Media types (<https://www.rfc-editor.org/rfc/rfc6838>).
    MediaType,
    /// Units of measure (<https://ucum.org/ucum>).
    Unit,
}

/// The grammar of a system, if its codes follow one.
pub(super) fn grammar(system: &str) -> Option<Grammar> {
    match system {
        LANGUAGES => Some(Grammar::Language),
        "urn:ietf:bcp:13" | "http://www.rfc-editor.org/bcp/bcp13.txt" => Some(Grammar::MediaType),
        ucum::SYSTEM => Some(Grammar::Unit),
        _ => None,
    }
}

impl Grammar {
    /// Whether a code follows the grammar.
    pub(super) fn accepts(self, code: &str) -> bool {
        match self {
            Self::Language => language::is_tag(code),
            Self::MediaType => is_media_type(code),
            Self::Unit => ucum::is_unit(code),
        }
    }
}

/// `type/subtype` with optional parameters, or one of the short names that FHIR itself uses for its own formats
/// (<https://hl7.org/fhir/R4/http.html#mime-type>).
fn is_media_type(code: &str) -> bool {
    if matches!(code, "json" | "xml" | "ttl") {
        return true;
    }
    let essence = code.split(';').next().unwrap_or_default().trim_end();
    let is_name = |name: &str| {
        matches!(name.len(), 1..=127)
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+*".contains(&byte))
    };
    let parameters_fit = code.split(';').skip(1).all(|parameter| parameter.contains('='));
    parameters_fit && essence.split_once('/').is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
}
