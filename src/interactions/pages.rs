//! A search as it was understood, and one page of it: the matches of all its types, what comes with them, the total where it is
//! wanted, and the ways to the pages around it. Called by the search interaction and `$everything`.

use std::sync::Arc;

use super::inclusion;
use super::searchset::Answer;
use super::server::Server;
use super::visible;
use crate::access::Caller;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::problem::Problem;
use crate::search::paging;
use crate::search::query::{Query, Restrictions, Summary, Total, fault};
use crate::search::sql::{Dependence, FEW, Page, Position, across};
use crate::store::{Found, Stored};

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
        let mut search = Self { path, queries };
        search.limit_count();
        Ok(search)
    }

    /// The query that stands for what all have in common: order, page size, inclusions, what was understood.
    #[must_use]
    pub fn common(&self) -> &Query {
        // `new` refuses an empty list.
        &self.queries[0]
    }

    /// True where only the number of matches is asked for.
    #[must_use]
    pub fn counts_only(&self) -> bool {
        self.common().count == Some(0) || self.common().summary == Some(Summary::Count)
    }

    /// The most matches on a page.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.common().count.unwrap_or(PAGE).min(LARGEST_PAGE)
    }

    /// Where the page before ended, or the page after began; none for the first page. 400 where the paging link belongs to another search.
    pub fn after(&self, server: &Server) -> Result<Option<Position>, Problem> {
        let keyed = |message: &[u8]| keyed(server, message);
        let token = self.common().page.as_ref();
        token.map(|token| paging::open(token, &self.fingerprint(), &keyed)).transpose()
    }

    /// The token of the page after a position, or before it.
    #[must_use]
    pub fn token(&self, server: &Server, position: &Position) -> String {
        paging::seal(position, &self.fingerprint(), &|message: &[u8]| keyed(server, message))
    }

    fn fingerprint(&self) -> String {
        format!("{} {}", self.path, paging::fingerprint(self.common()))
    }

    /// A page larger than the largest is cut, and the answer says so.
    fn limit_count(&mut self) {
        for query in self.queries.iter_mut().filter(|query| query.count.is_some_and(|count| count > LARGEST_PAGE)) {
            query.count = Some(LARGEST_PAGE);
            for (_, value) in query.understood.iter_mut().filter(|(name, _)| name == "_count") {
                *value = LARGEST_PAGE.to_string();
            }
            let text = format!("A page has at most {LARGEST_PAGE} matches; `_count` was taken as that.");
            let issue = Issue::new(Severity::Warning, IssueCode::TooCostly, "search-count", text);
            query.warnings.push(issue.at(fault::place("_count")));
        }
    }
}

/// The keyed function that seals paging tokens. It has no way to report that the library failed; an empty code opens nothing and
/// seals nothing useful.
fn keyed(server: &Server, message: &[u8]) -> Vec<u8> {
    server.seal.code(message).unwrap_or_default()
}

/// What is answered: the total, or a page.
pub async fn answer(
    server: &Server,
    caller: &Caller,
    search: &Search,
    restrictions: &Restrictions,
) -> Result<Answer, Problem> {
    let query = search.common();
    if search.counts_only() {
        let total = server.store.count(&across::count(&search.queries)).await?;
        return Ok(Answer { total: Some(total), ..Answer::default() });
    }
    let after = search.after(server)?;
    let Matches { rows: matches, before, after: later } =
        matches(server, &search.queries, after.as_ref(), search.limit()).await?;
    let total = total(server, &search.queries, after.is_none() && later.is_none(), matches.len()).await?;
    let included = inclusion::included(server, &query.includes, &matches, restrictions).await?;
    let token = |position: Option<Position>| position.map(|position| search.token(server, &position));
    let (previous, next) = (token(before), token(later));
    let (matches, resources) = (visible::all(caller, matches)?, visible::all(caller, included.resources)?);
    Ok(Answer { matches, included: resources, cut: included.cut, total, previous, next })
}

/// The matches of a page, and where the pages around it end and begin, if there are any.
struct Matches {
    rows: Vec<Arc<Stored>>,
    before: Option<Position>,
    after: Option<Position>,
}

/// The matches of the page that begins or ends at a position.
async fn matches(
    server: &Server,
    queries: &[Query],
    position: Option<&Position>,
    limit: u32,
) -> Result<Matches, Problem> {
    let mut few = false;
    if position.is_none()
        && let Some(estimate) = across::estimate(queries)
    {
        few = server.store.estimate(&estimate).await? <= FEW;
    }
    // One more than the page holds shows whether there is another one.
    let page = |query| Page { query, few, after: position, limit: limit + 1 };
    let pages: Vec<Page<'_>> = queries.iter().map(page).collect();
    let dependence = match queries {
        [query] => Dependence::of(query),
        _ => Dependence::Everything,
    };
    let mut found: Vec<(usize, Found)> = Vec::new();
    for stage in across::stages(&pages) {
        if found.len() <= limit as usize {
            let rows = server.store.page(&stage.statement, &dependence).await?;
            found.extend(rows.iter().map(|row| (stage.number, row.clone())));
        }
    }
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let backwards = position.is_some_and(|position| position.backwards);
    if backwards {
        found.reverse();
    }
    // A page that was come to from one side has that side's page next to it.
    let (is_before, is_after) = if backwards { (more, true) } else { (position.is_some(), more) };
    let end = |row: Option<&(usize, Found)>, backwards| row.map(|(stage, row)| at(*stage, row, backwards));
    let before = end(found.first().filter(|_| is_before), true);
    let after = end(found.last().filter(|_| is_after), false);
    Ok(Matches { rows: found.into_iter().map(|(_, row)| row.stored).collect(), before, after })
}

fn at(stage: usize, row: &Found, backwards: bool) -> Position {
    Position { stage, values: row.sort.clone(), key: row.stored.key, backwards }
}

/// The total where it is asked for, or where the only page shows it.
async fn total(server: &Server, queries: &[Query], only_page: bool, matches: usize) -> Result<Option<i64>, Problem> {
    match queries.first().and_then(|query| query.total) {
        Some(Total::None) => Ok(None),
        _ if only_page => Ok(i64::try_from(matches).ok()),
        Some(Total::Accurate | Total::Estimate) => server.store.count(&across::count(queries)).await.map(Some),
        None => Ok(None),
    }
}
