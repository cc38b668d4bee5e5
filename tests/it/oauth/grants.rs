//! Which constrained scopes a token gets: what is read as one, what a registration covers, what cannot be kept.

use jsonwebtoken::Algorithm;
use serde_json::json;

use super::external;
use super::world::{Keys, ask, claims, guarded, register, register_as, token, with};
use crate::support::http::TestServer;
use crate::support::{TestDatabase, over_http};

over_http!(
    a_registration_covers_what_is_narrower,
    what_cannot_be_constrained_is_refused,
    nobody_chooses_by_what_is_not_shown,
    a_registration_that_was_narrowed_narrows_its_tokens,
    the_limits_of_an_issuer_hold,
    an_issuer_may_be_constrained,
);

const LABORATORY: &str =
    "system/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";

fn a_registration_covers_what_is_narrower(database: &TestDatabase) {
    let (server, keys) = (guarded(database), Keys::elliptic("k1"));
    let narrower = format!("{LABORATORY}&status=final");
    let cases: &[(&str, &str, Option<&str>)] = &[
        ("system/Observation.rs", LABORATORY, Some(LABORATORY)),
        ("system/*.cruds", LABORATORY, Some(LABORATORY)),
        ("system/Observation.r", LABORATORY, None),
        (LABORATORY, LABORATORY, Some(LABORATORY)),
        (LABORATORY, &narrower, Some(&narrower)),
        (&narrower, LABORATORY, None),
        (LABORATORY, "system/Observation.rs", None),
        (LABORATORY, "system/*.rs", None),
        (LABORATORY, "system/Observation.rs?category=vital-signs", None),
        (LABORATORY, "system/Condition.rs?category=problem-list-item", None),
        (
            "system/Observation.rs?status=final&category=laboratory",
            "system/Observation.r?category=laboratory&status=final",
            Some("system/Observation.r?category=laboratory&status=final"),
        ),
        (
            "system/Observation.rs?code=a%20b",
            "system/Observation.s?code=a+b system/Observation.rs",
            Some("system/Observation.s?code=a+b"),
        ),
        ("system/Patient.rs", "system/Patient.read?gender=female", Some("system/Patient.rs?gender=female")),
    ];
    for (number, (registered, asked, given)) in cases.iter().enumerate() {
        let client = format!("gp{number}");
        register(&server.server.store, &client, &[&keys], registered);
        let answer = ask(&server, &keys.sign(&claims(&server, &client)), asked);
        match given {
            Some(given) => assert_eq!(answer.expect(200).json()["scope"], *given, "{registered}: {asked}"),
            None => assert_eq!(answer.expect(400).json()["error"], "invalid_scope", "{registered}: {asked}"),
        }
    }
}

fn refused(server: &TestServer, keys: &Keys, client: &str, scope: &str) -> String {
    let answer = ask(server, &keys.sign(&claims(server, client)), scope).expect(400).json();
    assert_eq!(answer["error"], "invalid_scope", "{scope}");
    answer["error_description"].as_str().unwrap().to_owned()
}

fn what_cannot_be_constrained_is_refused(database: &TestDatabase) {
    let (server, keys) = (guarded(database), Keys::elliptic("k1"));
    register(&server.server.store, "gp", &[&keys], "system/*.cruds");
    let unread = "only r and s on a named type can be constrained";
    let alone = "looks at the resource alone";
    for (scope, part) in [
        ("system/Observation.cruds?status=final", unread),
        ("system/Observation.ru?status=final", unread),
        ("system/Observation.write?status=final", unread),
        ("system/*.rs?_id=a", unread),
        ("system/Observation.rs?", unread),
        ("system/Observation.rs?status", unread),
        ("system/Observation.rs?status=", unread),
        ("system/Observation.rs?status=final&", unread),
        ("system/Observation.rs?code=%ff", unread),
        ("system/Observation.rs?categry=laboratory", "categry"),
        ("system/Observation.rs?date=yesterday", "date"),
        ("system/Observation.rs?subject.name=Ada", alone),
        ("system/Observation.rs?subject:Patient.name=Ada", alone),
        ("system/Patient.rs?_has:Observation:subject:status=final", alone),
        ("system/Observation.rs?_filter=status eq final", "is not a scope"),
        ("system/Observation.rs?_filter=status%20eq%20final", alone),
        ("system/Observation.rs?_list=42", alone),
        ("system/Observation.rs?_count=5", alone),
        ("system/Observation.rs?_include=Observation:subject", alone),
        ("system/Observation.rs?_summary=count", alone),
        ("system/Observation.rs?_format=json", alone),
        ("system/Observation.rs?status:not=final", alone),
        ("system/Observation.rs?status:missing=false", alone),
        ("system/Observation.rs?code:in=http://hl7.org/fhir/ValueSet/observation-codes", alone),
        ("system/AuditEvent.rs?action=R", "AuditEvent is not a type"),
        ("system/Nonsense.rs?status=final", "Nonsense is not a type"),
    ] {
        let text = refused(&server, &keys, "gp", scope);
        assert!(text.contains(part), "{scope}: {text}");
    }
    for scope in [
        "system/Patient.rs?name:exact=Ada&family:contains=x",
        "system/Observation.rs?subject:Patient=p1&code:text=glucose",
        "system/Observation.rs?subject:identifier=a|b&_lastUpdated=gt2020",
        "system/Observation.rs?_id=a,b&_tag=c",
    ] {
        token(&server, "gp", &keys, scope);
    }
}

