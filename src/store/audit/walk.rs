//! The walk along one audit chain: recomputes its hashes and compares them with what was signed. Called by `verify`.

use std::cmp::Ordering;

use std::collections::HashMap;

use openssl::pkey::{PKey, Public};

use super::chain::{self, GENESIS, Head};
use super::checkpoint::Checkpoint;
use super::record::AuditRow;
use super::verify::{Break, Report};
use crate::clock::Micros;

/// What is known of a chain before its rows come.
#[derive(Debug, Default)]
pub(super) struct Start {
    /// What was signed about its rows.
    pub(super) checkpoints: Vec<Checkpoint>,
    /// The signed statement that rows were removed from its beginning.
    pub(super) removal: Option<Checkpoint>,
    /// Rows that were signed before are taken as they are.
    pub(super) since: Option<Micros>,
    /// Rows that came before may come again, as in files of an export.
    pub(super) tolerant: bool,
}

/// The walk.
#[derive(Debug)]
pub(super) struct Walk {
    /// Where it is.
    pub(super) head: Head,
    checkpoints: Vec<Checkpoint>,
    /// Hashes of the rows that checkpoints speak of.
    reached: HashMap<i64, [u8; 32]>,
    /// Rows up to here are passed over.
    passed_over: i64,
    tolerant: bool,
    broken: Option<Break>,
}

impl Walk {
    /// The beginning of a chain, or of what is left of it, or of what is to be verified of it.
    pub(super) fn new(chain: &str, start: Start, keys: &HashMap<String, PKey<Public>>) -> Self {
        let Start { mut checkpoints, removal, since, tolerant } = start;
        let head = Head { chain: chain.to_owned(), sequence: 0, hash: GENESIS };
        let mut walk =
            Self { head, checkpoints: Vec::new(), reached: HashMap::new(), passed_over: 0, tolerant, broken: None };
        if let Some(removal) = removal {
            match fault(&removal, keys) {
                None => walk.begin_after(&removal),
                Some(reason) => walk.fail(removal.sequence, format!("rows were removed, and {reason}")),
            }
        }
        if let Some(since) = since {
            let earlier = checkpoints
                .iter()
                .filter(|checkpoint| checkpoint.recorded <= since && fault(checkpoint, keys).is_none());
            if let Some(last) = earlier.max_by_key(|checkpoint| checkpoint.sequence).cloned()
                && last.sequence > walk.head.sequence
            {
                walk.begin_after(&last);
                walk.passed_over = last.sequence;
            }
        }
        checkpoints.retain(|checkpoint| checkpoint.sequence >= walk.head.sequence);
        walk.checkpoints = checkpoints;
        walk
    }

    /// Goes on behind a row whose hash is known.
    pub(super) fn begin_after(&mut self, known: &Checkpoint) {
        if let Ok(hash) = <[u8; 32]>::try_from(known.hash.as_slice()) {
            self.head.sequence = known.sequence;
            self.head.hash = hash;
            self.reached.insert(known.sequence, hash);
        }
    }

    /// As [`Walk::begin_after`], where the hash is the file's own.
    pub(super) fn begin_behind(&mut self, sequence: i64, hash: &[u8]) {
        if let Ok(hash) = <[u8; 32]>::try_from(hash) {
            self.head.sequence = sequence;
            self.head.hash = hash;
            self.checkpoints.retain(|checkpoint| checkpoint.sequence > sequence);
        }
    }

    /// Takes the next row; false where it is passed over.
    pub(super) fn step(&mut self, row: &AuditRow) -> bool {
        if row.sequence <= self.passed_over || (self.tolerant && row.sequence <= self.head.sequence) {
            return false;
        }
        if self.broken.is_some() {
            return true;
        }
        let expected = self.head.sequence + 1;
        match row.sequence.cmp(&expected) {
            Ordering::Less => {
                self.fail(row.sequence, "the row is there although it was removed or verified before".to_owned());
            }
            Ordering::Greater => {
                self.fail(expected, format!("row {expected} is missing; the next row has sequence {}", row.sequence));
            }
            Ordering::Equal => self.compare(row),
        }
        true
    }

    fn compare(&mut self, row: &AuditRow) {
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
        self.broken.get_or_insert(Break { chain: self.head.chain.clone(), sequence, reason });
    }

    /// All rows have come: what was signed must be there. Checkpoints of rows that no file holds say nothing.
    pub(super) fn finish(mut self, keys: &HashMap<String, PKey<Public>>, report: &mut Report) {
        report.chains += 1;
        let checkpoints = std::mem::take(&mut self.checkpoints);
        let signed = checkpoints.iter().map(|checkpoint| checkpoint.sequence).max().unwrap_or(0);
        report.unsigned += (self.head.sequence - signed.max(self.passed_over)).max(0);
        for checkpoint in checkpoints {
            let reason = fault(&checkpoint, keys).or_else(|| self.disagreement(&checkpoint));
            if let Some(reason) = reason {
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

/// Why a signature does not count.
fn fault(checkpoint: &Checkpoint, keys: &HashMap<String, PKey<Public>>) -> Option<String> {
    match keys.get(&checkpoint.key_id) {
        None => Some(format!("the checkpoint is signed by a key that is not trusted ({})", checkpoint.key_id)),
        Some(key) if !checkpoint.is_signed_by(key) => Some("the checkpoint's signature is wrong".to_owned()),
        Some(_) => None,
    }
}
