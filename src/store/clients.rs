//! Registered clients. `kith client` writes them, the token endpoint and the check of tokens read them.

use super::Store;
use super::database::on;
use super::error;
use super::tx::Tx;
use crate::clock::Micros;
use crate::problem::{Kind, Problem};

pub(super) const READ: &str = "select id, name, organisation, role, scopes, keys, keys_url, certificate, device, endpoint, disabled, \
     created, updated from client where id = $1";
pub(super) const LIST: &str = "select id, name, organisation, role, scopes, keys, keys_url, certificate, device, endpoint, disabled, \
     created, updated from client order by id";
pub(super) const ADD: &str = "insert into client (id, name, organisation, role, scopes, keys, keys_url, certificate, device, \
     endpoint, disabled, created, updated) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict do nothing";
pub(super) const CHANGE: &str = "update client set name = $1, organisation = $2, role = $3, scopes = $4, keys = $5, keys_url = $6, \
     certificate = $7, device = $8, endpoint = $9, disabled = $10, updated = $11 where id = $12 and updated = $13";

/// A client as it is registered.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Client {
    /// OAuth client id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// The organisation on whose behalf it acts, as `system|value`; empty for a client of the operator.
    pub organisation: String,
    /// Its role: a code of `access::Role`.
    pub role: String,
    /// The scopes it may ask for, separated by spaces.
    pub scopes: String,
    /// Its public keys, a JWK set as JSON; empty where they are at `keys_url`.
    pub keys: String,
    /// Where its JWK set is; empty where `keys` has it.
    pub keys_url: String,
    /// SHA-256 thumbprint (base64url) of the certificate it must use; empty where it needs none.
    pub certificate: String,
    /// The Device that it stands for in the audit trail, as `Device/id`; empty where it says none.
    pub device: String,
    /// The Endpoint at which it is reached, as `Endpoint/id`; empty where it says none.
    pub endpoint: String,
    /// A disabled client gets no token, and its tokens are not taken.
    pub disabled: bool,
    /// When it was added.
    pub created: Micros,
    /// When it was changed last; also guards against two changes at once.
    pub updated: Micros,
}

impl Store {
    /// The client of this id.
    pub async fn client(&self, id: &str) -> Result<Option<Client>, Problem> {
        on!(&self.0.database, |pool| sqlx::query_as(READ).bind(id).fetch_optional(pool).await).map_err(error::problem)
    }

    /// All clients, by id.
    pub async fn clients(&self) -> Result<Vec<Client>, Problem> {
        on!(&self.0.database, |pool| sqlx::query_as(LIST).fetch_all(pool).await).map_err(error::problem)
    }
}

impl Tx {
    /// Adds a client. `Kind::Duplicate` where the id is taken.
    pub async fn add_client(&mut self, client: &Client) -> Result<(), Problem> {
        self.begin_savepoint().await?;
        let done = on!(&mut self.connection, |c| {
            let query = sqlx::query(ADD).bind(client.id.as_str()).bind(client.name.as_str());
            let query =
                query.bind(client.organisation.as_str()).bind(client.role.as_str()).bind(client.scopes.as_str());
            let query =
                query.bind(client.keys.as_str()).bind(client.keys_url.as_str()).bind(client.certificate.as_str());
            let query = query.bind(client.device.as_str()).bind(client.endpoint.as_str());
            let query = query.bind(client.disabled).bind(client.created).bind(client.updated);
            query.execute(&mut *c).await.map(|done| done.rows_affected())
        });
        match self.check(done)? {
            0 => Err(Problem::new(Kind::Duplicate, "There is a client of this id already.")),
            _ => Ok(()),
        }
    }

    /// Changes a client that was last changed at `before`. `Kind::Conflict` where somebody else changed it since.
    pub async fn change_client(&mut self, client: &Client, before: Micros) -> Result<(), Problem> {
        self.begin_savepoint().await?;
        self.exclusive = true;
        let done = on!(&mut self.connection, |c| {
            let query = sqlx::query(CHANGE).bind(client.name.as_str()).bind(client.organisation.as_str());
            let query = query.bind(client.role.as_str()).bind(client.scopes.as_str()).bind(client.keys.as_str());
            let query = query.bind(client.keys_url.as_str()).bind(client.certificate.as_str());
            let query = query.bind(client.device.as_str()).bind(client.endpoint.as_str()).bind(client.disabled);
            let query = query.bind(client.updated).bind(client.id.as_str()).bind(before);
            query.execute(&mut *c).await.map(|done| done.rows_affected())
        });
        match self.check(done)? {
            0 => Err(error::conflict()),
            _ => Ok(()),
        }
    }
}
