//! Lets a FHIR request in: its access token becomes an authority. `app` asks before it reads a body.

use super::{authority, external, root, signing};
use crate::access::bearer::{self as token, Token};
use crate::access::issuer;
use crate::access::scope::Scopes;
use crate::access::state::{Admitted, name};
use crate::access::{Authority, Caller, Role, unauthorized};
use crate::clock::Micros;
use crate::config::Access;
use crate::interactions::server::Server;
use crate::problem::Problem;
use crate::store::Client;

/// How long a process trusts what it knows of a token before it asks the database whether the client was disabled or the token revoked.
const ASK_AGAIN: Micros = 5 * 1_000_000;

/// What a request shows of itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// SHA-256 thumbprint (base64url) of the client's TLS certificate.
    pub certificate: Option<&'a str>,
}

/// Completes `caller` with the authority of its access token, its client and its organisation. Without a token the caller has
/// no authority, which is enough for what is public. 401 where the token is not good.
pub async fn admit(server: &Server, caller: &mut Caller, shown: Credentials<'_>) -> Result<(), Problem> {
    if server.settings.access == Access::Open {
        caller.authority = Authority::Open;
        return Ok(());
    }
    // Who the end user is is the client's to say; for whom it acts is not.
    caller.organisation = None;
    let Some(header) = shown.authorization else { return Ok(()) };
    let token = bearer(header)
        .ok_or_else(|| unauthorized("The Authorization header must be: Bearer, a space, an access token."))?;
    let admitted = admitted(server, token).await?;
    if admitted.certificate.is_some() && admitted.certificate.as_deref() != shown.certificate {
        return Err(unauthorized("The access token is bound to another TLS certificate than this connection has."));
    }
    caller.client = admitted.client;
    caller.user = admitted.user.or(caller.user.take());
    caller.organisation = Some(admitted.organisation).filter(|organisation| !organisation.is_empty());
    caller.authority = match caller.purpose.as_deref() {
        Some(authority::BREAK_GLASS) => authority::broken_glass(caller, admitted.emergency)?,
        _ => admitted.authority,
    };
    Ok(())
}

/// The token of an `Authorization: Bearer` header.
#[must_use]
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= 16 * 1024).then_some(token)
}

/// What a token gives, from memory where it was verified moments ago.
pub(super) async fn admitted(server: &Server, text: &str) -> Result<Admitted, Problem> {
    let (now, name) = (server.clock.now(), name(text));
    let known = server.access.admitted(&name).filter(|known| known.expires > now / 1_000_000);
    if let Some(known) = &known
        && now - known.checked < ASK_AGAIN
    {
        return Ok(known.clone());
    }
    if let Some(issuer) = issuer::claimed(text, server.access.issuers()) {
        let admitted = external::admitted(server, issuer, text).await?;
        server.access.admit(name, admitted.clone());
        return Ok(admitted);
    }
    let token = verified(server, text, now).await?;
    let client = server.store.client(&token.client).await?.filter(|client| !client.disabled);
    let client = client.ok_or_else(|| unauthorized("The client is not registered any more."))?;
    if server.store.is_revoked(&token.id).await? {
        return Err(unauthorized("The access token was revoked."));
    }
    let (authority, emergency) = allowed(server, &token, &client).await?;
    let admitted = Admitted {
        authority,
        emergency,
        token: token.id,
        client: client.id,
        organisation: client.organisation,
        user: None,
        certificate: token.certificate,
        expires: token.expires,
        checked: now,
    };
    server.access.admit(name, admitted.clone());
    Ok(admitted)
}

async fn verified(server: &Server, text: &str, now: Micros) -> Result<Token, Problem> {
    let unknown = || unauthorized("The access token was not made by this server.");
    let id = token::key_id(text).ok_or_else(unknown)?;
    let key = signing::find(server, &id).await?.ok_or_else(unknown)?;
    token::verify(text, &key, root(server), &server.base, now).map_err(unauthorized)
}

/// The scopes of the token, as far as the client still may have them, in the client's role.
async fn allowed(server: &Server, token: &Token, client: &Client) -> Result<(Authority, Option<Authority>), Problem> {
    let role = Role::parse(&client.role).ok_or_else(|| Problem::internal("a client has an unknown role"))?;
    let allowed = Scopes::parse(&client.scopes).unwrap_or_default();
    let scopes = allowed.granted(&Scopes::parse(&token.scope).unwrap_or_default());
    authority::of(server, (scopes, &allowed), role, &client.organisation).await
}
