//! `_sort` (<https://hl7.org/fhir/R4/search.html#sort>).

use super::fault::{self, Fault};
use super::parse::Context;
use crate::search::index::ParameterCode;
use crate::search::kinds::Table;

/// One key of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// What to sort by.
    pub by: SortBy,
    /// Largest first.
    pub descending: bool,
}

/// What to sort by. Resources without a value come last, whatever the direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortBy {
    /// The logical id.
    Id,
    /// The time of the last change.
    LastUpdated,
    /// The least (ascending) or greatest (descending) index row of a parameter.
    Rows {
        /// The table.
        table: Table,
        /// The parameter's code.
        code: ParameterCode,
    },
}

/// The most sort keys.
const MOST: usize = 8;

/// Parses the value of `_sort`.
pub(super) fn parse(resource_type: &str, value: &str, context: &Context<'_>) -> Result<Vec<Sort>, Fault> {
    let keys = value.split(',').map(|key| parse_key(resource_type, key.trim(), context));
    let keys: Vec<Sort> = keys.collect::<Result<_, _>>()?;
    if keys.len() > MOST {
        return Err(fault::value("_sort", format!("At most {MOST} sort keys may be given.")));
    }
    Ok(keys)
}

fn parse_key(resource_type: &str, key: &str, context: &Context<'_>) -> Result<Sort, Fault> {
    let (descending, code) = match key.strip_prefix('-') {
        Some(code) => (true, code),
        None => (false, key),
    };
    let by = match code {
        "" => return Err(fault::value("_sort", "A sort key is missing.")),
        _ if code.contains([':', '.']) => {
            return Err(fault::value("_sort", "A sort key is the name of a parameter, without modifier or chain."));
        }
        "_score" => return Err(fault::unsupported("_sort", "This server gives matches no score to sort by.")),
        "_id" => SortBy::Id,
        "_lastUpdated" => SortBy::LastUpdated,
        _ => match context.registry.get(resource_type, code) {
            Some(parameter) if parameter.is_sortable() => match parameter.kind.table() {
                Some(table) => SortBy::Rows { table, code: parameter.codes.own.clone() },
                None => return Err(fault::unsupported("_sort", "This parameter cannot be sorted by.")),
            },
            Some(_) => return Err(fault::unsupported("_sort", "This parameter cannot be sorted by.")),
            None => return Err(fault::unknown("_sort", code, resource_type, context.registry)),
        },
    };
    Ok(Sort { by, descending })
}
