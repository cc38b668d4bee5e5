//! The token endpoint and the life of a token, over HTTP on both databases.

use jsonwebtoken::Algorithm;
use serde_json::json;

use super::world::{Keys, ask, claims, guarded, post, register, root, run, token, with};
use crate::support::http::{TestServer, send};
use crate::support::{TestDatabase, over_http, sql};

over_http!(
    each_algorithm_of_a_client_brings_a_token,
    without_a_token_only_what_is_public_answers,
    an_assertion_is_taken_once_by_all_processes,
    keys_can_be_replaced_and_clients_disabled,
    a_token_can_be_looked_into_and_revoked_by_its_client,
    what_is_asked_of_a_token_leaves_one_audit_row,
    the_published_keys_verify_the_tokens,
);

fn each_algorithm_of_a_client_brings_a_token(database: &TestDatabase) {
    let server = guarded(database);
    for keys in [Keys::elliptic("k1"), Keys::rsa("k2", Algorithm::RS384), Keys::rsa("k3", Algorithm::RS512)] {
        register(&server.server.store, keys.id, &[&keys], "system/*.cruds");
        let answer = ask(&server, &keys.sign(&claims(&server, keys.id)), "system/Patient.cr").expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let answer = answer.json();
        assert_eq!(
            (&answer["token_type"], &answer["expires_in"], &answer["scope"]),
            (&json!("bearer"), &json!(300), &json!("system/Patient.cr"))
        );
        let token = answer["access_token"].as_str().unwrap();
        with(&server, token, "POST", "Patient", Some(&json!({ "resourceType": "Patient" }))).expect(201);
    }
}

fn without_a_token_only_what_is_public_answers(database: &TestDatabase) {
    let server = guarded(database);
    let answer = server.get("Patient/1").expect(401);
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
    assert_eq!(answer.json()["issue"][0]["code"], "login");
    for (method, path) in [
        ("GET", "Patient"),
        ("POST", "Patient"),
        ("PUT", "Patient/1"),
        ("DELETE", "Patient/1"),
        ("GET", "Patient/1/_history"),
        ("POST", ""),
        ("GET", "Patient/$validate"),
        ("POST", "Patient/_search"),
    ] {
        let body = json!({ "resourceType": "Patient" }).to_string();
        let headers = [("Content-Type", "application/fhir+json")];
        let answer =
            server.send(method, path, &headers, (method == "POST" || method == "PUT").then_some(body.as_bytes()));
        assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text);
    }
    server.get("metadata").expect(200);
    let configuration = server.get(".well-known/smart-configuration").expect(200).json();
    assert_eq!(configuration["token_endpoint"], format!("{}/oauth2/token", root(&server)));
    send("GET", &format!("{}/health/live", root(&server)), &[], None).expect(200);
}

fn an_assertion_is_taken_once_by_all_processes(database: &TestDatabase) {
    let (one, keys) = (guarded(database), Keys::elliptic("k1"));
    // The same base for both, as behind a proxy.
    let two = TestServer::start_with(database, &[("access.mode", "token"), ("base-url", one.base.as_str())]);
    register(&one.server.store, "gp", &[&keys], "system/*.cruds");
    let assertion = keys.sign(&claims(&one, "gp"));
    ask(&one, &assertion, "system/*.rs").expect(200);
    for server in [&one, &two] {
        let answer = ask(server, &assertion, "system/*.rs").expect(401).json();
        assert_eq!(answer["error"], "invalid_client");
    }
    // A token of one process is good at the other.
    let token = token(&one, "gp", &keys, "system/*.rs");
    with(&two, &token, "GET", "Patient", None).expect(200);
}

fn keys_can_be_replaced_and_clients_disabled(database: &TestDatabase) {
    let (server, old, new) = (guarded(database), Keys::elliptic("old"), Keys::elliptic("new"));
    let store = &server.server.store;
    register(store, "gp", &[&old], "system/*.cruds");
    let good = token(&server, "gp", &old, "system/*.rs");
    let mut client = run(store.client("gp")).unwrap().unwrap();
    client.keys = json!({ "keys": [new.jwk()] }).to_string();
    client.updated = 2;
    change(store, &client, 1);
    ask(&server, &old.sign(&claims(&server, "gp")), "system/*.rs").expect(401);
    let fresh = token(&server, "gp", &new, "system/*.rs");
    client.disabled = true;
    client.updated = 3;
    change(store, &client, 2);
    ask(&server, &new.sign(&claims(&server, "gp")), "system/*.rs").expect(401);
    // The first use asks the database.
    with(&server, &fresh, "GET", "Patient", None).expect(401);
    with(&server, &good, "GET", "Patient", None).expect(401);
}

