//! Uris: equal, or above and below by path (<https://hl7.org/fhir/R4/search.html#uri>).

use serde_json::Value;

use super::{Shape, Sink, bounded, string};
use crate::search::index::UriRow;
use crate::search::sql::builder::Sql;

/// What a uri value asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uri {
    /// This uri; a canonical without version finds every version.
    Is(String),
    /// This uri and what lies below it in its path.
    Below(String),
    /// This uri and every uri above it in its path.
    Above(Vec<String>),
}

/// Rows of a uri, url, canonical or oid.
pub(super) fn index(shape: Shape, value: &Value, sink: &mut Sink<'_>) {
    if let (Shape::Uri | Shape::Canonical | Shape::Text, Some(text)) = (shape, value.as_str())
        && !text.is_empty()
    {
        sink.rows.uris.push(UriRow { parameter: sink.codes.own.clone(), value: bounded(text) });
    }
}

impl Uri {
    /// Reads the value of `:below`. Errors say what is wrong with the value.
    pub fn below(text: &str) -> Result<Self, String> {
        hierarchical(text).map(|text| Self::Below(text.to_owned()))
    }

    /// Reads the value of `:above`. Errors say what is wrong with the value.
    pub fn above(text: &str) -> Result<Self, String> {
        let text = hierarchical(text)?;
        let start = text.find("://").map_or(0, |at| at + 3);
        let ends = text.match_indices('/').map(|(at, _)| at).filter(|at| *at >= start);
        let mut uris: Vec<String> = ends.filter_map(|at| text.get(..at)).map(str::to_owned).collect();
        uris.extend(uris.clone().iter().map(|uri| format!("{uri}/")));
        uris.push(text.to_owned());
        Ok(Self::Above(uris))
    }

    /// See [`super::Criterion::condition`].
    pub(super) fn condition(&self, alias: &str, sql: &mut Sql) {
        let column = format!("{alias}.value");
        match self {
            Self::Is(uri) => with_versions(&column, uri, sql),
            Self::Below(uri) => {
                let folder = if uri.ends_with('/') { uri.clone() } else { format!("{uri}/") };
                sql.push(&format!("({column} = ")).text(uri);
                sql.push(&format!(" or ({column} >= ")).text(&folder);
                sql.push(&format!(" and {column} < ")).text(&string::past(&folder)).push("))");
            }
            Self::Above(uris) => {
                for (position, uri) in uris.iter().enumerate() {
                    sql.push(if position == 0 { "(" } else { " or " }).push(&format!("{column} = ")).text(uri);
                }
                sql.push(")");
            }
        }
    }
}

fn hierarchical(text: &str) -> Result<&str, String> {
    let urn = text.starts_with("urn:");
    if urn { Err("`:above` and `:below` apply to urls, not to urns".to_owned()) } else { Ok(text) }
}

/// The url itself, or where no version is asked for also `url|version`.
pub(super) fn with_versions(column: &str, url: &str, sql: &mut Sql) {
    if url.contains('|') {
        sql.push(&format!("{column} = ")).text(url);
        return;
    }
    let versions = format!("{url}|");
    sql.push(&format!("({column} = ")).text(url);
    sql.push(&format!(" or ({column} > ")).text(&versions);
    sql.push(&format!(" and {column} < ")).text(&string::past(&versions)).push("))");
}
