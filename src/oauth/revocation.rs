//! Token revocation: `POST /oauth2/revoke` (<https://www.rfc-editor.org/rfc/rfc7009>). A client may revoke its own tokens; other
//! processes on the same database follow within seconds.

use serde_json::json;

use super::admission;
use super::answer::{Answer, Refusal};
use super::client::{self, parameter};
use super::token::{record, use_up};
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
    let authenticated = client::authenticate(server, form, certificate).await?;
    let token = parameter(form, "token")?.ok_or_else(|| Refusal::new("invalid_request", "token is missing."))?;
    let mut record = record(server, caller, &authenticated.client.id);
    "revoke".clone_into(&mut record.interaction);
    use_up(server, &authenticated, record.clone()).await?;
    let admitted = admission::admitted(server, token).await.ok();
    let Some(admitted) = admitted.filter(|admitted| admitted.client == authenticated.client.id) else {
        return Ok(Answer::ok(json!({})));
    };
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
