//! The entries of a large Bundle, divided among threads. Each thread walks a stretch of entries with a copy of the run's
//! state; what they find is put together in the order of the entries, so the result is that of one thread.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::validate::schema::{Element, Name};

use super::object::Items;
use super::{Place, Range, Run};

/// So many entries make it worth while.
const ENTRIES: usize = 32;

/// Threads that help at this moment, in the whole process.
static HELPERS: AtomicUsize = AtomicUsize::new(0);

/// Threads that were taken from those that may help; given back when dropped.
struct Helpers(usize);

impl Helpers {
    /// At most one fewer than there are cores, over all validations of the process.
    fn take(wanted: usize) -> Self {
        let most = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) - 1;
        let mut taken = 0;
        let take = |busy: usize| {
            taken = wanted.min(most.saturating_sub(busy));
            Some(busy + taken)
        };
        let _ = HELPERS.fetch_update(Ordering::AcqRel, Ordering::Acquire, take);
        Self(taken)
    }
}

impl Drop for Helpers {
    fn drop(&mut self) {
        HELPERS.fetch_sub(self.0, Ordering::AcqRel);
    }
}

impl<'v, 'a> Run<'v, 'a> {
    /// Whether the occurrences of an element are divided: many entries of the Bundle that is validated.
    pub(super) fn divides(&self, element: &Element, items: Items<'a>, place: Place<'_, 'a>) -> bool {
        let is_entry = || element.id == "Bundle.entry" && place.path.depth() == 2;
        self.parallel && items.len() >= ENTRIES && is_entry()
    }

    /// Checks the occurrences on this thread and those that may help.
    pub(super) fn divided(
        &mut self,
        name: &'v Name,
        element: &'v Element,
        items: Items<'a>,
        nodes: Range,
        base: usize,
        place: Place<'_, 'a>,
    ) {
        let helpers = Helpers::take(items.len() / ENTRIES);
        let stretch = items.len().div_ceil(helpers.0 + 1);
        let mut starts = (0..items.len()).step_by(stretch);
        let own = starts.next().unwrap_or(0);
        let end = |start: usize| items.len().min(start + stretch);
        std::thread::scope(|scope| {
            let started: Vec<_> = starts
                .map(|start| {
                    let mut run = self.fork();
                    scope.spawn(move || {
                        run.occurrences(name, element, items, start..end(start), (nodes, base), place);
                        run.issues
                    })
                })
                .collect();
            self.occurrences(name, element, items, own..end(own), (nodes, base), place);
            for thread in started {
                match thread.join() {
                    Ok(issues) => self.issues.extend(issues),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
    }

    /// The same state with nothing found yet.
    fn fork(&self) -> Self {
        Self {
            validator: self.validator,
            issues: Vec::new(),
            overlays: self.overlays.clone(),
            assigned: self.assigned.clone(),
            profiles: Vec::new(),
            by_type: self.by_type,
            bundle: self.bundle.clone(),
            trial: self.trial,
            now: self.now,
            spent: AtomicU64::new(self.spent.load(Ordering::Relaxed)),
            parallel: false,
            issues_before: 0,
            suggests_urls: self.suggests_urls,
            must_support: self.must_support,
            depth: self.depth,
            tried: self.tried.clone(),
        }
    }
}
