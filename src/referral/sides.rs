//! Which sides of a referral the caller is on. Where the caller's organisation is not known (open access), it may be any.

use super::Change;
use super::lifecycle::Side;
use super::lookup::Loaded;
use super::parties::{Organisation, organisation};

/// The caller's sides; all of them under open access.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides {
    /// Belongs to the requester.
    pub(super) requester: bool,
    /// Belongs to the owner, or makes itself the owner of what has none.
    pub(super) owner: bool,
    last_author: bool,
}

impl Sides {
    /// Finds out, asking `loaded` for the organisations behind requester and owner.
    pub(super) fn of(change: &Change<'_>, loaded: &Loaded) -> Self {
        let Some(caller) = &change.actor.organisation else {
            return Self { requester: true, owner: true, last_author: true };
        };
        let is = |name: &str| {
            let current = change.before.and_then(|before| before.get(name)).or_else(|| change.after.get(name));
            caller.is(&organisation(current, loaded))
        };
        let barred = change.actor.barred;
        let requester = barred != Some(Side::Requester) && is("requester");
        let owner = barred != Some(Side::Owner) && is("owner");
        let last_author = change.last_author.map_or(requester || owner, |author: &Organisation| caller.is(author));
        Self { requester, owner, last_author }
    }

    /// True where the caller may act as `side`.
    pub(super) const fn may(self, side: Side) -> bool {
        match side {
            Side::Requester => self.requester,
            Side::Owner => self.owner,
            Side::Either => self.requester || self.owner,
            Side::LastAuthor => self.last_author,
        }
    }
}