fn nobody_chooses_by_what_is_not_shown(database: &TestDatabase) {
    let settings = [("access.mode", "token"), ("access.provider-patient", "name,telecom")];
    let (server, keys) = (TestServer::start_with(database, &settings), Keys::elliptic("k1"));
    for (client, role) in [("walks", "provider"), ("gp", "referrer")] {
        register_as(&server.server.store, client, &[&keys], "system/*.cruds", role);
    }
    let scope = "system/Patient.rs?address-postalcode=ZZ1";
    let text = refused(&server, &keys, "walks", scope);
    assert!(text.contains("is not shown to this role"), "{text}");
    token(&server, "walks", &keys, "system/Patient.rs?name=Ada");
    token(&server, "gp", &keys, scope);
}

/// A token that was given before counts as far as the registration still covers it.
fn a_registration_that_was_narrowed_narrows_its_tokens(database: &TestDatabase) {
    let (server, keys) = (guarded(database), Keys::elliptic("k1"));
    let store = &server.server.store;
    register(store, "gp", &[&keys], "system/Observation.rs");
    let token = token(&server, "gp", &keys, "system/Observation.rs");
    let mut client = super::world::run(store.client("gp")).unwrap().unwrap();
    let before = client.updated;
    (client.scopes, client.updated) = (LABORATORY.to_owned(), before + 1);
    super::world::run(store.write(move |tx| {
        let client = client.clone();
        Box::pin(async move {
            tx.change_client(&client, before).await?;
            Ok(((), vec![kith::store::AuditRecord::default()]))
        })
    }))
    .unwrap();
    with(&server, &token, "GET", "Observation", None).expect(403);
}

fn the_limits_of_an_issuer_hold(database: &TestDatabase) {
    let keys = Keys::rsa("k1", Algorithm::RS256);
    let server = external::with_key_file(database, &keys);
    let with_scopes = |scopes: &[&str]| {
        let mut claims = external::claims();
        claims["scp"] = json!(scopes);
        keys.sign(&claims)
    };
    let writer = with_scopes(&["system/Task.cruds"]);
    let task = json!({ "resourceType": "Task", "id": "t1", "status": "draft", "intent": "plan" });
    with(&server, &writer, "PUT", "Task/t1", Some(&task)).expect(201);
    for (scopes, status, found) in [
        (["system/Task.rs"], 200, 1),
        (["system/Task.rs?status=draft"], 200, 1),
        (["system/Task.rs?status=requested"], 200, 0),
        (["system/Task.rs?no-such=requested"], 200, 0),
        (["system/Task.rs?status:not=requested"], 200, 0),
        (["system/Task.cruds?status=draft"], 403, 0),
        (["system/Organization.rs?active=true"], 403, 0),
    ] {
        let token = with_scopes(&scopes);
        let answer = with(&server, &token, "GET", "Task", None).expect(status).json();
        assert_eq!(answer["entry"].as_array().map_or(0, Vec::len), found, "{scopes:?}: {answer}");
    }
}

fn an_issuer_may_be_constrained(database: &TestDatabase) {
    let keys = Keys::rsa("k1", Algorithm::RS256);
    std::fs::write(database.folder().join("keys.json"), json!({ "keys": [keys.jwk()] }).to_string()).unwrap();
    let constrained = "system/Task.cud system/Task.rs?status=draft";
    let entry = external::entry("keys.json").replace("system/Task.cruds", constrained);
    let file = database.folder().join("issuers.toml");
    std::fs::write(&file, entry).unwrap();
    let settings = [("access.mode", "token"), ("access.issuers", file.to_str().unwrap())];
    let server = TestServer::start_with(database, &settings);
    let with_scopes = |scopes: &str| {
        let mut claims = external::claims();
        claims["scp"] = json!(scopes);
        keys.sign(&claims)
    };
    let token = with_scopes(constrained);
    for status in ["draft", "requested"] {
        let task = json!({ "resourceType": "Task", "status": status, "intent": "plan" });
        with(&server, &token, "POST", "Task", Some(&task)).expect(201);
    }
    for (scopes, status, found) in
        [(constrained, 200, 1), ("system/Task.s?status=draft", 200, 1), ("system/Task.rs", 403, 0)]
    {
        let answer = with(&server, &with_scopes(scopes), "GET", "Task", None).expect(status).json();
        assert_eq!(answer["entry"].as_array().map_or(0, Vec::len), found, "{scopes}: {answer}");
    }
}
