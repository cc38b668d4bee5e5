//! Access tokens of external issuers (`access::issuer`): their keys are at hand or fetched, as those of clients are.

use super::{authority, fetch};
use crate::access::bearer::base64url;
use crate::access::issuer::{self, Issuer, Keys};
use crate::access::state::{Admitted, name};
use crate::access::unauthorized;
use crate::interactions::server::Server;
use crate::problem::Problem;

/// What a token of this issuer gives. 401 where it is not good.
pub(super) async fn admitted(server: &Server, issuer: &Issuer, token: &str) -> Result<Admitted, Problem> {
    let now = server.clock.now();
    let external = match &issuer.keys {
        Keys::Set(keys) => issuer.verify(token, keys, now),
        Keys::Url(url) => {
            let keys = fetch::keys(server, url, issuer::key_id(token).as_deref()).await.map_err(unauthorized)?;
            issuer.verify(token, &keys, now)
        }
    };
    let external = external.map_err(unauthorized)?;
    let (authority, emergency) =
        authority::of(server, (external.scopes, issuer.scopes()), external.role, &external.organisation).await?;
    Ok(Admitted {
        token: base64url(&name(token)),
        client: external.client,
        organisation: external.organisation,
        user: external.user,
        authority,
        emergency,
        certificate: external.certificate,
        expires: external.expires,
        checked: now,
    })
}
