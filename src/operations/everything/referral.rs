//! `ServiceRequest/[id]/$everything`
//! (<https://kith.example/fhir/OperationDefinition/kith-servicerequest-everything>): a referral with its Tasks, answers, outcomes
//! and Provenance, the patient, and the organisations and people who take part.

use std::sync::Arc;

use super::{Call, graph, path, queries, reply};
use crate::access::Grant;
use crate::clock::Micros;
use crate::fhir::temporal::DateTime;
use crate::interactions::operation::{Answer, Level, Operation};
use crate::interactions::pages::Search;
use crate::interactions::request::Request;
use crate::interactions::scope::living;
use crate::interactions::searchset;
use crate::interactions::server::Server;
use crate::interactions::visible;
use crate::problem::Problem;
use crate::search::sql::Position;
use crate::store::Stored;

/// The operation.
#[derive(Debug)]
pub struct ReferralEverything;

impl Operation for ReferralEverything {
    fn name(&self) -> &'static str {
        "everything"
    }

    fn definition(&self) -> &'static str {
        "https://kith.example/fhir/OperationDefinition/kith-servicerequest-everything"
    }

    fn offered_at(&self, level: &Level) -> bool {
        matches!(level, Level::Instance(name, _) if name == "ServiceRequest")
    }

    fn by_get(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, server: &'a Arc<Server>, request: &'a Request, level: &'a Level, grant: Grant) -> Answer<'a> {
        Box::pin(async move {
            let Level::Instance(name, id) = level else {
                return Err(Problem::internal("offered at instance level only"));
            };
            let call = Call::read(server, request, false)?;
            let search = Search::new(path(level), queries(server, request, &call, &[name])?)?;
            let first = living(server, request, name, id).await?;
            let (all, cut) = graph::referral(server, first, &grant.restrictions()).await?;
            let all = visible::all(&request.caller, all.into_iter().map(Arc::new).collect())?;
            let all = all.into_iter().map(Arc::unwrap_or_clone);
            let since = call.since.as_deref().and_then(|since| DateTime::parse(since).ok());
            let since = since.map_or(Micros::MIN, |since| since.interval().0);
            let is_wanted = |stored: &Stored| call.wants(&stored.resource_type) && stored.last_updated >= since;
            let wanted: Vec<Stored> = all.filter(is_wanted).collect();
            let answer = searchset::Answer { cut, ..pages(server, &search, wanted)? };
            reply(server, request, level, &search, &answer).await
        })
    }
}

/// The page that is asked for. Positions are keys; stage 0 is the ServiceRequest, which comes first whatever its key.
fn pages(server: &Server, search: &Search, all: Vec<Stored>) -> Result<searchset::Answer, Problem> {
    let total = i64::try_from(all.len()).ok();
    if search.counts_only() {
        return Ok(searchset::Answer { total, ..searchset::Answer::default() });
    }
    let request = all.first().filter(|stored| stored.resource_type == "ServiceRequest").map(|stored| stored.key);
    let stage = |stored: &Stored| usize::from(Some(stored.key) != request);
    let after = search.after(server)?;
    let later =
        |stored: &Stored| after.as_ref().is_none_or(|after| (stage(stored), stored.key) > (after.stage, after.key));
    let mut rest: Vec<Stored> = all.into_iter().filter(later).collect();
    let limit = usize::try_from(search.limit()).unwrap_or(usize::MAX);
    let more = rest.len() > limit;
    rest.truncate(limit);
    let next = rest
        .last()
        .filter(|_| more)
        .map(|last| search.next(server, &Position { stage: stage(last), values: Vec::new(), key: last.key }));
    Ok(searchset::Answer {
        matches: rest.into_iter().map(Arc::new).collect(),
        total,
        next,
        ..searchset::Answer::default()
    })
}
