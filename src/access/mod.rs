//! Who calls and what they may: a request becomes a [`Caller`], a caller and an interaction become a [`Grant`], and no
//! interaction runs without one.

pub mod assertion;
pub mod bearer;
mod certificate;
pub mod constraint;
pub mod issuer;
pub mod keys;
mod provider;
mod role;
pub mod scope;
pub mod seal;
pub mod state;
pub mod tls;
pub mod visibility;

use std::sync::Arc;

pub use self::certificate::{thumbprint, thumbprint_of};
pub use self::provider::install;
pub use self::role::Role;
use self::scope::{Permission, Scopes};
pub use self::visibility::{Limits, Visibility};
use crate::problem::{Kind, Problem};
use crate::search::query::Restrictions;

/// On whose word a caller may do something.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Authority {
    /// Nobody's: only what is public.
    #[default]
    None,
    /// The operator's, who opened the server to everybody on this machine, or who runs a command.
    Open,
    /// An access token's.
    Token(Arc<Granted>),
}

/// What an access token gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Granted {
    /// The scopes.
    pub scopes: Scopes,
    /// The role in which the client acts.
    pub role: Role,
    /// What of the resources it sees.
    pub visibility: Visibility,
    /// What a search may show, follow and ask of: what it sees, of the types that the scopes name.
    pub reach: Arc<Restrictions>,
}

impl Granted {
    /// Scopes of a client in a role that sees this.
    #[must_use]
    pub fn new(scopes: Scopes, role: Role, visibility: Visibility) -> Self {
        let seen = visibility.restrictions();
        let reach = match scopes.shown() {
            None => seen,
            Some(types) => Arc::new(seen.only(types)),
        };
        Self { scopes, role, visibility, reach }
    }
}

/// Who stands behind a request. In open access (loopback only) all fields but the address are what the headers say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Caller {
    /// OAuth client id; empty in open access.
    pub client: String,
    /// ODS code or other identifier of the organisation on whose behalf the client acts, as a system|value token.
    pub organisation: Option<String>,
    /// The end user, where the client says.
    pub user: Option<String>,
    /// The end user's role, where the client says.
    pub role: Option<String>,
    /// Purpose of use, a code of <http://terminology.hl7.org/CodeSystem/v3-ActReason>.
    pub purpose: Option<String>,
    /// Why it breaks the glass, where it does.
    pub reason: Option<String>,
    /// Network address of the peer.
    pub address: String,
    /// On whose word it may do something.
    pub authority: Authority,
    /// True where an operator brings records of another system in: a referral is taken as far as it has come there, and the
    /// audit trail says `import`. No request over the network can say so.
    pub imports: bool,
}

/// System of ODS organisation codes (UK Core).
pub const ODS_SYSTEM: &str = "https://fhir.nhs.uk/Id/ods-organization-code";

/// Longest identity header that is taken.
const HEADER_LIMIT: usize = 256;

impl Caller {
    /// What it sees.
    #[must_use]
    pub fn visibility(&self) -> Visibility {
        match &self.authority {
            Authority::None => Visibility::Nothing,
            Authority::Open => Visibility::Everything,
            Authority::Token(granted) => granted.visibility.clone(),
        }
    }

    /// What of the resources its searches may show, follow and ask of.
    #[must_use]
    pub fn reach(&self) -> Arc<Restrictions> {
        match &self.authority {
            Authority::Token(granted) => Arc::clone(&granted.reach),
            Authority::None | Authority::Open => self.visibility().restrictions(),
        }
    }

    /// The limits of what it sees; none where it sees everything. 401 where it has no authority.
    pub fn limits(&self) -> Result<Option<Arc<Limits>>, Problem> {
        match self.visibility() {
            Visibility::Everything => Ok(None),
            Visibility::Limited(limits) => Ok(Some(limits)),
            Visibility::Nothing => Err(without_token()),
        }
    }

    /// The limits of what it sees of one type; none where it sees all of it. 401 where it has no authority.
    pub fn limits_on(&self, resource_type: &str) -> Result<Option<Arc<Limits>>, Problem> {
        Ok(self.limits()?.filter(|limits| limits.limit(resource_type)))
    }

