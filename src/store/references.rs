//! Referential integrity inside a transaction (<https://hl7.org/fhir/R4/http.html#integrity>): what the jobs of a batch refer
//! to must be there, and what they delete must not be referred to, once all of them have written. One statement looks all
//! targets of a batch up; `Tx` gathers what is asked, the lane asks before it commits.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use super::database::{Connection, on};
use super::dialect;
use super::resources::Stored;
use super::tx::Tx;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::problem::{Kind, Problem};
use crate::search::references::LocalReference;

/// A deletion that must leave no reference behind.
#[derive(Debug, Clone)]
pub(super) struct Deletion {
    pub(super) key: i64,
    pub(super) resource_type: String,
    pub(super) id: String,
}

/// What the jobs of a batch have asked for, each with the number of the job.
#[derive(Debug, Default)]
pub(super) struct Demands {
    /// The number of the running job in its batch.
    pub(super) number: usize,
    pub(super) required: Vec<(usize, LocalReference)>,
    pub(super) deleted: Vec<(usize, Deletion)>,
}

impl Demands {
    /// Takes over those of a finished job.
    pub(super) fn absorb(&mut self, mut job: Self) {
        self.required.append(&mut job.required);
        self.deleted.append(&mut job.deleted);
    }
}

impl Tx {
    /// Asks that these references lead to something when the transaction commits; else the job is refused with 422, and
    /// nothing of it is written.
    pub fn require(&mut self, references: &[LocalReference]) {
        let demands = &mut self.job.demands;
        let number = demands.number;
        demands.required.extend(references.iter().map(|reference| (number, reference.clone())));
    }

    /// Asks that nothing refers to a resource, which is about to be deleted, when the transaction commits; else the job is
    /// refused with 409.
    pub async fn require_unreferenced(&mut self, stored: &Stored) -> Result<(), Problem> {
        if let Connection::Postgres(c) = &mut self.connection {
            self.exclusive = true;
            let query = sqlx::query(dialect::DELETE_LOCK).bind(&stored.resource_type).bind(&stored.id);
            let locked = query.execute(&mut *c).await;
            self.check(locked)?;
        }
        let deletion = Deletion { key: stored.key, resource_type: stored.resource_type.clone(), id: stored.id.clone() };
        let demands = &mut self.job.demands;
        demands.deleted.push((demands.number, deletion));
        Ok(())
    }
}

/// How many rows refer to a resource, by their type.
pub(super) const REFERRERS: &str = "select p.type, count(distinct i.resource_key) from index_reference i \
     join search_parameter p on p.id = i.parameter \
     where i.target_id = $1 and i.target_type = $2 and i.resource_key <> $3 group by p.type order by p.type";

/// Most targets that one statement looks up.
const MOST: usize = 256;

/// The statement that looks `count` targets up. PostgreSQL keeps them from being deleted until this transaction ends.
pub fn existing(count: usize, lock: bool) -> String {
    let mut text = "select type, id, version, deleted from resource where (type, id) in (values ".to_owned();
    for number in 0..count {
        let comma = if number == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}(${}, ${})", number * 2 + 1, number * 2 + 2);
    }
    text.push(')');
    if lock {
        text.push_str(dialect::KEEP_ROWS);
    }
    text
}

/// Type and id of a resource.
type Identity<'a> = (&'a str, &'a str);

/// The refusals of a batch, each with the number of its job; none where every demand is met.
pub(super) async fn refusals(
    connection: &mut Connection,
    demands: &Demands,
) -> Result<Vec<(usize, Problem)>, sqlx::Error> {
    let refused = missing(connection, &demands.required).await?;
    if !refused.is_empty() {
        // A deletion in the same batch may be fine once these are gone.
        return Ok(refused);
    }
    let mut refused = Vec::new();
    for (number, deletion) in &demands.deleted {
        let counts = referrers(connection, deletion).await?;
        if !counts.is_empty() && refused.iter().all(|(known, _)| known != number) {
            refused.push((*number, still_referenced(&counts)));
        }
    }
    Ok(refused)
}

async fn missing(
    connection: &mut Connection,
    required: &[(usize, LocalReference)],
) -> Result<Vec<(usize, Problem)>, sqlx::Error> {
    let mut wanted: Vec<Identity<'_>> =
        required.iter().map(|(_, reference)| (reference.resource_type.as_str(), reference.id.as_str())).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut current: HashMap<(String, String), (i64, bool)> = HashMap::with_capacity(wanted.len());
    for chunk in wanted.chunks(MOST) {
        for (resource_type, id, version, deleted) in look_up(connection, chunk).await? {
            current.insert((resource_type, id), (version, deleted));
        }
    }
    let mut issues: BTreeMap<usize, Vec<Issue>> = BTreeMap::new();
    for (number, reference) in required {
        let found = current.get(&(reference.resource_type.clone(), reference.id.clone()));
        let there = match (found, reference.version) {
            (None, _) => false,
            (Some((_, deleted)), None) => !deleted,
            (Some((current, _)), Some(version)) => (1..=*current).contains(&version),
        };
        if !there {
            issues.entry(*number).or_default().push(reference_missing(reference));
        }
    }
    let problem = |(number, issues)| (number, Problem::with_issues(Kind::Unprocessable, issues));
    Ok(issues.into_iter().map(problem).collect())
}

/// Looks targets up; the list is padded with its last one to a power of two, so that few texts are prepared.
async fn look_up(
    connection: &mut Connection,
    chunk: &[Identity<'_>],
) -> Result<Vec<(String, String, i64, bool)>, sqlx::Error> {
    let Some(last) = chunk.last() else { return Ok(Vec::new()) };
    let count = chunk.len().next_power_of_two();
    let text = existing(count, connection.is_postgres());
    on!(connection, |c| {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(text));
        for (resource_type, id) in chunk.iter().chain(std::iter::repeat_n(last, count - chunk.len())) {
            query = query.bind((*resource_type).to_owned()).bind((*id).to_owned());
        }
        query.fetch_all(&mut *c).await
    })
}

async fn referrers(connection: &mut Connection, deletion: &Deletion) -> Result<Vec<(String, i64)>, sqlx::Error> {
    on!(connection, |c| {
        let query = sqlx::query_as(REFERRERS).bind(&deletion.id).bind(&deletion.resource_type).bind(deletion.key);
        query.fetch_all(&mut *c).await
    })
}

/// The issue about a reference to what is not there.
#[must_use]
pub fn reference_missing(reference: &LocalReference) -> Issue {
    let what = if reference.version.is_some() { "version of a resource" } else { "resource" };
    let text = format!(
        "The reference names a {what} (a {}) that is not on this server. Create it first, or in the same transaction, or \
         refer by identifier.",
        reference.resource_type
    );
    Issue::new(Severity::Error, IssueCode::NotFound, "reference-exists", text).at(&reference.place)
}

fn still_referenced(counts: &[(String, i64)]) -> Problem {
    let types: HashSet<&str> = counts.iter().map(|(name, _)| name.as_str()).collect();
    debug_assert_eq!(types.len(), counts.len(), "one row a type");
    let list: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let text = format!(
        "Other resources refer to this one ({}). Change or delete them first, or delete them in the same transaction.",
        list.join(", ")
    );
    let issue = Issue::new(Severity::Error, IssueCode::Conflict, "reference-deleted", text).at("http.url");
    Problem::with_issues(Kind::Conflict, vec![issue])
}
