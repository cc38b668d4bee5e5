//! Public keys of clients and issuers, as JWK sets bring them (<https://www.rfc-editor.org/rfc/rfc7517>). `assertion` and the
//! check of external tokens choose among them; `kith client` checks them when a client is added.

use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

/// Most keys that are read from one set.
const MOST_KEYS: usize = 32;
/// Fewest bits of an RSA modulus.
const RSA_BITS: usize = 2048;

/// What a key can verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Rsa,
    P256,
    P384,
}

impl Family {
    const fn verifies(self, algorithm: Algorithm) -> bool {
        matches!(
            (self, algorithm),
            (Self::Rsa, Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512)
                | (Self::P256, Algorithm::ES256)
                | (Self::P384, Algorithm::ES384)
        )
    }
}

/// One public key.
#[derive(Debug, Clone)]
struct Key {
    id: Option<String>,
    /// The algorithm that the set binds it to.
    algorithm: Option<String>,
    family: Family,
    material: DecodingKey,
}

/// A set of public keys for signatures.
#[derive(Debug, Clone, Default)]
pub struct KeySet(Vec<Key>);

impl KeySet {
    /// Reads a JWK set. Keys for encryption and of kinds that are not taken here are passed over; a private or symmetric key, a
    /// short RSA key or one that cannot be read is an error, since somebody made a mistake with it. The error says what would be right.
    pub fn parse(set: &Value) -> Result<Self, String> {
        let keys = set["keys"].as_array().ok_or("is not a JWK set: it has no array \"keys\"")?;
        if keys.len() > MOST_KEYS {
            return Err(format!("has more than {MOST_KEYS} keys"));
        }
        let keys: Vec<Key> = keys.iter().map(key).filter_map(Result::transpose).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(
                "has no public key for signatures: RSA of 2048 bits or more, or EC on P-256 or P-384".to_owned()
            );
        }
        Ok(Self(keys))
    }

    /// The keys that may have made a signature of this algorithm and key id.
    pub fn candidates(&self, algorithm: Algorithm, id: Option<&str>) -> impl Iterator<Item = &DecodingKey> {
        let fits = move |key: &&Key| {
            key.family.verifies(algorithm)
                && key.algorithm.as_deref().is_none_or(|name| name == algorithm_name(algorithm))
                && (id.is_none() || key.id.is_none() || key.id.as_deref() == id)
        };
        self.0.iter().filter(fits).map(|key| &key.material)
    }

    /// True where the set names this key id.
    #[must_use]
    pub fn names(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }
}

fn algorithm_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RS256 => "RS256",
        Algorithm::RS384 => "RS384",
        Algorithm::RS512 => "RS512",
        Algorithm::ES256 => "ES256",
        Algorithm::ES384 => "ES384",
        _ => "",
    }
}

/// Reads one key; none where it is for something else.
fn key(jwk: &Value) -> Result<Option<Key>, String> {
    let text = |name: &str| jwk[name].as_str();
    if jwk.get("d").is_some() || jwk.get("k").is_some() {
        return Err("holds a private or symmetric key; give the public keys only".to_owned());
    }
    let verifies = |operations: &Vec<Value>| operations.iter().any(|operation| operation == "verify");
    if text("use").is_some_and(|purpose| purpose != "sig")
        || jwk["key_ops"].as_array().is_some_and(|all| !verifies(all))
    {
        return Ok(None);
    }
    let (family, material) = match (text("kty"), text("crv")) {
        (Some("RSA"), _) => (Family::Rsa, rsa(text("n"), text("e"))?),
        (Some("EC"), Some("P-256")) => (Family::P256, point(text("x"), text("y"))?),
        (Some("EC"), Some("P-384")) => (Family::P384, point(text("x"), text("y"))?),
        _ => return Ok(None),
    };
    Ok(Some(Key { id: text("kid").map(str::to_owned), algorithm: text("alg").map(str::to_owned), family, material }))
}

fn rsa(modulus: Option<&str>, exponent: Option<&str>) -> Result<DecodingKey, String> {
    let (Some(modulus), Some(exponent)) = (modulus, exponent) else {
        return Err("has an RSA key without n or e".to_owned());
    };
    // Four characters of base64url carry 24 bits.
    if modulus.len() * 6 < RSA_BITS {
        return Err(format!("has an RSA key of fewer than {RSA_BITS} bits"));
    }
    DecodingKey::from_rsa_components(modulus, exponent).map_err(|_| "has an RSA key that is not base64url".to_owned())
}

fn point(x: Option<&str>, y: Option<&str>) -> Result<DecodingKey, String> {
    let (Some(x), Some(y)) = (x, y) else { return Err("has an EC key without x or y".to_owned()) };
    DecodingKey::from_ec_components(x, y).map_err(|_| "has an EC key that is not base64url".to_owned())
}
