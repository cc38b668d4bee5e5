//! SMART scopes of systems (<https://hl7.org/fhir/smart-app-launch/STU2.1/scopes-and-launch-context.html>): which interactions
//! a token allows on which resource types. Version 1 forms (`system/Task.read`) are understood; `user/` and `patient/` scopes
//! are not given to systems.

use std::fmt;

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
}

impl Scope {
    /// Reads `system/[type or *].[cruds]`, or `read`, `write`, `*` as version 1 has them. None where it is something else, also
    /// where letters are repeated or out of order, as the specification asks.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (resource_type, permissions) = text.strip_prefix("system/")?.split_once('.')?;
        let named = !resource_type.is_empty() && resource_type.chars().all(|c| c.is_ascii_alphanumeric());
        let resource_type = match resource_type {
            "*" => None,
            name if named => Some(name.to_owned()),
            _ => return None,
        };
        Some(Self { resource_type, permissions: letters(permissions)? })
    }

    /// True where the scope allows `permission` on `resource_type`.
    #[must_use]
    pub fn allows(&self, permission: Permission, resource_type: &str) -> bool {
        self.permissions & permission.bit() != 0
            && self.resource_type.as_deref().is_none_or(|name| name == resource_type)
    }

    /// True where every permission of `other` is in this one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let type_covered = self.resource_type.is_none() || self.resource_type == other.resource_type;
        type_covered && other.permissions & !self.permissions == 0
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
        Ok(())
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

    /// Of the scopes asked for, those that these cover.
    #[must_use]
    pub fn granted(&self, asked: &Self) -> Self {
        Self(asked.0.iter().filter(|wish| self.0.iter().any(|scope| scope.covers(wish))).cloned().collect())
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
