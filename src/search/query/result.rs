//! Parameters that shape the answer rather than choose resources (<https://hl7.org/fhir/R4/search.html#control>).

use super::fault::{self, Fault};
use super::include::Include;
use super::parse::Context;
use super::sort::{self, Sort};

/// `_total` (<https://hl7.org/fhir/R4/search.html#total>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// Not wanted.
    None,
    /// A rough number will do.
    Estimate,
    /// The exact number.
    Accurate,
}

/// `_summary` (<https://hl7.org/fhir/R4/search.html#summary>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summary {
    /// Only elements that the definitions mark as summary.
    True,
    /// Narrative, id, meta and mandatory elements.
    Text,
    /// Everything but the narrative.
    Data,
    /// Only the number of matches.
    Count,
    /// Everything.
    False,
}

/// What the result parameters of one search ask for.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) sort: Vec<Sort>,
    pub(super) count: Option<u32>,
    pub(super) total: Option<Total>,
    pub(super) summary: Option<Summary>,
    pub(super) elements: Vec<String>,
    pub(super) includes: Vec<Include>,
    pub(super) page: Option<String>,
    seen: Vec<String>,
}

/// The query parameter that carries the continuation token of a paging link.
pub const PAGE: &str = "_page";

/// The most inclusions.
const MOST_INCLUDES: usize = 30;

/// True for the names of result parameters.
pub(super) fn is_setting(name: &str) -> bool {
    let base = name.split(':').next().unwrap_or_default();
    matches!(base, "_sort" | "_count" | "_total" | "_summary" | "_elements" | "_include" | "_revinclude" | PAGE)
}

impl Settings {
    pub(super) fn take(
        &mut self,
        resource_type: &str,
        name: &str,
        value: &str,
        context: &Context<'_>,
    ) -> Result<(), Fault> {
        if name.starts_with("_include") || name.starts_with("_revinclude") {
            return self.include(name, value, context);
        }
        if self.seen.iter().any(|seen| seen == name) {
            return Err(fault::usage(name, "This parameter may be given only once."));
        }
        self.seen.push(name.to_owned());
        match name {
            "_sort" => self.sort = sort::parse(resource_type, value, context)?,
            "_count" => self.count = Some(count(value)?),
            "_total" => self.total = Some(total(value)?),
            "_summary" => self.summary = Some(summary(value)?),
            "_elements" => self.elements = elements(value)?,
            PAGE => self.page = Some(value.to_owned()),
            _ => return Err(fault::usage(name, "This parameter takes no modifier.")),
        }
        Ok(())
    }

    fn include(&mut self, name: &str, value: &str, context: &Context<'_>) -> Result<(), Fault> {
        if self.includes.len() >= MOST_INCLUDES {
            return Err(fault::usage(name, format!("At most {MOST_INCLUDES} inclusions may be given.")));
        }
        self.includes.push(Include::parse(name, value, context)?);
        Ok(())
    }
}

fn count(value: &str) -> Result<u32, Fault> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { Some(value.parse().unwrap_or(u32::MAX)) } else { None };
    number.ok_or_else(|| fault::value("_count", "The page size is a whole number; 0 asks for the total only."))
}

fn total(value: &str) -> Result<Total, Fault> {
    match value {
        "none" => Ok(Total::None),
        "estimate" => Ok(Total::Estimate),
        "accurate" => Ok(Total::Accurate),
        _ => Err(fault::value("_total", "Allowed: none, estimate, accurate.")),
    }
}

/// Reads `_summary`.
pub fn summary(value: &str) -> Result<Summary, Fault> {
    match value {
        "true" => Ok(Summary::True),
        "text" => Ok(Summary::Text),
        "data" => Ok(Summary::Data),
        "count" => Ok(Summary::Count),
        "false" => Ok(Summary::False),
        _ => Err(fault::value("_summary", "Allowed: true, text, data, count, false.")),
    }
}

/// Reads `_elements`: names of elements, or paths into them, separated by commas.
pub fn elements(value: &str) -> Result<Vec<String>, Fault> {
    let names: Vec<String> = value.split(',').map(|name| name.trim().to_owned()).collect();
    let plain = |name: &String| {
        let stem = name.strip_suffix("[x]").unwrap_or(name);
        !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    };
    if names.len() > 200 || !names.iter().all(plain) {
        return Err(fault::value(
            "_elements",
            "A list of element names with commas is expected, for example `status,code`.",
        ));
    }
    Ok(names)
}
