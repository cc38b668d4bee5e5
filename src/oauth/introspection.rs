//! Token introspection: `POST /oauth2/introspect` (<https://www.rfc-editor.org/rfc/rfc7662>). A client may ask about its own tokens.

use serde_json::json;

use super::admission;
use super::answer::{Answer, Refusal};
use super::client::{self, parameter};
use super::token::{record, use_up};
use crate::access::{Authority, Caller};
use crate::interactions::server::Server;

/// Answers whether a token is good and what it gives. A token of another client reads as one that is not active.
pub async fn introspect(
    server: &Server,
    form: &[(String, String)],
    caller: &Caller,
    certificate: Option<&str>,
) -> Answer {
    match answer(server, form, caller, certificate).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.answer(),
    }
}

async fn answer(
    server: &Server,
    form: &[(String, String)],
    caller: &Caller,
    certificate: Option<&str>,
) -> Result<Answer, Refusal> {
    let authenticated = client::authenticate(server, form, certificate).await?;
    let token = parameter(form, "token")?.ok_or_else(|| Refusal::new("invalid_request", "token is missing."))?;
    let mut record = record(server, caller, &authenticated.client.id);
    "introspect".clone_into(&mut record.interaction);
    use_up(server, &authenticated, record).await?;
    let admitted = admission::admitted(server, token).await.ok();
    let Some(admitted) = admitted.filter(|admitted| admitted.client == authenticated.client.id) else {
        return Ok(Answer::ok(json!({ "active": false })));
    };
    let Authority::Token(granted) = &admitted.authority else { return Ok(Answer::ok(json!({ "active": false }))) };
    Ok(Answer::ok(json!({
        "active": true, "client_id": admitted.client, "sub": admitted.client, "scope": granted.scopes.to_string(),
        "exp": admitted.expires, "jti": admitted.token, "iss": super::root(server), "aud": server.base, "token_type": "bearer",
    })))
}
