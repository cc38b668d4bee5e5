//! A handful of resources in memory that answers the lookups of the rules as the write path does.

use kith::fhir::issue::Issue;
use kith::referral::{Change, Decision, Loaded, Lookup, Settings, Step, decide};
use serde_json::{Value, json};

/// 2025-06-01T00:00:00Z
pub const NOW: i64 = 1_748_736_000_000_000;

#[derive(Default)]
pub struct World(pub Vec<Value>);

impl World {
    pub fn with(resources: &[Value]) -> Self {
        Self(resources.to_vec())
    }

    pub fn decide(&self, change: &Change<'_>) -> Decision {
        self.decide_with(change, Settings::default())
    }

    pub fn decide_with(&self, change: &Change<'_>, settings: Settings) -> Decision {
        let mut loaded = Loaded::default();
        for _ in 0..12 {
            match decide(change, &loaded, settings) {
                Step::Done(decision) => return decision,
                Step::Load(lookups) => {
                    for lookup in lookups {
                        let found = self.answer(&lookup);
                        loaded.insert(lookup, found);
                    }
                }
            }
        }
        panic!("the rules keep asking");
    }

    fn answer(&self, lookup: &Lookup) -> Vec<Value> {
        let matches = |resource: &&Value| match lookup {
            Lookup::Read { resource_type, id } => resource["resourceType"] == **resource_type && resource["id"] == **id,
            Lookup::Search { resource_type, criteria } => {
                resource["resourceType"] == **resource_type
                    && criteria.iter().all(|(name, values)| values.split(',').any(|value| has(resource, name, value)))
            }
        };
        self.0.iter().filter(matches).cloned().collect()
    }
}

fn has(resource: &Value, parameter: &str, value: &str) -> bool {
    let token = |identifier: &Value| {
        format!("{}|{}", identifier["system"].as_str().unwrap(), identifier["value"].as_str().unwrap()) == value
    };
    match parameter {
        "focus" | "subject" | "practitioner" => resource[parameter]["reference"] == value,
        "part-of" => {
            resource["partOf"].as_array().is_some_and(|list| list.iter().any(|part| part["reference"] == value))
        }
        "status" => resource["status"] == value,
        "identifier" => resource["identifier"].as_array().is_some_and(|list| list.iter().any(token)),
        "subject:identifier" => resource["subject"].get("identifier").is_some_and(token),
        other => panic!("unexpected search parameter {other}"),
    }
}

/// A social-prescribing ServiceRequest from organisation `gp`.
pub fn request(id: &str, status: &str) -> Value {
    json!({
        "resourceType": "ServiceRequest", "id": id, "meta": { "versionId": "3" }, "status": status, "intent": "order",
        "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "871731000000106" }] },
        "subject": { "reference": "Patient/p" },
        "requester": { "reference": "Organization/gp" },
        "authoredOn": "2025-03-03"
    })
}

/// A Task for `ServiceRequest/r` from `gp`, owned by `vcse` where the status asks for an owner, complete for its status.
pub fn task(id: &str, status: &str) -> Value {
    let mut task = json!({
        "resourceType": "Task", "id": id, "meta": { "versionId": "1" },
        "identifier": [{ "use": "official", "system": "https://gp.example/tasks", "value": id }],
        "status": status, "intent": "order",
        "code": { "coding": [{ "system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill" }] },
        "focus": { "reference": "ServiceRequest/r" },
        "for": { "reference": "Patient/p" },
        "authoredOn": "2025-03-03T09:00:00Z",
        "requester": { "reference": "Organization/gp" },
        "owner": { "reference": "Organization/vcse" }
    });
    complete(&mut task);
    task
}

/// Adds what the status asks for.
pub fn complete(task: &mut Value) {
    match task["status"].as_str().unwrap() {
        "rejected" | "cancelled" | "on-hold" | "failed" => task["statusReason"] = json!({ "text": "Because." }),
        "completed" => {
            task["output"] =
                json!([{ "type": { "text": "outcome" }, "valueReference": { "reference": "Procedure/x" } }]);
        }
        _ => {}
    }
}

/// The same resource with other values of some elements; null removes one.
#[expect(clippy::needless_pass_by_value, reason = "reads better at the many places that write the changes down")]
pub fn but(resource: &Value, elements: Value) -> Value {
    let mut changed = resource.clone();
    for (name, value) in elements.as_object().unwrap() {
        if value.is_null() {
            changed.as_object_mut().unwrap().shift_remove(name);
        } else {
            changed[name] = value.clone();
        }
    }
    changed
}

/// Rule and expression of each error, in order.
pub fn errors(decision: &Decision) -> Vec<(String, String)> {
    let pair = |issue: &Issue| (issue.rule.clone(), issue.expression.clone().unwrap_or_default());
    decision.issues.iter().filter(|issue| issue.is_error()).map(pair).collect()
}

/// The one error there is.
pub fn error(decision: &Decision) -> (String, String) {
    let all = errors(decision);
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

/// `Type/id status` of each effect, in order.
pub fn written(decision: &Decision) -> Vec<String> {
    let status = |effect: &kith::referral::Effect| {
        format!("{} {}", effect.reference(), effect.resource["status"].as_str().unwrap())
    };
    decision.effects.iter().map(status).collect()
}
