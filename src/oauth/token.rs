//! The token endpoint: `POST /oauth2/token` (<https://hl7.org/fhir/smart-app-launch/STU2.1/backend-services.html#obtain-access-token>,
//! <https://www.rfc-editor.org/rfc/rfc6749#section-4.4>). Every request is audited, the refused ones too.

use serde_json::json;

use super::admission;
use super::answer::{Answer, Refusal};
use super::client::{self, Authenticated, parameter};
use super::{root, signing};
use crate::access::Caller;
use crate::access::bearer::Token;
use crate::access::scope::Scopes;
use crate::access::state::Admitted;
use crate::interactions::server::Server;
use crate::store::{AuditRecord, Client};

/// Answers a request for a token. `form` is the decoded body, `certificate` the thumbprint of the client's TLS certificate.
pub async fn token(server: &Server, form: &[(String, String)], caller: &Caller, certificate: Option<&str>) -> Answer {
    let refusal = match issue(server, form, caller, certificate).await {
        Ok(answer) => return answer,
        Err(refusal) => refusal,
    };
    let record =
        AuditRecord { status: refusal.status, problems: vec![refusal.code.to_owned()], ..record(server, caller, "") };
    match server.store.audit(record).await {
        Ok(()) => refusal.answer(),
        Err(problem) => Refusal::from(problem).answer(),
    }
}

/// The audit record of a login, without its outcome.
fn record(server: &Server, caller: &Caller, client: &str) -> AuditRecord {
    AuditRecord {
        recorded: server.clock.now(),
        interaction: "login".to_owned(),
        status: 200,
        request_id: server.clock.new_id(),
        client: client.to_owned(),
        address: caller.address.clone(),
        ..AuditRecord::default()
    }
}

async fn issue(
    server: &Server,
    form: &[(String, String)],
    caller: &Caller,
    certificate: Option<&str>,
) -> Result<Answer, Refusal> {
    match parameter(form, "grant_type")? {
        Some("client_credentials") => {}
        Some(_) => {
            let text = "The only grant_type is client_credentials.";
            return Err(Refusal::new("unsupported_grant_type", text));
        }
        None => return Err(Refusal::new("invalid_request", "grant_type is missing.")),
    }
    let authenticated = client::authenticate(server, form, certificate).await?;
    let scopes = scopes(form, &authenticated.client)?;
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
    use_up(server, &authenticated, record(server, caller, &token.client)).await?;
    Ok(Answer::ok(json!({
        "access_token": signed, "token_type": "bearer", "expires_in": lifetime, "scope": token.scope,
    })))
}

/// The scopes asked for, as far as the client may have them: those that reach further are left out, as OAuth allows, and the answer
/// says which are given.
fn scopes(form: &[(String, String)], client: &Client) -> Result<Scopes, Refusal> {
    let invalid = |text: String| Refusal::new("invalid_scope", text);
    let allowed = Scopes::parse(&client.scopes).unwrap_or_default();
    let asked = match parameter(form, "scope")? {
        None => return Err(invalid("scope is missing, for example system/Task.rs".to_owned())),
        Some(text) => Scopes::parse(text).map_err(|word| {
            let shown: String = word.chars().filter(char::is_ascii_graphic).take(64).collect();
            invalid(format!("\"{shown}\" is not a scope of a system, for example system/Task.rs or system/*.cruds."))
        })?,
    };
    let granted = allowed.granted(&asked);
    if granted.is_empty() {
        return Err(invalid(format!("The client may have: {allowed}.")));
    }
    Ok(granted)
}

/// Remembers the assertion, so that it is never taken again by any process on this database.
async fn use_up(server: &Server, authenticated: &Authenticated, record: AuditRecord) -> Result<(), Refusal> {
    let (id, expires) = authenticated.assertion.clone();
    let (client, now) = (authenticated.client.id.clone(), server.clock.now() / 1_000_000);
    let fresh = server
        .store
        .write(move |tx| {
            let (client, id, record) = (client.clone(), id.clone(), record.clone());
            Box::pin(async move {
                let fresh = tx.use_assertion(&client, &id, expires, now).await?;
                // A replay is audited by the caller, as every refusal is.
                Ok((fresh, if fresh { vec![record] } else { Vec::new() }))
            })
        })
        .await?;
    if fresh { Ok(()) } else { Err(Refusal::client("This assertion (jti) was used before. Sign a new one.")) }
}

/// The token that a client asks about, where it is good and its own, and the audit record of the asking, which is written.
pub(super) async fn own_token(
    server: &Server,
    form: &[(String, String)],
    caller: &Caller,
    certificate: Option<&str>,
    interaction: &str,
) -> Result<(AuditRecord, Option<Admitted>), Refusal> {
    let authenticated = client::authenticate(server, form, certificate).await?;
    let token = parameter(form, "token")?.ok_or_else(|| Refusal::new("invalid_request", "token is missing."))?;
    let record =
        AuditRecord { interaction: interaction.to_owned(), ..record(server, caller, &authenticated.client.id) };
    use_up(server, &authenticated, record.clone()).await?;
    let admitted = admission::admitted(server, token).await.ok();
    Ok((record, admitted.filter(|admitted| admitted.client == authenticated.client.id)))
}
