//! Tokens by value set and by hierarchy: `:in`, `:not-in`, `:above`, `:below`
//! (<https://hl7.org/fhir/R4/search.html#token>).

use super::Weight;
use super::fault::{self, Fault};
use super::reading::{Piece, Reading};
use crate::fhir::issue::IssueCode;
use crate::search::kinds::token::{Codes, Token};
use crate::search::kinds::{Criterion, Table, bounded};
use crate::terminology::{Listed, Unlisted};

/// The most codes that a value set or hierarchy may bring into a search.
const MOST_CODES: usize = 5_000;

impl Reading<'_> {
    /// Codes of a value set, named by its canonical url.
    pub(super) fn in_value_set(&self, canonical: &str) -> Result<Vec<Piece>, Fault> {
        let listed = self.context.registry.terminology().list(canonical, MOST_CODES);
        let listed = listed.map_err(|reason| self.unlisted(reason))?;
        Ok(listed.into_iter().filter_map(|part| self.listed(part)).collect())
    }

    fn unlisted(&self, reason: Unlisted) -> Fault {
        match reason {
            Unlisted::NotFound => {
                let text = "No such value set is loaded. Give the canonical url of a value set that this server has.";
                fault::terminology(self.name, IssueCode::NotFound, text)
            }
            Unlisted::Incomplete => {
                let text = "This value set depends on codes that are not loaded here, so it cannot be searched by.";
                fault::terminology(self.name, IssueCode::NotSupported, text)
            }
            Unlisted::TooMany => self.too_many(),
        }
    }

    fn too_many(&self) -> Fault {
        let text = format!("A search by value set or hierarchy may cover at most {MOST_CODES} codes.");
        fault::terminology(self.name, IssueCode::TooCostly, text)
    }

    fn listed(&self, part: Listed) -> Option<Piece> {
        let system = if self.implies(&part.system) { String::new() } else { bounded(&part.system) };
        let criterion = match part.codes {
            None => Criterion::Token(Token { system: Some(system), code: None }),
            Some(codes) if codes.is_empty() => return None,
            Some(codes) => Criterion::Codes(Codes { system, codes: codes.iter().map(|code| bounded(code)).collect() }),
        };
        let code = self.parameter.codes.own.clone();
        Some(Piece { table: Table::Token, code, weight: self.parameter.weight.max(Weight::Some), criterion })
    }

    /// A code with what is above or below it in its code system.
    pub(super) fn in_hierarchy(&self, value: &str, above: bool) -> Result<Vec<Piece>, Fault> {
        let token = Token::parse(value).map_err(|text| fault::value(self.name, text))?;
        let Some(code) = token.code else {
            return Err(fault::value(self.name, "A code is needed: `system|code`."));
        };
        let terminology = self.context.registry.terminology();
        let systems = match token.system {
            Some(system) if !system.is_empty() => vec![system],
            _ if self.parameter.plain_code => self.context.registry.implied_systems(self.parameter),
            _ => return Err(fault::value(self.name, "The hierarchy is that of a code system: write `system|code`.")),
        };
        let mut pieces = Vec::new();
        for system in systems {
            let codes = if above {
                terminology.with_ancestors(&system, &code)
            } else {
                terminology.with_descendants(&system, &code)
            };
            let Some(codes) = codes else { continue };
            if codes.len() > MOST_CODES {
                return Err(self.too_many());
            }
            pieces.extend(self.listed(Listed { system, codes: Some(codes) }));
        }
        if pieces.is_empty() {
            let text =
                "The code system of this value is not loaded here or has no such code, so its hierarchy is not known.";
            return Err(fault::terminology(self.name, IssueCode::NotFound, text));
        }
        Ok(pieces)
    }
}
