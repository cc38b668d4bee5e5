//! Which resources a caller sees and may change: decided by the organisation that its client acts for and by its role, never by
//! what a request says. [`table`] has what is seen, [`changes`] what may be written, [`labels`] what is kept from whom,
//! [`minimum`] how much of a Patient is shown. What is not seen looks exactly like what does not exist: the conditions are part of
//! every search, so nothing is found, counted, sorted or followed that is not seen.

pub mod changes;
pub mod labels;
pub mod minimum;
mod names;
pub mod table;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use self::minimum::Minimum;
pub use self::names::{ANYBODY, Names};
use self::table::{DIRECTORY, Ways};
use super::Role;
use crate::search::query::{Condition, Objection, Restrictions};

/// The part that a Consent's objection to sharing with anybody has under its patient's name.
pub const OBJECTION: &str = "objection";
/// The part that exceptions from it have.
pub const PERMISSION: &str = "permission";

/// The part that the names of a Patient have in it (`referral::person`): Patients that share one are one person.
pub const PERSON: &str = "person";

/// What a caller sees.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Visibility {
    /// Everything: open access, operators, test harnesses.
    Everything,
    /// What belongs to its organisation, or what the scopes of its token reach.
    Limited(Arc<Limits>),
    /// Nothing: nobody has said who calls.
    #[default]
    Nothing,
}

/// The restrictions of who sees everything, and of who sees nothing: asked for with every request, so made once.
static ALL: LazyLock<Arc<Restrictions>> = LazyLock::new(|| Arc::new(Restrictions::none()));
static NONE: LazyLock<Arc<Restrictions>> = LazyLock::new(|| Arc::new(Restrictions::nothing()));

impl Visibility {
    /// The same as conditions on resources.
    #[must_use]
    pub fn restrictions(&self) -> Arc<Restrictions> {
        match self {
            Self::Everything => Arc::clone(&ALL),
            Self::Limited(limits) => Arc::clone(&limits.seen),
            Self::Nothing => Arc::clone(&NONE),
        }
    }
}

/// The limits of one organisation in one role, or of a token whose scopes are constrained.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// The role.
    pub role: Role,
    /// The organisation.
    pub names: Names,
    /// What is seen.
    pub seen: Arc<Restrictions>,
    /// What a written resource may refer to: as `seen`, without what may only be claimed.
    pub held: Arc<Restrictions>,
    /// What may be changed or deleted, as far as it is seen.
    pub changed: Arc<Restrictions>,
    /// What would be seen had the patient not objected; the caller knows of it and may be told why it is kept back.
    pub told: Arc<Restrictions>,
    /// How much of a Patient is shown.
    pub minimum: Minimum,
    /// The glass is broken: neither objections nor labels keep anything back.
    pub open: bool,
    /// Nothing but the scopes of the token limits this caller, on the types that they constrain.
    pub whole: bool,
    /// The types that the scopes constrain.
    constrained: BTreeSet<String>,
}

impl Limits {
    /// The limits of an organisation. `emergency` lifts objections and labels for a role that may break the glass.
    #[must_use]
    pub fn new(role: Role, names: Names, minimum: &Minimum, emergency: bool) -> Self {
        let minimum = if role == Role::Provider { minimum.clone() } else { Minimum::default() };
        let open = emergency && breaks_glass(role);
        let objected = objection(role, &names).filter(|_| !open);
        let unlabelled = |name: &str| labels::unlabelled(name, role).filter(|_| !open);
        let seen_by = |pool: bool, objection: Option<&Condition>| {
            let ways = Ways { role, names: &names, pool };
            let conditions = |name: &str| {
                let way = ways.to(name)?;
                Some([Some(way), objection.cloned(), unlabelled(name)].into_iter().flatten().collect())
            };
            Arc::new(restrictions(conditions))
        };
        let ways = Ways { role, names: &names, pool: true };
        let (seen, held) = (seen_by(true, objected.as_ref()), seen_by(false, objected.as_ref()));
        let told = if objected.is_some() { seen_by(false, None) } else { Arc::new(Restrictions::nothing()) };
        let changed = Arc::new(changeable(&ways));
        let (whole, constrained) = (false, BTreeSet::new());
        Self { role, names, seen, held, changed, told, minimum, open, whole, constrained }
    }

