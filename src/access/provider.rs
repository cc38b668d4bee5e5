//! The cryptography that `jsonwebtoken` signs and verifies with: openssl, for RSA (PKCS #1 v1.5) and ECDSA
//! (<https://www.rfc-editor.org/rfc/rfc7518#section-3>). [`install`] makes it the one of this process; everything in `access` that
//! handles tokens calls it first. HMAC is left out on purpose: no token is verified with a shared secret.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private, Public};
use openssl::rsa::Rsa;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(PrivateKey::new(*algorithm, key)?)),
    verifier_factory: |algorithm, key| Ok(Box::new(PublicKey::new(*algorithm, key)?)),
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes openssl the cryptography of `jsonwebtoken` in this process. May be called any number of times.
pub fn install() {
    // A second call finds the same provider in place, which is what it wants.
    let _ = PROVIDER.install_default();
}

/// The digest of an algorithm; none for those that are not taken.
fn digest(algorithm: Algorithm) -> Result<MessageDigest, JwtError> {
    match algorithm {
        Algorithm::RS256 | Algorithm::ES256 => Ok(MessageDigest::sha256()),
        Algorithm::RS384 | Algorithm::ES384 => Ok(MessageDigest::sha384()),
        Algorithm::RS512 => Ok(MessageDigest::sha512()),
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    }
}

/// The curve of an ECDSA algorithm and the length of one half of its signatures; none for RSA.
const fn curve(algorithm: Algorithm) -> Option<(Nid, usize)> {
    match algorithm {
        Algorithm::ES256 => Some((Nid::X9_62_PRIME256V1, 32)),
        Algorithm::ES384 => Some((Nid::SECP384R1, 48)),
        _ => None,
    }
}

fn unusable(_: ErrorStack) -> JwtError {
    ErrorKind::InvalidKeyFormat.into()
}

struct PrivateKey {
    algorithm: Algorithm,
    digest: MessageDigest,
    key: PKey<Private>,
}

impl PrivateKey {
    fn new(algorithm: Algorithm, key: &EncodingKey) -> Result<Self, JwtError> {
        let digest = digest(algorithm)?;
        let key = PKey::private_key_from_der(key.as_bytes()).map_err(unusable)?;
        if key.ec_key().is_ok() != curve(algorithm).is_some() {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        Ok(Self { algorithm, digest, key })
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let Some((_, half)) = curve(self.algorithm) else {
            return openssl::sign::Signer::new(self.digest, &self.key)?.sign_oneshot_to_vec(message);
        };
        let signature = EcdsaSig::sign(&hash(self.digest, message)?, &*self.key.ec_key()?)?;
        let length = i32::try_from(half).unwrap_or_default();
        let mut bytes = signature.r().to_vec_padded(length)?;
        bytes.extend(signature.s().to_vec_padded(length)?);
        Ok(bytes)
    }
}

impl Signer<Vec<u8>> for PrivateKey {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        self.sign(message).map_err(SignatureError::from_source)
    }
}

impl JwtSigner for PrivateKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

struct PublicKey {
    algorithm: Algorithm,
    digest: MessageDigest,
    key: PKey<Public>,
}

impl PublicKey {
    fn new(algorithm: Algorithm, key: &DecodingKey) -> Result<Self, JwtError> {
        let digest = digest(algorithm)?;
        let key = match (curve(algorithm), key.kind()) {
            (None, DecodingKeyKind::RsaModulusExponent { n, e }) => rsa(n, e).map_err(unusable)?,
            (Some((curve, _)), DecodingKeyKind::SecretOrDer(point)) => point_key(curve, point).map_err(unusable)?,
            _ => return Err(ErrorKind::InvalidAlgorithm.into()),
        };
        Ok(Self { algorithm, digest, key })
    }

    fn holds(&self, message: &[u8], signature: &[u8]) -> Result<bool, ErrorStack> {
        let Some((_, half)) = curve(self.algorithm) else {
            return openssl::sign::Verifier::new(self.digest, &self.key)?.verify_oneshot(signature, message);
        };
        let Some((r, s)) = signature.split_at_checked(half).filter(|(_, s)| s.len() == half) else {
            return Ok(false);
        };
        let signature = EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?;
        signature.verify(&hash(self.digest, message)?, &*self.key.ec_key()?)
    }
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<PKey<Public>, ErrorStack> {
    PKey::from_rsa(Rsa::from_public_components(BigNum::from_slice(modulus)?, BigNum::from_slice(exponent)?)?)
}

/// The key of an uncompressed point, which must lie on the curve.
fn point_key(curve: Nid, point: &[u8]) -> Result<PKey<Public>, ErrorStack> {
    let group = EcGroup::from_curve_name(curve)?;
    let point = EcPoint::from_bytes(&group, point, &mut *BigNumContext::new()?)?;
    let key = EcKey::from_public_key(&group, &point)?;
    key.check_key()?;
    PKey::from_ec_key(key)
}

impl Verifier<Vec<u8>> for PublicKey {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        match self.holds(message, signature) {
            Ok(true) => Ok(()),
            _ => Err(SignatureError::new()),
        }
    }
}

impl JwtVerifier for PublicKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