fn a_token_can_be_looked_into_and_revoked_by_its_client(database: &TestDatabase) {
    let (server, gp, other) = (guarded(database), Keys::elliptic("k1"), Keys::elliptic("k2"));
    register(&server.server.store, "gp", &[&gp], "system/*.cruds");
    register(&server.server.store, "other", &[&other], "system/*.cruds");
    let good = token(&server, "gp", &gp, "system/Patient.rs");
    with(&server, &good, "GET", "Patient", None).expect(200);
    let look = |keys: &Keys, client: &str, path: &str| {
        post(&server, path, &format!("token={good}"), &keys.sign(&claims(&server, client)))
    };
    let answer = look(&gp, "gp", "oauth2/introspect").expect(200).json();
    assert_eq!((&answer["active"], &answer["scope"]), (&json!(true), &json!("system/Patient.rs")));
    assert_eq!(look(&other, "other", "oauth2/introspect").expect(200).json(), json!({ "active": false }));
    look(&other, "other", "oauth2/revoke").expect(200);
    with(&server, &good, "GET", "Patient", None).expect(200);
    look(&gp, "gp", "oauth2/revoke").expect(200);
    with(&server, &good, "GET", "Patient", None).expect(401);
    assert_eq!(look(&gp, "gp", "oauth2/introspect").expect(200).json(), json!({ "active": false }));
}

fn what_is_asked_of_a_token_leaves_one_audit_row(database: &TestDatabase) {
    let (server, gp) = (guarded(database), Keys::elliptic("k1"));
    register(&server.server.store, "gp", &[&gp], "system/*.cruds");
    let good = token(&server, "gp", &gp, "system/Patient.rs");
    let assertion = gp.sign(&claims(&server, "gp"));
    for (path, status) in [("oauth2/introspect", 200), ("oauth2/revoke", 401)] {
        post(&server, path, &format!("token={good}"), &assertion).expect(status);
    }
    with(&server, &good, "GET", "Patient", None).expect(200);
    post(&server, "oauth2/revoke", &format!("token={good}"), &gp.sign(&claims(&server, "gp"))).expect(200);
    post(&server, "oauth2/introspect", "", &gp.sign(&claims(&server, "gp"))).expect(400);
    drop(server);
    let sql = "select interaction, status from audit where interaction not in ('', 'signing-key') order by recorded";
    let rows: Vec<(String, i64)> = run(sql::rows(database, sql));
    let seen: Vec<(&str, i64)> = rows.iter().map(|(interaction, status)| (interaction.as_str(), *status)).collect();
    let (read, introspected) = (("search-type", 200), ("introspect", 200));
    assert_eq!(seen, [("login", 200), introspected, ("revoke", 401), read, ("revoke", 200), ("introspect", 400)]);
}

fn the_published_keys_verify_the_tokens(database: &TestDatabase) {
    let (server, keys) = (guarded(database), Keys::elliptic("k1"));
    register(&server.server.store, "gp", &[&keys], "system/*.cruds");
    let token = token(&server, "gp", &keys, "system/*.rs");
    let set = send("GET", &format!("{}/.well-known/jwks.json", root(&server)), &[], None).expect(200).json();
    let set = kith::access::keys::KeySet::parse(&set).unwrap();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert!(set.names(header.kid.as_deref().unwrap()));
}

fn change(store: &kith::store::Store, client: &kith::store::Client, before: i64) {
    let client = client.clone();
    run(store.write(move |tx| {
        let client = client.clone();
        Box::pin(async move {
            tx.change_client(&client, before).await?;
            Ok(((), vec![kith::store::AuditRecord::default()]))
        })
    }))
    .unwrap();
}
