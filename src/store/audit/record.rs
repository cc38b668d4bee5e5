//! One audit row: what happened, who did it, to whose data. Interactions fill it; the chain hashes and stores it.

use serde_json::Value;

use crate::clock::Micros;

/// One interaction, refused ones included (what IHE BALP asks for, <https://profiles.ihe.net/ITI/BALP/>). Empty text means
/// not known or does not apply. Nothing in it is a secret; `query` may hold patient data and is never logged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditRecord {
    /// When it happened.
    pub recorded: Micros,
    /// FHIR interaction code, for example `read`, `create`, `search-type`, or an operation's name with `$`.
    pub interaction: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// `X-Request-Id`.
    pub request_id: String,
    /// `X-Correlation-Id`.
    pub correlation_id: String,
    /// The client that called.
    pub client: String,
    /// The organisation it called for.
    pub organisation: String,
    /// The person behind it.
    pub user: String,
    /// That person's role.
    pub role: String,
    /// Purpose of use.
    pub purpose: String,
    /// Resource type that was asked for.
    pub resource_type: String,
    /// Logical id that was asked for.
    pub resource_id: String,
    /// Version before a change.
    pub version_before: Option<i64>,
    /// Version read, or made by a change.
    pub version_after: Option<i64>,
    /// Every patient whose data the answer disclosed or the change touched, as `Patient/id`.
    pub patients: Vec<String>,
    /// The query string of a search.
    pub query: String,
    /// Network address of the client.
    pub address: String,
    /// Issue codes or rule ids of a refusal.
    pub problems: Vec<String>,
}

/// A record as its row holds it. Hashing works on this, so that verification needs to parse nothing.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditRow {
    /// The chain the row belongs to.
    pub chain: String,
    /// Its place in the chain, from 1.
    pub sequence: i64,
    /// See [`AuditRecord`] for this and the following.
    pub recorded: i64,
    #[expect(missing_docs, reason = "as in AuditRecord")]
    pub interaction: String,
    #[expect(missing_docs, reason = "as in AuditRecord")]
    pub status: i64,
    #[expect(missing_docs, reason = "as in AuditRecord")]
    pub request_id: String,
    #[expect(missing_docs, reason = "as in AuditRecord")]
    pub correlation_id: String,
    #[expect(missing_docs, reason = "as in AuditRecord")]
    pub client: String,
    #[expect(missing_docs, reason = "as in AuditRecord")]
    pub organisation: String,
    #[expect(missing_docs, reason = "as in AuditRecord")]
    pub user_id: String,
    #[expect(missing_docs, reason = "as in AuditRecord")]
    pub user_role: String,
    #[expect(missing_docs, reason = "as in AuditRecord")]
    pub purpose: String,
    #[expect(missing_docs, reason = "as in AuditRecord")]
    pub resource_type: String,
    #[expect(missing_docs, reason = "as in AuditRecord")]
    pub resource_id: String,
    #[expect(missing_docs, reason = "as in AuditRecord")]
    pub version_before: Option<i64>,
    #[expect(missing_docs, reason = "as in AuditRecord")]
    pub version_after: Option<i64>,
    /// A JSON array of references.
    pub patients: String,
    #[expect(missing_docs, reason = "as in AuditRecord")]
    pub query: String,
    #[expect(missing_docs, reason = "as in AuditRecord")]
    pub address: String,
    /// A JSON array of codes.
    pub problem: String,
    /// SHA-256 over the row before and this row.
    pub hash: Vec<u8>,
}

impl AuditRow {
    /// The row of a record; `hash` is still empty.
    #[must_use]
    pub fn new(chain: &str, sequence: i64, record: AuditRecord) -> Self {
        Self {
            chain: chain.to_owned(),
            sequence,
            recorded: record.recorded,
            interaction: clean(record.interaction),
            status: i64::from(record.status),
            request_id: clean(record.request_id),
            correlation_id: clean(record.correlation_id),
            client: clean(record.client),
            organisation: clean(record.organisation),
            user_id: clean(record.user),
            user_role: clean(record.role),
            purpose: clean(record.purpose),
            resource_type: clean(record.resource_type),
            resource_id: clean(record.resource_id),
            version_before: record.version_before,
            version_after: record.version_after,
            patients: list(record.patients),
            query: clean(record.query),
            address: clean(record.address),
            problem: list(record.problems),
            hash: Vec::new(),
        }
    }

    /// The texts in the column `patients` or `problem`.
    #[must_use]
    pub fn texts_in(text: &str) -> Vec<String> {
        if text == "[]" { Vec::new() } else { serde_json::from_str(text).unwrap_or_default() }
    }

    /// The row without its hash, in one unambiguous form: each text behind its length, each number in eight bytes.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        text(&mut bytes, "kith-audit-1");
        text(&mut bytes, &self.chain);
        for number in [self.sequence, self.recorded, self.status] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for version in [self.version_before, self.version_after] {
            bytes.push(u8::from(version.is_some()));
            bytes.extend_from_slice(&version.unwrap_or_default().to_le_bytes());
        }
        let texts = [
            &self.interaction,
            &self.request_id,
            &self.correlation_id,
            &self.client,
            &self.organisation,
            &self.user_id,
            &self.user_role,
            &self.purpose,
            &self.resource_type,
            &self.resource_id,
            &self.patients,
            &self.query,
            &self.address,
            &self.problem,
        ];
        for value in texts {
            text(&mut bytes, value);
        }
        bytes
    }
}

fn text(bytes: &mut Vec<u8>, value: &str) {
    bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
    bytes.extend_from_slice(value.as_bytes());
}

fn list(values: Vec<String>) -> String {
    if values.is_empty() {
        return "[]".to_owned();
    }
    clean(Value::from(values).to_string())
}

/// PostgreSQL cannot store the character NUL; a client can send one in a header or query.
fn clean(value: String) -> String {
    if value.contains('\0') { value.replace('\0', "\u{fffd}") } else { value }
}
