//! Compares index rows with those that the resources should have. What they should be is not said a second time: the code
//! that writes index rows writes them into a database in memory, and the rows of both are compared.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::str::FromStr as _;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};

use super::Report;
use crate::clock::Clock;
use crate::problem::Problem;
use crate::search::references::LocalReference;
use crate::store::backup::cell::{Cell, cells};
use crate::store::backup::tables::{self, Table};
use crate::store::database::{Connection, on};
use crate::store::index::{self, NewParameters, Parameters};
use crate::store::pending::{KeyedRows, Party};
use crate::store::resources::{Stored, StoredRow, version_columns};
use crate::store::{Rows as AllRows, error, migrate, references};

pub(in crate::store) const BATCH: &str = concat!(
    "select ",
    version_columns!(),
    " from resource r join resource_version v on v.resource_key = r.key and v.version = r.version \
     where r.key > $1 and not r.deleted order by r.key limit 200"
);
/// Who created resources with keys in a range, and who brought them back.
pub(in crate::store) const AUTHORS: &str = "select distinct v.resource_key, v.author from resource_version v \
     where v.resource_key >= $1 and v.resource_key <= $2 and v.author <> '' and not v.deleted \
     and not exists (select 1 from resource_version p where p.resource_key = v.resource_key \
     and p.version = v.version - 1 and not p.deleted) order by v.resource_key, v.author";

/// What is found in a resource.
#[derive(Debug)]
pub struct Content {
    /// Its index rows and who takes part in it.
    pub rows: AllRows,
    /// What it refers to on this server.
    pub references: Vec<LocalReference>,
}

/// Of the parties, those that nothing keeps.
const LOST_PARTIES: &str =
    " where i.role <> 'author' or not exists (select 1 from resource r where r.key = i.resource_key)";

/// Rows of one resource in one table, as texts in order.
type Rows = HashMap<(usize, i64), Vec<String>>;

/// Walks all current resources.
pub(super) async fn compare(
    connection: &mut Connection,
    read: super::Reading<'_>,
    report: &mut Report,
    progress: &mut dyn FnMut(&str, u64),
) -> Result<(), Problem> {
    let tables = index_tables(connection).await?;
    let mut ideal = Ideal::new(connection).await?;
    let (mut after, mut living) = (i64::MIN, HashSet::new());
    loop {
        let rows: Vec<StoredRow> =
            on!(&mut *connection, |c| sqlx::query_as(BATCH).bind(after).fetch_all(&mut *c).await)
                .map_err(error::problem)?;
        let batch: Vec<Stored> = rows.into_iter().map(Stored::from).collect();
        let (Some(first), Some(last)) = (batch.first(), batch.last()) else { break };
        let range = (first.key, last.key);
        after = last.key;
        report.resources += batch.len() as u64;
        progress("resources", report.resources);
        living.extend(batch.iter().map(|stored| stored.key));
        batch_of(connection, &tables, &mut ideal, batch, range, read, report).await?;
    }
    orphans(connection, &tables, &living, report).await
}

async fn batch_of(
    connection: &mut Connection,
    tables: &[Table],
    ideal: &mut Ideal,
    batch: Vec<Stored>,
    range: (i64, i64),
    read: super::Reading<'_>,
    report: &mut Report,
) -> Result<(), Problem> {
    let (mut wanted, mut referring) = (Vec::new(), Vec::new());
    let mut authors = authors(connection, range).await?;
    let mut checked = Vec::with_capacity(batch.len());
    for stored in batch {
        match read(&stored) {
            Ok(content) => {
                let about = format!("{}/{}", stored.resource_type, stored.id);
                referring.extend(content.references.into_iter().map(|reference| (about.clone(), reference)));
                let (key, resource_type) = (stored.key, stored.resource_type.clone());
                let AllRows { index: rows, mut parties } = content.rows;
                parties.append(&mut authors.remove(&key).unwrap_or_default());
                wanted.push(KeyedRows { key, resource_type, rows, parties });
                checked.push(stored);
            }
            Err(_) => {
                report.add("body", format!("{}/{}", stored.resource_type, stored.id), "the stored text cannot be read");
            }
        }
    }
    let expected = ideal.rows(tables, &wanted, range).await?;
    let found = select(connection, tables, range).await?;
    for stored in checked {
        let differences = differences(tables, stored.key, &expected, &found);
        if !differences.is_empty() {
            report.add("index", format!("{}/{}", stored.resource_type, stored.id), differences.join("; "));
            report.unindexed.push(stored);
        }
    }
    dangling(connection, referring, report).await
}

/// The parties that those have who created what has a key in a range.
async fn authors(connection: &mut Connection, range: (i64, i64)) -> Result<HashMap<i64, Vec<Party>>, Problem> {
    let rows: Vec<(i64, String)> =
        on!(connection, |c| sqlx::query_as(AUTHORS).bind(range.0).bind(range.1).fetch_all(&mut *c).await)
            .map_err(error::problem)?;
    let mut all: HashMap<i64, Vec<Party>> = HashMap::new();
    for (key, author) in rows {
        all.entry(key).or_default().push(Party::author(&author));
    }
    Ok(all)
}

