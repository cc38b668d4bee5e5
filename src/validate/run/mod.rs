//! The run: one walk over the JSON with the schema of the base type and, beside it, the nodes of every profile that
//! applies at that place. `Validator` starts it; the rule files report into it.

mod element;
mod extension;
mod object;
mod parallel;
mod resource;
mod scope;
mod slicing;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::clock::Micros;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::path::Path;
use crate::fhir::types::TypeIndex;
use crate::fhirpath::Limits;

use super::Validator;
use super::schema::{Node, ProfileIndex, ProfileSchema, WHOLE};

pub use object::Items;
pub use scope::{BundleEntries, Holder, Scope};

/// The deepest nesting that is walked: a little more than the readers take.
const MAX_DEPTH: usize = 64;

/// Steps that all invariants of one validation may take together: profiles that are stored decide what each takes. A Bundle of
/// thousands of ordinary resources takes a fraction.
const MOST_STEPS: u64 = 20_000_000;

/// Steps that an invariant may take when these are used up.
const ORDINARY_STEPS: u64 = 2_000;

/// One node of one profile that applies at a place.
#[derive(Debug, Clone, Copy)]
pub struct Overlay<'v> {
    /// The profile.
    pub profile: &'v ProfileSchema,
    /// Its node.
    pub node: &'v Node,
}

impl Overlay<'_> {
    /// True for the root of the profile.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.profile.nodes.first().is_some_and(|root| std::ptr::eq(self.node, root))
    }
}

/// A stretch of the stack of overlays.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// First.
    pub start: usize,
    /// One past the last.
    pub end: usize,
}

/// Which definition asks.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'s> {
    /// Canonical of the definition.
    pub profile: &'s str,
    /// Element id in it.
    pub element: &'s str,
    /// True where a base type asks, false for a profile.
    pub base: bool,
}

/// A value under examination: the JSON value, the `_name` value beside it and the type.
#[derive(Debug, Clone, Copy)]
pub struct Focus<'a> {
    /// The value; none where only `_name` stands.
    pub value: Option<&'a Value>,
    /// The value of `_name`.
    pub sibling: Option<&'a Value>,
    /// Its type.
    pub type_: TypeIndex,
}

/// Where the walk is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p, 'a> {
    /// The path.
    pub path: &'p Path<'p>,
    /// The object that holds the value; none at the root.
    pub holder: Option<&'p Holder<'p, 'a>>,
    /// The resource it belongs to.
    pub scope: &'p Scope<'a>,
}

impl<'p, 'a> Place<'p, 'a> {
    /// The same place with another path.
    #[must_use]
    pub const fn with_path<'q>(&'q self, path: &'q Path<'q>) -> Place<'q, 'a>
    where
        'p: 'q,
    {
        Place { path, holder: self.holder, scope: self.scope }
    }
}

/// State of one validation.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own, asked in another place")]
pub struct Run<'v, 'a> {
    /// The validator whose schemas apply.
    pub validator: &'v Validator,
    /// Findings so far.
    pub issues: Vec<Issue>,
    /// Stack of the profile nodes that apply.
    overlays: Vec<Overlay<'v>>,
    /// Stack of items that belong to slices.
    assigned: Vec<(usize, Overlay<'v>)>,
    /// Profiles that the caller asked for at the root.
    profiles: Vec<ProfileIndex>,
    /// Whether profiles apply by resource type.
    by_type: bool,
    /// Entries of the Bundle that is being walked.
    pub bundle: Option<Arc<BundleEntries<'a>>>,
    /// True while a profile is tried: what base types demand has been reported already.
    trial: bool,
    /// The instant of `now()` in invariants.
    pub now: Micros,
    /// True where the entries of a large Bundle may be divided among threads.
    pub parallel: bool,
    /// How many issues there were where the present entry of the outermost Bundle began.
    pub issues_before: usize,
    /// False within a large Bundle, where looking for the nearest url at each entry would take long.
    pub suggests_urls: bool,
    /// Whether elements that profiles mark as mustSupport are reported.
    pub must_support: bool,
    /// Steps that invariants have taken so far, those of profiles that are tried included.
    pub spent: AtomicU64,
    depth: usize,
    /// Which targets of references (by address) meet which profiles, as far as asked.
    tried: RefCell<BTreeMap<(ProfileIndex, usize), bool>>,
}

impl<'v, 'a> Run<'v, 'a> {
    /// A run that has found nothing yet.
    #[must_use]
    pub fn new(validator: &'v Validator, profiles: Vec<ProfileIndex>, by_type: bool, now: Micros) -> Self {
        Self {
            validator,
            issues: Vec::new(),
            overlays: Vec::new(),
            assigned: Vec::new(),
            profiles,
            by_type,
            bundle: None,
            trial: false,
            now,
            parallel: false,
            issues_before: 0,
            suggests_urls: true,
            must_support: false,
            spent: AtomicU64::default(),
            depth: 0,
            tried: RefCell::new(BTreeMap::new()),
        }
    }

