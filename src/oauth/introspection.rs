//! Token introspection: `POST /oauth2/introspect` (<https://www.rfc-editor.org/rfc/rfc7662>). A client may ask about its own tokens.

use serde_json::json;

use super::answer::{Answer, Refusal};
use super::token::own_token;
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
    let (_, admitted) = own_token(server, form, caller, certificate, "introspect").await?;
    let Some(admitted) = admitted else { return Ok(Answer::ok(json!({ "active": false }))) };
    let Authority::Token(granted) = &admitted.authority else { return Ok(Answer::ok(json!({ "active": false }))) };
    Ok(Answer::ok(json!({
        "active": true, "client_id": admitted.client, "sub": admitted.client, "scope": granted.scopes.to_string(),
        "exp": admitted.expires, "jti": admitted.token, "iss": super::root(server), "aud": server.base, "token_type": "bearer",
    })))
}
