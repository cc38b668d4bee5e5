//! Finds audit rows: by patient or resource through the index (`subjects`), else along time. The AuditEvent interactions call
//! it through `Store`.

use crate::clock::Micros;
use crate::problem::Problem;
use crate::search::sql::Bind;
use crate::search::sql::builder::Sql;
use crate::store::Store;
use crate::store::database::on;
use crate::store::resources::retrying;
use crate::store::search::bind_all;

use super::record::AuditRow;
use super::retention;
use super::subjects;

/// The columns of a row, of table `a`.
macro_rules! columns {
    () => {
        "a.chain, a.sequence, a.recorded, a.interaction, a.status, a.request_id, a.correlation_id, a.client, a.organisation, \
         a.user_id, a.user_role, a.purpose, a.resource_type, a.resource_id, a.version_before, a.version_after, a.patients, \
         a.query, a.address, a.problem, a.hash"
    };
}

pub(in crate::store) const READ: &str =
    concat!("select ", columns!(), " from audit a where a.chain = $1 and a.sequence = $2");
pub(in crate::store) const NUMBER: &str = "select number from audit_chain where chain = $1";

/// A column that is compared with texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The interaction's code.
    Interaction,
    /// The client.
    Client,
    /// The organisation.
    Organisation,
    /// The person.
    User,
    /// The request id.
    Request,
    /// The id of the resource asked for.
    ResourceId,
    /// The network address.
    Address,
}

impl Field {
    const fn column(self) -> &'static str {
        match self {
            Self::Interaction => "a.interaction",
            Self::Client => "a.client",
            Self::Organisation => "a.organisation",
            Self::User => "a.user_id",
            Self::Request => "a.request_id",
            Self::ResourceId => "a.resource_id",
            Self::Address => "a.address",
        }
    }
}

/// What a row must fulfil.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// It speaks of this patient or resource, as `Type/id`.
    About(String),
    /// It is this row.
    Row(String, i64),
    /// It was recorded from the first to before the second instant.
    Between(Micros, Micros),
    /// Its status is from the first to before the second.
    Status(i64, i64),
    /// The field is the text.
    Is(Field, String),
    /// The field begins with the text.
    Begins(Field, String),
    /// None of these holds.
    Not(Vec<Test>),
}

/// A page of audit rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSearch {
    /// All must hold; of each list one is enough.
    pub tests: Vec<Vec<Test>>,
    /// The newest row first.
    pub newest_first: bool,
    /// Where the page before ended: time, chain, sequence.
    pub after: Option<(Micros, String, i64)>,
    /// Most rows.
    pub limit: i64,
}

impl AuditSearch {
    /// The one subject by which the index leads to the rows.
    fn leading(&self) -> Option<(usize, &str)> {
        self.tests.iter().enumerate().find_map(|(place, any)| match any.as_slice() {
            [Test::About(subject)] => Some((place, subject.as_str())),
            _ => None,
        })
    }

    fn looks_at_subjects(&self) -> bool {
        self.tests.iter().flatten().any(|test| matches!(test, Test::About(_)))
    }

    /// The rows from which to choose, and what chooses them.
    fn source(&self, what: &str, sql: &mut Sql) -> &'static str {
        sql.push("select ").push(what);
        let (skipped, recorded) = if let Some((place, subject)) = self.leading() {
            sql.push(
                " from audit_subject s join audit_chain c on c.number = s.chain \
                 join audit a on a.chain = c.chain and a.sequence = s.sequence where s.subject = ",
            );
            sql.text(subject);
            (Some(place), "s.recorded")
        } else {
            sql.push(" from audit a where a.sequence > ").integer(0);
            (None, "a.recorded")
        };
        for (_, any) in self.tests.iter().enumerate().filter(|(place, _)| Some(*place) != skipped) {
            sql.push(" and ");
            sql.any(any, |test, sql| condition(test, recorded, sql));
        }
        recorded
    }

    /// The statement of the page; `number` is that of the chain where the page before ended.
    fn page(&self, number: i64) -> (String, Vec<Bind>) {
        let mut sql = Sql::default();
        let recorded = self.source(columns!(), &mut sql);
        let chain = if recorded == "s.recorded" { "s.chain" } else { "a.chain" };
        let sequence = if recorded == "s.recorded" { "s.sequence" } else { "a.sequence" };
        let (than, order) = if self.newest_first { ("<", "desc") } else { (">", "asc") };
        if let Some((at, name, place)) = &self.after {
            sql.push(&format!(" and ({recorded}, {chain}, {sequence}) {than} (")).integer(*at).push(", ");
            if recorded == "s.recorded" {
                sql.integer(number)
            } else {
                sql.text(name)
            };
            sql.push(", ").integer(*place).push(")");
        }
        sql.push(&format!(" order by {recorded} {order}, {chain} {order}, {sequence} {order}")).limit(self.limit);
        sql.finish()
    }

    fn count(&self) -> (String, Vec<Bind>) {
        let mut sql = Sql::default();
        self.source("count(*)", &mut sql);
        sql.finish()
    }
}