    /// The bounds of the next invariant: what is left of `MOST_STEPS`, and never less than what an ordinary one takes.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let limits = Limits::default();
        let left = MOST_STEPS.saturating_sub(self.spent.load(Ordering::Relaxed)).max(ORDINARY_STEPS);
        Limits { steps: limits.steps.min(left), ..limits }
    }

    /// Adds an issue at a path, asked for by a definition.
    pub fn push(&mut self, issue: Issue, path: &Path<'_>, origin: Origin<'_>) {
        if !(self.trial && origin.base) {
            self.issues.push(issue.at(path.text()).asked_by(origin.profile, origin.element));
        }
    }

    /// Adds an error.
    pub fn error(&mut self, code: IssueCode, rule: &str, text: String, path: &Path<'_>, origin: Origin<'_>) {
        self.push(Issue::new(Severity::Error, code, rule, text), path, origin);
    }

    /// Adds a warning.
    pub fn warn(&mut self, code: IssueCode, rule: &str, text: String, path: &Path<'_>, origin: Origin<'_>) {
        self.push(Issue::new(Severity::Warning, code, rule, text), path, origin);
    }

    /// The overlays of a range.
    #[must_use]
    pub fn overlays(&self, range: Range) -> &[Overlay<'v>] {
        self.overlays.get(range.start..range.end).unwrap_or_default()
    }

    /// Puts the children named `name` (whose key is given) of every overlay of `range` on the stack.
    fn gather(&mut self, range: Range, name: &str, key: u64) -> Range {
        let start = self.overlays.len();
        for position in range.start..range.end {
            let Overlay { profile, node } = self.overlays[position];
            for (child, _) in node.children.iter().zip(&node.keys).filter(|(_, known)| **known == key) {
                if name.len() <= WHOLE || child.0 == name {
                    self.overlays.push(Overlay { profile, node: &profile.nodes[child.1 as usize] });
                }
            }
        }
        Range { start, end: self.overlays.len() }
    }

    /// Puts the root of a profile on the stack unless it is in the stretch that begins at `start`.
    pub fn add_profile(&mut self, start: usize, index: ProfileIndex) {
        match self.validator.schemas().profile(index) {
            Ok(profile) => {
                let is_known = |overlay: &Overlay<'_>| {
                    std::ptr::eq(overlay.node, &raw const profile.nodes[0])
                        || (overlay.profile.ancestors.contains(&index) && overlay.is_root())
                };
                if !self.overlays[start..].iter().any(is_known) {
                    self.overlays.push(Overlay { profile, node: &profile.nodes[0] });
                }
            }
            Err(issue) => {
                if !self.issues.contains(issue) {
                    self.issues.push(issue.clone());
                }
            }
        }
    }

    /// Whether profiles apply by resource type.
    #[must_use]
    pub const fn applies_by_type(&self) -> bool {
        self.by_type
    }

    /// Whether the target of a reference meets a profile. The answer is kept, and while it is looked for it is yes, so that
    /// resources that refer to each other come to an end.
    pub fn target_meets(&self, index: ProfileIndex, focus: Focus<'a>, place: Place<'_, 'a>) -> bool {
        let Some(value) = focus.value else { return true };
        let key = (index, std::ptr::from_ref(value).addr());
        if let Some(known) = self.tried.borrow().get(&key) {
            return *known;
        }
        self.tried.borrow_mut().insert(key, true);
        let found = self.meets(index, focus, place);
        self.tried.borrow_mut().insert(key, found);
        found
    }

    /// Whether a value meets a profile; what its base type demands is left aside.
    pub fn meets(&self, index: ProfileIndex, focus: Focus<'a>, place: Place<'_, 'a>) -> bool {
        if self.depth > MAX_DEPTH / 2 {
            return true;
        }
        let mut trial = Run::new(self.validator, Vec::new(), false, self.now);
        trial.trial = true;
        trial.bundle.clone_from(&self.bundle);
        trial.depth = self.depth + 8;
        trial.spent = AtomicU64::new(self.spent.load(Ordering::Relaxed));
        trial.tried.swap(&self.tried);
        trial.add_profile(0, index);
        let range = Range { start: 0, end: trial.overlays.len() };
        trial.value(focus, range, place);
        self.spent.store(trial.spent.load(Ordering::Relaxed), Ordering::Relaxed);
        trial.tried.swap(&self.tried);
        !trial.issues.iter().any(Issue::is_error)
    }
}
