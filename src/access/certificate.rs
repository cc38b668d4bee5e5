//! Client certificates, as access tokens are bound to them (<https://www.rfc-editor.org/rfc/rfc8705>).

use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::x509::X509;

use super::bearer::base64url;

/// SHA-256 thumbprint (base64url) of a certificate in PEM.
pub fn thumbprint(pem: &[u8]) -> Result<String, ErrorStack> {
    thumbprint_of(&X509::from_pem(pem)?.to_der()?)
}

/// SHA-256 thumbprint (base64url) of a certificate in DER.
pub fn thumbprint_of(der: &[u8]) -> Result<String, ErrorStack> {
    Ok(base64url(&hash(MessageDigest::sha256(), der)?))
}
