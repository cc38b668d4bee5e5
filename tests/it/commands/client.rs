//! `kith client`: systems are registered, listed, given new keys, disabled.

use std::process::{Command, Output};

use crate::oauth::world::Keys;
use crate::support::http::TestServer;
use crate::support::{TestDatabase, both};

fn client(database: &TestDatabase, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kith"))
        .arg("client")
        .args(arguments)
        .args(["--database", &database.url])
        .env("KITH_AUDIT_KEY", database.settings().audit_key_file())
        .current_dir(database.folder())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap() + &String::from_utf8(output.stderr.clone()).unwrap()
}

fn key_file(database: &TestDatabase, name: &str, set: &serde_json::Value) -> String {
    let path = database.folder().join(name);
    std::fs::write(&path, set.to_string()).unwrap();
    path.display().to_string()
}

both! {
    async fn a_system_is_registered_and_disabled(database) {
        let keys = Keys::elliptic("k1");
        let file = key_file(&database, "keys.json", &serde_json::json!({ "keys": [keys.jwk()] }));
        let add = ["add", "gp-system", "--name", "GP system", "--organisation", "Y12345", "--role", "referrer",
            "--scope", "system/Task.cruds system/Patient.read", "--jwks", &file];
        let output = client(&database, &add);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let again = client(&database, &add);
        assert_eq!(again.status.code(), Some(2));
        assert!(said(&again).contains("already"), "{}", said(&again));
        let list = said(&client(&database, &["list", "--json"]));
        let listed: serde_json::Value = serde_json::from_str(&list).unwrap();
        assert_eq!(listed["organisation"], "https://fhir.nhs.uk/Id/ods-organization-code|Y12345");
        assert_eq!((&listed["scope"], &listed["disabled"]), (&"system/Task.cruds system/Patient.rs".into(), &false.into()));
        assert_eq!(client(&database, &["disable", "gp-system"]).status.code(), Some(0));
        assert!(said(&client(&database, &["list"])).contains("disabled"));
        assert_eq!(client(&database, &["enable", "gp-system"]).status.code(), Some(0));
        assert_eq!(client(&database, &["rotate", "gp-system", "--jwks", &file]).status.code(), Some(0));
        assert_eq!(client(&database, &["rotate", "gp-system"]).status.code(), Some(2));
        assert_eq!(client(&database, &["disable", "nobody"]).status.code(), Some(2));
        let report = Command::new(env!("CARGO_BIN_EXE_kith")).args(["audit", "verify", "--database", &database.url, "--format", "json"])
            .current_dir(database.folder()).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
        assert_eq!((&report["verdict"], report["rows"].as_i64()), (&"intact".into(), Some(4)), "each change is audited");
    }

    async fn a_system_stands_for_a_device_and_an_endpoint(database) {
        std::thread::scope(|scope| scope.spawn(|| {
            let server = TestServer::start(&database);
            for name in ["Device/gp", "Device/later", "Device/gone"] {
                let id = name.trim_start_matches("Device/");
                server.put(name, &serde_json::json!({ "resourceType": "Device", "id": id })).expect(201);
            }
            server.delete("Device/gone").expect(204);
            server.put("Endpoint/gp", &serde_json::json!({
                "resourceType": "Endpoint", "id": "gp", "status": "active", "address": "https://gp.example/fhir",
                "connectionType": { "system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "hl7-fhir-rest" },
                "payloadType": [{ "text": "any" }],
            })).expect(201);
        }).join().unwrap());
        let keys = Keys::elliptic("k1");
        let file = key_file(&database, "keys.json", &serde_json::json!({ "keys": [keys.jwk()] }));
        let add = |more: &[&str]| {
            let own = ["add", "gp", "--name", "GP", "--role", "referrer", "--scope", "system/Task.rs", "--jwks", &file];
            client(&database, &[own.as_slice(), more].concat())
        };
        for (device, part) in [("Device/nobody", "There is no Device/nobody"), ("Device/gone", "There is no Device/gone"), ("gp", "is not Device/")] {
            let output = add(&["--device", device]);
            assert_eq!(output.status.code(), Some(2));
            assert!(said(&output).contains(part), "{}", said(&output));
        }
        let output = add(&["--device", "Device/gp", "--endpoint", "Endpoint/gp"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let listed = || -> serde_json::Value { serde_json::from_str(&said(&client(&database, &["list", "--json"]))).unwrap() };
        assert_eq!((&listed()["device"], &listed()["endpoint"]), (&"Device/gp".into(), &"Endpoint/gp".into()));
        assert!(said(&client(&database, &["list"])).contains("Device/gp Endpoint/gp"));
        assert_eq!(client(&database, &["rotate", "gp", "--device", "Device/later"]).status.code(), Some(0));
        assert_eq!((&listed()["device"], &listed()["endpoint"]), (&"Device/later".into(), &"Endpoint/gp".into()));
        assert_eq!(client(&database, &["rotate", "gp", "--endpoint", "Endpoint/nobody"]).status.code(), Some(2));
    }

    async fn constraints_of_scopes_are_checked(database) {
        let keys = Keys::elliptic("k1");
        let file = key_file(&database, "keys.json", &serde_json::json!({ "keys": [keys.jwk()] }));
        let add = |scope: &str| {
            client(&database, &["add", "lab", "--name", "Lab", "--role", "referrer", "--scope", scope, "--jwks", &file])
        };
        for (scope, part) in [
            ("system/Observation.rs?categry=laboratory", "categry"),
            ("system/Observation.rs?subject.name=Ada", "looks at the resource alone"),
            ("system/Observation.cruds?category=laboratory", "only r and s on a named type can be constrained"),
        ] {
            let output = add(scope);
            assert_eq!(output.status.code(), Some(2), "{scope}");
            assert!(said(&output).contains(part), "{scope}: {}", said(&output));
        }
        let scope = "system/Observation.rs?category=laboratory&status=final system/Observation.cud";
        let output = add(scope);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let listed: serde_json::Value = serde_json::from_str(&said(&client(&database, &["list", "--json"]))).unwrap();
        assert_eq!(listed["scope"], scope);
    }

    async fn every_mistake_is_reported_at_once(database) {
        let private = key_file(&database, "private.json", &serde_json::json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] }));
        let output = client(&database, &["add", "bad id", "--name", "x", "--role", "king", "--scope", "openid", "--jwks", &private]);
        assert_eq!(output.status.code(), Some(2));
        let text = said(&output);
        for part in ["client id", "role", "openid", "private or symmetric"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let output = client(&database, &["add", "a", "--name", "x", "--role", "provider", "--scope", "system/*.rs",
            "--jwks-url", "http://keys.example/jwks"]);
        assert!(said(&output).contains("https://"), "{}", said(&output));
    }
}
