//! The keyed function behind paging tokens: HMAC-SHA-256 under a secret that all processes of one database share.

use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;

use crate::problem::Problem;

/// Computes message authentication codes (RFC 2104).
#[derive(Debug, Clone)]
pub struct Seal(PKey<Private>);

impl Seal {
    /// A seal with this secret.
    pub fn new(secret: &str) -> Result<Self, Problem> {
        PKey::hmac(secret.as_bytes()).map(Self).map_err(Problem::internal)
    }

    /// The code of `message`, 32 bytes.
    pub fn code(&self, message: &[u8]) -> Result<Vec<u8>, Problem> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.0).map_err(Problem::internal)?;
        signer.sign_oneshot_to_vec(message).map_err(Problem::internal)
    }
}
