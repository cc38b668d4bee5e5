//! search: `GET [base]/[type]?…` and `POST [base]/[type]/_search`, and the same over all types and in compartments
//! (<https://hl7.org/fhir/R4/http.html#search>). Parses, runs the statements of one page, brings what is to be included, audits
//! which patients are disclosed, answers with a Bundle.

use super::inclusion;
use super::record::{Stamp, patients};
use super::reply::{Content, Reply};
use super::request::{Body, Request};
use super::scope::{self, Scope};
use super::searchset::{self, Answer};
use super::server::Server;
use super::url;
use crate::access::Grant;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::interactions::format::BodyFormat;
use crate::problem::{Kind, Problem};
use crate::search::paging;
use crate::search::query::fault;
use crate::search::query::{Context, Handling, Query, Restrictions, Summary, Total};
use crate::search::sql::{FEW, Page, Position, across};
use crate::store::{AuditRecord, Found, Stored};

/// Matches on a page where the client does not say.
const PAGE: u32 = 50;
/// Most matches on a page.
const LARGEST_PAGE: u32 = 1000;

/// A search as it was understood.
#[derive(Debug)]
pub struct Search {
    /// The address below the base, for links.
    pub path: String,
    /// One query for each resource type, at least one.
    queries: Vec<Query>,
}

impl Search {
    /// A search of `queries`, of which there must be one, at an address below the base.
    pub fn new(path: String, queries: Vec<Query>) -> Result<Self, Problem> {
        if queries.is_empty() {
            return Err(Problem::internal("a search without a resource type"));
        }
        Ok(Self { path, queries })
    }

    /// The query that stands for what all have in common: order, page size, inclusions, what was understood.
    #[must_use]
    pub fn common(&self) -> &Query {
        // `new` refuses an empty list.
        &self.queries[0]
    }
}

/// Carries out a search.
pub async fn search(server: &Server, request: &Request, scope: &Scope<'_>, grant: Grant) -> Result<Reply, Problem> {
    let parameters = parameters(request)?;
    let context = Context {
        registry: &server.parameters,
        base: &server.base,
        now: server.clock.now(),
        handling: if request.headers.strict { Handling::Strict } else { Handling::Lenient },
    };
    let restrictions = grant.restrictions();
    let queries = scope.queries(&parameters, &context)?;
    check_inclusions(scope, &queries)?;
    let queries = queries.into_iter().map(|query| restrictions.apply(query)).collect();
    if let Scope::Compartment { centre, id, .. } = scope {
        scope::living(server, centre, id).await?;
    }
    let mut search = Search::new(scope.path(), scope::in_use(server, queries).await?)?;
    limit_count(&mut search);
    let query = search.common();
    let answer = if query.count == Some(0) || query.summary == Some(Summary::Count) {
        let total = server.store.count(&across::count(&search.queries, &[])).await?;
        Answer { total: Some(total), ..Answer::default() }
    } else {
        page(server, &search, &restrictions).await?
    };
    audit(server, request, scope, query, &answer).await?;
    let bytes = searchset::bundle(server, &search.path, query, &answer)?;
    Ok(Reply { issues: query.warnings.clone(), ..Reply::new(200, Content::Stored(bytes)) })
}

/// An inclusion that starts where nothing is searched would bring nothing.
fn check_inclusions(scope: &Scope<'_>, queries: &[Query]) -> Result<(), Problem> {
    let types: Vec<&str> = queries.iter().map(|query| query.resource_type.as_str()).collect();
    let includes = queries.first().map_or(&[] as &[_], |query| query.includes.as_slice());
    if includes.iter().all(|include| include.starts_at(&types)) {
        return Ok(());
    }
    let searched = match scope.resource_type() {
        "" => "one of the types that are searched",
        name => name,
    };
    let text = format!("An inclusion starts at what is searched for, {searched}; for others write `_include:iterate`.");
    Err(Problem::new(Kind::Invalid, text).at("http.query._include"))
}

