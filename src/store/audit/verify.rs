//! Walks every audit chain, recomputes its hashes and checks the signed checkpoints. Called by `kith audit verify`.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use futures_util::TryStreamExt as _;
use openssl::pkey::{PKey, Public};

use super::checkpoint::{self, Checkpoint};
use super::export;
use super::line::Line;
use super::record::AuditRow;
use super::walk::{Start, Walk};
use crate::clock::Micros;
use crate::problem::{Kind, Problem};
use crate::store::database::{Database, on};
use crate::store::error;

/// What follows the name of a chain in the signed statement that rows were removed from its beginning: the last of them and its
/// hash, in the form of a checkpoint.
pub(in crate::store) const REMOVED: &str = " removed";

/// Rows read at once where a chain is read by itself.
const PIECE: i64 = 1000;

macro_rules! rows {
    ($end:expr) => {
        concat!(
            "select chain, sequence, recorded, interaction, status, request_id, correlation_id, client, organisation, user_id, \
             user_role, purpose, resource_type, resource_id, version_before, version_after, patients, query, address, \
             problem, hash from audit ",
            $end
        )
    };
}

pub(in crate::store) const ROWS: &str = rows!("order by chain, sequence");
pub(in crate::store) const ROWS_OF: &str = rows!("where chain = $1 and sequence > $2 order by sequence limit $3");
pub(in crate::store) const CHECKPOINTS_OF: &str = "select chain, sequence, hash, recorded, key_id, signature from audit_checkpoint \
     where chain = $1 and sequence > $2 and sequence <= $3 order by sequence";
pub(in crate::store) const CHECKPOINTS: &str =
    "select chain, sequence, hash, recorded, key_id, signature from audit_checkpoint order by chain, sequence";
pub(in crate::store) const KEYS: &str = "select public_key from audit_key order by created, key_id";

/// Whose word counts for checkpoints.
#[derive(Debug, Default)]
pub struct Trust {
    /// Public keys by id. Where empty, the keys that the database itself names are used.
    pub keys: Vec<(String, PKey<Public>)>,
    /// Checkpoints kept outside the database.
    pub checkpoints: Vec<Checkpoint>,
    /// Rows behind the last checkpoint before this instant are recomputed, earlier ones taken as they were signed; none for all.
    pub since: Option<Micros>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// In which chain.
    pub chain: String,
    /// At which row; the first that cannot be relied on.
    pub sequence: i64,
    /// What is wrong, for people.
    pub reason: String,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// Chains walked.
    pub chains: usize,
    /// Rows recomputed.
    pub rows: i64,
    /// Signatures checked.
    pub checkpoints: usize,
    /// Rows that retention has removed, as signed statements say.
    pub removed: i64,
    /// Chains of which files hold only a later part.
    pub cut: usize,
    /// Rows that no signature covers yet; cutting those off could not be noticed.
    pub unsigned: i64,
    /// True where the keys came from the database that they are to vouch for.
    pub own_keys: bool,
    /// What is wrong, the first place of each chain.
    pub breaks: Vec<Break>,
}

/// Verifies the whole trail, or what follows the last checkpoint before `trust.since`; few rows are in memory at a time. Problems are
/// those of reading; what is wrong is in the report.
pub async fn verify(database: &Database, trust: &Trust) -> Result<Report, Problem> {
    let keys: Vec<String> =
        on!(database, |pool| sqlx::query_scalar(KEYS).fetch_all(pool).await).map_err(error::problem)?;
    let stored: Vec<Checkpoint> =
        on!(database, |pool| sqlx::query_as(CHECKPOINTS).fetch_all(pool).await).map_err(error::problem)?;
    let mut verifier = TrailVerifier::new(trust, &keys, stored);
    if trust.since.is_some() {
        verify_ends(database, &mut verifier).await?;
        return Ok(verifier.finish());
    }
    on!(database, |pool| {
        let mut rows = sqlx::query_as::<_, AuditRow>(ROWS).fetch(pool);
        while let Some(row) = rows.try_next().await.map_err(error::problem)? {
            verifier.step(&row);
        }
    });
    Ok(verifier.finish())
}

/// Reads of each chain only what is to be recomputed.
async fn verify_ends(database: &Database, verifier: &mut TrailVerifier) -> Result<(), Problem> {
    let chains: Vec<String> =
        on!(database, |pool| sqlx::query_scalar(export::CHAINS).fetch_all(pool).await).map_err(error::problem)?;
    for chain in chains {
        loop {
            let after = verifier.walk(&chain).head.sequence;
            let rows: Vec<AuditRow> = on!(database, |pool| {
                sqlx::query_as(ROWS_OF).bind(chain.as_str()).bind(after).bind(PIECE).fetch_all(pool).await
            })
            .map_err(error::problem)?;
            for row in &rows {
                verifier.step(row);
            }
            // A broken chain does not get on.
            if rows.is_empty() || verifier.walk(&chain).head.sequence == after {
                break;
            }
        }
    }
    Ok(())
}

