//! The roles in which a registered client acts for its organisation. `kith client` takes their codes, `referral` and the
//! audit trail show them.

use std::fmt;

/// What a client is in the life of a referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A GP surgery's or another referrer's system.
    Referrer,
    /// A link worker's system.
    LinkWorker,
    /// A charity's or community group's system.
    Provider,
    /// Sees figures, never persons.
    Commissioner,
    /// Runs the place: manages definitions, organisations, services.
    Operator,
    /// A conformance test harness on a test server.
    Harness,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Referrer, Self::LinkWorker, Self::Provider, Self::Commissioner, Self::Operator, Self::Harness];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Referrer => "referrer",
            Self::LinkWorker => "link-worker",
            Self::Provider => "provider",
            Self::Commissioner => "commissioner",
            Self::Operator => "operator",
            Self::Harness => "harness",
        }
    }

    /// The role of a code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}
