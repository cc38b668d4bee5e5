//! The lines of an exported audit trail: rows, checkpoints and keys, each a JSON object with its kind. Written by `export`, read by
//! the verification of files.

use serde_json::{Value, json};

use super::checkpoint::{Checkpoint, hex, unhex};
use super::record::AuditRow;
use crate::fhir::temporal;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A row, and the hash of the row before where it is the first of its piece.
    Row(Box<AuditRow>, Option<Vec<u8>>),
    /// The end of a chain as it was signed.
    Checkpoint(Checkpoint),
    /// A public key, as PEM.
    Key(String),
}

impl Line {
    /// The text without an end of line.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Row(row, previous) => row_text(row, previous.as_deref()),
            Self::Checkpoint(checkpoint) => checkpoint.to_line().replacen('{', "{\"kind\":\"checkpoint\",", 1),
            Self::Key(pem) => json!({ "kind": "key", "public_key": pem }).to_string(),
        }
    }

    /// Reads a line; none where it is not one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        match value["kind"].as_str()? {
            "row" => row(&value),
            "checkpoint" => Checkpoint::from_line(text).map(Self::Checkpoint),
            "key" => value["public_key"].as_str().map(|pem| Self::Key(pem.to_owned())),
            _ => None,
        }
    }
}

fn row_text(row: &AuditRow, previous: Option<&[u8]>) -> String {
    let time = temporal::format_instant(row.recorded);
    let list = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!([]));
    let mut line = json!({
        "kind": "row", "chain": row.chain, "sequence": row.sequence, "recorded": row.recorded, "time": time,
        "interaction": row.interaction, "status": row.status, "request_id": row.request_id,
        "correlation_id": row.correlation_id, "client": row.client, "organisation": row.organisation,
        "user": row.user_id, "role": row.user_role, "purpose": row.purpose, "resource_type": row.resource_type,
        "resource_id": row.resource_id, "version_before": row.version_before, "version_after": row.version_after,
        "patients": list(&row.patients), "query": row.query, "address": row.address, "problems": list(&row.problem),
        "hash": hex(&row.hash),
    });
    if let Some(previous) = previous {
        line["previous"] = json!(hex(previous));
    }
    line.to_string()
}

fn row(value: &Value) -> Option<Line> {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let row = AuditRow {
        chain: text("chain")?,
        sequence: value["sequence"].as_i64()?,
        recorded: value["recorded"].as_i64()?,
        interaction: text("interaction")?,
        status: value["status"].as_i64()?,
        request_id: text("request_id")?,
        correlation_id: text("correlation_id")?,
        client: text("client")?,
        organisation: text("organisation")?,
        user_id: text("user")?,
        user_role: text("role")?,
        purpose: text("purpose")?,
        resource_type: text("resource_type")?,
        resource_id: text("resource_id")?,
        version_before: value["version_before"].as_i64(),
        version_after: value["version_after"].as_i64(),
        patients: value["patients"].as_array().map(|_| value["patients"].to_string())?,
        query: text("query")?,
        address: text("address")?,
        problem: value["problems"].as_array().map(|_| value["problems"].to_string())?,
        hash: unhex(value["hash"].as_str()?)?,
    };
    let previous = value["previous"].as_str().and_then(unhex);
    Some(Line::Row(Box::new(row), previous))
}