    /// The limits of a role that sees everything but what the scopes of its token constrain.
    #[must_use]
    pub fn of_scopes(role: Role, names: Names, constraints: &[(String, Condition)]) -> Self {
        let all = Arc::new(Restrictions::none());
        let limits = Self {
            role,
            names,
            seen: Arc::clone(&all),
            held: Arc::clone(&all),
            changed: all,
            told: Arc::new(Restrictions::nothing()),
            minimum: Minimum::default(),
            open: false,
            whole: true,
            constrained: BTreeSet::new(),
        };
        limits.within(constraints)
    }

    /// The same, of these types only what fits the conditions. As with all limits the current version decides: with it come the
    /// versions before it, and without it none.
    #[must_use]
    pub fn within(mut self, constraints: &[(String, Condition)]) -> Self {
        for (resource_type, condition) in constraints {
            for restrictions in [&mut self.seen, &mut self.held, &mut self.changed, &mut self.told] {
                Arc::make_mut(restrictions).narrow(resource_type, condition.clone());
            }
            self.constrained.insert(resource_type.clone());
        }
        self
    }

    /// True where there are resources of this type that the caller might not see.
    #[must_use]
    pub fn limit(&self, resource_type: &str) -> bool {
        !self.whole || self.constrained.contains(resource_type)
    }

    /// True where the scopes constrain this type.
    #[must_use]
    pub fn constrain(&self, resource_type: &str) -> bool {
        self.constrained.contains(resource_type)
    }

    /// True where a label hides what has it.
    #[must_use]
    pub fn hides(&self, label: (&str, &str)) -> bool {
        self.hides_something() && labels::hidden_from(self.role).any(|hidden| hidden == label)
    }

    /// True where there are labels that hide something.
    #[must_use]
    pub fn hides_something(&self) -> bool {
        !self.open && !self.whole && labels::hidden_from(self.role).next().is_some()
    }

    /// True where the role may create resources of this type.
    #[must_use]
    pub fn creates(&self, resource_type: &str) -> bool {
        self.whole || changes::creates(self.role, resource_type)
    }
}

/// Roles that may see, in an emergency and with a reason, what objections and labels keep back.
#[must_use]
pub const fn breaks_glass(role: Role) -> bool {
    matches!(role, Role::Referrer | Role::LinkWorker)
}

fn restrictions(conditions: impl Fn(&str) -> Option<Vec<Condition>>) -> Restrictions {
    let mut all = Restrictions::nothing();
    for name in DIRECTORY {
        all.open(name);
    }
    for name in Ways::types() {
        for condition in conditions(name).into_iter().flatten() {
            all.restrict(name, condition);
        }
    }
    all
}

fn changeable(ways: &Ways<'_>) -> Restrictions {
    let mut all = Restrictions::nothing();
    for name in Ways::types().chain(["HealthcareService"]) {
        if let Some(condition) = ways.to_change(name) {
            all.restrict(name, condition);
        }
    }
    all
}

/// That the patient has not objected, as whichever Patient resource of the same person. Providers are third parties: an objection that names nobody is against them. Link workers
/// coordinate the care; against them counts what names them.
fn objection(role: Role, names: &Names) -> Option<Condition> {
    let all = names.all();
    let with = |part: &str| all.iter().map(|name| format!("{part}:{name}")).collect::<Vec<String>>();
    let by_name = with(OBJECTION);
    let roles: Arc<[String]> = match role {
        Role::Provider => std::iter::once(OBJECTION.to_owned()).chain(by_name).collect(),
        Role::LinkWorker => by_name.into(),
        _ => return None,
    };
    let objection = Objection { roles, exceptions: with(PERMISSION).into(), person: PERSON.to_owned() };
    Some(Condition::Not(Box::new(Condition::Objection(objection))))
}
