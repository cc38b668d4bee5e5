//! What a process remembers between requests to answer quickly who calls: tokens it has verified, the keys that sign them,
//! key sets fetched from clients' URLs. All of it can be lost; the database has the truth. `oauth` fills and asks it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Authority;
use super::bearer::SigningKey;
use super::issuer::Issuer;
use super::keys::KeySet;
use crate::clock::Micros;

/// Most tokens that are remembered.
const MOST_TOKENS: usize = 20_000;
/// Most fetched key sets.
const MOST_KEY_SETS: usize = 1000;

/// A token that was verified.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Its identifier.
    pub token: String,
    /// The client.
    pub client: String,
    /// Organisation of the client, as `system|value`; empty where it has none.
    pub organisation: String,
    /// The end user, where the token of an external issuer names one.
    pub user: Option<String>,
    /// What it may do.
    pub authority: Authority,
    /// What it may do where it breaks the glass; none for roles that may not.
    pub emergency: Option<Authority>,
    /// The certificate (SHA-256 thumbprint, base64url) that must come with it.
    pub certificate: Option<String>,
    /// When it ends, seconds.
    pub expires: i64,
    /// When the database was asked last whether the client and the token are still good.
    pub checked: Micros,
}

/// The memory of one process.
#[derive(Debug, Default)]
pub struct State {
    tokens: Mutex<HashMap<[u8; 32], Admitted>>,
    signing: Mutex<Arc<Vec<SigningKey>>>,
    fetched: Mutex<HashMap<String, (Micros, Arc<KeySet>)>>,
    issuers: Vec<Issuer>,
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name under which a token is remembered: its hash, so that memory holds no usable token.
#[must_use]
pub fn name(token: &str) -> [u8; 32] {
    openssl::sha::sha256(token.as_bytes())
}

impl State {
    /// An empty memory of a process that takes tokens of these issuers beside its own.
    #[must_use]
    pub fn with_issuers(issuers: Vec<Issuer>) -> Self {
        Self { issuers, ..Self::default() }
    }

    /// The external issuers whose tokens are taken.
    #[must_use]
    pub fn issuers(&self) -> &[Issuer] {
        &self.issuers
    }

    /// What is remembered of a token.
    #[must_use]
    pub fn admitted(&self, name: &[u8; 32]) -> Option<Admitted> {
        open(&self.tokens).get(name).cloned()
    }

    /// Remembers a token.
    pub fn admit(&self, name: [u8; 32], admitted: Admitted) {
        let mut tokens = open(&self.tokens);
        if tokens.len() >= MOST_TOKENS {
            tokens.retain(|_, known| known.expires > admitted.checked / 1_000_000);
        }
        if tokens.len() >= MOST_TOKENS {
            tokens.clear();
        }
        tokens.insert(name, admitted);
    }

    /// Forgets a token, or all tokens of a client.
    pub fn forget(&self, is_gone: impl Fn(&Admitted) -> bool) {
        open(&self.tokens).retain(|_, known| !is_gone(known));
    }

    /// The signing keys as last read.
    #[must_use]
    pub fn signing_keys(&self) -> Arc<Vec<SigningKey>> {
        Arc::clone(&open(&self.signing))
    }

    /// Takes over signing keys.
    pub fn set_signing_keys(&self, keys: Vec<SigningKey>) -> Arc<Vec<SigningKey>> {
        let keys = Arc::new(keys);
        *open(&self.signing) = Arc::clone(&keys);
        keys
    }

    /// A fetched key set and when it was fetched.
    #[must_use]
    pub fn fetched(&self, url: &str) -> Option<(Micros, Arc<KeySet>)> {
        open(&self.fetched).get(url).cloned()
    }

    /// Remembers a fetched key set.
    pub fn keep_fetched(&self, url: &str, now: Micros, keys: Arc<KeySet>) {
        let mut fetched = open(&self.fetched);
        if fetched.len() >= MOST_KEY_SETS {
            fetched.clear();
        }
        fetched.insert(url.to_owned(), (now, keys));
    }
}
