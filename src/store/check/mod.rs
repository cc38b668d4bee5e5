//! Whether the database agrees with itself: versions, current pointers, index rows, parties, references, audit trail, pages of the
//! file. Called by `kith check`; a server may run meanwhile, since each step looks at one state of the database.

mod index;
mod repair;
mod versions;

pub use self::index::Content;

use super::audit::verify::{self, Trust};
use super::database::{Connection, Database, on};
use super::resources::Stored;
use super::{StoreSettings, dialect, error, migrate};
use crate::problem::{Kind, Problem};

/// One disagreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule: `page`, `table`, `pointer`, `version`, `time`, `body`, `counter`, `audit`, `chain`, `index`, `reference`.
    pub rule: &'static str,
    /// What it is about: `Task/abc`, a table, a chain.
    pub about: String,
    /// What is wrong, for people.
    pub text: String,
}

/// What was looked at and found.
#[derive(Debug, Default)]
pub struct Report {
    /// Current resources.
    pub resources: u64,
    /// Versions.
    pub versions: u64,
    /// Rows of the audit trail.
    pub audit_rows: u64,
    /// Disagreements.
    pub findings: Vec<Finding>,
    /// Resources of which the index rows are not what they should be.
    pub unindexed: Vec<Stored>,
    /// Keys of index rows that belong to no current resource.
    pub orphans: Vec<i64>,
}

impl Report {
    fn add(&mut self, rule: &'static str, about: impl Into<String>, text: impl Into<String>) {
        self.findings.push(Finding { rule, about: about.into(), text: text.into() });
    }

    /// A step that could not be done is a finding as well: what cannot be read is damaged.
    fn step(&mut self, what: &str, outcome: Result<(), Problem>) {
        if let Err(problem) = outcome {
            let cause = problem.cause().map_or_else(|| problem.to_string(), ToString::to_string);
            self.add("table", what, format!("cannot be read to its end: {cause}"));
        }
    }
}

/// Reads what the resources of a database mean, as the server would store them.
pub type Reading<'a> = &'a (dyn Fn(&Stored) -> Result<Content, Problem> + Sync);

/// Checks everything. `read` says what index rows and references a resource should have; without it, as where the server
/// cannot start, these are left out. Problems are those of opening.
pub async fn check(
    settings: &StoreSettings,
    trust: &Trust,
    read: Option<Reading<'_>>,
    progress: &mut dyn FnMut(&str, u64),
) -> Result<Report, Problem> {
    let options = dialect::existing(dialect::options(settings)?);
    let mut connection = Connection::open(&options).await?;
    if migrate::version(&mut connection).await != migrate::newest() {
        let text = "The database has the schema of another version of kith, or none: start the server on it first.";
        return Err(Problem::new(Kind::Conflict, text));
    }
    let mut report = Report::default();
    progress("pages", 0);
    pages(&mut connection, &mut report).await;
    for rule in versions::RULES {
        progress(rule.name, 0);
        let outcome = versions::apply(&mut connection, rule, &mut report).await;
        report.step(rule.table, outcome);
    }
    let outcome = versions::counter(&mut connection, &mut report).await;
    report.step("counter", outcome);
    let outcome = snapshot(&mut connection).await;
    report.step("a transaction", outcome);
    let outcome = versions::bodies(&mut connection, &mut report, progress).await;
    report.step("resource_version", outcome);
    if let Some(read) = read {
        let outcome = snapshot(&mut connection).await;
        report.step("a transaction", outcome);
        let outcome = index::compare(&mut connection, read, &mut report, progress).await;
        report.step("the index", outcome);
    }
    let _ = connection.execute("rollback").await;
    connection.close().await;
    progress("audit", 0);
    let database = Database::pool(&options, 1, None);
    let outcome = trail(&database, trust, &mut report).await;
    report.step("audit", outcome);
    database.close().await;
    Ok(report)
}

/// Ends the transaction before, which a failed statement may have spoilt, and begins one that sees one state.
async fn snapshot(connection: &mut Connection) -> Result<(), Problem> {
    // There may have been none.
    let _ = connection.execute("rollback").await;
    let begin = dialect::begin_snapshot(connection);
    connection.execute(begin).await.map(|_| ()).map_err(error::problem)
}

/// SQLite looks at every page of the file. PostgreSQL has checksums of its own (`initdb --data-checksums`) and refuses to read
/// a bad page, which the other steps then report.
async fn pages(connection: &mut Connection, report: &mut Report) {
    let Connection::Sqlite(c) = connection else { return };
    let found: Result<Vec<String>, _> = sqlx::query_scalar(dialect::INTEGRITY_CHECK).fetch_all(&mut *c).await;
    let found = match found {
        Err(error) => {
            return report.add("page", "the file", error.to_string());
        }
        Ok(found) => found,
    };
    for text in found.iter().flat_map(|text| text.lines()).filter(|text| *text != "ok") {
        report.add("page", "the file", text);
    }
}

async fn trail(database: &Database, trust: &Trust, report: &mut Report) -> Result<(), Problem> {
    let trail = verify::verify(database, trust).await?;
    report.audit_rows = trail.rows.unsigned_abs();
    for found in trail.breaks {
        report.add("chain", found.chain, format!("row {}: {}", found.sequence, found.reason));
    }
    Ok(())
}

/// The rows of a statement as type, id and version.
async fn identities(connection: &mut Connection, sql: &'static str) -> Result<Vec<(String, String, i64)>, Problem> {
    on!(connection, |c| sqlx::query_as(sql).fetch_all(&mut *c).await).map_err(error::problem)
}

/// Every text of the checks, with its name.
pub(super) fn statements() -> impl Iterator<Item = (&'static str, &'static str)> {
    let rules = versions::RULES.iter().map(|rule| ("check::versions::RULES", rule.sql));
    rules.chain([
        ("check::index::BATCH", index::BATCH),
        ("check::index::AUTHORS", index::AUTHORS),
        ("check::repair::CLEAR_MASK", repair::CLEAR_MASK),
        ("check::repair::FORGET_AUTHORS", repair::FORGET_AUTHORS),
        ("check::repair::FORGET_LOST_AUTHORS", repair::FORGET_LOST_AUTHORS),
        ("check::repair::IS_LIVING", repair::IS_LIVING),
        ("check::versions::BODIES", versions::BODIES),
        ("check::versions::HIGHEST", versions::HIGHEST),
        ("check::versions::NEXT_KEY", versions::NEXT_KEY),
    ])
}
