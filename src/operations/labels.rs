//! `$meta-add` and `$meta-delete` of a resource (<https://hl7.org/fhir/R4/resource-operation-meta-add.html>,
//! <https://hl7.org/fhir/R4/resource-operation-meta-delete.html>): profiles, tags and security labels as sets, and the transaction that
//! changes them.
//!
//! A change of labels is a new version here: versions are never altered once they are stored, and what a label was at any
//! time must be there to be audited.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::access::Grant;
use crate::access::scope::Permission;
use crate::fhir::codec::json as fhir_json;
use crate::interactions::draft::{self, Draft};
use crate::interactions::guard;
use crate::interactions::operation::{self, Level, Operation};
use crate::interactions::precondition::Precondition;
use crate::interactions::record::Stamp;
use crate::interactions::reply::{Content, Reply};
use crate::interactions::request::Request;
use crate::interactions::server::Server;
use crate::interactions::write::{self, Change, Written};
use crate::problem::{Kind, Problem};
use crate::store::{AuditRecord, Stored, Tx};

/// The elements of Meta that are sets.
const SETS: [&str; 3] = ["profile", "security", "tag"];

/// How the sets of the first Meta change by those of the second.
type Edit = fn(&mut Map<String, Value>, &Value);

/// An operation that changes the labels of one resource.
#[derive(Debug)]
pub struct ChangeLabels {
    name: &'static str,
    definition: &'static str,
    edit: Edit,
}

/// `$meta-add`.
pub static META_ADD: ChangeLabels = ChangeLabels {
    name: "meta-add",
    definition: "http://hl7.org/fhir/OperationDefinition/Resource-meta-add",
    edit: add,
};

/// `$meta-delete`.
pub static META_DELETE: ChangeLabels = ChangeLabels {
    name: "meta-delete",
    definition: "http://hl7.org/fhir/OperationDefinition/Resource-meta-delete",
    edit: delete,
};

impl Operation for ChangeLabels {
    fn name(&self) -> &'static str {
        self.name
    }

    fn definition(&self) -> &'static str {
        self.definition
    }

    fn offered_at(&self, level: &Level) -> bool {
        matches!(level, Level::Instance(..))
    }

    fn permission(&self) -> Option<Permission> {
        Some(Permission::Update)
    }

    fn run<'a>(
        &'a self,
        server: &'a Arc<Server>,
        request: &'a Request,
        level: &'a Level,
        _grant: Grant,
    ) -> operation::Answer<'a> {
        Box::pin(async move {
            let Level::Instance(resource_type, id) = level else {
                return Err(Problem::new(Kind::NotFound, "This operation is called on one resource.").at("http.url"));
            };
            change(server, request, (resource_type, id), self).await
        })
    }
}

/// Adds what is not there yet.
fn add(meta: &mut Map<String, Value>, given: &Value) {
    for name in SETS {
        for item in given.get(name).and_then(Value::as_array).into_iter().flatten() {
            match meta.entry(name).or_insert_with(|| json!([])) {
                Value::Array(items) if items.iter().any(|known| is_same(known, item)) => {}
                Value::Array(items) => items.push(item.clone()),
                _ => {}
            }
        }
    }
}

/// Takes away what is there.
fn delete(meta: &mut Map<String, Value>, given: &Value) {
    for name in SETS {
        let unwanted = given.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if let Some(Value::Array(items)) = meta.get_mut(name) {
            items.retain(|item| !unwanted.iter().any(|other| is_same(item, other)));
            if items.is_empty() {
                meta.shift_remove(name);
            }
        }
    }
}

/// Profiles are the same by their whole url, tags and labels by system and code.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(_), Value::Object(_)) => ["system", "code"].iter().all(|name| one.get(name) == other.get(name)),
        _ => one == other,
    }
}

/// The Meta that a Parameters resource in the body brings. 400 where there is none.
fn given(server: &Server, request: &Request) -> Result<Value, Problem> {
    let body = request.resource(server.bounds())?;
    let is_meta = |part: &&Value| part.get("name").and_then(Value::as_str) == Some("meta");
    let parameters = body.get("parameter").and_then(Value::as_array);
    let meta = parameters.into_iter().flatten().find(is_meta).and_then(|part| part.get("valueMeta"));
    match meta {
        Some(meta) if draft::resource_type(&body)? == "Parameters" && meta.is_object() => Ok(meta.clone()),
        _ => {
            let text = "Send a Parameters resource with one parameter named meta, whose valueMeta holds profiles, tags and labels.";
            Err(Problem::new(Kind::Invalid, text).at("Parameters.parameter"))
        }
    }
}

/// What one call changes.
struct Call {
    server: Arc<Server>,
    resource_type: String,
    id: String,
    given: Value,
    edit: Edit,
    precondition: Precondition,
    stamp: Stamp,
    name: &'static str,
}

/// Changes the labels of the current version and answers with the resulting Meta. 404 and 410 where there is no resource, 422
/// where it would not be valid with them.
async fn change(
    server: &Arc<Server>,
    request: &Request,
    (resource_type, id): (&str, &str),
    operation: &ChangeLabels,
) -> Result<Reply, Problem> {
    let call = Arc::new(Call {
        server: Arc::clone(server),
        resource_type: resource_type.to_owned(),
        id: id.to_owned(),
        given: given(server, request)?,
        edit: operation.edit,
        precondition: request.headers.precondition.clone(),
        stamp: Stamp::of(request, server.clock.now()),
        name: operation.name,
    });
    let written = server
        .store
        .write(move |tx| {
            let call = Arc::clone(&call);
            Box::pin(async move { carry_out(&call, tx).await })
        })
        .await?;
    let meta = fhir_json::parse_stored(&written.body)?.get_mut("meta").map(Value::take);
    Ok(answer(&meta.unwrap_or_else(|| json!({}))).versioned(written.version, written.last_updated))
}

async fn carry_out(call: &Call, tx: &mut Tx) -> Result<(Written, Vec<AuditRecord>), Problem> {
    tx.hold(&[[&call.resource_type, &call.id]]).await?;
    let before = tx.read(&call.resource_type, &call.id).await?;
    let stored = existing(guard::replaceable(tx, &call.stamp, &call.resource_type, &call.id, before).await?)?;
    let mut value = fhir_json::parse_stored(&stored.body)?;
    if let Some(meta) = value.get_mut("meta").and_then(Value::as_object_mut) {
        (call.edit)(meta, &call.given);
    }
    let draft = Draft::new(&call.server, value, call.id.clone())?;
    let change = Change::Update { draft, precondition: call.precondition.clone(), patched: None };
    let mut records = Vec::new();
    let written = write::apply(&call.server, tx, &change, &call.stamp, &mut records).await?;
    if let Some(record) = records.first_mut() {
        record.interaction = format!("operation ${}", call.name);
    }
    Ok((written, records))
}

/// The resource that is there. 404 where it never was, 410 where it is deleted.
pub fn existing(stored: Option<Stored>) -> Result<Stored, Problem> {
    match stored {
        Some(stored) if !stored.deleted => Ok(stored),
        Some(_) => Err(Problem::new(Kind::Gone, "The resource was deleted.").at("http.url")),
        None => Err(Problem::new(Kind::NotFound, "There is no such resource.").at("http.url")),
    }
}

/// The answer that shows a Meta.
#[must_use]
pub fn answer(meta: &Value) -> Reply {
    let parameters = json!({ "resourceType": "Parameters", "parameter": [{ "name": "return", "valueMeta": meta }] });
    Reply::new(200, Content::Resource(parameters))
}
