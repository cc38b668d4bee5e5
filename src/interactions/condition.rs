//! Search criteria inside a write: conditional create, update, patch and delete, and conditional references
//! (<https://hl7.org/fhir/R4/http.html#cond-update>). The search runs in the write's own transaction, behind a lock on the
//! criteria, so that two equal requests cannot both find nothing.

use std::sync::Arc;

use super::draft::Draft;
use super::patch;
use super::precondition::Precondition;
use super::server::Server;
use super::visible;
use super::write::Change;
use crate::access::Caller;
use crate::config::ConditionalDelete;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::problem::{Kind, Problem};
use crate::search::query::{self, Context, Handling, Query, Restrictions};
use crate::search::sql::{self, Page, Statement};
use crate::store::{Found, Stored, Tx};

/// Most resources that one conditional delete removes.
const MOST_DELETED: u32 = 1000;

/// Criteria ready to be run.
#[derive(Debug, Clone)]
pub struct Condition {
    /// What the lock is taken on: type and criteria.
    lock: String,
    lookup: Criteria,
    /// The content of a conditional update names its id.
    pub id_given: bool,
    /// The caller does not see everything of the type.
    limited: bool,
}

/// What is to be done once the criteria have been searched for.
#[derive(Debug)]
pub enum Settled {
    /// A conditional create found a resource; it stays as it is.
    Unchanged(Box<Stored>),
    /// The change is carried out as it stands.
    AsPlanned,
    /// These changes instead; none where nothing matches a conditional delete.
    Changes(Vec<Change>),
}

/// Reads criteria as If-None-Exist has them, such as `identifier=https://…|123`. See [`of`].
pub fn parse(
    server: &Server,
    caller: &Caller,
    resource_type: &str,
    criteria: &str,
    place: &str,
) -> Result<Condition, Problem> {
    let text = match criteria.split_once('?') {
        Some((name, rest)) if name.is_empty() || name.trim_end_matches('/') == resource_type => rest,
        Some(_) => return Err(wrong("The criteria are of another resource type than what is to be stored.", place)),
        None => criteria,
    };
    of(server, caller, resource_type, super::url::query_pairs(text)?, place)
}

/// Makes a condition of decoded search parameters. 400 where they are not understood in full: a condition that ignored a
/// part would match the wrong resource.
pub fn of(
    server: &Server,
    caller: &Caller,
    resource_type: &str,
    mut pairs: Vec<(String, String)>,
    place: &str,
) -> Result<Condition, Problem> {
    pairs.retain(|(name, _)| !matches!(name.as_str(), "_format" | "_pretty"));
    pairs.sort();
    pairs.dedup();
    if pairs.is_empty() {
        return Err(wrong("The criteria are empty; name at least one search parameter.", place));
    }
    if pairs.iter().any(|(_, value)| value.is_empty()) {
        return Err(wrong("A criterion has no value; leave it out or give it one.", place));
    }
    let mut lock = resource_type.to_owned();
    for (name, value) in &pairs {
        lock.extend(["&", name, "=", value]);
    }
    let limits = caller.limits()?;
    // Writing a type is enough to ask of it what its criteria ask; whatever else they go through must be in reach.
    let (reach, seen) = (caller.reach(), caller.visibility().restrictions());
    let restrictions =
        if Arc::ptr_eq(&reach, &seen) { seen } else { Arc::new((*reach).clone().with(resource_type, &seen)) };
    let lookup = Criteria::new(server, resource_type, pairs, MOST_DELETED + 1, &restrictions)?;
    visible::check_query(caller, &lookup.asked)?;
    let limited = limits.is_some_and(|limits| limits.limit(resource_type));
    Ok(Condition { lock, lookup, id_given: false, limited })
}

fn wrong(text: &str, place: &str) -> Problem {
    Problem::new(Kind::Invalid, text).at(place)
}

impl Condition {
    /// What keeps two writes with these criteria apart.
    #[must_use]
    pub fn lock(&self) -> &str {
        &self.lock
    }

    /// Runs the criteria outside a transaction, to prepare a write that runs them again.
    pub async fn preview(&self, server: &Server) -> Result<Vec<Stored>, Problem> {
        self.lookup.preview(server).await
    }

    /// Runs the criteria; they see what the transaction has written. The caller holds the lock.
    pub async fn matches(&self, tx: &mut Tx) -> Result<Vec<Stored>, Problem> {
        self.lookup.search(tx).await
    }
}

/// The only match, if there is one. 412 where there are several.
pub fn only(mut found: Vec<Stored>) -> Result<Option<Stored>, Problem> {
    let first = found.pop();
    if found.is_empty() { Ok(first) } else { Err(several("Make them more precise.")) }
}

fn several(help: &str) -> Problem {
    let text = format!("More than one resource matches the criteria. {help}");
    let issue = Issue::new(Severity::Error, IssueCode::MultipleMatches, "conditional-multiple", text);
    Problem::with_issues(Kind::PreconditionFailed, vec![issue])
}

