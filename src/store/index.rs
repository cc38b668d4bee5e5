//! Writes index rows: one insert per search type and batch. Knows the tables, the small integers of search parameters, and
//! which tables a resource has rows in.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use super::database::{Connection, on};
use super::insert::{Insert, insert_rows};
use super::pending::KeyedRows;
use crate::search::index::IndexRows;
use crate::search::leading;

pub(super) static TOKEN: Insert =
    Insert::new("index_token", &["parameter", "code", "system", "resource_key"], " on conflict do nothing");
pub(super) static STRING: Insert =
    Insert::new("index_string", &["parameter", "folded", "exact", "resource_key", "ordinal"], "");
pub(super) static DATE: Insert =
    Insert::new("index_date", &["parameter", "low", "high", "resource_key"], " on conflict do nothing");
pub(super) static NUMBER: Insert =
    Insert::new("index_number", &["parameter", "low", "high", "resource_key"], " on conflict do nothing");
pub(super) static QUANTITY: Insert = Insert::new(
    "index_quantity",
    &["parameter", "low", "high", "code", "system", "resource_key"],
    " on conflict do nothing",
);
pub(super) static REFERENCE: Insert = Insert::new(
    "index_reference",
    &["target_id", "target_type", "parameter", "leading_date", "resource_key"],
    " on conflict do nothing",
);
pub(super) static URI: Insert =
    Insert::new("index_uri", &["parameter", "value", "resource_key"], " on conflict do nothing");
pub(super) static COMPONENT: Insert = Insert::new(
    "index_component",
    &[
        "resource_key",
        "parameter",
        "ordinal",
        "place",
        "code",
        "system",
        "folded",
        "exact",
        "target_id",
        "target_type",
        "value",
        "low",
        "high",
        "earliest",
        "latest",
    ],
    "",
);
pub(super) static PLACE: Insert =
    Insert::new("index_place", &["parameter", "x", "y", "z", "resource_key"], " on conflict do nothing");
pub(super) static TEXT: Insert = Insert::new("index_text", &["resource_key", "parameter", "words"], "");
pub(super) static PARTY: Insert =
    Insert::new("party", &["organisation", "role", "resource_key"], " on conflict do nothing");

/// Removes the rows of one resource, by the bit of the table in `resource.indexed`.
pub(super) const CLEAR: [&str; 11] = [
    "delete from index_token where resource_key = $1",
    "delete from index_string where resource_key = $1",
    "delete from index_date where resource_key = $1",
    "delete from index_number where resource_key = $1",
    "delete from index_quantity where resource_key = $1",
    "delete from index_reference where resource_key = $1",
    "delete from index_uri where resource_key = $1",
    // Who created a resource stays who created it.
    "delete from party where resource_key = $1 and role <> 'author'",
    "delete from index_component where resource_key = $1",
    "delete from index_place where resource_key = $1",
    "delete from index_text where resource_key = $1",
];
/// All of them.
pub(super) const EVERY: i64 = (1 << CLEAR.len()) - 1;
pub(super) const PARAMETERS: &str = "select type, code, id from search_parameter order by id";
pub(super) const ADD_PARAMETER: &str =
    "insert into search_parameter (type, code) values ($1, $2) on conflict do nothing";
pub(super) const FIND_PARAMETER: &str = "select id from search_parameter where type = $1 and code = $2";

/// Longest text in an index row, in bytes: PostgreSQL cannot index a row beyond 2,704.
const LONGEST: usize = 1000;

/// Which tables have rows of a resource, as bits in the order of [`CLEAR`]; an update then touches only those.
pub(super) fn mask(rows: &IndexRows, parties: usize) -> i64 {
    let [tokens, strings, dates, numbers, quantities, references, uris, components, places, texts] = rows.counts();
    let counts = [tokens, strings, dates, numbers, quantities, references, uris, parties, components, places, texts];
    let filled = counts.into_iter().enumerate().filter(|(_, count)| *count > 0);
    filled.fold(0, |mask, (bit, _)| mask | (1 << bit))
}

/// The small integers of search parameters. Shared by all connections; holds only what is committed.
#[derive(Debug, Default)]
pub(super) struct Parameters(RwLock<HashMap<String, HashMap<String, i64>>>);

impl Parameters {
    /// The number of a parameter, where it has one.
    pub(super) fn get(&self, resource_type: &str, code: &str) -> Option<i64> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        map.get(resource_type)?.get(code).copied()
    }

    /// Remembers numbers.
    pub(super) fn add(&self, found: impl IntoIterator<Item = (String, String, i64)>) {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (resource_type, code, id) in found {
            map.entry(resource_type).or_default().insert(code, id);
        }
    }
}

/// Numbers of search parameters as one transaction sees them: the shared ones and those it added itself, which others may
/// only see once it is committed.
#[derive(Debug, Default)]
pub(super) struct NewParameters(Vec<(String, String, i64)>);

impl NewParameters {
    /// Shares what was added; call after the commit.
    pub(super) fn publish(&mut self, shared: &Parameters) {
        if !self.0.is_empty() {
            shared.add(self.0.drain(..));
        }
    }

    /// Forgets what was added; call after a rollback.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// The number of a parameter, where it has one in this transaction.
    pub(super) fn find(&self, shared: &Parameters, resource_type: &str, code: &str) -> Option<i64> {
        let added = || self.0.iter().find(|(t, c, _)| t == resource_type && c == code).map(|(_, _, id)| *id);
        shared.get(resource_type, code).or_else(added)
    }

