//! What clients read first: `[base]/.well-known/smart-configuration`
//! (<https://hl7.org/fhir/smart-app-launch/STU2.1/conformance.html>) and the public halves of the signing keys.

use serde_json::{Value, json};

use super::{root, signing, token_url};
use crate::access::bearer::SigningKey;
use crate::interactions::server::Server;
use crate::problem::Problem;

/// The SMART configuration.
#[must_use]
pub fn smart_configuration(server: &Server) -> Value {
    let root = root(server);
    json!({
        "issuer": root,
        "jwks_uri": format!("{root}/.well-known/jwks.json"),
        "token_endpoint": token_url(server),
        "introspection_endpoint": format!("{root}/oauth2/introspect"),
        "revocation_endpoint": format!("{root}/oauth2/revoke"),
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384", "RS512"],
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": ["system/*.cruds", "system/*.rs", "system/*.read", "system/*.write", "system/*.*"],
        "tls_client_certificate_bound_access_tokens": true,
        "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
    })
}

/// The JWK set of the keys whose tokens may be good.
pub async fn jwks(server: &Server) -> Result<Value, Problem> {
    let keys = signing::known(server).await?;
    Ok(json!({ "keys": keys.iter().map(SigningKey::jwk).collect::<Vec<_>>() }))
}
