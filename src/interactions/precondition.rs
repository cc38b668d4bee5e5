//! What a client asks of the current version before it is changed: If-Match and If-None-Match
//! (<https://www.rfc-editor.org/rfc/rfc9110#section-13.1>, <https://hl7.org/fhir/R4/http.html#concurrency>). The write path asks
//! inside its transaction; `header` reads the tags.

use super::header::Tags;
use crate::problem::{Kind, Problem};
use crate::store::Stored;

/// What must hold of the version that is replaced, patched or deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    /// `If-Match`: one of these versions must be current.
    pub matches: Tags,
    /// `If-None-Match`: none of these may be; with `*` there must be no resource yet.
    pub none_matches: Tags,
}

impl Precondition {
    /// True where the client has named the version that it changes.
    #[must_use]
    pub const fn names_version(&self) -> bool {
        matches!(self.matches, Tags::Versions(_))
    }

    /// 412 where it does not hold. `before` is the current version, also where that is a deletion.
    pub fn check(&self, before: Option<&Stored>) -> Result<(), Problem> {
        let living = before.filter(|stored| !stored.deleted);
        if let Some(stored) = living.filter(|stored| self.none_matches.name(stored.version)) {
            let text = format!(
                "If-None-Match asks that this version is not there, but it is: the current version is {}.",
                stored.version
            );
            return Err(failed(text, "http.if-none-match"));
        }
        match (&self.matches, before) {
            (Tags::Absent, _) => Ok(()),
            (Tags::Any, _) if living.is_some() => Ok(()),
            (Tags::Any, _) => Err(unmatched("If-Match asks for a resource that exists, and there is none.")),
            (Tags::Versions(wanted), Some(stored)) if wanted.contains(&stored.version) => Ok(()),
            (Tags::Versions(wanted), Some(stored)) => {
                let wanted: Vec<String> = wanted.iter().map(i64::to_string).collect();
                Err(unmatched(&format!(
                    "If-Match names version {}, the current version is {}. Read it again and repeat the change.",
                    wanted.join(", "),
                    stored.version
                )))
            }
            (Tags::Versions(_), None) => Err(unmatched("If-Match names a version of a resource that does not exist.")),
        }
    }
}

fn unmatched(text: &str) -> Problem {
    failed(text.to_owned(), "http.if-match")
}

fn failed(text: String, place: &str) -> Problem {
    Problem::new(Kind::PreconditionFailed, text).at(place)
}
