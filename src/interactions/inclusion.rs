//! `_include` and `_revinclude`: brings further resources with the matches of a page
//! (<https://hl7.org/fhir/R4/search.html#revinclude>). Each comes once, none that matches anyway, no more than a bound; each
//! round is one statement.

use std::sync::Arc;

use super::server::Server;
use crate::problem::Problem;
use crate::search::query::{Include, Restrictions};
use crate::search::sql::{Round, include};
use crate::store::Stored;

/// The most resources that are brought with one page.
const MOST: usize = 1000;
/// How often inclusions that iterate go one step further.
const DEEPEST: usize = 8;

/// What comes with the matches of a page.
#[derive(Debug, Default)]
pub struct Included {
    /// The resources, each once.
    pub resources: Vec<Arc<Stored>>,
    /// Something was left out: there are too many, or they lie too deep.
    pub cut: bool,
}

/// What `includes` bring for `matches`.
pub async fn included(
    server: &Server,
    includes: &[Include],
    matches: &[Arc<Stored>],
    restrictions: &Restrictions,
) -> Result<Included, Problem> {
    let mut answer = Included::default();
    let mut known: Vec<i64> = matches.iter().map(|stored| stored.key).collect();
    let mut seeds = known.clone();
    for depth in 0..=DEEPEST {
        let followed: Vec<&Include> = includes.iter().filter(|include| depth == 0 || include.iterate).collect();
        let room = MOST - answer.resources.len();
        let limit = u32::try_from(room + 1).unwrap_or(u32::MAX);
        let round = Round { seeds: &seeds, known: &known, restrictions, limit };
        let Some(statement) = include(&followed, &round) else { break };
        let found = server.store.search(&statement).await?;
        answer.cut = found.len() > room || (depth == DEEPEST && !found.is_empty());
        if found.is_empty() || depth == DEEPEST {
            break;
        }
        seeds = found.iter().map(|found| found.stored.key).take(room).collect();
        known.extend(&seeds);
        answer.resources.extend(found.iter().map(|found| Arc::clone(&found.stored)).take(room));
        if answer.cut {
            break;
        }
    }
    Ok(answer)
}
