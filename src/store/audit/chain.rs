//! A hash chain: each row's hash covers the hash of the row before it. Every writer lane of every server process has one of
//! its own, so that chains need no coordination; the lane appends inside its transactions.

use openssl::sha::Sha256;

use super::record::{AuditRecord, AuditRow};
use crate::clock::Micros;
use crate::store::database::Connection;
use crate::store::insert::{Insert, insert_rows};

pub(in crate::store) static AUDIT: Insert = Insert::new(
    "audit",
    &[
        "chain",
        "sequence",
        "recorded",
        "interaction",
        "status",
        "request_id",
        "correlation_id",
        "client",
        "organisation",
        "user_id",
        "user_role",
        "purpose",
        "resource_type",
        "resource_id",
        "version_before",
        "version_after",
        "patients",
        "query",
        "address",
        "problem",
        "hash",
    ],
    "",
);

/// The same for rows of which only these columns say something, as of most reads: each value that is bound costs, and reads are
/// many.
pub(in crate::store) static PLAIN_AUDIT: Insert = Insert::new(
    "audit",
    &[
        "chain",
        "sequence",
        "recorded",
        "interaction",
        "status",
        "request_id",
        "client",
        "resource_type",
        "resource_id",
        "version_after",
        "patients",
        "address",
        "hash",
    ],
    "",
)
.with_constants(&[
    ("correlation_id", "''"),
    ("organisation", "''"),
    ("user_id", "''"),
    ("user_role", "''"),
    ("purpose", "''"),
    ("version_before", "null"),
    ("query", "''"),
    ("problem", "'[]'"),
]);

/// True where a row has in all other columns what [`PLAIN_AUDIT`] writes there.
fn is_plain(row: &AuditRow) -> bool {
    let empty = [&row.correlation_id, &row.organisation, &row.user_id, &row.user_role, &row.purpose, &row.query];
    row.version_before.is_none() && row.problem == "[]" && empty.iter().all(|text| text.is_empty())
}

/// The hash before the first row.
pub const GENESIS: [u8; 32] = [0; 32];

/// The hash of a row that follows a row with hash `before`.
#[must_use]
pub fn hash(before: &[u8], row: &AuditRow) -> [u8; 32] {
    let mut sha = Sha256::new();
    sha.update(before);
    sha.update(&row.canonical());
    sha.finish()
}

/// Where a chain ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The chain's id: server process and lane.
    pub chain: String,
    /// Sequence of the last row; 0 before the first.
    pub sequence: i64,
    /// Hash of the last row.
    pub hash: [u8; 32],
}

/// A chain that is being written.
#[derive(Debug)]
pub(in crate::store) struct Chain {
    /// What is committed.
    head: Head,
    /// Sequence of the last signed row.
    signed: i64,
    /// When it was signed.
    signed_at: Micros,
    /// Sign with the next transaction, however little is unsigned.
    pub(in crate::store) force: bool,
}

impl Chain {
    /// A chain without rows.
    pub(in crate::store) const fn new(id: String, now: Micros) -> Self {
        Self { head: Head { chain: id, sequence: 0, hash: GENESIS }, signed: 0, signed_at: now, force: false }
    }

    /// Where the committed rows end.
    pub(in crate::store) const fn head(&self) -> &Head {
        &self.head
    }

    /// Turns records into rows that continue the chain, and says where the chain ends once they are committed.
    pub(in crate::store) fn rows(&self, records: Vec<AuditRecord>) -> (Vec<AuditRow>, Head) {
        let mut head = self.head.clone();
        let mut rows = Vec::with_capacity(records.len());
        for record in records {
            head.sequence += 1;
            let mut row = AuditRow::new(&head.chain, head.sequence, record);
            head.hash = hash(&head.hash, &row);
            row.hash = head.hash.to_vec();
            rows.push(row);
        }
        (rows, head)
    }

    /// True where a checkpoint is due with this many rows at this time.
    pub(in crate::store) fn is_due(&self, head: &Head, now: Micros, rows: i64, interval: Micros) -> bool {
        let unsigned = head.sequence - self.signed;
        unsigned >= rows || (unsigned > 0 && (self.force || now.saturating_sub(self.signed_at) >= interval))
    }

    /// True where rows follow the last checkpoint.
    pub(in crate::store) const fn has_unsigned(&self) -> bool {
        self.head.sequence > self.signed
    }

    /// The transaction that wrote up to `head` is committed.
    pub(in crate::store) fn advance(&mut self, head: Head) {
        self.head = head;
    }

    /// The transaction that wrote a checkpoint of `sequence` is committed.
    pub(in crate::store) const fn mark_signed(&mut self, sequence: i64, now: Micros) {
        self.signed = sequence;
        self.signed_at = now;
    }
}

/// Appends rows in the transaction of `connection`.
pub(in crate::store) async fn insert(connection: &mut Connection, rows: &[AuditRow]) -> Result<(), sqlx::Error> {
    let (plain, others): (Vec<&AuditRow>, Vec<&AuditRow>) = rows.iter().partition(|row| is_plain(row));
    insert_rows!(connection, &PLAIN_AUDIT, plain.as_slice(), |row| [
        row.chain.as_str(),
        row.sequence,
        row.recorded,
        row.interaction.as_str(),
        row.status,
        row.request_id.as_str(),
        row.client.as_str(),
        row.resource_type.as_str(),
        row.resource_id.as_str(),
        row.version_after,
        row.patients.as_str(),
        row.address.as_str(),
        row.hash.as_slice(),
    ])?;
    insert_rows!(connection, &AUDIT, others.as_slice(), |row| [
        row.chain.as_str(),
        row.sequence,
        row.recorded,
        row.interaction.as_str(),
        row.status,
        row.request_id.as_str(),
        row.correlation_id.as_str(),
        row.client.as_str(),
        row.organisation.as_str(),
        row.user_id.as_str(),
        row.user_role.as_str(),
        row.purpose.as_str(),
        row.resource_type.as_str(),
        row.resource_id.as_str(),
        row.version_before,
        row.version_after,
        row.patients.as_str(),
        row.query.as_str(),
        row.address.as_str(),
        row.problem.as_str(),
        row.hash.as_slice(),
    ])
}
