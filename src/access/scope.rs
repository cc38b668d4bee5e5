//! SMART scopes of systems (<https://hl7.org/fhir/smart-app-launch/STU2.1/scopes-and-launch-context.html>): which interactions
//! a token allows on which resource types, and on which resources of a type (`constraint`). Version 1 forms (`system/Task.read`) are
//! understood; `user/` and `patient/` scopes are not given to systems.

use std::collections::BTreeSet;
use std::fmt;

use super::constraint::{Constraint, Means};
use crate::search::query::Condition;

/// What is said of a text that is not a scope.
pub const HINT: &str = "A scope is for example system/Task.rs or system/*.cruds; only r and s on a named type can be constrained, \
                        for example system/Observation.rs?category=laboratory.";

/// What may be done, one letter each in a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// `c`: create.
    Create,
    /// `r`: read, vread, history of one resource.
    Read,
    /// `u`: update and patch.
    Update,
    /// `d`: delete.
    Delete,
    /// `s`: search, history of a type or of the system.
    Search,
}

impl Permission {
    const ALL: [(char, Self); 5] =
        [('c', Self::Create), ('r', Self::Read), ('u', Self::Update), ('d', Self::Delete), ('s', Self::Search)];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// One scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The resource type; none for `*`.
    pub resource_type: Option<String>,
    /// Bits of the permissions.
    permissions: u8,
    /// What a resource must fit; none where any will do.
    constraint: Option<Constraint>,
}

impl Scope {
    /// Reads `system/[type or *].[cruds]`, or `read`, `write`, `*` as version 1 has them, perhaps with `?` and search parameters. None
    /// where it is something else, also where letters are repeated or out of order, as the specification asks, and where something
    /// is constrained that cannot be: writes, which nothing stored decides, and all types at once.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (text, constraint) = match text.split_once('?') {
            Some((text, constraint)) => (text, Some(Constraint::parse(constraint)?)),
            None => (text, None),
        };
        let (resource_type, permissions) = text.strip_prefix("system/")?.split_once('.')?;
        let named = !resource_type.is_empty() && resource_type.chars().all(|c| c.is_ascii_alphanumeric());
        let resource_type = match resource_type {
            "*" => None,
            name if named => Some(name.to_owned()),
            _ => return None,
        };
        let permissions = letters(permissions)?;
        let looks = permissions & !(Permission::Read.bit() | Permission::Search.bit()) == 0;
        let fits = constraint.is_none() || (looks && resource_type.is_some());
        fits.then_some(Self { resource_type, permissions, constraint })
    }

    /// True where the scope allows `permission` on `resource_type`, on resources that fit its constraint.
    #[must_use]
    pub fn allows(&self, permission: Permission, resource_type: &str) -> bool {
        self.permissions & permission.bit() != 0
            && self.resource_type.as_deref().is_none_or(|name| name == resource_type)
    }

    /// True where every permission of `other` is in this one, on every resource that fits it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let type_covered = self.resource_type.is_none() || self.resource_type == other.resource_type;
        let resources_covered = match (&self.constraint, &other.constraint) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(other)) => own.covers(other),
        };
        type_covered && resources_covered && other.permissions & !self.permissions == 0
    }

    /// What must hold of a resource for the scope to reach it; none where it reaches all of its type.
    fn condition(&self, means: &Means<'_>) -> Option<Result<Condition, String>> {
        let resource_type = self.resource_type.as_deref().unwrap_or_default();
        self.constraint.as_ref().map(|constraint| constraint.condition(resource_type, means))
    }
}

fn letters(text: &str) -> Option<u8> {
    let version_1 = match text {
        "read" => "rs",
        "write" => "cud",
        "*" => "cruds",
        _ => text,
    };
    let mut bits = 0;
    let mut order = Permission::ALL.iter();
    for letter in version_1.chars() {
        let (_, permission) = order.find(|(name, _)| *name == letter)?;
        bits |= permission.bit();
    }
    (bits != 0).then_some(bits)
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "system/{}.", self.resource_type.as_deref().unwrap_or("*"))?;
        for (letter, permission) in Permission::ALL {
            if self.permissions & permission.bit() != 0 {
                write!(formatter, "{letter}")?;
            }
        }
        match &self.constraint {
            Some(constraint) => write!(formatter, "?{}", constraint.text()),
            None => Ok(()),
        }
    }
}

