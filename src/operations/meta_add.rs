//! `$meta-add` at instance level (<https://hl7.org/fhir/R4/resource-operation-meta-add.html>): adds profiles, tags and security labels to a resource.

use std::sync::Arc;

use super::labels;
use crate::access::Grant;
use crate::access::scope::Permission;
use crate::interactions::operation::{Answer, Level, Operation};
use crate::interactions::request::Request;
use crate::interactions::server::Server;
use crate::problem::{Kind, Problem};

/// The operation.
#[derive(Debug)]
pub struct MetaAdd;

impl Operation for MetaAdd {
    fn name(&self) -> &'static str {
        "meta-add"
    }

    fn definition(&self) -> &'static str {
        "http://hl7.org/fhir/OperationDefinition/Resource-meta-add"
    }

    fn offered_at(&self, level: &Level) -> bool {
        matches!(level, Level::Instance(..))
    }

    fn permission(&self) -> Option<Permission> {
        Some(Permission::Update)
    }

    fn run<'a>(&'a self, server: &'a Arc<Server>, request: &'a Request, level: &'a Level, _grant: Grant) -> Answer<'a> {
        Box::pin(async move {
            let Level::Instance(resource_type, id) = level else {
                return Err(Problem::new(Kind::NotFound, "This operation is called on one resource.").at("http.url"));
            };
            labels::change(server, request, (resource_type, id), self.name(), labels::add).await
        })
    }
}
