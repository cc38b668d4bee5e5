//! A ServiceRequest as the load runs write it: a body of usual size and its index rows.

use std::sync::Arc;

use bytes::Bytes;
use kith::search::index::{DateRow, IndexRows, ReferenceRow, TokenRow, UriRow};
use kith::store::{AuditRecord, NewResource, Party};

pub const TOKENS: usize = 10;
pub const DATES: usize = 3;
pub const REFERENCES: usize = 5;

fn token(number: usize, id: &str) -> TokenRow {
    TokenRow {
        parameter: Arc::from(format!("token-{number}")),
        system: format!("https://system.example/{number}"),
        code: if number == 0 { id.to_owned() } else { format!("code-{number}") },
    }
}

/// The index rows of one ServiceRequest.
pub fn rows(id: &str, now: i64) -> IndexRows {
    IndexRows {
        tokens: (0..TOKENS).map(|number| token(number, id)).collect(),
        dates: (0..DATES)
            .map(|number| DateRow { parameter: Arc::from(format!("date-{number}")), low: now, high: now + 1 })
            .collect(),
        references: (0..REFERENCES)
            .map(|number| ReferenceRow {
                parameter: Arc::from(format!("reference-{number}")),
                target_type: "Patient".to_owned(),
                target_id: format!("{number}-{}", &id[id.len() - 4..]),
            })
            .collect(),
        uris: vec![UriRow { parameter: Arc::from("uri"), value: "https://profile.example/one".to_owned() }],
        ..IndexRows::default()
    }
}

/// A body of 2,000 bytes.
pub fn body(id: &str) -> Bytes {
    let filler = "x".repeat(1950);
    Bytes::from(format!(r#"{{"resourceType":"ServiceRequest","id":"{id}","note":"{filler}"}}"#))
}

pub fn new_resource(id: String, now: i64) -> NewResource {
    NewResource {
        resource_type: "ServiceRequest".to_owned(),
        version: 1,
        last_updated: now,
        method: "POST",
        patient: "1234567890".to_owned(),
        author: "client-1".to_owned(),
        body: body(&id),
        rows: rows(&id, now),
        parties: vec![
            Party { organisation: "organisation-1".to_owned(), role: "referrer".to_owned() },
            Party { organisation: "organisation-2".to_owned(), role: "provider".to_owned() },
        ],
        id,
    }
}

pub fn record(interaction: &str, id: &str, now: i64) -> AuditRecord {
    AuditRecord {
        recorded: now,
        interaction: interaction.to_owned(),
        status: 201,
        request_id: "6f6f1f6e-0000-4000-8000-000000000000".to_owned(),
        client: "client-1".to_owned(),
        organisation: "organisation-1".to_owned(),
        resource_type: "ServiceRequest".to_owned(),
        resource_id: id.to_owned(),
        version_after: Some(1),
        patients: vec!["Patient/1234567890".to_owned()],
        address: "127.0.0.1".to_owned(),
        ..AuditRecord::default()
    }
}
