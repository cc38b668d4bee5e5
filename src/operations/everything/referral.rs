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
fn pages(server: &Server, search: &Search, mut all: Vec<Stored>) -> Result<searchset::Answer, Problem> {
    let total = i64::try_from(all.len()).ok();
    if search.counts_only() {
        return Ok(searchset::Answer { total, ..searchset::Answer::default() });
    }
    let request = all.first().filter(|stored| stored.resource_type == "ServiceRequest").map(|stored| stored.key);
    let stage = |stored: &Stored| usize::from(Some(stored.key) != request);
    let limit = usize::try_from(search.limit()).unwrap_or(usize::MAX);
    let position = search.after(server)?;
    let ahead = |at: &Position| {
        let is_ahead = |stored: &&Stored| (stage(stored), stored.key) < (at.stage, at.key + i64::from(!at.backwards));
        all.iter().filter(is_ahead).count()
    };
    let (start, end) = match position.as_ref().map(|at| (at.backwards, ahead(at))) {
        None => (0, limit),
        Some((false, ahead)) => (ahead, ahead.saturating_add(limit)),
        Some((true, ahead)) => (ahead.saturating_sub(limit), ahead),
    };
    let end = end.min(all.len());
    let token = |stored: Option<&Stored>, backwards| {
        let at = |stored: &Stored| Position { stage: stage(stored), values: Vec::new(), key: stored.key, backwards };
        stored.map(|stored| search.token(server, &at(stored)))
    };
    let previous = token(all.get(start).filter(|_| start > 0), true);
    let next = token(all.get(end.wrapping_sub(1)).filter(|_| end < all.len()), false);
    Ok(searchset::Answer {
        matches: all.drain(start..end).map(Arc::new).collect(),
        total,
        previous,
        next,
        ..searchset::Answer::default()
    })
}
