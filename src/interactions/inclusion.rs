//! `_include` and `_revinclude`: brings further resources with the matches of a page
//! (<https://hl7.org/fhir/R4/search.html#revinclude>). Each comes once, none that matches anyway, no more than a bound.

use std::collections::HashSet;

use super::server::Server;
use crate::problem::Problem;
use crate::search::query::{Include, Query};
use crate::search::sql::include::{MOST_SEEDS, include};
use crate::search::sql::{Seed, Statement};
use crate::store::Stored;

/// The most resources that are brought with one page.
const MOST: usize = 1000;
/// How often inclusions that iterate go one step further.
const DEEPEST: usize = 8;

/// What the inclusions of `query` bring for `matches`, and whether something was left out because of the bound.
pub async fn included(server: &Server, query: &Query, matches: &[Stored]) -> Result<(Vec<Stored>, bool), Problem> {
    let mut bringing =
        Bringing { server, known: matches.iter().map(|stored| stored.key).collect(), brought: Vec::new() };
    let mut seeds = seeds(matches);
    let mut begun = 0;
    for depth in 0..DEEPEST {
        for inclusion in query.includes.iter().filter(|inclusion| depth == 0 || inclusion.iterate) {
            bringing.follow(inclusion, &seeds).await?;
        }
        seeds = self::seeds(bringing.brought.get(begun..).unwrap_or_default());
        begun = bringing.brought.len();
        if seeds.is_empty() || bringing.is_full() {
            break;
        }
    }
    let cut = bringing.is_full();
    bringing.brought.truncate(MOST);
    Ok((bringing.brought, cut))
}

struct Bringing<'a> {
    server: &'a Server,
    known: HashSet<i64>,
    brought: Vec<Stored>,
}

impl Bringing<'_> {
    fn is_full(&self) -> bool {
        self.brought.len() > MOST
    }

    async fn follow(&mut self, inclusion: &Include, seeds: &[Seed]) -> Result<(), Problem> {
        let limit = u32::try_from(MOST + 1).unwrap_or(u32::MAX);
        let statements: Vec<Statement> =
            seeds.chunks(MOST_SEEDS).filter_map(|chunk| include(inclusion, chunk, &[], limit)).collect();
        for statement in statements {
            for found in self.server.store.search(&statement).await? {
                if self.known.insert(found.stored.key) {
                    self.brought.push(found.stored);
                }
            }
        }
        Ok(())
    }
}

fn seeds(resources: &[Stored]) -> Vec<Seed> {
    let seed =
        |stored: &Stored| Seed { key: stored.key, resource_type: stored.resource_type.clone(), id: stored.id.clone() };
    resources.iter().map(seed).collect()
}
