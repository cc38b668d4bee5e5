//! Token revocation: `POST /oauth2/revoke` (<https://www.rfc-editor.org/rfc/rfc7009>). A client may revoke its own tokens; other
//! processes on the same database follow within seconds.

use serde_json::json;

use super::answer::{Answer, Refusal};
use super::token::own_token;
use crate::access::Caller;
use crate::interactions::server::Server;

/// Revokes a token. As the specification asks, a token that is not good (any more) is answered like one that was.
pub async fn revoke(server: &Server, form: &[(String, String)], caller: &Caller, certificate: Option<&str>) -> Answer {
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
    let (record, admitted) = own_token(server, form, caller, certificate, "revoke").await?;
    let Some(admitted) = admitted else { return Ok(Answer::ok(json!({}))) };
    let (id, expires, now) = (admitted.token.clone(), admitted.expires, server.clock.now() / 1_000_000);
    server
        .store
        .write(move |tx| {
            let (id, record) = (id.clone(), record.clone());
            Box::pin(async move {
                tx.revoke_token(&id, expires, now).await?;
                Ok(((), vec![record]))
            })
        })
        .await?;
    server.access.forget(|known| known.token == admitted.token);
    Ok(Answer::ok(json!({})))
}
