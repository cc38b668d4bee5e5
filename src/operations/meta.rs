//! `$meta` of the server, a type, a resource or a version (<https://hl7.org/fhir/R4/resource-operation-meta.html>): which
//! profiles, tags and security labels there are.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::labels;
use crate::access::Grant;
use crate::fhir::codec::json as fhir_json;
use crate::interactions::operation::{Answer, Level, Operation};
use crate::interactions::record::{Stamp, patients};
use crate::interactions::reply::Reply;
use crate::interactions::request::Request;
use crate::interactions::server::Server;
use crate::interactions::visible;
use crate::problem::Problem;
use crate::store::{AuditRecord, Stored};

/// The operation.
#[derive(Debug)]
pub struct Meta;

impl Operation for Meta {
    fn name(&self) -> &'static str {
        "meta"
    }

    fn definition(&self) -> &'static str {
        "http://hl7.org/fhir/OperationDefinition/Resource-meta"
    }

    fn offered_at(&self, _level: &Level) -> bool {
        true
    }

    fn by_get(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, server: &'a Arc<Server>, request: &'a Request, level: &'a Level, _grant: Grant) -> Answer<'a> {
        Box::pin(async move {
            match level {
                Level::System => in_use(server, request, None).await,
                Level::Type(name) => in_use(server, request, Some(name)).await,
                Level::Instance(name, id) => {
                    of(server, request, visible::read(server, &request.caller, name, id).await?).await
                }
                Level::Version(name, id, version) => {
                    of(server, request, visible::version(server, &request.caller, (name, id), *version).await?).await
                }
            }
        })
    }
}

/// The Meta of one version.
async fn of(server: &Server, request: &Request, stored: Option<Stored>) -> Result<Reply, Problem> {
    let stored = labels::existing(stored)?;
    let meta = fhir_json::parse_stored(&stored.body)?.get_mut("meta").map_or_else(|| json!({}), Value::take);
    let record = AuditRecord {
        resource_type: stored.resource_type,
        resource_id: stored.id,
        version_after: Some(stored.version),
        patients: patients([stored.patient.as_str()]),
        ..Stamp::of(request, server.clock.now()).record("operation $meta", 200)
    };
    server.store.audit(record).await?;
    Ok(labels::answer(&meta).versioned(stored.version, stored.last_updated))
}

/// Everything in use by the current resources that the caller sees, of a type or of all.
async fn in_use(server: &Server, request: &Request, resource_type: Option<&str>) -> Result<Reply, Problem> {
    let found = match request.caller.limits()? {
        None => server.store.labels(resource_type).await?,
        Some(limits) => server.store.seen_labels(&visible::keys(server, &limits, resource_type).await?).await?,
    };
    let coding = |(system, code): &(String, String)| {
        let parts = [("system", system), ("code", code)];
        let present = parts.into_iter().filter(|(_, text)| !text.is_empty());
        Value::Object(present.map(|(name, text)| (name.to_owned(), json!(text))).collect())
    };
    let mut meta = Map::new();
    let sets = [
        ("profile", found.profiles.iter().map(|url| json!(url)).collect()),
        ("security", found.security.iter().map(coding).collect()),
        ("tag", found.tags.iter().map(coding).collect::<Vec<Value>>()),
    ];
    for (name, items) in sets {
        if !items.is_empty() {
            meta.insert(name.to_owned(), Value::Array(items));
        }
    }
    let record = AuditRecord {
        resource_type: resource_type.unwrap_or_default().to_owned(),
        ..Stamp::of(request, server.clock.now()).record("operation $meta", 200)
    };
    server.store.audit(record).await?;
    Ok(labels::answer(&Value::Object(meta)))
}
