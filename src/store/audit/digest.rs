//! SHA-256 of what is written piece by piece: for backups, which the store makes and openssl's place does not reach.

use openssl::sha::Sha256;

use super::checkpoint::hex;

/// A running digest.
#[derive(Clone, Default)]
pub(in crate::store) struct Digest(Sha256);

impl std::fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Digest")
    }
}

impl Digest {
    /// Takes further bytes in.
    pub(in crate::store) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest in hexadecimal digits.
    pub(in crate::store) fn finish(self) -> String {
        hex(&self.0.finish())
    }
}