fn differences(tables: &[Table], key: i64, expected: &Rows, found: &Rows) -> Vec<String> {
    let mut texts = Vec::new();
    for (number, table) in tables.iter().enumerate() {
        let count = |rows: &Rows| -> BTreeMap<String, i64> {
            let mut counts = BTreeMap::new();
            for row in rows.get(&(number, key)).into_iter().flatten() {
                *counts.entry(row.clone()).or_default() += 1;
            }
            counts
        };
        let (wanted, there) = (count(expected), count(found));
        let beyond = |a: &BTreeMap<String, i64>, b: &BTreeMap<String, i64>| -> i64 {
            a.iter().map(|(row, number)| (number - b.get(row).copied().unwrap_or(0)).max(0)).sum()
        };
        let (missing, surplus) = (beyond(&wanted, &there), beyond(&there, &wanted));
        if missing + surplus > 0 {
            texts.push(format!("{}: {missing} rows are missing, {surplus} should not be there", table.name));
        }
    }
    texts
}

/// References that lead nowhere.
async fn dangling(
    connection: &mut Connection,
    referring: Vec<(String, LocalReference)>,
    report: &mut Report,
) -> Result<(), Problem> {
    for chunk in referring.chunks(200) {
        let text = references::existing(chunk.len(), false);
        let rows: Vec<(String, String, i64, bool)> = on!(&mut *connection, |c| {
            let mut query = sqlx::query_as(sqlx::AssertSqlSafe(text));
            for (_, reference) in chunk {
                query = query.bind(reference.resource_type.as_str()).bind(reference.id.as_str());
            }
            query.fetch_all(&mut *c).await
        })
        .map_err(error::problem)?;
        let there: HashMap<(String, String), i64> =
            rows.into_iter().filter(|row| !row.3).map(|row| ((row.0, row.1), row.2)).collect();
        for (about, reference) in chunk {
            let target = (reference.resource_type.clone(), reference.id.clone());
            let newest = there.get(&target).copied().unwrap_or(0);
            if newest < reference.version.unwrap_or(1) {
                let text = format!("{} refers to {}/{}, which is not there", reference.place, target.0, target.1);
                report.add("reference", about.as_str(), text);
            }
        }
    }
    Ok(())
}

/// Index rows of what is deleted or never was.
async fn orphans(
    connection: &mut Connection,
    tables: &[Table],
    living: &HashSet<i64>,
    report: &mut Report,
) -> Result<(), Problem> {
    let mut keys: Vec<i64> = Vec::new();
    for table in tables {
        // Who created what was deleted is kept.
        let kept = if table.name == "party" { LOST_PARTIES } else { "" };
        let text = format!("select distinct i.resource_key from {} i{kept} order by i.resource_key", table.name);
        let found: Vec<i64> =
            on!(&mut *connection, |c| sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_all(&mut *c).await)
                .map_err(error::problem)?;
        let lost: Vec<i64> = found.into_iter().filter(|key| !living.contains(key)).collect();
        if !lost.is_empty() {
            report.add("index", table.name.as_str(), format!("{} resources have rows and are not there", lost.len()));
        }
        keys.extend(lost);
    }
    keys.sort_unstable();
    keys.dedup();
    report.orphans = keys;
    Ok(())
}

async fn index_tables(connection: &mut Connection) -> Result<Vec<Table>, Problem> {
    let mut tables = tables::tables(connection).await?;
    tables.retain(|table| table.name.starts_with("index_") || table.name == "party");
    for table in &mut tables {
        // Both databases list columns in the same order after this.
        table.columns.sort_by(|a, b| a.0.cmp(&b.0));
    }
    Ok(tables)
}

/// All index rows of the resources with keys in a range.
async fn select(connection: &mut Connection, tables: &[Table], range: (i64, i64)) -> Result<Rows, Problem> {
    let mut all = Rows::new();
    for (number, table) in tables.iter().enumerate() {
        let Some(place) = table.place("resource_key") else { continue };
        let text = format!(
            "select {} from {} where resource_key >= $1 and resource_key <= $2 order by resource_key",
            table.column_list(),
            table.name
        );
        on!(&mut *connection, |c| {
            let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(range.0).bind(range.1);
            for row in query.fetch_all(&mut *c).await.map_err(error::problem)? {
                let cells = cells!(row, table).map_err(error::problem)?;
                let key = cells.get(place).and_then(Cell::as_integer).unwrap_or_default();
                all.entry((number, key)).or_default().push(format!("{cells:?}"));
            }
        });
    }
    Ok(all)
}

/// The index as it should be, of some resources.
struct Ideal {
    connection: Connection,
    parameters: Parameters,
}

impl Ideal {
    /// An empty index with the numbers of parameters that the database at `connection` has.
    async fn new(connection: &mut Connection) -> Result<Self, Problem> {
        let known: Vec<(String, String, i64)> =
            on!(connection, |c| sqlx::query_as(index::PARAMETERS).fetch_all(&mut *c).await).map_err(error::problem)?;
        let options = SqliteConnectOptions::from_str("sqlite::memory:").map_err(Problem::internal)?;
        let memory: SqliteConnection = options.disable_statement_logging().connect().await.map_err(error::problem)?;
        let mut connection = Connection::Sqlite(memory);
        migrate::create(&mut connection, migrate::newest(), &Clock::System).await?;
        let parameters = Parameters::default();
        parameters.add(known);
        Ok(Self { connection, parameters })
    }

    async fn rows(&mut self, tables: &[Table], wanted: &[KeyedRows], range: (i64, i64)) -> Result<Rows, Problem> {
        self.connection.execute("begin").await.map_err(error::problem)?;
        let mut added = NewParameters::default();
        index::insert(&mut self.connection, &self.parameters, &mut added, wanted).await.map_err(error::problem)?;
        let rows = select(&mut self.connection, tables, range).await?;
        self.connection.execute("rollback").await.map_err(error::problem)?;
        Ok(rows)
    }
}
