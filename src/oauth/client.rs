//! Who asks at an OAuth endpoint: the client that signed the assertion, or whose certificate the connection has.

use super::answer::Refusal;
use super::{fetch, token_url};
use crate::access::assertion::{self, Unverified};
use crate::access::keys::KeySet;
use crate::interactions::server::Server;
use crate::store::Client;

/// The one type of assertion (<https://www.rfc-editor.org/rfc/rfc7523#section-2.2>).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client that has shown who it is, and the assertion by which it did, still to be used up.
#[derive(Debug)]
pub(super) struct Authenticated {
    /// The client.
    pub(super) client: Client,
    /// The assertion's identifier and until when to remember it, seconds.
    pub(super) assertion: (String, i64),
}

/// The value of a form parameter; a repeated one is refused, as OAuth asks.
pub(super) fn parameter<'a>(form: &'a [(String, String)], name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = form.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Refusal::new("invalid_request", format!("The parameter {name} is repeated."))),
        (value, None) => Ok(value.filter(|text| !text.is_empty())),
    }
}

/// Authenticates the client of a form by its signed assertion. Whoever is unknown or disabled reads the same as whoever has a wrong key.
pub(super) async fn authenticate(
    server: &Server,
    form: &[(String, String)],
    certificate: Option<&str>,
) -> Result<Authenticated, Refusal> {
    if parameter(form, "client_assertion_type")? != Some(ASSERTION_TYPE) {
        return Err(Refusal::client(format!("client_assertion_type must be {ASSERTION_TYPE}.")));
    }
    let token = parameter(form, "client_assertion")?.ok_or_else(|| Refusal::client("client_assertion is missing."))?;
    let unverified = assertion::read(token).map_err(Refusal::client)?;
    if parameter(form, "client_id")?.is_some_and(|id| id != unverified.client) {
        return Err(Refusal::client("client_id is not the client of the assertion."));
    }
    let unknown = || Refusal::client("No registered key of the client (kid, alg) made this signature.");
    let client =
        server.store.client(&unverified.client).await?.filter(|client| !client.disabled).ok_or_else(unknown)?;
    if !client.certificate.is_empty() && certificate != Some(client.certificate.as_str()) {
        return Err(Refusal::client("The client is registered for another TLS certificate than this connection has."));
    }
    let verified = verified(server, token, &unverified, &client).await?;
    Ok(Authenticated { client, assertion: (verified.id, verified.expires) })
}

/// Verifies with the registered keys; where they are at a URL and do not fit, with freshly fetched ones.
async fn verified(
    server: &Server,
    token: &str,
    unverified: &Unverified,
    client: &Client,
) -> Result<assertion::Assertion, Refusal> {
    let audience = [token_url(server)];
    let verify = |keys: &KeySet| {
        assertion::verify(token, unverified, keys, &audience, server.clock.now()).map_err(Refusal::client)
    };
    if client.keys_url.is_empty() {
        let set = serde_json::from_str(&client.keys).unwrap_or_default();
        return verify(
            &KeySet::parse(&set).map_err(|text| Refusal::client(format!("The registered key set {text}.")))?,
        );
    }
    let keys = fetch::keys(server, &client.keys_url, unverified.key_id()).await.map_err(Refusal::client)?;
    verify(&keys)
}
