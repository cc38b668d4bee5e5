//! Signed checkpoints: an Ed25519 signature over the end of a chain. A chain alone shows changed rows; only a signature (and
//! best a copy outside the database) shows that the newest rows were cut off.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use openssl::pkey::{PKey, Private, Public};
use openssl::sign::{Signer, Verifier};
use serde_json::{Value, json};

use super::chain::Head;
use crate::clock::Micros;
use crate::problem::{Kind, Problem};
use crate::store::database::{Connection, on};

pub(in crate::store) const INSERT: &str =
    "insert into audit_checkpoint (chain, sequence, hash, recorded, key_id, signature) values ($1, $2, $3, $4, $5, $6)";
pub(in crate::store) const ADD_KEY: &str =
    "insert into audit_key (key_id, public_key, created) values ($1, $2, $3) on conflict do nothing";

/// The server's statement that a chain had reached this row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Checkpoint {
    /// Which chain.
    pub chain: String,
    /// Its last row then.
    pub sequence: i64,
    /// That row's hash.
    pub hash: Vec<u8>,
    /// When it was signed.
    pub recorded: i64,
    /// Which key signed.
    pub key_id: String,
    /// Ed25519 signature.
    pub signature: Vec<u8>,
}

impl Checkpoint {
    fn message(&self) -> Vec<u8> {
        let Self { chain, sequence, recorded, key_id, .. } = self;
        format!("kith-checkpoint-1\n{chain}\n{sequence}\n{}\n{recorded}\n{key_id}\n", hex(&self.hash)).into_bytes()
    }

    /// True where `key` made the signature.
    #[must_use]
    pub fn is_signed_by(&self, key: &PKey<Public>) -> bool {
        Verifier::new_without_digest(key)
            .and_then(|mut verifier| verifier.verify_oneshot(&self.signature, &self.message()))
            .unwrap_or(false)
    }

    /// One line for the file outside the database.
    #[must_use]
    pub fn to_line(&self) -> String {
        json!({
            "chain": self.chain,
            "sequence": self.sequence,
            "hash": hex(&self.hash),
            "recorded": self.recorded,
            "key": self.key_id,
            "signature": hex(&self.signature),
        })
        .to_string()
    }

    /// Reads such a line.
    #[must_use]
    pub fn from_line(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        Some(Self {
            chain: value["chain"].as_str()?.to_owned(),
            sequence: value["sequence"].as_i64()?,
            hash: unhex(value["hash"].as_str()?)?,
            recorded: value["recorded"].as_i64()?,
            key_id: value["key"].as_str()?.to_owned(),
            signature: unhex(value["signature"].as_str()?)?,
        })
    }
}

/// Signs checkpoints.
#[derive(Debug)]
pub struct Signatory {
    key: PKey<Private>,
    key_id: String,
    public_key: String,
    file: Option<PathBuf>,
}

impl Signatory {
    /// Reads the private key from `path`, or makes one there that only its owner can read. `file` is where checkpoints are
    /// appended outside the database.
    pub fn open(path: &Path, file: Option<PathBuf>) -> Result<Self, Problem> {
        let pem = match std::fs::read(path) {
            Ok(pem) => pem,
            Err(error) if error.kind() == ErrorKind::NotFound => make_key(path)?,
            Err(error) => return Err(cannot_use(path, error)),
        };
        let key = PKey::private_key_from_pem(&pem).map_err(|error| cannot_use(path, error))?;
        let raw = key.raw_public_key().map_err(|error| cannot_use(path, error))?;
        let public_key = key.public_key_to_pem().map_err(|error| cannot_use(path, error))?;
        let public_key = String::from_utf8(public_key).map_err(|error| cannot_use(path, error))?;
        Ok(Self { key, key_id: key_id(&raw), public_key, file })
    }