/// Verifies exported files, in the order given, without a database. 400 for a line that is none of an export.
pub fn verify_files(paths: &[PathBuf], trust: &Trust) -> Result<Report, Problem> {
    let (mut keys, mut signed) = (Vec::new(), Vec::new());
    each_line(paths, &mut |line| match line {
        Line::Key(pem) => keys.push(pem),
        Line::Checkpoint(checkpoint) => signed.push(checkpoint),
        Line::Row(..) => {}
    })?;
    let mut verifier = TrailVerifier::new(trust, &keys, signed);
    verifier.tolerant = true;
    each_line(paths, &mut |line| {
        if let Line::Row(row, previous) = line {
            verifier.step_behind(&row, previous);
        }
    })?;
    Ok(verifier.finish())
}

fn each_line(paths: &[PathBuf], take: &mut dyn FnMut(Line)) -> Result<(), Problem> {
    let invalid = |text: String| Problem::new(Kind::Invalid, text);
    for path in paths {
        let file = File::open(path).map_err(|error| invalid(format!("{} cannot be read: {error}", path.display())))?;
        for (number, text) in (1..).zip(BufReader::new(file).lines()) {
            let text = text.map_err(|error| invalid(format!("{} cannot be read: {error}", path.display())))?;
            let wrong = || invalid(format!("Line {number} of {} is not a line of an audit export.", path.display()));
            take(Line::read(&text).ok_or_else(wrong)?);
        }
    }
    Ok(())
}

/// Verifies rows as they come, those of each chain in order: from a database, a backup, or files of an export.
pub(in crate::store) struct TrailVerifier {
    report: Report,
    keys: HashMap<String, PKey<Public>>,
    checkpoints: BTreeMap<String, Vec<Checkpoint>>,
    since: Option<Micros>,
    tolerant: bool,
    walks: BTreeMap<String, Walk>,
}

impl TrailVerifier {
    /// For the public keys and checkpoints that are stored with the rows.
    pub(in crate::store) fn new(trust: &Trust, own_keys: &[String], stored: Vec<Checkpoint>) -> Self {
        let keys = if trust.keys.is_empty() {
            own_keys.iter().filter_map(|pem| checkpoint::public_key(pem.as_bytes()).ok()).collect()
        } else {
            trust.keys.iter().cloned().collect()
        };
        let checkpoints = by_chain(stored, trust);
        let number = checkpoints.iter().filter(|(chain, _)| !chain.ends_with(REMOVED)).map(|(_, own)| own.len()).sum();
        let report = Report { own_keys: trust.keys.is_empty(), checkpoints: number, ..Report::default() };
        Self { report, keys, checkpoints, since: trust.since, tolerant: false, walks: BTreeMap::new() }
    }

    /// The walk along a chain.
    fn walk(&mut self, chain: &str) -> &mut Walk {
        let Self { report, keys, checkpoints, since, tolerant, walks } = self;
        walks.entry(chain.to_owned()).or_insert_with(|| {
            let removal = checkpoints.remove(&format!("{chain}{REMOVED}"));
            let removal = removal.and_then(|all| all.into_iter().max_by_key(|statement| statement.sequence));
            report.removed += removal.as_ref().map_or(0, |statement| statement.sequence);
            let checkpoints = checkpoints.remove(chain).unwrap_or_default();
            Walk::new(chain, Start { checkpoints, removal, since: *since, tolerant: *tolerant }, keys)
        })
    }

    /// The next row.
    pub(in crate::store) fn step(&mut self, row: &AuditRow) {
        if self.walk(&row.chain).step(row) {
            self.report.rows += 1;
        }
    }

    /// The next row of a file; where the chain does not begin in the files, the row before is known by its hash only.
    fn step_behind(&mut self, row: &AuditRow, previous: Option<Vec<u8>>) {
        let walk = self.walk(&row.chain);
        if let Some(previous) = previous.filter(|_| walk.head.sequence == 0 && row.sequence > 1) {
            walk.begin_behind(row.sequence - 1, &previous);
            self.report.cut += 1;
        }
        self.step(row);
    }

    /// All rows have come.
    pub(in crate::store) fn finish(mut self) -> Report {
        let left: Vec<String> =
            self.checkpoints.keys().map(|chain| chain.trim_end_matches(REMOVED).to_owned()).collect();
        for chain in left {
            self.walk(&chain);
        }
        for walk in self.walks.into_values() {
            walk.finish(&self.keys, &mut self.report);
        }
        self.report
    }
}

fn by_chain(stored: Vec<Checkpoint>, trust: &Trust) -> BTreeMap<String, Vec<Checkpoint>> {
    let mut by_chain: BTreeMap<String, Vec<Checkpoint>> = BTreeMap::new();
    for checkpoint in stored.into_iter().chain(trust.checkpoints.iter().cloned()) {
        let own = by_chain.entry(checkpoint.chain.clone()).or_default();
        if !own.contains(&checkpoint) {
            own.push(checkpoint);
        }
    }
    by_chain
}
