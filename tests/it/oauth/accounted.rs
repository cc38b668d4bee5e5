//! What the OAuth endpoints keep of a request: its ids are taken, mirrored and audited, and no refusal is left out.

use serde_json::json;

use super::world::{Keys, claims, guarded, register, root, run};
use crate::support::http::{Answer, TestServer, send};
use crate::support::{TestDatabase, over_http, sql};

over_http!(ids_are_mirrored_and_audited, what_cannot_be_read_is_audited_too, a_device_is_the_agent);

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const KIND: &str = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";

fn post(server: &TestServer, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    send("POST", &format!("{}/oauth2/{path}", root(server)), headers, Some(body.as_bytes()))
}

type Row = (String, i64, String, String, String);

fn audited(database: &TestDatabase) -> Vec<Row> {
    run(sql::rows(
        database,
        "select interaction, status, request_id, correlation_id, problem from audit \
         where interaction in ('login', 'introspect', 'revoke') order by recorded, sequence",
    ))
}

fn ids_are_mirrored_and_audited(database: &TestDatabase) {
    let server = guarded(database);
    let keys = Keys::elliptic("k1");
    register(&server.server.store, "gp", &[&keys], "system/*.rs");
    let signed = || format!("&client_assertion_type={KIND}&client_assertion={}", keys.sign(&claims(&server, "gp")));
    let headers = |id: &'static str| [FORM, ("X-Request-Id", id), ("X-Correlation-Id", "c-1")];
    let form = format!("grant_type=client_credentials&scope=system/*.rs{}", signed());
    let answer = post(&server, "token", &headers("r-1"), &form).expect(200);
    assert_eq!((answer.header("x-request-id"), answer.header("x-correlation-id")), ("r-1", "c-1"));
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let form = format!("token={token}{}", signed());
    assert_eq!(post(&server, "introspect", &headers("r-2"), &form).expect(200).header("x-request-id"), "r-2");
    let form = format!("token={token}{}", signed());
    assert_eq!(post(&server, "revoke", &headers("r-3"), &form).expect(200).header("x-request-id"), "r-3");
    let refused = post(&server, "token", &headers("r-4"), "grant_type=password").expect(400);
    assert_eq!((refused.header("x-request-id"), refused.header("x-correlation-id")), ("r-4", "c-1"));
    let minted = post(&server, "token", &[FORM], "grant_type=password").expect(400).header("x-request-id").to_owned();
    assert_eq!(minted.len(), 36);
    drop(server);
    let row = |interaction: &str, status: i64, id: &str, correlation: &str, problem: &str| {
        (interaction.to_owned(), status, id.to_owned(), correlation.to_owned(), problem.to_owned())
    };
    let refusal = json!(["unsupported_grant_type"]).to_string();
    let expected = [
        row("login", 200, "r-1", "c-1", "[]"),
        row("introspect", 200, "r-2", "c-1", "[]"),
        row("revoke", 200, "r-3", "c-1", "[]"),
        row("login", 400, "r-4", "c-1", &refusal),
        row("login", 400, &minted, "", &refusal),
    ];
    let found: Vec<Row> = audited(database);
    let plain = |(interaction, status, id, correlation, problem): Row| {
        let problem = if problem.is_empty() { "[]".to_owned() } else { problem };
        (interaction, status, id, correlation, problem)
    };
    assert_eq!(found.into_iter().map(plain).collect::<Vec<Row>>(), expected);
}

fn what_cannot_be_read_is_audited_too(database: &TestDatabase) {
    let server = guarded(database);
    post(&server, "token", &[("Content-Type", "application/json"), ("X-Request-Id", "u-1")], "{}").expect(400);
    post(&server, "revoke", &[FORM, ("Authorization", "Basic Z3A6cw=="), ("X-Request-Id", "u-2")], "token=x")
        .expect(400);
    post(&server, "introspect", &[FORM, ("X-Request-Id", "u-3")], &"x=y&".repeat(20_000)).expect(413);
    let wrong = post(&server, "token", &[FORM, ("X-Request-Id", "Quaggafield INJECTED")], "grant_type=password");
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.header("x-request-id").len(), 36, "one that is not fit is replaced");
    drop(server);
    let found = audited(database);
    let seen: Vec<(&str, i64)> = found.iter().map(|row| (row.0.as_str(), row.1)).collect();
    assert_eq!(seen, [("login", 400), ("revoke", 400), ("introspect", 413), ("login", 400)]);
    assert_eq!(found.iter().take(3).map(|row| row.2.as_str()).collect::<Vec<_>>(), ["u-1", "u-2", "u-3"]);
}

fn a_device_is_the_agent(database: &TestDatabase) {
    let server = guarded(database);
    let keys = Keys::elliptic("k1");
    for client in ["gp", "other"] {
        register(&server.server.store, client, &[&keys], "system/*.cruds");
    }
    let token = |client: &str| super::world::token(&server, client, &keys, "system/*.cruds");
    let (own, other) = (token("gp"), token("other"));
    let get = |token: &str, path: &str| super::world::with(&server, token, "GET", path, None).expect(200).json();
    let device = json!({ "resourceType": "Device", "id": "gp-device" });
    super::world::with(&server, &own, "PUT", "Device/gp-device", Some(&device)).expect(201);
    let client = run(server.server.store.client("gp")).unwrap().unwrap();
    let changed = kith::store::Client { device: "Device/gp-device".to_owned(), ..client };
    run(server.server.store.write(move |tx| {
        let changed = changed.clone();
        Box::pin(async move {
            let before = changed.updated;
            tx.change_client(&changed, before).await?;
            Ok(((), vec![kith::store::AuditRecord::default()]))
        })
    }))
    .unwrap();
    get(&other, "Device/gp-device");
    let found = get(&own, "AuditEvent?agent=Device/gp-device&_count=100");
    let events = found["entry"].as_array().unwrap();
    assert_eq!(events.len(), 2, "a login and a write: {found}");
    for event in events {
        let who = &event["resource"]["agent"][0]["who"];
        assert_eq!((&who["reference"], &who["type"]), (&json!("Device/gp-device"), &json!("Device")), "{who}");
        assert_eq!(who["identifier"]["value"], "gp");
        let validity =
            super::world::with(&server, &own, "POST", "AuditEvent/$validate", Some(&event["resource"])).expect(200);
        assert!(!validity.text.contains("\"severity\":\"error\""), "{}", validity.text);
    }
    let unknown = get(&own, "AuditEvent?agent=Device/nobody");
    assert!(unknown.get("entry").is_none(), "{unknown}");
    let others = get(&own, "AuditEvent?agent:identifier=other");
    assert!(
        others["entry"]
            .as_array()
            .unwrap()
            .iter()
            .all(|event| event["resource"]["agent"][0]["who"].get("reference").is_none())
    );
}