    /// Signs the end of a chain.
    pub fn sign(&self, head: &Head, now: Micros) -> Result<Checkpoint, Problem> {
        let mut checkpoint = Checkpoint {
            chain: head.chain.clone(),
            sequence: head.sequence,
            hash: head.hash.to_vec(),
            recorded: now,
            key_id: self.key_id.clone(),
            signature: Vec::new(),
        };
        let mut signer = Signer::new_without_digest(&self.key).map_err(Problem::internal)?;
        checkpoint.signature = signer.sign_oneshot_to_vec(&checkpoint.message()).map_err(Problem::internal)?;
        Ok(checkpoint)
    }

    /// Appends a committed checkpoint to the file outside the database. A failure is logged: the database has it too.
    pub fn publish(&self, checkpoint: &Checkpoint) {
        let Some(path) = &self.file else { return };
        let written = OpenOptions::new().create(true).append(true).mode(0o600).open(path).and_then(|mut file| {
            file.write_all(format!("{}\n", checkpoint.to_line()).as_bytes())?;
            file.sync_data()
        });
        if let Err(error) = written {
            tracing::error!(%error, path = %path.display(), "an audit checkpoint could not be appended");
        }
    }

    /// Makes the public key known to the database, for verification without the key file.
    pub(in crate::store) async fn register(&self, connection: &mut Connection, now: Micros) -> Result<(), sqlx::Error> {
        on!(connection, |c| {
            let query = sqlx::query(ADD_KEY).bind(self.key_id.as_str()).bind(self.public_key.as_str()).bind(now);
            query.execute(&mut *c).await.map(|_| ())
        })
    }
}

/// Stores a checkpoint in the transaction of `connection`.
pub(in crate::store) async fn insert(connection: &mut Connection, checkpoint: &Checkpoint) -> Result<(), sqlx::Error> {
    on!(connection, |c| {
        let query = sqlx::query(INSERT)
            .bind(checkpoint.chain.as_str())
            .bind(checkpoint.sequence)
            .bind(checkpoint.hash.as_slice())
            .bind(checkpoint.recorded)
            .bind(checkpoint.key_id.as_str())
            .bind(checkpoint.signature.as_slice());
        query.execute(&mut *c).await.map(|_| ())
    })
}

/// A public key and its id, from a PEM file that holds a private or a public key.
pub fn read_public_key(path: &Path) -> Result<(String, PKey<Public>), Problem> {
    let pem = std::fs::read(path).map_err(|error| cannot_use(path, error))?;
    public_key(&pem).map_err(|error| cannot_use(path, error))
}

/// A public key and its id, from PEM text.
pub(in crate::store) fn public_key(pem: &[u8]) -> Result<(String, PKey<Public>), openssl::error::ErrorStack> {
    let key = match PKey::private_key_from_pem(pem) {
        Ok(key) => PKey::public_key_from_pem(&key.public_key_to_pem()?)?,
        Err(_) => PKey::public_key_from_pem(pem)?,
    };
    Ok((key_id(&key.raw_public_key()?), key))
}

fn key_id(raw: &[u8]) -> String {
    hex(openssl::sha::sha256(raw).get(..8).unwrap_or_default())
}

fn make_key(path: &Path) -> Result<Vec<u8>, Problem> {
    let key = PKey::generate_ed25519().map_err(|error| cannot_use(path, error))?;
    let pem = key.private_key_to_pem_pkcs8().map_err(|error| cannot_use(path, error))?;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(&pem).and_then(|()| file.sync_all()).map_err(|error| cannot_use(path, error))?;
            Ok(pem)
        }
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            std::fs::read(path).map_err(|error| cannot_use(path, error))
        }
        Err(error) => Err(cannot_use(path, error)),
    }
}

fn cannot_use(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Problem {
    let text = format!("The audit key {} cannot be used: {error}. It must be an Ed25519 key in PEM.", path.display());
    Problem::new(Kind::Unavailable, text).because(error)
}

pub(in crate::store) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(in crate::store) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|place| u8::from_str_radix(text.get(place..place + 2)?, 16).ok()).collect()
}
