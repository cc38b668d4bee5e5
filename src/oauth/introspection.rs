//! Token introspection: `POST /oauth2/introspect` (<https://www.rfc-editor.org/rfc/rfc7662>). A client may ask about its own tokens.

use serde_json::json;

use super::answer::{Answer, Refusal};
use super::request::Request;
use crate::access::Authority;

/// The name of this request in the audit trail.
const INTERACTION: &str = "introspect";

/// Answers whether a token is good and what it gives. A token of another client reads as one that is not active.
pub async fn introspect(request: &Request<'_>) -> Answer {
    request.answer(INTERACTION, look(request).await).await
}

async fn look(request: &Request<'_>) -> Result<Answer, Refusal> {
    let (authenticated, own) = request.own_token().await?;
    request.use_up(INTERACTION, &authenticated, None).await?;
    let inactive = || Ok(Answer::ok(json!({ "active": false })));
    let Some(own) = own else { return inactive() };
    let Authority::Token(granted) = &own.authority else { return inactive() };
    let server = request.server;
    Ok(Answer::ok(json!({
        "active": true, "client_id": own.client, "sub": own.client, "scope": granted.scopes.to_string(),
        "exp": own.expires, "jti": own.token, "iss": super::root(server), "aud": server.base, "token_type": "bearer",
    })))
}
