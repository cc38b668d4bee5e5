//! One request to an OAuth endpoint: what was sent and by whom, and what it leaves in the audit trail. Used by the token endpoint,
//! introspection and revocation.

use super::admission;
use super::answer::{Answer, Refusal};
use super::client::{self, Authenticated, parameter};
use crate::access::state::Admitted;
use crate::interactions::server::Server;
use crate::store::AuditRecord;

/// A request to an OAuth endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The server that is asked.
    pub server: &'a Server,
    /// The decoded form.
    pub form: &'a [(String, String)],
    /// Where the request comes from.
    pub address: &'a str,
    /// `X-Request-Id`, given or minted.
    pub request_id: &'a str,
    /// `X-Correlation-Id`; empty where it was not given.
    pub correlation_id: &'a str,
    /// Thumbprint of the client's TLS certificate.
    pub certificate: Option<&'a str>,
}

/// A token to be revoked in the transaction that uses the assertion up.
#[derive(Debug, Clone)]
pub(super) struct Revoked {
    /// The token's id.
    pub(super) token: String,
    /// Until when it would have been good, seconds.
    pub(super) expires: i64,
}

impl Request<'_> {
    /// The answer to an outcome. A refusal is audited under `interaction` before it is answered.
    pub(super) async fn answer(&self, interaction: &str, outcome: Result<Answer, Refusal>) -> Answer {
        let refusal = match outcome {
            Ok(answer) => return answer,
            Err(refusal) => refusal,
        };
        let problems = vec![refusal.code.to_owned()];
        let record = AuditRecord { status: refusal.status, problems, ..self.record(interaction, "") };
        match self.server.store.audit(record).await {
            Ok(()) => refusal.answer(),
            Err(problem) => Refusal::from(problem).answer(),
        }
    }

    /// The answer to a request that could not even be read; it is audited first.
    pub(super) async fn unread(&self, interaction: &str, answer: Answer) -> Answer {
        let code = answer.body.get("error").and_then(serde_json::Value::as_str).unwrap_or_default();
        let problems = vec![code.to_owned()];
        let record = AuditRecord { status: answer.status, problems, ..self.record(interaction, "") };
        match self.server.store.audit(record).await {
            Ok(()) => answer,
            Err(problem) => Refusal::from(problem).answer(),
        }
    }

    /// Who asks: the client that signed the form's assertion.
    pub(super) async fn authenticate(&self) -> Result<Authenticated, Refusal> {
        client::authenticate(self.server, self.form, self.certificate).await
    }

    /// The client that asks about the form's token, and what that token gives where it is good and the client's own.
    pub(super) async fn own_token(&self) -> Result<(Authenticated, Option<Admitted>), Refusal> {
        let authenticated = self.authenticate().await?;
        let token =
            parameter(self.form, "token")?.ok_or_else(|| Refusal::new("invalid_request", "token is missing."))?;
        let admitted = admission::admitted(self.server, token).await.ok();
        let own = admitted.filter(|admitted| admitted.client == authenticated.client.id);
        Ok((authenticated, own))
    }

    /// Remembers the assertion, so that it is never taken again by any process on this database, together with what the request
    /// changes and its audit record. 401 where the assertion was used before; then nothing is changed.
    pub(super) async fn use_up(
        &self,
        interaction: &str,
        authenticated: &Authenticated,
        revoked: Option<Revoked>,
    ) -> Result<(), Refusal> {
        let (id, expires) = authenticated.assertion.clone();
        let (client, now) = (authenticated.client.id.clone(), self.server.clock.now() / 1_000_000);
        let record = self.record(interaction, &client);
        let fresh = self
            .server
            .store
            .write(move |tx| {
                let (client, id, record, revoked) = (client.clone(), id.clone(), record.clone(), revoked.clone());
                Box::pin(async move {
                    if !tx.use_assertion(&client, &id, expires, now).await? {
                        // A replay is audited with the refusal.
                        return Ok((false, Vec::new()));
                    }
                    if let Some(revoked) = revoked {
                        tx.revoke_token(&revoked.token, revoked.expires, now).await?;
                    }
                    Ok((true, vec![record]))
                })
            })
            .await?;
        if fresh { Ok(()) } else { Err(Refusal::client("This assertion (jti) was used before. Sign a new one.")) }
    }

    /// The audit record of this request, without its outcome.
    fn record(&self, interaction: &str, client: &str) -> AuditRecord {
        AuditRecord {
            recorded: self.server.clock.now(),
            interaction: interaction.to_owned(),
            status: 200,
            request_id: self.request_id.to_owned(),
            correlation_id: self.correlation_id.to_owned(),
            client: client.to_owned(),
            address: self.address.to_owned(),
            ..AuditRecord::default()
        }
    }
}
