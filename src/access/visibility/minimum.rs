//! The least of a Patient that a provider needs: it sees these elements and no others, and searches and sorts by them only. Which
//! they are is the deployment's choice.

use crate::access::Role;
use crate::search::query::{Condition, Query, Rows, SortBy};

/// An element of Patient and the search parameters that look into it.
const PARAMETERS: &[(&str, &[&str])] = &[
    ("address", &["address", "address-city", "address-country", "address-postalcode", "address-state", "address-use"]),
    ("birthDate", &["birthdate"]),
    ("communication", &["language"]),
    ("deceased", &["death-date", "deceased"]),
    ("gender", &["gender"]),
    ("generalPractitioner", &["general-practitioner"]),
    ("identifier", &["identifier"]),
    ("managingOrganization", &["organization"]),
    ("name", &["name", "family", "given", "phonetic"]),
    ("telecom", &["telecom", "email", "phone"]),
];

/// Search parameters that look at what is always shown: what every resource has, and elements that change what the others mean.
const ALWAYS: &[&str] = &["_id", "_lastUpdated", "_profile", "_tag", "_security", "_source", "active", "link"];

/// The elements of one type that are shown; all where none is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Minimum {
    elements: Vec<String>,
}

impl Minimum {
    /// Reads a list of elements with commas; an empty one shows all.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        Self { elements: names.map(str::to_owned).collect() }
    }

    /// The least that a role is shown, of a list as [`Minimum::parse`] reads it: it holds for providers.
    #[must_use]
    pub fn of_role(role: Role, text: &str) -> Self {
        if role == Role::Provider { Self::parse(text) } else { Self::default() }
    }

    /// The elements of a resource of this type that are shown; none where all are.
    #[must_use]
    pub fn of(&self, resource_type: &str) -> Option<&[String]> {
        (resource_type == "Patient" && !self.elements.is_empty()).then_some(self.elements.as_slice())
    }

    /// The first parameter by which a query looks into an element that is not shown, as `Patient.address`.
    #[must_use]
    pub fn looks_further(&self, query: &Query) -> Option<String> {
        if self.elements.is_empty() {
            return None;
        }
        let sorted = query.sort.iter().find_map(|sort| match &sort.by {
            SortBy::Rows { code, .. } if query.resource_type == "Patient" && !self.shows(code) => {
                Some(format!("Patient.{code}"))
            }
            _ => None,
        });
        sorted.or_else(|| query.conditions.iter().find_map(|condition| self.further(condition)))
    }

    fn further(&self, condition: &Condition) -> Option<String> {
        match condition {
            Condition::Rows(Rows { resource_type, code, .. }) => {
                (resource_type == "Patient" && !self.shows(code)).then(|| format!("Patient.{code}"))
            }
            Condition::Chain(link, inner) | Condition::Has(link, inner) => {
                let through = link.source == "Patient" && !self.shows(&link.code);
                if through { Some(format!("Patient.{}", link.code)) } else { self.further(inner) }
            }
            Condition::All(all) | Condition::Any(all) => all.iter().find_map(|each| self.further(each)),
            Condition::Not(inner) => self.further(inner),
            _ => None,
        }
    }

    fn shows(&self, code: &str) -> bool {
        let plain = code.split(':').next().unwrap_or(code);
        let element = PARAMETERS.iter().find(|(_, codes)| codes.contains(&plain)).map(|(element, _)| *element);
        ALWAYS.contains(&plain) || element.is_some_and(|element| self.elements.iter().any(|shown| shown == element))
    }
}
