//! Walks every audit chain, recomputes its hashes and checks the signed checkpoints. Called by `kith audit verify`.

use std::collections::{BTreeMap, HashMap};

use futures_util::TryStreamExt as _;
use openssl::pkey::{PKey, Public};

use super::chain::{self, GENESIS, Head};
use super::checkpoint::{self, Checkpoint};
use super::record::AuditRow;
use crate::problem::Problem;
use crate::store::database::{Database, on};
use crate::store::error;

pub(in crate::store) const ROWS: &str = "select chain, sequence, recorded, interaction, status, request_id, correlation_id, \
     client, organisation, user_id, user_role, purpose, resource_type, resource_id, version_before, version_after, patients, \
     query, address, problem, hash from audit order by chain, sequence";
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
    /// Rows that no signature covers yet; cutting those off could not be noticed.
    pub unsigned: i64,
    /// True where the keys came from the database that they are to vouch for.
    pub own_keys: bool,
    /// What is wrong, the first place of each chain.
    pub breaks: Vec<Break>,
}

/// Verifies the whole trail, one row in memory at a time. Problems are those of reading; what is wrong is in the report.
pub async fn verify(database: &Database, trust: &Trust) -> Result<Report, Problem> {
    let keys: Vec<String> =
        on!(database, |pool| sqlx::query_scalar(KEYS).fetch_all(pool).await).map_err(error::problem)?;
    let stored: Vec<Checkpoint> =
        on!(database, |pool| sqlx::query_as(CHECKPOINTS).fetch_all(pool).await).map_err(error::problem)?;
    let mut verifier = TrailVerifier::new(trust, &keys, stored);
    on!(database, |pool| {
        let mut rows = sqlx::query_as::<_, AuditRow>(ROWS).fetch(pool);
        while let Some(row) = rows.try_next().await.map_err(error::problem)? {
            verifier.step(&row);
        }
    });
    Ok(verifier.finish())
}

/// Verifies rows as they come, in the order of chain and sequence: from a database, or from a backup.
pub(in crate::store) struct TrailVerifier {
    report: Report,
    keys: HashMap<String, PKey<Public>>,
    checkpoints: BTreeMap<String, Vec<Checkpoint>>,
    walk: Option<Walk>,
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
        let number = checkpoints.values().map(Vec::len).sum();
        let report = Report { own_keys: trust.keys.is_empty(), checkpoints: number, ..Report::default() };
        Self { report, keys, checkpoints, walk: None }
    }

    /// The next row.
    pub(in crate::store) fn step(&mut self, row: &AuditRow) {
        self.report.rows += 1;
        if self.walk.as_ref().is_none_or(|walk| walk.head.chain != row.chain) {
            if let Some(done) = self.walk.take() {
                done.finish(&self.keys, &mut self.report);
            }
            let own = self.checkpoints.remove(&row.chain).unwrap_or_default();
            self.walk = Some(Walk::new(&row.chain, own));
        }
        if let Some(walk) = &mut self.walk {
            walk.step(row);
        }
    }

    /// All rows have come.
    pub(in crate::store) fn finish(mut self) -> Report {
        if let Some(done) = self.walk {
            done.finish(&self.keys, &mut self.report);
        }
        for (chain, own) in self.checkpoints {
            Walk::new(&chain, own).finish(&self.keys, &mut self.report);
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

/// The walk along one chain.
struct Walk {
    head: Head,
    checkpoints: Vec<Checkpoint>,
    /// Hashes of the rows that checkpoints speak of.
    reached: HashMap<i64, [u8; 32]>,
    broken: Option<Break>,
}

impl Walk {
    fn new(chain: &str, checkpoints: Vec<Checkpoint>) -> Self {
        let head = Head { chain: chain.to_owned(), sequence: 0, hash: GENESIS };
        Self { head, checkpoints, reached: HashMap::new(), broken: None }
    }

    fn step(&mut self, row: &AuditRow) {
        if self.broken.is_some() {
            return;
        }
        let expected = self.head.sequence + 1;
        if row.sequence != expected {
            let reason = format!("row {expected} is missing; the next row has sequence {}", row.sequence);
            return self.fail(expected, reason);
        }
        let hash = chain::hash(&self.head.hash, row);
        if row.hash != hash {
            let reason = "the hash does not match the row and the row before it: \
                          the row was changed, moved, or put in later"
                .to_owned();
            return self.fail(row.sequence, reason);
        }
        self.head.sequence = row.sequence;
        self.head.hash = hash;
        if self.checkpoints.iter().any(|checkpoint| checkpoint.sequence == row.sequence) {
            self.reached.insert(row.sequence, hash);
        }
    }

    fn fail(&mut self, sequence: i64, reason: String) {
        self.broken = Some(Break { chain: self.head.chain.clone(), sequence, reason });
    }

    fn finish(mut self, keys: &HashMap<String, PKey<Public>>, report: &mut Report) {
        report.chains += 1;
        let checkpoints = std::mem::take(&mut self.checkpoints);
        let signed = checkpoints.iter().map(|checkpoint| checkpoint.sequence).max().unwrap_or(0);
        report.unsigned += (self.head.sequence - signed).max(0);
        for checkpoint in checkpoints {
            let reason = match keys.get(&checkpoint.key_id) {
                None => Some(format!("the checkpoint is signed by a key that is not trusted ({})", checkpoint.key_id)),
                Some(key) if !checkpoint.is_signed_by(key) => Some("the checkpoint's signature is wrong".to_owned()),
                Some(_) => self.disagreement(&checkpoint),
            };
            if let (None, Some(reason)) = (&self.broken, reason) {
                self.fail(checkpoint.sequence, reason);
            }
        }
        report.breaks.extend(self.broken);
    }

    /// What a valid checkpoint shows to be wrong with the rows.
    fn disagreement(&self, checkpoint: &Checkpoint) -> Option<String> {
        match self.reached.get(&checkpoint.sequence) {
            Some(hash) if checkpoint.hash == hash => None,
            Some(_) => Some("the row differs from what was signed: the chain was written anew".to_owned()),
            None => Some(format!(
                "a signed checkpoint says that this row existed; the chain now ends at row {}: its end was cut off",
                self.head.sequence
            )),
        }
    }
}
