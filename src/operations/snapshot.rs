//! `StructureDefinition/$snapshot` (<https://hl7.org/fhir/R4/structuredefinition-operation-snapshot.html>): the definition with
//! all elements, inherited ones included. It is sent, named by its url, or stored.

use std::sync::Arc;

use serde_json::{Value, json};

use super::terminology::frame::{Call, Question};
use super::terminology::inputs::{items, wrong};
use crate::fhir::definitions::StructureDefinition;
use crate::problem::{Kind, Problem};

/// The operation.
pub const SNAPSHOT: Question = Question {
    name: "snapshot",
    definition: "http://hl7.org/fhir/OperationDefinition/StructureDefinition-snapshot",
    resource_type: "StructureDefinition",
    of_instances: true,
    refused: &[],
    supplements: false,
    subject: ["definition", "version"],
    answer: |call| Box::pin(snapshot(call)),
};

async fn snapshot(call: Call<'_>) -> Result<Value, Problem> {
    let subject = call.subject().await?;
    let mut definition =
        subject.ok_or_else(|| wrong("Name a StructureDefinition: by url, or send it as definition."))?.resource;
    let Some(structure) = StructureDefinition::from_json(&definition).map(Arc::new) else {
        let text = "A StructureDefinition needs url, kind and type, and kind is one of FHIR's.";
        return Err(Problem::new(Kind::Unprocessable, text).at("StructureDefinition"));
    };
    let definitions = call.server.validator.definitions();
    // Whatever stands against it, a base that is not there included, is a fault of the definition.
    let snapshot = definitions
        .snapshot_of(&structure)
        .map_err(|problem| Problem::with_issues(Kind::Unprocessable, problem.issues().to_vec()))?;
    let sent = definition.get("differential").map(|differential| items(differential, "element")).unwrap_or_default();
    let elements = snapshot.to_json(sent);
    definition["snapshot"] = json!({ "element": elements });
    Ok(definition)
}
