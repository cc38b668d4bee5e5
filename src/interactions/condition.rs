//! Search criteria inside a write: conditional create and conditional references. The search runs in the write's own
//! transaction, behind a lock on the criteria, so that two equal requests cannot both find nothing.

use super::server::Server;
use crate::problem::{Kind, Problem};
use crate::search::query::{self, Context, Handling};
use crate::search::sql::{self, Page, Statement};
use crate::store::{Stored, Tx};

/// Criteria ready to be run.
#[derive(Debug, Clone)]
pub struct Condition {
    /// What the lock is taken on: type and criteria as written.
    lock: String,
    lookup: Criteria,
}

/// What criteria found.
#[derive(Debug)]
pub enum Match {
    /// Nothing.
    None,
    /// Exactly one.
    One(Stored),
}

/// Reads criteria such as `identifier=https://…|123`. 400 where they are not understood in full: a condition that ignored
/// a part would match the wrong resource.
pub fn parse(server: &Server, resource_type: &str, criteria: &str) -> Result<Condition, Problem> {
    let text = criteria.split_once('?').map_or(criteria, |(_, rest)| rest);
    let pairs = super::url::query_pairs(text)?;
    if pairs.is_empty() {
        return Err(Problem::new(Kind::Invalid, "The criteria are empty; name at least one search parameter.")
            .at("http.if-none-exist"));
    }
    let lookup = Criteria::new(server, resource_type, pairs, 2)?;
    Ok(Condition { lock: format!("{resource_type}?{text}"), lookup })
}

/// Runs the criteria. 412 where more than one resource matches.
pub async fn find(tx: &mut Tx, condition: &Condition) -> Result<Match, Problem> {
    tx.lock(&condition.lock).await?;
    let mut found = condition.lookup.search(tx).await?;
    match (found.pop(), found.is_empty()) {
        (None, _) => Ok(Match::None),
        (Some(stored), true) => Ok(Match::One(stored)),
        (Some(_), false) => Err(Problem::new(
            Kind::PreconditionFailed,
            "More than one resource matches the criteria. Make them more precise.",
        )),
    }
}

/// Search criteria with the statements that find what matches them.
#[derive(Debug, Clone)]
pub struct Criteria {
    resource_type: String,
    pairs: Vec<(String, String)>,
    statements: Vec<Statement>,
}

impl Criteria {
    /// Reads decoded criteria, of which at most `limit` matches are wanted. 400 where one is not understood.
    pub fn new(
        server: &Server,
        resource_type: &str,
        pairs: Vec<(String, String)>,
        limit: u32,
    ) -> Result<Self, Problem> {
        let context = Context {
            registry: &server.parameters,
            base: &server.base,
            now: server.clock.now(),
            handling: Handling::Strict,
        };
        let query = query::parse(resource_type, &pairs, &context)?;
        let page = Page { query: &query, restrictions: &[], few: true, after: None, limit };
        let statements = sql::stages(&page).into_iter().map(|stage| stage.statement).collect();
        Ok(Self { resource_type: resource_type.to_owned(), pairs, statements })
    }

    /// Runs the statements inside a transaction; they see what it has written.
    pub async fn search(&self, tx: &mut Tx) -> Result<Vec<Stored>, Problem> {
        let mut all = Vec::new();
        for statement in &self.statements {
            let found = tx.search_by(statement, &self.resource_type, &self.pairs).await?;
            all.extend(found.into_iter().map(|found| found.stored));
        }
        Ok(all)
    }
}
