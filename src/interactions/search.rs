//! search: `GET [base]/[type]?…` and `POST [base]/[type]/_search` (<https://hl7.org/fhir/R4/http.html#search>). Parses, runs the
//! statements of one page, brings what is to be included, audits which patients are disclosed, answers with a Bundle.

use super::inclusion;
use super::record::{Stamp, patients};
use super::reply::{Content, Reply};
use super::request::{Body, Request};
use super::searchset::{self, Answer};
use super::server::Server;
use super::url;
use crate::access::Grant;
use crate::interactions::format::BodyFormat;
use crate::problem::{Kind, Problem};
use crate::search::paging;
use crate::search::query::{self, Context, Handling, Query, Summary, Total};
use crate::search::sql::{self, FEW, Page, Position};
use crate::store::{AuditRecord, Found, Stored};

/// Matches on a page where the client does not say.
const PAGE: u32 = 50;
/// Most matches on a page.
const LARGEST_PAGE: u32 = 1000;

/// Carries out a search on one resource type.
pub async fn search(server: &Server, request: &Request, resource_type: &str, _grant: Grant) -> Result<Reply, Problem> {
    let parameters = parameters(request)?;
    let context = Context {
        registry: &server.parameters,
        base: &server.base,
        now: server.clock.now(),
        handling: if request.headers.strict { Handling::Strict } else { Handling::Lenient },
    };
    let query = query::parse(resource_type, &parameters, &context)?;
    let answer = if query.count == Some(0) || query.summary == Some(Summary::Count) {
        let total = server.store.count(&sql::count(&query, &[])).await?;
        Answer { total: Some(total), ..Answer::default() }
    } else {
        page(server, &query).await?
    };
    audit(server, request, &query, &answer).await?;
    let bytes = searchset::bundle(server, &query, &answer)?;
    Ok(Reply { issues: query.warnings, ..Reply::new(200, Content::Stored(bytes)) })
}

/// Parameters of the address, and of the form that POST brings.
fn parameters(request: &Request) -> Result<Vec<(String, String)>, Problem> {
    let mut parameters = request.query.clone();
    match &request.body {
        Body::None => {}
        Body::Bytes(bytes, BodyFormat::Form) => {
            let text = std::str::from_utf8(bytes)
                .map_err(|_| Problem::new(Kind::Invalid, "The form is not UTF-8.").at("http.body"))?;
            parameters.extend(url::query_pairs(text)?);
        }
        _ => {
            let text = "A search by POST takes a form: Content-Type application/x-www-form-urlencoded.";
            return Err(Problem::new(Kind::UnsupportedMediaType, text).at("http.content-type"));
        }
    }
    Ok(parameters)
}

async fn page(server: &Server, query: &Query) -> Result<Answer, Problem> {
    let fingerprint = paging::fingerprint(query);
    // The keyed function has no way to report that the library failed; an empty code opens nothing and seals nothing useful.
    let keyed = |message: &[u8]| server.seal.code(message).unwrap_or_default();
    let after = query.page.as_ref().map(|token| paging::open(token, &fingerprint, &keyed)).transpose()?;
    let limit = query.count.unwrap_or(PAGE).min(LARGEST_PAGE);
    let (matches, last) = matches(server, query, after.as_ref(), limit).await?;
    let total = total(server, query, after.is_none() && last.is_none(), matches.len()).await?;
    let (included, cut) = inclusion::included(server, query, &matches).await?;
    let next = last.map(|position| paging::seal(&position, &fingerprint, &keyed));
    Ok(Answer { matches, included, cut, total, next })
}

/// The matches of the page, and where it ends if there is another one.
async fn matches(
    server: &Server,
    query: &Query,
    after: Option<&Position>,
    limit: u32,
) -> Result<(Vec<Stored>, Option<Position>), Problem> {
    let mut few = false;
    if after.is_none()
        && let Some(estimate) = sql::estimate(query, &[])
    {
        few = server.store.count(&estimate).await? <= FEW;
    }
    let mut found: Vec<(usize, Found)> = Vec::new();
    // One more than the page holds shows whether there is a next one.
    for stage in sql::stages(&Page { query, restrictions: &[], few, after, limit: limit + 1 }) {
        if found.len() <= limit as usize {
            let rows = server.store.search(&stage.statement).await?;
            found.extend(rows.into_iter().map(|row| (stage.number, row)));
        }
    }
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let last = found.last().filter(|_| more).map(|(stage, row)| Position {
        stage: *stage,
        values: row.sort.clone(),
        key: row.stored.key,
    });
    Ok((found.into_iter().map(|(_, row)| row.stored).collect(), last))
}

/// The total where it is asked for, or where the only page shows it.
async fn total(server: &Server, query: &Query, only_page: bool, matches: usize) -> Result<Option<i64>, Problem> {
    match query.total {
        Some(Total::None) => Ok(None),
        _ if only_page => Ok(i64::try_from(matches).ok()),
        Some(Total::Accurate | Total::Estimate) => server.store.count(&sql::count(query, &[])).await.map(Some),
        None => Ok(None),
    }
}

/// Which patients' data the answer discloses, and by which search. The record is there before the answer is.
async fn audit(server: &Server, request: &Request, query: &Query, answer: &Answer) -> Result<(), Problem> {
    let disclosed = answer.matches.iter().chain(&answer.included).map(|stored| stored.patient.as_str());
    let record = AuditRecord {
        resource_type: query.resource_type.clone(),
        patients: patients(disclosed),
        query: searchset::query_string(&query.understood),
        ..Stamp::of(request, server.clock.now()).record("search-type", 200)
    };
    server.store.audit(record).await
}
