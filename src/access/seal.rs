//! The keyed function behind paging tokens: HMAC-SHA-256 under a secret that all processes of one database share.

use openssl::sha::{Sha256, sha256};

use crate::problem::Problem;

/// Bytes that SHA-256 takes at once.
const BLOCK: usize = 64;

/// Computes message authentication codes (RFC 2104, <https://www.rfc-editor.org/rfc/rfc2104>). Both hashes have taken the key in
/// already: to set the library's own function up took longer than all else that the link to a next page costs.
#[derive(Clone)]
pub struct Seal {
    inner: Sha256,
    outer: Sha256,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Seal")
    }
}

impl Seal {
    /// A seal with this secret.
    pub fn new(secret: &str) -> Result<Self, Problem> {
        let mut key = [0; BLOCK];
        let secret = secret.as_bytes();
        let digest = sha256(secret);
        let short = if secret.len() > BLOCK { &digest[..] } else { secret };
        key.iter_mut().zip(short).for_each(|(byte, own)| *byte = *own);
        Ok(Self { inner: keyed(key, 0x36), outer: keyed(key, 0x5c) })
    }

    /// The code of `message`, 32 bytes.
    pub fn code(&self, message: &[u8]) -> Result<Vec<u8>, Problem> {
        let (mut inner, mut outer) = (self.inner.clone(), self.outer.clone());
        inner.update(message);
        outer.update(&inner.finish());
        Ok(outer.finish().to_vec())
    }
}

fn keyed(key: [u8; BLOCK], pad: u8) -> Sha256 {
    let mut hash = Sha256::new();
    hash.update(&key.map(|byte| byte ^ pad));
    hash
}