    /// The caller of a request as far as its headers say: organisation, user, role and purpose, without authority.
    /// `header` looks a header up by its lower-case name. A header with control characters or over 256 bytes is refused.
    pub fn from_headers(header: impl Fn(&str) -> Option<String>, address: String) -> Result<Self, Problem> {
        let read = |name: &str| checked(name, header(name));
        let organisation = read("nhsd-end-user-organisation-ods")?
            .map(|code| if code.contains('|') { code } else { format!("{ODS_SYSTEM}|{code}") });
        Ok(Self {
            client: String::new(),
            organisation,
            user: read("x-user")?,
            role: read("x-user-role")?,
            purpose: read("x-purpose-of-use")?,
            reason: read("x-break-glass-reason")?,
            address,
            authority: Authority::None,
            imports: false,
        })
    }
}

fn checked(name: &str, value: Option<String>) -> Result<Option<String>, Problem> {
    match value {
        Some(text) if text.len() > HEADER_LIMIT || text.chars().any(char::is_control) || text.trim().is_empty() => {
            Err(Problem::new(
                Kind::Invalid,
                format!("Header {name} must be a text of 1 to {HEADER_LIMIT} characters without control characters."),
            )
            .at(format!("http.{name}")))
        }
        other => Ok(other.map(|text| text.trim().to_owned())),
    }
}

/// The permission to carry out one interaction. Only [`grant`] makes it; interactions take it as a parameter, so that
/// none can run without the question having been asked.
#[derive(Debug, Clone)]
pub struct Grant {
    reach: Arc<Restrictions>,
}

impl Grant {
    /// What of the resources a search may show, follow and ask of: everything under open access.
    #[must_use]
    pub fn restrictions(&self) -> Arc<Restrictions> {
        Arc::clone(&self.reach)
    }
}

/// Asks whether `caller` may carry out `interaction` (a code of <https://hl7.org/fhir/R4/valueset-restful-interaction.html>)
/// on `resource_type`. 401 without authority, 403 where the token's scopes do not reach that far.
pub fn grant(caller: &Caller, interaction: &str, resource_type: Option<&str>) -> Result<Grant, Problem> {
    let permission = match interaction {
        "capabilities" => return Ok(Grant { reach: Visibility::Nothing.restrictions() }),
        // Each entry of a bundle is granted by itself, each operation by `grant_operation`.
        "transaction" | "batch" | "operation" => None,
        "create" => Some(Permission::Create),
        "read" | "vread" | "history-instance" => Some(Permission::Read),
        "update" | "patch" => Some(Permission::Update),
        "delete" => Some(Permission::Delete),
        _ => Some(Permission::Search),
    };
    grant_permission(caller, permission, resource_type)
}

/// Asks whether `caller` may do what needs `permission` on `resource_type`, or on every type where that is none; an operation
/// says itself what it needs. 401 without authority, 403 where the token's scopes do not reach that far.
pub fn grant_permission(
    caller: &Caller,
    permission: Option<Permission>,
    resource_type: Option<&str>,
) -> Result<Grant, Problem> {
    let granted = match &caller.authority {
        Authority::None => return Err(without_token()),
        Authority::Open => true,
        Authority::Token(granted) => match (permission, resource_type) {
            (None, _) => true,
            (Some(permission), Some(name)) => granted.scopes.allow(permission, name),
            (Some(permission), None) => granted.scopes.allow_everywhere(permission),
        },
    };
    if granted {
        return Ok(Grant { reach: caller.reach() });
    }
    let text = match resource_type {
        Some(name) => format!("The scopes of the access token do not allow this on {name}."),
        None => "The scopes of the access token do not allow this on all resource types.".to_owned(),
    };
    Err(Problem::new(Kind::Forbidden, text).at("http.authorization"))
}

fn without_token() -> Problem {
    unauthorized("Give an access token: Authorization: Bearer …")
}

/// 401 with what is wrong with the authentication.
#[must_use]
pub fn unauthorized(text: impl Into<String>) -> Problem {
    Problem::new(Kind::Unauthorized, text).at("http.authorization")
}
