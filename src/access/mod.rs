//! Who calls and what they may: a request becomes a [`Caller`], a caller and an interaction become a [`Grant`], and no
//! interaction runs without one.

pub mod seal;

use crate::problem::{Kind, Problem};
use crate::search::query::Restrictions;

/// Who stands behind a request. In open access (loopback only) all fields but the address are what the headers say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// Network address of the peer.
    pub address: String,
    /// True where an operator brings records of another system in: a referral is taken as far as it has come there, and the
    /// audit trail says `import`. No request over the network can say so.
    pub imports: bool,
}

/// System of ODS organisation codes (UK Core).
pub const ODS_SYSTEM: &str = "https://fhir.nhs.uk/Id/ods-organization-code";

/// Longest identity header that is taken.
const HEADER_LIMIT: usize = 256;

impl Caller {
    /// The caller of a request in open access: what its headers say of organisation, user, role and purpose.
    /// `header` looks a header up by its lower-case name. A header with control characters or over 256 bytes is refused.
    pub fn open(header: impl Fn(&str) -> Option<String>, address: String) -> Result<Self, Problem> {
        let read = |name: &str| checked(name, header(name));
        let organisation = read("nhsd-end-user-organisation-ods")?
            .map(|code| if code.contains('|') { code } else { format!("{ODS_SYSTEM}|{code}") });
        Ok(Self {
            client: String::new(),
            organisation,
            user: read("x-user")?,
            role: read("x-user-role")?,
            purpose: read("x-purpose-of-use")?,
            address,
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
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    _made_by_grant: (),
}

impl Grant {
    /// What of the resources the caller may see: nothing is kept from a caller under open access.
    #[must_use]
    pub const fn restrictions(self) -> Restrictions {
        Restrictions::none()
    }
}

/// Asks whether `caller` may carry out `interaction` (a code of <https://hl7.org/fhir/R4/valueset-restful-interaction.html>)
/// on `resource_type`. Open access grants everything; the server listens on loopback only then.
pub fn grant(caller: &Caller, interaction: &str, resource_type: Option<&str>) -> Result<Grant, Problem> {
    let _ = (caller, interaction, resource_type);
    Ok(Grant { _made_by_grant: () })
}
