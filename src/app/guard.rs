//! What stands before the work on a request: rates, places and time. Every bound is a setting (`config::limits`).

use std::time::Duration;

use actix_web::HttpRequest;

use super::inbound;
use crate::access::Caller;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::interactions::reply::Reply;
use crate::interactions::server::Server;
use crate::interactions::throttle;
use crate::problem::{Kind, Problem};
use crate::store::AuditRecord;

/// Why a request is not worked on.
#[derive(Debug)]
pub struct Refusal {
    /// What the client is told.
    pub problem: Problem,
    /// Seconds after which it may ask again; 0 where nothing is said of it.
    pub seconds: i64,
    /// The refusal leaves no audit row: others of the same second do.
    pub silent: bool,
}

impl Refusal {
    /// The answer.
    pub fn reply(&self) -> Reply {
        let mut reply = Reply::problem(&self.problem);
        if self.seconds > 0 {
            reply.headers.push(("Retry-After", self.seconds.to_string()));
        }
        reply
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem, seconds: 0, silent: false }
    }
}

/// Runs `work` for as long as an answer may take to be made.
pub async fn in_time<T>(server: &Server, work: impl Future<Output = T>) -> Result<T, Problem> {
    let seconds = u64::try_from(server.settings.limits.request_seconds).unwrap_or(u64::MAX);
    tokio::time::timeout(Duration::from_secs(seconds), work).await.map_err(|_| {
        let text = format!(
            "The answer was not made within {seconds} seconds. Whether a change was carried out is not known: read before repeating it."
        );
        let issue = Issue::new(Severity::Error, IssueCode::Timeout, "", text);
        Problem::with_issues(Kind::Unavailable, vec![issue])
    })
}

/// How long the audit row of a refusal may take: where the database does not answer, the client has waited long enough.
const BRIEFLY: Duration = Duration::from_secs(5);

/// Runs the audit of a refusal for a short time.
pub async fn briefly(work: impl Future<Output = Result<(), Problem>>) -> Result<(), Problem> {
    let late = || Problem::new(Kind::Unavailable, "The server cannot record this access now. Try again later.");
    tokio::time::timeout(BRIEFLY, work).await.unwrap_or_else(|_| Err(late()))
}

/// All places are taken.
pub fn full(server: &Server) -> Refusal {
    let text = "The server works on as many requests as it can. Try again in a moment.";
    let silent = !server.throttle.without_place(server.clock.now());
    Refusal { silent, ..Refusal::from(Problem::new(Kind::Unavailable, text)) }
}

/// Writes an audit row that says how many requests were refused without a row of their own. Where it cannot be written, only the
/// metrics know of them.
pub async fn tell(server: &Server, sum: throttle::Sum) {
    for (count, kind) in [(sum.beyond_rate, Kind::TooManyRequests), (sum.without_place, Kind::Unavailable)] {
        let record = AuditRecord {
            recorded: server.clock.now(),
            interaction: "refused".to_owned(),
            status: kind.status(),
            request_id: server.clock.new_id(),
            query: format!("count={count}"),
            problems: vec![kind.issue_code().code().to_owned()],
            ..AuditRecord::default()
        };
        if count > 0
            && let Err(problem) = briefly(server.store.audit(record)).await
        {
            tracing::error!(count, %problem, "refused requests could not be summed up in the audit trail");
        }
    }
}

/// 429 where more requests come from one address than may.
pub fn rate_of_address(server: &Server, http: &HttpRequest) -> Result<(), Refusal> {
    let rate = server.settings.address_rate();
    if rate == 0 {
        return Ok(());
    }
    let address = inbound::address(server, http);
    server.throttle.address(&address, rate, server.clock.now()).map_err(|refusal| too_many("address", refusal))
}

/// 429 where a client sends more requests than it may.
pub fn rate_of_client(server: &Server, caller: &Caller) -> Result<(), Refusal> {
    let rate = server.settings.client_rate();
    if rate == 0 || caller.client.is_empty() {
        return Ok(());
    }
    server.throttle.client(&caller.client, rate, server.clock.now()).map_err(|refusal| too_many("client", refusal))
}

fn too_many(of: &str, refusal: throttle::Refusal) -> Refusal {
    let throttle::Refusal { seconds, first } = refusal;
    let text = format!("This {of} sends more requests than it may. Wait for {seconds} seconds.");
    Refusal { problem: Problem::new(Kind::TooManyRequests, text), seconds, silent: !first }
}