/// The scopes of a token or of a client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Reads scopes separated by spaces. The error names what is not a scope of a system.
    pub fn parse(text: &str) -> Result<Self, String> {
        let scope = |word: &str| Scope::parse(word).ok_or_else(|| word.to_owned());
        text.split_ascii_whitespace().map(scope).collect::<Result<_, _>>().map(Self)
    }

    /// True where some scope allows `permission` on `resource_type`.
    #[must_use]
    pub fn allow(&self, permission: Permission, resource_type: &str) -> bool {
        self.0.iter().any(|scope| scope.allows(permission, resource_type))
    }

    /// True where there is a scope over every resource type that allows `permission`.
    #[must_use]
    pub fn allow_everywhere(&self, permission: Permission) -> bool {
        self.0.iter().any(|scope| scope.resource_type.is_none() && scope.permissions & permission.bit() != 0)
    }

    /// The types of which something may be read or searched; none where that is all of them.
    #[must_use]
    pub fn shown(&self) -> Option<BTreeSet<&str>> {
        let looks = |scope: &&Scope| scope.permissions & (Permission::Read.bit() | Permission::Search.bit()) != 0;
        self.0.iter().filter(looks).map(|scope| scope.resource_type.as_deref()).collect()
    }

    /// Of the scopes asked for, those that these cover.
    #[must_use]
    pub fn granted(&self, asked: &Self) -> Self {
        Self(asked.0.iter().filter(|wish| self.0.iter().any(|scope| scope.covers(wish))).cloned().collect())
    }

    /// Why constraints of these scopes cannot be kept, a text each.
    #[must_use]
    pub fn unusable(&self, means: &Means<'_>) -> Vec<String> {
        let reason = |scope: &Scope| match scope.condition(means) {
            Some(Err(reason)) => Some(format!("{scope}: {reason}.")),
            _ => None,
        };
        self.0.iter().filter_map(reason).collect()
    }

    /// What must hold of resources of the types that are constrained. Scopes on one type are alternatives, and one without constraint
    /// lifts the others for its permissions. What is kept from reading is kept from searching too, and the other way round: it would
    /// be known of otherwise. A constraint that cannot be kept (any more) lets nothing through.
    #[must_use]
    pub fn constraints(&self, means: &Means<'_>) -> Vec<(String, Condition)> {
        let constrained = |scope: &Scope| scope.resource_type.clone().filter(|_| scope.constraint.is_some());
        let types: BTreeSet<String> = self.0.iter().filter_map(constrained).collect();
        let mut all = Vec::new();
        for name in types {
            let mut both: Vec<Condition> = [Permission::Read, Permission::Search]
                .into_iter()
                .filter_map(|permission| self.alternatives(permission, &name, means))
                .collect();
            both.dedup();
            all.extend(both.into_iter().map(|condition| (name.clone(), condition)));
        }
        all
    }

    /// What must hold for one permission on a type; none where no scope allows it or one allows it everywhere.
    fn alternatives(&self, permission: Permission, resource_type: &str, means: &Means<'_>) -> Option<Condition> {
        let allowing: Vec<&Scope> = self.0.iter().filter(|scope| scope.allows(permission, resource_type)).collect();
        if allowing.is_empty() || allowing.iter().any(|scope| scope.constraint.is_none()) {
            return None;
        }
        let kept = allowing.iter().filter_map(|scope| scope.condition(means)).filter_map(Result::ok);
        let mut alternatives: Vec<Condition> = Vec::new();
        for condition in kept {
            if !alternatives.contains(&condition) {
                alternatives.push(condition);
            }
        }
        Some(if alternatives.len() == 1 { alternatives.remove(0) } else { Condition::Any(alternatives) })
    }

    /// True where a constraint is among these scopes.
    #[must_use]
    pub fn are_constrained(&self) -> bool {
        self.0.iter().any(|scope| scope.constraint.is_some())
    }

    /// True where there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            write!(formatter, "{}{scope}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}