/// Runs the criteria of a change, and says what it comes to. The caller holds the lock.
pub async fn settle(server: &Server, tx: &mut Tx, change: &Change, condition: &Condition) -> Result<Settled, Problem> {
    let found = condition.matches(tx).await?;
    match change {
        Change::Create(_) => Ok(match only(found)? {
            Some(stored) => Settled::Unchanged(Box::new(stored)),
            None => Settled::AsPlanned,
        }),
        Change::Update { draft, patched: Some(_), .. } => match only(found)? {
            Some(stored) if stored.id == draft.id => Ok(Settled::AsPlanned),
            _ => Err(patch::stale()),
        },
        Change::Update { draft, precondition, .. } => update(server, tx, draft, precondition, condition, found).await,
        Change::Delete { precondition, .. } => delete(server, precondition, found),
    }
}

async fn update(
    server: &Server,
    tx: &mut Tx,
    draft: &Draft,
    precondition: &Precondition,
    &Condition { id_given, limited, .. }: &Condition,
    found: Vec<Stored>,
) -> Result<Settled, Problem> {
    let draft = match only(found)? {
        Some(stored) if stored.id == draft.id => return Ok(Settled::AsPlanned),
        Some(stored) if !id_given => draft.under(server, stored.id)?,
        Some(_) => {
            return Err(wrong(
                "The id in the body is not that of the resource which the criteria match.",
                &format!("{}.id", draft.resource_type),
            ));
        }
        // Ids are the server's to give; whether somebody else has the one in the body is not said.
        None if limited && id_given => return Ok(Settled::AsPlanned),
        None if limited => {
            precondition.check(None)?;
            return Ok(Settled::Changes(vec![Change::Create(draft.clone())]));
        }
        None if id_given && tx.read(&draft.resource_type, &draft.id).await?.is_some_and(|stored| !stored.deleted) => {
            let text = "Nothing matches the criteria, and the id in the body is that of another resource.";
            return Err(Problem::new(Kind::Conflict, text).at(format!("{}.id", draft.resource_type)));
        }
        None => return Ok(Settled::AsPlanned),
    };
    Ok(Settled::Changes(vec![Change::Update { draft, precondition: precondition.clone(), patched: None }]))
}

fn delete(server: &Server, precondition: &Precondition, found: Vec<Stored>) -> Result<Settled, Problem> {
    let single = server.settings.conditional_delete == ConditionalDelete::Single;
    if single && found.len() > 1 {
        return Err(several("This server deletes one resource at a time: make them more precise."));
    }
    if found.len() > MOST_DELETED as usize {
        return Err(several(&format!("At most {MOST_DELETED} can be deleted at once: make them more precise.")));
    }
    let delete = |stored: Stored| Change::Delete {
        resource_type: stored.resource_type,
        id: stored.id,
        precondition: precondition.clone(),
    };
    Ok(Settled::Changes(found.into_iter().map(delete).collect()))
}

/// Search criteria with the statements that find what matches them.
#[derive(Debug, Clone)]
pub struct Criteria {
    resource_type: String,
    pairs: Vec<(String, String)>,
    /// As it was asked, before restrictions.
    asked: Query,
    statements: Vec<Statement>,
    limited: bool,
}

impl Criteria {
    /// Reads decoded criteria, of which at most `limit` matches that the restrictions let through are wanted. 400 where one is not
    /// understood.
    pub fn new(
        server: &Server,
        resource_type: &str,
        pairs: Vec<(String, String)>,
        limit: u32,
        restrictions: &Restrictions,
    ) -> Result<Self, Problem> {
        let context = Context {
            registry: &server.parameters,
            base: &server.base,
            now: server.clock.now(),
            handling: Handling::Strict,
        };
        let asked = query::parse(resource_type, &pairs, &context)?;
        refuse_settings(&asked)?;
        let query = restrictions.apply(asked.clone());
        let page = Page { query: &query, few: true, after: None, limit };
        let statements = sql::stages(&page).into_iter().map(|stage| stage.statement).collect();
        let limited = !restrictions.is_none();
        Ok(Self { resource_type: resource_type.to_owned(), pairs, asked, statements, limited })
    }

    /// Runs the statements outside a transaction.
    pub async fn preview(&self, server: &Server) -> Result<Vec<Stored>, Problem> {
        let mut all = Vec::new();
        for statement in &self.statements {
            all.extend(server.store.search(statement).await?.into_iter().map(Found::into_stored));
        }
        Ok(all)
    }

    /// Runs the statements inside a transaction; they see what it has written.
    pub async fn search(&self, tx: &mut Tx) -> Result<Vec<Stored>, Problem> {
        let mut all = Vec::new();
        for statement in &self.statements {
            // What restricts may have been written a moment ago by another job, whatever the criteria say.
            let found = if self.limited {
                tx.search(statement).await?
            } else {
                tx.search_by(statement, &self.resource_type, &self.pairs).await?
            };
            all.extend(found.into_iter().map(Found::into_stored));
        }
        Ok(all)
    }
}

/// 400 for parameters that shape an answer: there is none to be shaped.
fn refuse_settings(query: &Query) -> Result<(), Problem> {
    let plain = query.sort.is_empty()
        && query.count.is_none()
        && query.total.is_none()
        && query.summary.is_none()
        && query.elements.is_empty()
        && query.includes.is_empty()
        && query.page.is_none();
    if plain && !query.conditions.is_empty() {
        return Ok(());
    }
    let text = "Criteria choose resources; parameters such as _count, _sort or _include do not belong here.";
    Err(Problem::new(Kind::Invalid, text).at("http.query"))
}
