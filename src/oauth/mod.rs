//! OAuth 2.0 for systems, as SMART Backend Services has it (<https://hl7.org/fhir/smart-app-launch/STU2.1/backend-services.html>): the
//! token endpoint, introspection, revocation, and the check of the access token that each FHIR request brings. `app` registers
//! the addresses; `access` has what needs no database.

mod admission;
mod answer;
mod authority;
mod client;
mod discovery;
mod external;
mod fetch;
mod introspection;
mod request;
mod revocation;
mod signing;
mod token;

pub use self::admission::{Credentials, admit, bearer};
pub use self::answer::Answer;
pub use self::discovery::{jwks, smart_configuration};
pub use self::fetch::{check_url, is_public};
pub use self::introspection::introspect;
pub use self::request::Request;
pub use self::revocation::revoke;
pub use self::token::token;

use crate::interactions::server::Server;

/// Audits a request that could not be read, then gives its answer.
pub async fn refuse(request: &Request<'_>, interaction: &str, answer: Answer) -> Answer {
    request.unread(interaction, answer).await
}

/// The server's root: the base URL without `/fhir`. It is the issuer of access tokens, and the OAuth addresses lie below it.
#[must_use]
pub fn root(server: &Server) -> &str {
    server.base.strip_suffix("/fhir").unwrap_or(&server.base)
}

/// The address of the token endpoint, which assertions must name as their audience.
#[must_use]
pub fn token_url(server: &Server) -> String {
    format!("{}/oauth2/token", root(server))
}
