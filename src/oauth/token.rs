//! The token endpoint: `POST /oauth2/token` (<https://hl7.org/fhir/smart-app-launch/STU2.1/backend-services.html#obtain-access-token>,
//! <https://www.rfc-editor.org/rfc/rfc6749#section-4.4>). Every request is audited, the refused ones too.

use serde_json::json;

use super::answer::{Answer, Refusal};
use super::client::parameter;
use super::request::Request;
use super::{root, signing};
use crate::access::Role;
use crate::access::bearer::Token;
use crate::access::scope::{HINT, Scopes};
use crate::access::visibility::minimum::Minimum;
use crate::interactions::server::Server;
use crate::store::Client;

/// The name of this request in the audit trail.
const INTERACTION: &str = "login";

/// Answers a request for a token.
pub async fn token(request: &Request<'_>) -> Answer {
    request.answer(INTERACTION, issue(request).await).await
}

async fn issue(request: &Request<'_>) -> Result<Answer, Refusal> {
    let (server, form) = (request.server, request.form);
    match parameter(form, "grant_type")? {
        Some("client_credentials") => {}
        Some(_) => {
            let text = "The only grant_type is client_credentials.";
            return Err(Refusal::new("unsupported_grant_type", text));
        }
        None => return Err(Refusal::new("invalid_request", "grant_type is missing.")),
    }
    let authenticated = request.authenticate().await?;
    let scopes = scopes(server, form, &authenticated.client)?;
    let now = server.clock.now() / 1_000_000;
    let lifetime = server.settings.access_token_seconds;
    let token = Token {
        id: server.clock.new_id(),
        client: authenticated.client.id.clone(),
        scope: scopes.to_string(),
        expires: now + lifetime,
        certificate: Some(authenticated.client.certificate.clone()).filter(|thumbprint| !thumbprint.is_empty()),
    };
    let key = signing::current(server).await?;
    let signed = key.sign(&token, root(server), &server.base, now)?;
    request.use_up(INTERACTION, &authenticated, None).await?;
    Ok(Answer::ok(json!({
        "access_token": signed, "token_type": "bearer", "expires_in": lifetime, "scope": token.scope,
    })))
}

/// The scopes asked for, as far as the client may have them: those that reach further are left out, as OAuth allows, and the answer
/// says which are given. A constraint that cannot be kept is refused: without the scope its type might be reached another way.
fn scopes(server: &Server, form: &[(String, String)], client: &Client) -> Result<Scopes, Refusal> {
    let invalid = |text: String| Refusal::new("invalid_scope", text);
    let allowed = Scopes::parse(&client.scopes).unwrap_or_default();
    let asked = match parameter(form, "scope")? {
        None => return Err(invalid("scope is missing, for example system/Task.rs".to_owned())),
        Some(text) => Scopes::parse(text).map_err(|word| {
            let shown: String = word.chars().filter(char::is_ascii_graphic).take(64).collect();
            invalid(format!("\"{shown}\" is not a scope of a system. {HINT}"))
        })?,
    };
    let granted = allowed.granted(&asked);
    if granted.is_empty() {
        return Err(invalid(format!("The client may have: {allowed}.")));
    }
    let role = Role::parse(&client.role).unwrap_or(Role::Provider);
    let minimum = Minimum::of_role(role, &server.settings.provider_patient);
    match granted.unusable(&server.means(&server.latest_parameters(), &minimum)).as_slice() {
        [] => Ok(granted),
        reasons => Err(invalid(reasons.join(" ").chars().filter(|c| matches!(c, ' '..='~')).take(600).collect())),
    }
}
