//! Where the versions of a history come from: for most callers straight from the store, for a caller with limits from the resources
//! that it sees, without the versions that a label of theirs hides from it. Neither page nor total tells that there are any others.

use std::sync::Arc;

use crate::access::{Caller, Limits};
use crate::interactions::server::Server;
use crate::interactions::visible;
use crate::problem::Problem;
use crate::search::sql::{Statement, identities};
use crate::store::{HistoryOf, HistoryPage, Part, Past};

/// Versions that are looked at at once to find those that a label hides.
const AT_ONCE: i64 = 200;

/// A history as one caller sees it.
#[derive(Debug)]
pub(super) struct Source<'a> {
    server: &'a Server,
    caller: &'a Caller,
    of: HistoryOf<'a>,
    /// Limits, and the keys of what is seen within them; none for a caller who sees everything.
    seen: Option<(Arc<Limits>, Statement)>,
}

impl<'a> Source<'a> {
    pub(super) async fn new(server: &'a Server, caller: &'a Caller, of: HistoryOf<'a>) -> Result<Self, Problem> {
        let limits = match of {
            HistoryOf::Instance { resource_type, .. } | HistoryOf::Type(resource_type) => {
                caller.limits_on(resource_type)?
            }
            HistoryOf::System => caller.limits()?,
        };
        let seen = match limits {
            Some(limits) => {
                let keys = keys(server, &limits, of).await?;
                Some((limits, keys))
            }
            None => None,
        };
        Ok(Self { server, caller, of, seen })
    }

    /// The versions of a page, newest first.
    pub(super) async fn versions(&self, page: &HistoryPage) -> Result<Vec<Past>, Problem> {
        let Some((_, keys)) = &self.seen else { return self.server.store.history(self.of, page).await };
        let wanted = usize::try_from(page.count).unwrap_or(usize::MAX);
        let (mut shown, mut rest) = (Vec::new(), *page);
        loop {
            let found = self.server.store.seen_history(keys, Part::All, &rest).await?;
            let (last, more) = (end(&found), found.len() >= wanted);
            shown.extend(visible::versions(self.caller, found)?);
            if !more || shown.len() >= wanted {
                shown.truncate(wanted);
                return Ok(shown);
            }
            rest.after = last;
        }
    }

    /// How many versions all pages have.
    pub(super) async fn count(&self, page: &HistoryPage) -> Result<i64, Problem> {
        let Some((limits, keys)) = &self.seen else { return self.server.store.history_count(self.of, page).await };
        let all = self.server.store.seen_history_count(keys, page).await?;
        let hidden = if limits.hides_something() { self.hidden(keys, page).await? } else { 0 };
        Ok(all - hidden)
    }

    /// How many of them a label hides.
    async fn hidden(&self, keys: &Statement, page: &HistoryPage) -> Result<i64, Problem> {
        let (mut hidden, mut rest) = (0, HistoryPage { after: None, count: AT_ONCE, ..*page });
        loop {
            let found = self.server.store.seen_history(keys, Part::Labelled, &rest).await?;
            let (last, looked_at) = (end(&found), count(&found));
            hidden += looked_at - count(&visible::versions(self.caller, found)?);
            if looked_at < AT_ONCE {
                return Ok(hidden);
            }
            rest.after = last;
        }
    }
}

async fn keys(server: &Server, limits: &Limits, of: HistoryOf<'_>) -> Result<Statement, Problem> {
    match of {
        HistoryOf::Instance { resource_type, id } => {
            let wanted = [(resource_type.to_owned(), id.to_owned())];
            Ok(identities(&wanted, &limits.seen, 1).unwrap_or_default())
        }
        HistoryOf::Type(resource_type) => visible::keys(server, limits, Some(resource_type)).await,
        HistoryOf::System => visible::keys(server, limits, None).await,
    }
}

/// Where the next page of versions begins.
fn end(versions: &[Past]) -> Option<(crate::clock::Micros, i64)> {
    versions.last().map(|past| (past.stored.last_updated, past.stored.sequence))
}

fn count(versions: &[Past]) -> i64 {
    i64::try_from(versions.len()).unwrap_or(i64::MAX)
}
