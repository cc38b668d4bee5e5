//! Which Device each registered client stands for (`kith client add --device`), so that an AuditEvent can refer to it as its agent
//! and be found by it. Read anew for each question: who is registered changes.

use crate::interactions::server::Server;
use crate::problem::Problem;

/// Clients and their Devices.
#[derive(Debug, Default)]
pub struct Devices(Vec<(String, String)>);

impl Devices {
    /// Those that are registered now.
    pub async fn read(server: &Server) -> Result<Self, Problem> {
        let clients = server.store.clients().await?.into_iter();
        Ok(Self(clients.filter(|client| !client.device.is_empty()).map(|client| (client.id, client.device)).collect()))
    }

    /// The Device of a client, as `Device/id`.
    #[must_use]
    pub fn of(&self, client: &str) -> Option<&str> {
        self.0.iter().find(|(id, _)| id == client).map(|(_, device)| device.as_str())
    }

    /// The clients that stand for a Device.
    pub fn clients<'a>(&'a self, device: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(_, own)| own == device).map(|(id, _)| id.as_str())
    }
}
