//! Access tokens (<https://www.rfc-editor.org/rfc/rfc9068>): made by the token endpoint under a key of the server, read with
//! every request. Also the check of tokens that an external issuer made.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use serde_json::{Value, json};

use super::assertion::{SKEW, seconds};
use super::provider;
use crate::clock::Micros;
use crate::problem::Problem;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its identifier (`jti`).
    pub id: String,
    /// The client (`client_id`).
    pub client: String,
    /// The scopes, separated by spaces.
    pub scope: String,
    /// When it ends, seconds since 1970.
    pub expires: i64,
    /// SHA-256 thumbprint (base64url) of the certificate that it is bound to (<https://www.rfc-editor.org/rfc/rfc8705>).
    pub certificate: Option<String>,
}

/// A key of the server that signs access tokens.
#[derive(Clone)]
pub struct SigningKey {
    /// Key id.
    pub id: String,
    /// When it was made.
    pub created: Micros,
    /// Until when tokens of it may be good.
    pub expires: Micros,
    private: EncodingKey,
    public: DecodingKey,
    x: String,
    y: String,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A new private key on P-256, as PEM text.
pub fn new_private_key() -> Result<String, Problem> {
    let make = || -> Result<Vec<u8>, openssl::error::ErrorStack> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        PKey::from_ec_key(EcKey::generate(&group)?)?.private_key_to_pem_pkcs8()
    };
    String::from_utf8(make().map_err(Problem::internal)?).map_err(Problem::internal)
}

impl SigningKey {
    /// A key from its PEM text.
    pub fn open(id: String, pem: &str, created: Micros, expires: Micros) -> Result<Self, Problem> {
        provider::install();
        let key = PKey::private_key_from_pem(pem.as_bytes()).map_err(Problem::internal)?;
        let (x, y) = coordinates(&key).map_err(Problem::internal)?;
        let der = key.private_key_to_der().map_err(Problem::internal)?;
        let public = DecodingKey::from_ec_components(&x, &y).map_err(Problem::internal)?;
        Ok(Self { id, created, expires, private: EncodingKey::from_ec_der(&der), public, x, y })
    }

    /// The public half as a JWK.
    #[must_use]
    pub fn jwk(&self) -> Value {
        json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id, "x": self.x, "y": self.y })
    }

    /// Makes a token of `issuer` for `audience`, issued at `now` (seconds).
    pub fn sign(&self, token: &Token, issuer: &str, audience: &str, now: i64) -> Result<String, Problem> {
        provider::install();
        let header =
            Header { typ: Some("at+jwt".to_owned()), kid: Some(self.id.clone()), ..Header::new(Algorithm::ES256) };
        let mut claims = json!({
            "iss": issuer, "aud": audience, "sub": token.client, "client_id": token.client, "scope": token.scope,
            "jti": token.id, "iat": now, "exp": token.expires,
        });
        if let Some(thumbprint) = &token.certificate {
            claims["cnf"] = json!({ "x5t#S256": thumbprint });
        }
        encode(&header, &claims, &self.private).map_err(Problem::internal)
    }
}

fn coordinates(key: &PKey<Private>) -> Result<(String, String), openssl::error::ErrorStack> {
    let key = key.ec_key()?;
    let (mut x, mut y, mut context) = (BigNum::new()?, BigNum::new()?, BigNumContext::new()?);
    key.public_key().affine_coordinates(key.group(), &mut x, &mut y, &mut context)?;
    Ok((base64url(&x.to_vec_padded(32)?), base64url(&y.to_vec_padded(32)?)))
}

/// Bytes as base64url without padding (<https://www.rfc-editor.org/rfc/rfc4648#section-5>).
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    openssl::base64::encode_block(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// The id of the key that signed a token; none where it is no token of this server.
#[must_use]
pub fn key_id(token: &str) -> Option<String> {
    provider::install();
    let header = decode_header(token).ok()?;
    let ours = header.alg == Algorithm::ES256 && header.typ.as_deref() == Some("at+jwt") && header.crit.is_none();
    header.kid.filter(|_| ours)
}

/// Verifies a token of this server with the key that it names. The error is for the client to read.
pub fn verify(token: &str, key: &SigningKey, issuer: &str, audience: &str, now: Micros) -> Result<Token, &'static str> {
    let mut validation = Validation::new(Algorithm::ES256);
    (validation.validate_exp, validation.validate_aud) = (false, false);
    validation.required_spec_claims.clear();
    let claims: Value =
        decode(token, &key.public, &validation).map_err(|_| "The access token's signature is wrong.")?.claims;
    if claims["iss"] != *issuer || claims["aud"] != *audience {
        return Err("The access token is of another server.");
    }
    let text = |name: &str| claims[name].as_str().map(str::to_owned).ok_or("The access token lacks a claim.");
    let expires = seconds(&claims["exp"]).ok_or("The access token lacks a claim.")?;
    if expires <= now / 1_000_000 {
        return Err("The access token has expired. Ask for a new one.");
    }
    if seconds(&claims["iat"]).is_none_or(|issued| issued > now / 1_000_000 + SKEW) {
        return Err("The access token is not good yet.");
    }
    let certificate = claims["cnf"]["x5t#S256"].as_str().map(str::to_owned);
    Ok(Token { id: text("jti")?, client: text("client_id")?, scope: text("scope")?, expires, certificate })
}