fn condition(test: &Test, recorded: &str, sql: &mut Sql) {
    match test {
        Test::About(subject) => {
            sql.push(
                "exists (select 1 from audit_subject x join audit_chain y on y.number = x.chain where x.subject = ",
            );
            sql.text(subject)
                .push(&format!(" and x.recorded = {recorded} and y.chain = a.chain and x.sequence = a.sequence)"));
        }
        Test::Row(chain, sequence) => {
            sql.push("a.chain = ").text(chain).push(" and a.sequence = ").integer(*sequence);
        }
        Test::Between(low, high) => {
            sql.push(&format!("{recorded} >= ")).integer(*low).push(&format!(" and {recorded} < ")).integer(*high);
        }
        Test::Status(low, high) => {
            sql.push("a.status >= ").integer(*low).push(" and a.status < ").integer(*high);
        }
        Test::Is(field, value) => {
            sql.push(field.column()).push(" = ").text(value);
        }
        Test::Begins(field, value) => {
            let length = i64::try_from(value.chars().count()).unwrap_or(i64::MAX);
            sql.push(&format!("substr({}, 1, cast(", field.column()))
                .integer(length)
                .push(" as integer)) = ")
                .text(value);
        }
        Test::Not(tests) if tests.is_empty() => {
            sql.push("a.sequence > ").integer(0);
        }
        Test::Not(tests) => {
            sql.push("not ").any(tests, |test, sql| condition(test, recorded, sql));
        }
    }
}

impl Store {
    /// One audit row.
    pub async fn audit_row(&self, chain: &str, sequence: i64) -> Result<Option<AuditRow>, Problem> {
        retrying!(on!(&self.0.database, |pool| {
            sqlx::query_as(READ).bind(chain).bind(sequence).fetch_optional(pool).await
        }))
    }

    /// A page of audit rows; everything that was committed before the call is found.
    pub async fn audit_rows(&self, search: &AuditSearch) -> Result<Vec<AuditRow>, Problem> {
        self.index_for(search).await?;
        let number: Option<i64> = match &search.after {
            Some((_, chain, _)) => retrying!(on!(&self.0.database, |pool| {
                sqlx::query_scalar(NUMBER).bind(chain.as_str()).fetch_optional(pool).await
            }))?,
            None => None,
        };
        let (text, binds) = search.page(number.unwrap_or(0));
        let unknown = |_: &str, _: &str| None::<i64>;
        retrying!(on!(&self.0.database, |pool| {
            bind_all!(sqlx::query_as(sqlx::AssertSqlSafe(text.clone())), &binds, unknown).fetch_all(pool).await
        }))
    }

    /// How many audit rows all pages of a search have.
    pub async fn audit_count(&self, search: &AuditSearch) -> Result<i64, Problem> {
        self.index_for(search).await?;
        let (text, binds) = search.count();
        let unknown = |_: &str, _: &str| None::<i64>;
        retrying!(on!(&self.0.database, |pool| {
            bind_all!(sqlx::query_scalar(sqlx::AssertSqlSafe(text.clone())), &binds, unknown).fetch_one(pool).await
        }))
    }

    /// How many audit rows are not indexed yet.
    pub async fn audit_lag(&self) -> Result<i64, Problem> {
        subjects::lag(&self.0.database).await
    }

    /// Removes audit rows that are older than `days` days and exported; says how many segments that were.
    pub async fn remove_old_audit(&self, days: i64) -> Result<usize, Problem> {
        retention::remove(&self.0.shared, &self.0.database, &self.0.queue, days).await
    }

    async fn index_for(&self, search: &AuditSearch) -> Result<(), Problem> {
        if search.looks_at_subjects() { self.0.index_audit().await } else { Ok(()) }
    }
}
