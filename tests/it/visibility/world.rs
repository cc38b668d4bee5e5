//! Several organisations on one server, each with a client of its own, and referrals between them.

use kith::access::ODS_SYSTEM;
use kith::store::{AuditRecord, Client, Store};
use serde_json::{Value, json};

use crate::oauth::world::{Keys, guarded_long, run, token, with};
use crate::support::TestDatabase;
use crate::support::http::{Answer, TestServer};

/// Organisations of the small world: id, ODS code.
pub const ORGANISATIONS: [(&str, &str); 5] =
    [("surgery", "A10001"), ("practice", "A10002"), ("thornby", "B20001"), ("walks", "C30001"), ("kitchen", "C30002")];

/// Scopes that reach everything of two types, but of Observations those only of the laboratory.
const LABORATORY: &str = "system/Patient.cruds system/DiagnosticReport.cruds system/Observation.cud system/Observation.rs?category=laboratory";

/// A server that asks for tokens, with a token for each client: named `[organisation] [role]`.
pub struct World {
    pub server: TestServer,
    tokens: Vec<(String, String)>,
}

impl World {
    /// The organisations, and clients `operator`, `surgery`, `practice` (referrers), `thornby` (link workers), `walks`, `kitchen`
    /// (providers), `board` (commissioner), and `laboratory`, an operator whose token has [`LABORATORY`] only.
    pub fn new(database: &TestDatabase) -> Self {
        let server = guarded_long(database);
        let keys = Keys::elliptic("k1");
        let clients = [
            ("operator", "Z90001", "operator"),
            ("surgery", "A10001", "referrer"),
            ("practice", "A10002", "referrer"),
            ("thornby", "B20001", "link-worker"),
            ("walks", "C30001", "provider"),
            ("kitchen", "C30002", "provider"),
            ("board", "D40001", "commissioner"),
        ];
        let mut tokens = Vec::new();
        for (name, code, role) in clients {
            register(&server.server.store, name, &keys, code, role);
            tokens.push((name.to_owned(), token(&server, name, &keys, "system/*.cruds")));
        }
        register(&server.server.store, "laboratory", &keys, "Z90002", "operator");
        tokens.push(("laboratory".to_owned(), token(&server, "laboratory", &keys, LABORATORY)));
        let world = Self { server, tokens };
        for (id, code) in ORGANISATIONS {
            world.as_operator("PUT", &format!("Organization/{id}"), &organisation(id, code)).expect(201);
        }
        world
    }

    /// Sends a request with the token of a client.
    pub fn send(&self, client: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        with(&self.server, self.token(client), method, path, body)
    }

    pub fn get(&self, client: &str, path: &str) -> Answer {
        self.send(client, "GET", path, None)
    }

    pub fn as_operator(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send("operator", method, path, Some(body))
    }

    pub fn token(&self, client: &str) -> &str {
        let found = self.tokens.iter().find(|(name, _)| name == client);
        found.map_or_else(|| panic!("no client {client}"), |(_, token)| token)
    }

    /// Stores resources as they are, as somebody who may.
    pub fn store(&self, resources: &[Value]) {
        for resource in resources {
            let path = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
            let answer = self.as_operator("PUT", &path, resource);
            assert!(matches!(answer.status, 200 | 201), "{path}: {}", answer.text);
        }
    }

    /// The ids of what a search of a client finds, sorted.
    pub fn found(&self, client: &str, search: &str) -> Vec<String> {
        let bundle = self.get(client, search).expect(200).json();
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        let mut ids: Vec<String> = entries
            .iter()
            .filter(|entry| entry["search"]["mode"] != "outcome")
            .map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    }
}

pub fn organisation(id: &str, code: &str) -> Value {
    json!({
        "resourceType": "Organization", "id": id, "name": id,
        "identifier": [{ "system": ODS_SYSTEM, "value": code }],
    })
}

pub fn patient(id: &str) -> Value {
    json!({
        "resourceType": "Patient", "id": id, "name": [{ "family": "Thistlewood", "given": ["Ada"] }],
        "identifier": [{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9449305552" }],
        "birthDate": "1950-03-01", "maritalStatus": { "text": "widowed" },
        "address": [{ "city": "Thornby", "postalCode": "ZZ1 1ZZ" }],
    })
}

/// A referral of `patient` by `requester`.
pub fn request(id: &str, patient: &str, requester: &str) -> Value {
    json!({
        "resourceType": "ServiceRequest", "id": id, "status": "active", "intent": "order",
        "subject": { "reference": format!("Patient/{patient}") },
        "requester": { "reference": format!("Organization/{requester}") },
        "code": { "text": "Walking group" },
    })
}

/// A Task for a referral; without an owner it lies in the pool.
pub fn task(id: &str, (focus, patient): (&str, &str), requester: &str, owner: Option<&str>, status: &str) -> Value {
    let mut task = json!({
        "resourceType": "Task", "id": id, "status": status, "intent": "order",
        "focus": { "reference": format!("ServiceRequest/{focus}") },
        "for": { "reference": format!("Patient/{patient}") },
        "requester": { "reference": format!("Organization/{requester}") },
    });
    if let Some(owner) = owner {
        task["owner"] = json!({ "reference": format!("Organization/{owner}") });
    }
    task
}

fn register(store: &Store, id: &str, keys: &Keys, code: &str, role: &str) {
    let client = Client {
        id: id.to_owned(),
        name: format!("System {id}"),
        organisation: format!("{ODS_SYSTEM}|{code}"),
        role: role.to_owned(),
        scopes: "system/*.cruds".to_owned(),
        keys: json!({ "keys": [keys.jwk()] }).to_string(),
        created: 1,
        updated: 1,
        ..Client::default()
    };
    run(store.write(move |tx| {
        let client = client.clone();
        Box::pin(async move {
            tx.add_client(&client).await?;
            Ok(((), vec![AuditRecord::default()]))
        })
    }))
    .unwrap();
}