/// A page larger than the largest is cut, and the answer says so.
fn limit_count(search: &mut Search) {
    for query in search.queries.iter_mut().filter(|query| query.count.is_some_and(|count| count > LARGEST_PAGE)) {
        query.count = Some(LARGEST_PAGE);
        for (_, value) in query.understood.iter_mut().filter(|(name, _)| name == "_count") {
            *value = LARGEST_PAGE.to_string();
        }
        let text = format!("A page has at most {LARGEST_PAGE} matches; `_count` was taken as that.");
        let issue = Issue::new(Severity::Warning, IssueCode::TooCostly, "search-count", text);
        query.warnings.push(issue.at(fault::place("_count")));
    }
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

async fn page(server: &Server, search: &Search, restrictions: &Restrictions) -> Result<Answer, Problem> {
    let query = search.common();
    let fingerprint = format!("{} {}", search.path, paging::fingerprint(query));
    // The keyed function has no way to report that the library failed; an empty code opens nothing and seals nothing useful.
    let keyed = |message: &[u8]| server.seal.code(message).unwrap_or_default();
    let after = query.page.as_ref().map(|token| paging::open(token, &fingerprint, &keyed)).transpose()?;
    let limit = query.count.unwrap_or(PAGE).min(LARGEST_PAGE);
    let (matches, last) = matches(server, &search.queries, after.as_ref(), limit).await?;
    let total = total(server, &search.queries, after.is_none() && last.is_none(), matches.len()).await?;
    let included = inclusion::included(server, &query.includes, &matches, restrictions).await?;
    let next = last.map(|position| paging::seal(&position, &fingerprint, &keyed));
    Ok(Answer { matches, included: included.resources, cut: included.cut, total, next })
}

/// The matches of the page, and where it ends if there is another one.
async fn matches(
    server: &Server,
    queries: &[Query],
    after: Option<&Position>,
    limit: u32,
) -> Result<(Vec<Stored>, Option<Position>), Problem> {
    let mut few = false;
    if after.is_none()
        && let Some(estimate) = across::estimate(queries, &[])
    {
        few = server.store.count(&estimate).await? <= FEW;
    }
    // One more than the page holds shows whether there is a next one.
    let page = |query| Page { query, restrictions: &[], few, after, limit: limit + 1 };
    let pages: Vec<Page<'_>> = queries.iter().map(page).collect();
    let mut found: Vec<(usize, Found)> = Vec::new();
    for stage in across::stages(&pages) {
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
async fn total(server: &Server, queries: &[Query], only_page: bool, matches: usize) -> Result<Option<i64>, Problem> {
    match queries.first().and_then(|query| query.total) {
        Some(Total::None) => Ok(None),
        _ if only_page => Ok(i64::try_from(matches).ok()),
        Some(Total::Accurate | Total::Estimate) => server.store.count(&across::count(queries, &[])).await.map(Some),
        None => Ok(None),
    }
}

/// Which patients' data the answer discloses, and by which search. The record is there before the answer is.
async fn audit(
    server: &Server,
    request: &Request,
    scope: &Scope<'_>,
    query: &Query,
    answer: &Answer,
) -> Result<(), Problem> {
    let disclosed = answer.matches.iter().chain(&answer.included).map(|stored| stored.patient.as_str());
    let parameters = searchset::query_string(&query.understood);
    let (interaction, asked) = match scope {
        Scope::System => ("search-system", parameters),
        Scope::Type(_) => ("search-type", parameters),
        Scope::Compartment { .. } => ("search-type", format!("{}?{parameters}", scope.path())),
    };
    let record = AuditRecord {
        resource_type: scope.resource_type().to_owned(),
        patients: patients(disclosed),
        query: asked,
        ..Stamp::of(request, server.clock.now()).record(interaction, 200)
    };
    server.store.audit(record).await
}
