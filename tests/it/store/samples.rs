//! Resources and audit records for the tests of the store.

use std::sync::Arc;

use bytes::Bytes;
use kith::search::index::{DateRow, IndexRows, ReferenceRow, StringRow, TokenRow};
use kith::store::{AuditRecord, NewResource, Party, Store, Stored};

/// A Task with rows of several search types.
pub fn task(id: &str, version: i64) -> NewResource {
    let rows = IndexRows {
        tokens: vec![TokenRow {
            parameter: Arc::from("status"),
            system: "http://hl7.org/fhir/task-status".to_owned(),
            code: "requested".to_owned(),
        }],
        strings: vec![StringRow {
            parameter: Arc::from("name"),
            folded: "walking group".to_owned(),
            exact: "Walking Group".to_owned(),
        }],
        dates: vec![DateRow { parameter: Arc::from("authored-on"), low: 1000 + version, high: 2000 + version }],
        references: vec![ReferenceRow {
            parameter: Arc::from("patient"),
            target_type: "Patient".to_owned(),
            target_id: "p1".to_owned(),
        }],
        ..IndexRows::default()
    };
    NewResource {
        resource_type: "Task".to_owned(),
        id: id.to_owned(),
        version,
        last_updated: 1_700_000_000_000_000 + version,
        method: if version == 1 { "POST" } else { "PUT" },
        patient: String::new(),
        author: String::new(),
        body: Bytes::from(format!(r#"{{"resourceType":"Task","id":"{id}","meta":{{"versionId":"{version}"}}}}"#)),
        rows,
        parties: vec![Party { organisation: "o1".to_owned(), role: "provider".to_owned() }],
    }
}

/// An audit record of a change.
pub fn record(interaction: &str, id: &str) -> AuditRecord {
    AuditRecord {
        recorded: 1_700_000_000_000_000,
        interaction: interaction.to_owned(),
        status: 200,
        request_id: "request".to_owned(),
        resource_type: "Task".to_owned(),
        resource_id: id.to_owned(),
        patients: vec!["Patient/p1".to_owned()],
        ..AuditRecord::default()
    }
}

/// Stores the first version of a Task.
pub async fn create(store: &Store, id: &str) -> Result<Stored, kith::problem::Problem> {
    let (new, audit) = (task(id, 1), record("create", id));
    store
        .write(move |tx| {
            let (new, audit) = (new.clone(), audit.clone());
            Box::pin(async move { Ok((tx.create(new).await?, vec![audit])) })
        })
        .await
}

/// Stores a further version of a Task.
pub async fn update(store: &Store, id: &str, version: i64) -> Result<Stored, kith::problem::Problem> {
    let (new, audit) = (task(id, version), record("update", id));
    store
        .write(move |tx| {
            let (new, audit) = (new.clone(), audit.clone());
            Box::pin(async move { Ok((tx.update(new, version - 1).await?, vec![audit])) })
        })
        .await
}