    async fn number(
        &mut self,
        connection: &mut Connection,
        shared: &Parameters,
        resource_type: &str,
        code: &str,
    ) -> Result<i64, sqlx::Error> {
        if let Some(id) = self.find(shared, resource_type, code) {
            return Ok(id);
        }
        let id: i64 = on!(connection, |c| {
            sqlx::query(ADD_PARAMETER).bind(resource_type).bind(code).execute(&mut *c).await?;
            sqlx::query_scalar(FIND_PARAMETER).bind(resource_type).bind(code).fetch_one(&mut *c).await?
        });
        self.0.push((resource_type.to_owned(), code.to_owned(), id));
        Ok(id)
    }
}

/// A row with its parameter's number and its resource's key.
struct Placed<'a, R>(i64, i64, i64, &'a R);

/// Removes old index rows.
pub(super) async fn clear(connection: &mut Connection, cleared: &[(i64, i64)]) -> Result<(), sqlx::Error> {
    for (key, mask) in cleared {
        for (bit, sql) in CLEAR.iter().enumerate().filter(|(bit, _)| mask & (1 << bit) != 0) {
            debug_assert!(bit < CLEAR.len(), "one bit for each index table");
            on!(&mut *connection, |c| sqlx::query(*sql).bind(*key).execute(&mut *c).await.map(|_| ()))?;
        }
    }
    Ok(())
}

/// The rows of one list of many resources, each with the number of its parameter and the key of its resource.
macro_rules! placed {
    ($connection:expr, $shared:expr, $added:expr, $all:expr, $field:ident) => {{
        let mut placed = Vec::new();
        for keyed in $all {
            for (ordinal, row) in (0_i64..).zip(&keyed.rows.$field) {
                let number = $added.number($connection, $shared, &keyed.resource_type, &row.parameter).await?;
                placed.push(Placed(number, keyed.key, ordinal, row));
            }
        }
        placed
    }};
}

/// Writes the index rows of many resources.
pub(super) async fn insert(
    connection: &mut Connection,
    shared: &Parameters,
    added: &mut NewParameters,
    all: &[KeyedRows],
) -> Result<(), sqlx::Error> {
    macro_rules! place {
        ($field:ident) => {
            placed!(connection, shared, added, all, $field)
        };
    }
    let rows = place!(tokens);
    insert_rows!(connection, &TOKEN, rows.as_slice(), |r| [r.0, bounded(&r.3.code), bounded(&r.3.system), r.1])?;
    let rows = place!(strings);
    insert_rows!(connection, &STRING, rows.as_slice(), |r| [
        r.0,
        bounded(&r.3.folded),
        without_nul(&r.3.exact),
        r.1,
        r.2
    ])?;
    let rows = place!(dates);
    insert_rows!(connection, &DATE, rows.as_slice(), |r| [r.0, r.3.low, r.3.high, r.1])?;
    let rows = place!(numbers);
    insert_rows!(connection, &NUMBER, rows.as_slice(), |r| [r.0, r.3.low, r.3.high, r.1])?;
    let rows = place!(quantities);
    insert_rows!(connection, &QUANTITY, rows.as_slice(), |r| [
        r.0,
        r.3.low,
        r.3.high,
        bounded(&r.3.code),
        bounded(&r.3.system),
        r.1
    ])?;
    let date_of = |keyed: &KeyedRows| (keyed.key, leading::value(&keyed.resource_type, &keyed.rows));
    let leading_dates: HashMap<i64, i64> = all.iter().map(date_of).collect();
    let rows = place!(references);
    insert_rows!(connection, &REFERENCE, rows.as_slice(), |r| [
        bounded(&r.3.target_id),
        r.3.target_type.as_str(),
        r.0,
        leading_dates.get(&r.1).copied().unwrap_or(leading::MISSING),
        r.1
    ])?;
    let rows = place!(uris);
    insert_rows!(connection, &URI, rows.as_slice(), |r| [r.0, bounded(&r.3.value), r.1])?;
    insert_rarer(connection, shared, added, all).await?;
    let parties: Vec<_> = all.iter().flat_map(|keyed| keyed.parties.iter().map(|party| (keyed.key, party))).collect();
    insert_rows!(connection, &PARTY, parties.as_slice(), |r| [r.1.organisation.as_str(), r.1.role.as_str(), r.0])
}

/// Writes the rows that few resources have.
async fn insert_rarer(
    connection: &mut Connection,
    shared: &Parameters,
    added: &mut NewParameters,
    all: &[KeyedRows],
) -> Result<(), sqlx::Error> {
    let rows = placed!(connection, shared, added, all, components);
    insert_rows!(connection, &COMPONENT, rows.as_slice(), |r| [
        r.1,
        r.0,
        r.3.ordinal,
        r.2,
        r.3.code.as_deref().map(bounded),
        r.3.system.as_deref().map(bounded),
        r.3.folded.as_deref().map(bounded),
        r.3.exact.as_deref().map(without_nul),
        r.3.target_id.as_deref().map(bounded),
        r.3.target_type.as_deref(),
        r.3.value.as_deref().map(bounded),
        r.3.low,
        r.3.high,
        r.3.earliest,
        r.3.latest
    ])?;
    let rows = placed!(connection, shared, added, all, places);
    insert_rows!(connection, &PLACE, rows.as_slice(), |r| [r.0, r.3.x, r.3.y, r.3.z, r.1])?;
    let rows = placed!(connection, shared, added, all, texts);
    insert_rows!(connection, &TEXT, rows.as_slice(), |r| [r.1, r.0, without_nul(&r.3.words)])
}

/// A text cut to what an index takes, between two characters, and without NUL, which PostgreSQL's text cannot hold.
fn bounded(text: &str) -> Cow<'_, str> {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    without_nul(&text[..end])
}

/// PostgreSQL stores no NUL: another character stands for it in the index and in what is looked for there.
pub(super) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}
