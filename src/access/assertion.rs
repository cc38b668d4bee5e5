//! The signed assertion by which a client says who it is (`private_key_jwt`:
//! <https://hl7.org/fhir/smart-app-launch/STU2.1/client-confidential-asymmetric.html>, <https://www.rfc-editor.org/rfc/rfc7523>).
//! The token endpoint verifies it; whether it was used before is the database's to say.

use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use serde_json::Value;

use super::keys::KeySet;
use super::provider;
use crate::clock::Micros;

/// Algorithms that clients sign with: SMART's two, and the one that NHS platforms send.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS384, Algorithm::ES384, Algorithm::RS512];
/// How far the clocks of client and server may differ, seconds.
pub const SKEW: i64 = 30;
/// How long an assertion may be good for, seconds.
const LONGEST: i64 = 300;
/// Longest assertion that is read, bytes.
const LARGEST: usize = 16 * 1024;

/// A verified assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Its identifier, to be used once.
    pub id: String,
    /// Until when it could be used again, so how long to remember it, seconds since 1970.
    pub expires: i64,
}

/// What an assertion says of itself before anything is verified: enough to find the client's keys.
#[derive(Debug, Clone)]
pub struct Unverified {
    header: Header,
    /// The client that it claims to come from.
    pub client: String,
}

impl Unverified {
    /// The key id in its header.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }
}

/// Reads who an assertion claims to come from. The error is for the client to read.
pub fn read(token: &str) -> Result<Unverified, &'static str> {
    provider::install();
    if token.len() > LARGEST {
        return Err("The assertion is larger than 16 kB.");
    }
    let header = decode_header(token).map_err(|_| "The assertion is not a signed JWT with a known algorithm.")?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err("The assertion must be signed with RS384, ES384 or RS512.");
    }
    if header.typ.as_deref().is_some_and(|kind| !kind.eq_ignore_ascii_case("jwt")) || header.crit.is_some() {
        return Err("The header of the assertion must have typ JWT and no crit.");
    }
    if header.kid.is_none() {
        return Err("The header of the assertion must name the key (kid).");
    }
    let claims: Value =
        jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| "The assertion's claims are not JSON.")?;
    match (claims["iss"].as_str(), claims["sub"].as_str()) {
        (Some(issuer), Some(subject)) if issuer == subject && !issuer.is_empty() => {
            Ok(Unverified { header, client: issuer.to_owned() })
        }
        _ => Err("The claims iss and sub must both be the client id."),
    }
}

/// Verifies the signature with the client's keys, then what the claims say: that it is meant for this endpoint (`audience`), is
/// not expired at `now` and good for five minutes at most. The error is for the client to read.
pub fn verify(
    token: &str,
    unverified: &Unverified,
    keys: &KeySet,
    audience: &[String],
    now: Micros,
) -> Result<Assertion, &'static str> {
    let header = &unverified.header;
    let mut validation = Validation::new(header.alg);
    // Times and audience are checked below, by this server's clock and without the leeway of a list.
    (validation.validate_exp, validation.validate_aud) = (false, false);
    validation.required_spec_claims.clear();
    let claims: Value = keys
        .candidates(header.alg, header.kid.as_deref())
        .find_map(|key| decode(token, key, &validation).ok())
        .ok_or("No registered key of the client (kid, alg) made this signature.")?
        .claims;
    if claims["iss"] != *unverified.client {
        return Err("The claims iss and sub must both be the client id.");
    }
    if !meant_for(&claims["aud"], audience) {
        return Err("The claim aud must be the URL of the token endpoint.");
    }
    let expires = times(&claims, now / 1_000_000)?;
    let id = claims["jti"].as_str().filter(|id| (1..=256).contains(&id.len()));
    let id = id.ok_or("The claim jti must be a text of 1 to 256 bytes that no other assertion has.")?.to_owned();
    Ok(Assertion { id, expires: expires + SKEW })
}

fn meant_for(claim: &Value, audience: &[String]) -> bool {
    let is_ours = |value: &Value| value.as_str().is_some_and(|text| audience.iter().any(|url| url == text));
    match claim {
        Value::Array(all) => all.len() == 1 && all.iter().all(is_ours),
        one => is_ours(one),
    }
}

/// Checks `exp`, `nbf` and `iat` at `now`, all in seconds, and returns `exp`.
pub(super) fn times(claims: &Value, now: i64) -> Result<i64, &'static str> {
    let expires = seconds(&claims["exp"]).ok_or("The claim exp must be a time in seconds since 1970.")?;
    if expires <= now - SKEW {
        return Err("It has expired (claim exp).");
    }
    if expires > now + LONGEST + SKEW {
        return Err("The claim exp may be at most five minutes ahead.");
    }
    let ahead = |name: &str| claims.get(name).is_some_and(|claim| seconds(claim).is_none_or(|time| time > now + SKEW));
    if ahead("nbf") || ahead("iat") {
        return Err("The claims nbf and iat must be times that are past.");
    }
    Ok(expires)
}

/// A NumericDate, whole seconds of it.
pub(super) fn seconds(claim: &Value) -> Option<i64> {
    let text = claim.as_number()?.to_string();
    text.split('.').next()?.parse().ok()
}
