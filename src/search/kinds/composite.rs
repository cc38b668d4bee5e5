//! Composites: several values of one element at once (<https://hl7.org/fhir/R4/search.html#composite>). Each component keeps rows
//! of its own under `composite$number`; rows of one element share an ordinal.

use crate::search::index::{ComponentRow, IndexRows, ParameterCode};
use crate::search::sql::builder::Sql;

use super::{Codes, Criterion};

/// What a composite value asks for: every part holds for some row of the same element. The condition is on the row of the
/// first part.
#[derive(Debug, Clone, PartialEq)]
pub struct Composite {
    /// The resource type whose parameter it is.
    pub resource_type: String,
    /// The components in their order.
    pub parts: Vec<Part>,
}

/// What is asked of one component.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The code (or pseudo-code) of the component's rows.
    pub code: ParameterCode,
    /// What the row must meet.
    pub criterion: Criterion,
}

impl Composite {
    /// See [`super::Criterion::condition`].
    pub(super) fn condition(&self, alias: &str, sql: &mut Sql) {
        for (position, part) in self.parts.iter().enumerate() {
            if position == 0 {
                sql.push("(");
                part.condition(alias, sql);
                sql.push(")");
                continue;
            }
            let other = sql.alias('c');
            sql.push(&format!(" and exists (select 1 from index_component {other}"));
            sql.push(&format!(" where {other}.resource_key = {alias}.resource_key and {other}.parameter = "));
            sql.parameter(&self.resource_type, &part.code);
            sql.push(&format!(" and {other}.ordinal = {alias}.ordinal and ("));
            part.condition(&other, sql);
            sql.push("))");
        }
    }
}

impl Part {
    /// Instants are whole numbers and so have columns of their own.
    fn condition(&self, alias: &str, sql: &mut Sql) {
        match &self.criterion {
            Criterion::Date(span) => span.condition(&format!("{alias}.earliest"), &format!("{alias}.latest"), sql),
            other => other.condition(alias, sql),
        }
    }
}

/// The rows of one component of one element, from the rows that its values would have on their own.
#[must_use]
pub fn rows_of(rows: IndexRows, codes: &Codes, ordinal: i64) -> Vec<ComponentRow> {
    let mut all = Vec::new();
    let is_ours = |parameter: &ParameterCode| *parameter == codes.own || *parameter == codes.canonical;
    let mut add = |parameter: ParameterCode, row: ComponentRow| {
        if is_ours(&parameter) {
            all.push(ComponentRow { parameter, ordinal, ..row });
        }
    };
    for row in rows.tokens {
        add(row.parameter, ComponentRow { code: Some(row.code), system: Some(row.system), ..ComponentRow::default() });
    }
    for row in rows.strings {
        let (folded, exact) = (Some(row.folded), Some(row.exact));
        add(row.parameter, ComponentRow { folded, exact, ..ComponentRow::default() });
    }
    for row in rows.dates {
        let (earliest, latest) = (Some(row.low), Some(row.high));
        add(row.parameter, ComponentRow { earliest, latest, ..ComponentRow::default() });
    }
    for row in rows.numbers {
        add(row.parameter, ComponentRow { low: Some(row.low), high: Some(row.high), ..ComponentRow::default() });
    }
    for row in rows.quantities {
        let (low, high, code, system) = (Some(row.low), Some(row.high), Some(row.code), Some(row.system));
        add(row.parameter, ComponentRow { code, system, low, high, ..ComponentRow::default() });
    }
    for row in rows.references {
        let (target_id, target_type) = (Some(row.target_id), Some(row.target_type));
        add(row.parameter, ComponentRow { target_id, target_type, ..ComponentRow::default() });
    }
    for row in rows.uris {
        add(row.parameter, ComponentRow { value: Some(row.value), ..ComponentRow::default() });
    }
    all
}
