//! A page of a search on a SQLite file. Every row that SQLite hands over costs two threads a meeting and a copy of each value,
//! so the statement answers with one text for the whole page: which version of which resource matches. The versions come
//! from memory where they are there; a version never changes, so there is no question whether it is the right one.

use std::fmt::Write as _;
use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlitePool};

use super::cache::Cache;
use super::index::Parameters;
use super::resources::{Stored, StoredRow, retrying, version_columns};
use super::search::{Found, bind_all};
use crate::problem::Problem;
use crate::search::sql::{Bind, SortColumn, Statement};

/// Versions that are read with one statement.
const AT_ONCE: usize = 256;

/// A version that matches.
struct Match {
    key: i64,
    version: i64,
    resource_type: String,
    id: String,
    sort: Vec<Option<Bind>>,
}

impl Match {
    fn is(&self, stored: &Stored) -> bool {
        (self.key, self.version) == (stored.key, stored.version)
    }
}

/// True where the sort values of a statement survive being written as text: real numbers do not.
pub(super) fn can_be_text(statement: &Statement) -> bool {
    !statement.sort.contains(&SortColumn::Real)
}

/// Runs a search.
pub(super) async fn search(
    pool: &SqlitePool,
    cache: &Cache,
    parameters: &Parameters,
    statement: &Statement,
) -> Result<Vec<Found>, Problem> {
    let state = cache.current();
    let text = as_text(statement);
    let number = |resource_type: &str, code: &str| parameters.get(resource_type, code);
    let page: Option<String> = retrying!({
        bind_all!(sqlx::query_scalar(AssertSqlSafe(text.as_str())), &statement.binds, number).fetch_one(pool).await
    })?;
    let page = page.unwrap_or_default();
    let read = || page.split_terminator(',').map(|row| read_match(row, statement)).collect::<Option<Vec<Match>>>();
    let matches = read().ok_or_else(|| Problem::internal("a page that cannot be read"))?;
    let mut known: Vec<Option<Arc<Stored>>> = Vec::with_capacity(matches.len());
    for each in &matches {
        known.push(state.and_then(|_| cache.get(&each.resource_type, &each.id)).filter(|stored| each.is(stored)));
    }
    let missing: Vec<&Match> =
        matches.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(m, _)| m).collect();
    let mut fetched = Vec::new();
    for part in missing.chunks(AT_ONCE) {
        fetched.extend(versions(pool, part).await?);
    }
    if let Some(state) = state {
        for stored in &fetched {
            cache.offer(state, stored);
        }
    }
    let mut fetched = fetched.into_iter();
    let found = matches.into_iter().zip(known).map(|(each, known)| {
        let stored = known.or_else(|| fetched.next()).filter(|stored| each.is(stored));
        stored.map(|stored| Found { stored, sort: each.sort })
    });
    found.collect::<Option<Vec<Found>>>().ok_or_else(|| Problem::internal("a version that is not there"))
}

/// The statement of a page, answered as `key version type id sort …` with commas between the rows. Types and ids have neither
/// blanks nor commas; texts are written in hexadecimal; a
/// value that is missing is left out behind its blank.
fn as_text(statement: &Statement) -> String {
    let mut text = String::with_capacity(statement.sql.len() + 300);
    text.push_str("select group_concat(page.key || ' ' || r.version || ' ' || r.type || ' ' || r.id");
    for (place, column) in statement.sort.iter().enumerate() {
        let function = if *column == SortColumn::Text { "hex" } else { "" };
        // Writing to a String cannot fail.
        let value = format!("page.sort_{place}");
        let _ = write!(text, " || case when {value} is null then ' ' else ' v' || {function}({value}) end");
    }
    text.push_str(", ',' order by page.position) from (select matches.*, row_number() over () as position from (");
    text.push_str(&statement.sql);
    text.push_str(") matches) page cross join resource r where r.key = page.key");
    text
}

fn read_match(row: &str, statement: &Statement) -> Option<Match> {
    let mut parts = row.split(' ');
    let mut next = || parts.next();
    let (key, version) = (next()?.parse().ok()?, next()?.parse().ok()?);
    let (resource_type, id) = (next()?.to_owned(), next()?.to_owned());
    let mut sort = Vec::with_capacity(statement.sort.len());
    for column in &statement.sort {
        let value = next()?.strip_prefix('v');
        sort.push(match (value, column) {
            (None, _) => None,
            (Some(value), SortColumn::Text) => Some(Bind::Text(from_hexadecimal(value)?)),
            (Some(value), _) => Some(Bind::Integer(value.parse().ok()?)),
        });
    }
    Some(Match { key, version, resource_type, id, sort })
}

fn from_hexadecimal(digits: &str) -> Option<String> {
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let bytes = digits.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(value(*high)? * 16 + value(*low)?),
        _ => None,
    });
    String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()
}

/// Reads versions, in the order asked for. The list is filled up to a power of two, so that few texts are prepared.
async fn versions(pool: &SqlitePool, wanted: &[&Match]) -> Result<Vec<Arc<Stored>>, Problem> {
    let places = wanted.len().next_power_of_two();
    let mut text = String::from("with wanted (place, key, version) as (values (0, ?, ?)");
    for place in 1..places {
        let _ = write!(text, ", ({place}, ?, ?)");
    }
    text.push_str(concat!(") select ", version_columns!(), " from wanted w cross join resource_version v"));
    text.push_str(" where v.resource_key = w.key and v.version = w.version order by w.place");
    let rows: Vec<StoredRow> = retrying!({
        let mut query = sqlx::query_as(AssertSqlSafe(text.as_str()));
        for each in wanted {
            query = query.bind(each.key).bind(each.version);
        }
        for _ in wanted.len()..places {
            query = query.bind(-1_i64).bind(-1_i64);
        }
        query.fetch_all(pool).await
    })?;
    Ok(rows.into_iter().map(Stored::from).map(Arc::new).collect())
}
