//! What every operation of the terminology service does around its own question: it is known by name, definition and level, reads
//! its inputs, finds what it is asked about, and leaves an audit row with its answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

use super::inputs::{Inputs, items, wrong};
use super::source::{self, Subject, Wishes};
use crate::access::Grant;
use crate::interactions::operation::{Answer, Level, Operation};
use crate::interactions::record::Stamp;
use crate::interactions::reply::{Content, Reply};
use crate::interactions::request::Request;
use crate::interactions::server::Server;
use crate::problem::Problem;
use crate::store::AuditRecord;

/// The answer to a question: the resource that is sent.
pub(in crate::operations) type Answered<'c> = Pin<Box<dyn Future<Output = Result<Value, Problem>> + Send + 'c>>;

/// One operation of the terminology service.
#[derive(Debug)]
pub struct Question {
    /// Name without the dollar sign.
    pub(in crate::operations) name: &'static str,
    /// Canonical url of its OperationDefinition.
    pub(in crate::operations) definition: &'static str,
    /// The resource type at whose address it is called.
    pub(in crate::operations) resource_type: &'static str,
    /// True where it may be called at the address of one resource.
    pub(in crate::operations) of_instances: bool,
    /// Parameters that would change the answer and are not understood.
    pub(in crate::operations) refused: &'static [&'static str],
    /// True where a call may name supplements.
    pub(in crate::operations) supplements: bool,
    /// The names of the parameters with which a call sends a definition, and names its version.
    pub(in crate::operations) subject: [&'static str; 2],
    /// Answers a call.
    pub(in crate::operations) answer: for<'c> fn(Call<'c>) -> Answered<'c>,
}

/// A call of an operation.
#[derive(Clone, Copy)]
pub struct Call<'c> {
    pub(in crate::operations) server: &'c Server,
    pub(in crate::operations) request: &'c Request,
    pub(in crate::operations) level: &'c Level,
    pub(in crate::operations) inputs: &'c Inputs,
    question: &'c Question,
}

impl Call<'_> {
    /// The definition that the call names; none where it names none.
    pub(in crate::operations) async fn subject(&self) -> Result<Option<Subject>, Problem> {
        source::subject(self.server, self.request, self.level, self.inputs, self.question.subject).await
    }

    /// What the call asks of the definitions around its subject: versions, and supplements, which a value set may name too
    /// (<https://hl7.org/fhir/R4/extension-valueset-supplement.html>).
    pub(in crate::operations) fn wishes(&self, value_set: Option<&Value>) -> Result<Wishes, Problem> {
        const NAMES_SUPPLEMENT: &str = "http://hl7.org/fhir/StructureDefinition/valueset-supplement";
        let of_set = value_set.map(|set| items(set, "extension")).unwrap_or_default().iter();
        let named = of_set.filter(|extension| extension.get("url").and_then(Value::as_str) == Some(NAMES_SUPPLEMENT));
        let named = named.filter_map(|extension| extension.get("valueCanonical")?.as_str());
        let asked = self.inputs.texts("useSupplement");
        let supplements = asked.into_iter().chain(named).map(str::to_owned).collect();
        Ok(Wishes { versions: self.inputs.versions()?, supplements })
    }

    /// The value set that the call must name.
    pub(in crate::operations) async fn value_set(&self) -> Result<Subject, Problem> {
        let subject = self.subject().await?;
        subject.ok_or_else(|| wrong("Name a value set: by url, or send it as valueSet."))
    }
}

impl Operation for Question {
    fn name(&self) -> &'static str {
        self.name
    }

    fn definition(&self) -> &'static str {
        self.definition
    }

    fn offered_at(&self, level: &Level) -> bool {
        match level {
            Level::Type(name) => name == self.resource_type,
            Level::Instance(name, _) => self.of_instances && name == self.resource_type,
            Level::System | Level::Version(..) => false,
        }
    }

    fn by_get(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, server: &'a Arc<Server>, request: &'a Request, level: &'a Level, _grant: Grant) -> Answer<'a> {
        Box::pin(async move {
            let inputs = Inputs::read(server, request, self.definition, self.refused, self.supplements)?;
            let call = Call { server, request, level, inputs: &inputs, question: self };
            let resource = (self.answer)(call).await?;
            let (resource_type, resource_id) = match level {
                Level::Instance(name, id) | Level::Version(name, id, _) => (name.clone(), id.clone()),
                Level::Type(name) => (name.clone(), String::new()),
                Level::System => Default::default(),
            };
            let record = Stamp::of(request, server.clock.now()).record(&format!("operation ${}", self.name), 200);
            server.store.audit(AuditRecord { resource_type, resource_id, ..record }).await?;
            Ok(Reply::new(200, Content::Resource(resource)))
        })
    }
}
