//! Token revocation: `POST /oauth2/revoke` (<https://www.rfc-editor.org/rfc/rfc7009>). A client may revoke its own tokens; other
//! processes on the same database follow within seconds.

use serde_json::json;

use super::answer::{Answer, Refusal};
use super::request::{Request, Revoked};

/// The name of this request in the audit trail.
const INTERACTION: &str = "revoke";

/// Revokes a token. As the specification asks, a token that is not good (any more) is answered like one that was.
pub async fn revoke(request: &Request<'_>) -> Answer {
    request.answer(INTERACTION, take_back(request).await).await
}

async fn take_back(request: &Request<'_>) -> Result<Answer, Refusal> {
    let (authenticated, own) = request.own_token().await?;
    let revoked = own.map(|own| Revoked { token: own.token, expires: own.expires });
    request.use_up(INTERACTION, &authenticated, revoked.clone()).await?;
    if let Some(revoked) = revoked {
        request.server.access.forget(|known| known.token == revoked.token);
    }
    Ok(Answer::ok(json!({})))
}
