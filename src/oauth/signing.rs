//! The server's own keys, which sign access tokens. They lie in the database, so that every process on it signs and verifies with
//! the same ones; a new one is made every month, and the old one stays known until its last token has ended.

use std::sync::Arc;

use super::answer::Refusal;
use crate::access::bearer::{self, SigningKey};
use crate::clock::Micros;
use crate::interactions::server::Server;
use crate::problem::Problem;
use crate::store::{AuditRecord, StoredKey};

/// How long a key signs.
const SIGNS_FOR: Micros = 30 * 86_400 * 1_000_000;
/// How much longer it is known: longer than any token is good.
const KNOWN_FOR: Micros = SIGNS_FOR + 86_400 * 1_000_000;

/// Every key whose tokens may be good, read from the database.
pub(super) async fn known(server: &Server) -> Result<Arc<Vec<SigningKey>>, Problem> {
    let stored = server.store.signing_keys(server.clock.now()).await?;
    let keys: Result<Vec<SigningKey>, Problem> =
        stored.into_iter().map(|key| SigningKey::open(key.id, &key.private_key, key.created, key.expires)).collect();
    Ok(server.access.set_signing_keys(keys?))
}

/// The key of this id; asks the database where this process does not know it.
pub(super) async fn find(server: &Server, id: &str) -> Result<Option<SigningKey>, Problem> {
    let find = |keys: &[SigningKey]| keys.iter().find(|key| key.id == id).cloned();
    match find(&server.access.signing_keys()) {
        Some(key) if key.expires > server.clock.now() => Ok(Some(key)),
        _ => Ok(find(&known(server).await?)),
    }
}

/// The key to sign with now; makes one where there is none young enough.
pub(super) async fn current(server: &Server) -> Result<SigningKey, Refusal> {
    let now = server.clock.now();
    let young = |keys: &[SigningKey]| keys.iter().rfind(|key| key.created + SIGNS_FOR > now).cloned();
    if let Some(key) = young(&server.access.signing_keys()) {
        return Ok(key);
    }
    if let Some(key) = young(&known(server).await?) {
        return Ok(key);
    }
    let key = StoredKey {
        id: server.clock.new_id(),
        private_key: bearer::new_private_key()?,
        created: now,
        expires: now + KNOWN_FOR,
    };
    // Two processes may each make one: both are known to all from then on.
    server
        .store
        .write(move |tx| {
            let key = key.clone();
            let made =
                AuditRecord { recorded: now, interaction: "signing-key".into(), status: 201, ..AuditRecord::default() };
            Box::pin(async move {
                tx.add_signing_key(&key).await?;
                Ok(((), vec![AuditRecord { resource_id: key.id, ..made }]))
            })
        })
        .await?;
    young(&known(server).await?).ok_or_else(|| Refusal::from(Problem::internal("no signing key")))
}
