//! `$job-status`: the status address of asynchronous requests (<https://hl7.org/fhir/R4/async.html>). GET tells how far one
//! is, DELETE cancels it.

use std::sync::Arc;

use crate::access::Grant;
use crate::interactions::asynchronous;
use crate::interactions::operation::{Answer, Level, Operation};
use crate::interactions::request::{Method, Request};
use crate::interactions::server::Server;
use crate::interactions::visible;
use crate::problem::{Kind, Problem};

/// The operation.
#[derive(Debug)]
pub struct JobStatus;

impl Operation for JobStatus {
    fn name(&self) -> &'static str {
        asynchronous::STATUS
    }

    fn definition(&self) -> &'static str {
        "https://kith.example/fhir/OperationDefinition/kith-job-status"
    }

    fn offered_at(&self, level: &Level) -> bool {
        matches!(level, Level::System)
    }

    fn by_get(&self) -> bool {
        true
    }

    fn by_delete(&self) -> bool {
        true
    }

    fn run<'a>(
        &'a self,
        server: &'a Arc<Server>,
        request: &'a Request,
        _level: &'a Level,
        _grant: Grant,
    ) -> Answer<'a> {
        Box::pin(async move {
            visible::only_unlimited(&request.caller)?;
            let Some(job) = request.parameter("job") else {
                let text = "The parameter job is missing. Use the address that Content-Location named.";
                return Err(Problem::new(Kind::Invalid, text).at("http.query.job"));
            };
            if request.method == Method::Delete {
                asynchronous::cancel(server, request, job).await
            } else {
                asynchronous::status(server, request, job).await
            }
        })
    }
}
