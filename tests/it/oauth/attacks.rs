//! Tokens and assertions as an attacker makes them.

use jsonwebtoken::Algorithm;
use kith::access::bearer::base64url;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::{Value, json};

use super::world::{Keys, ask, claims, guarded, now, register, root, token, with};
use crate::support::{TestDatabase, over_http};

/// A JWT with this header and claims, signed by HMAC under `secret`, or not at all.
fn forged(header: &Value, claims: &Value, secret: Option<&[u8]>) -> String {
    let signed = format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
    let signature = secret.map_or_else(String::new, |secret| {
        let key = PKey::hmac(secret).unwrap();
        let mut sealing = Signer::new(MessageDigest::sha256(), &key).unwrap();
        base64url(&sealing.sign_oneshot_to_vec(signed.as_bytes()).unwrap())
    });
    format!("{signed}.{signature}")
}

over_http!(
    an_assertion_with_a_wrong_claim_is_refused,
    an_assertion_with_a_wrong_header_is_refused,
    a_changed_or_foreign_access_token_opens_nothing,
    a_form_that_is_not_right_is_refused,
);

fn an_assertion_with_a_wrong_claim_is_refused(database: &TestDatabase) {
    let (server, keys, stranger) = (guarded(database), Keys::elliptic("k1"), Keys::elliptic("k1"));
    register(&server.server.store, "gp", &[&keys], "system/*.cruds");
    let right = claims(&server, "gp");
    let changed = |name: &str, value: Value| {
        let mut claims = right.clone();
        claims[name] = value;
        keys.sign(&claims)
    };
    let without = |name: &str| {
        let mut claims = right.clone();
        claims.as_object_mut().unwrap().remove(name);
        keys.sign(&claims)
    };
    let wrong = [
        ("expired", changed("exp", json!(now() - 31))),
        ("too long", changed("exp", json!(now() + 600))),
        ("no number", changed("exp", json!("soon"))),
        ("future", changed("nbf", json!(now() + 120))),
        ("issued later", changed("iat", json!(now() + 120))),
        ("other audience", changed("aud", json!(root(&server)))),
        (
            "two audiences",
            changed("aud", json!([format!("{}/oauth2/token", root(&server)), "https://elsewhere.example"])),
        ),
        ("other subject", changed("sub", json!("other"))),
        ("other issuer", changed("iss", json!("other"))),
        ("long jti", changed("jti", json!("x".repeat(300)))),
        ("no jti", without("jti")),
        ("no exp", without("exp")),
        ("no aud", without("aud")),
        ("a stranger's key under the same id", stranger.sign(&right)),
        ("unknown client", keys.sign(&claims(&server, "nobody"))),
        ("not a token", "abc".to_owned()),
        ("two parts", "e30.e30".to_owned()),
    ];
    for (name, assertion) in wrong {
        let answer = ask(&server, &assertion, "system/*.rs");
        assert_eq!(
            (answer.status, &answer.json()["error"]),
            (401, &json!("invalid_client")),
            "{name}: {}",
            answer.text
        );
    }
    // The clocks may differ a little.
    ask(&server, &changed("exp", json!(now() - 5)), "system/*.rs").expect(200);
}

fn an_assertion_with_a_wrong_header_is_refused(database: &TestDatabase) {
    let (server, keys) = (guarded(database), Keys::rsa("k1", Algorithm::RS384));
    register(&server.server.store, "gp", &[&keys], "system/*.cruds");
    let right = claims(&server, "gp");
    let public = keys.key.public_key_to_pem().unwrap();
    let weak = Keys { algorithm: Algorithm::RS256, key: keys.key.clone(), id: "k1" };
    let own = Keys::rsa("k9", Algorithm::RS384);
    let wrong = [
        ("no algorithm", forged(&json!({ "alg": "none", "kid": "k1" }), &right, None)),
        ("HMAC with the public key", forged(&json!({ "alg": "HS256", "kid": "k1" }), &right, Some(&public))),
        (
            "HMAC with the JWK",
            forged(&json!({ "alg": "HS384", "kid": "k1" }), &right, Some(keys.jwk().to_string().as_bytes())),
        ),
        ("algorithm not taken", weak.sign(&right)),
        ("a key id that is a path", forged(&json!({ "alg": "RS384", "kid": "../../etc/passwd" }), &right, Some(b"x"))),
        (
            "own key in the header",
            forged(&json!({ "alg": "RS384", "kid": "k9", "jwk": own.jwk() }), &right, Some(b"x")),
        ),
        ("own key, unknown id", own.sign(&right)),
        ("no key id", forged(&json!({ "alg": "RS384" }), &right, Some(b"x"))),
        ("critical extension", forged(&json!({ "alg": "RS384", "kid": "k1", "crit": ["b64"] }), &right, Some(b"x"))),
    ];
    for (name, assertion) in wrong {
        let answer = ask(&server, &assertion, "system/*.rs");
        assert_eq!(answer.status, 401, "{name}: {}", answer.text);
    }
}

fn a_changed_or_foreign_access_token_opens_nothing(database: &TestDatabase) {
    let (server, keys) = (guarded(database), Keys::elliptic("k1"));
    register(&server.server.store, "gp", &[&keys], "system/Patient.rs");
    let good = token(&server, "gp", &keys, "system/Patient.rs");
    with(&server, &good, "GET", "Patient", None).expect(200);
    let parts: Vec<&str> = good.split('.').collect();
    let decode = |part: &str| {
        let padded = format!("{part}{}", "=".repeat((4 - part.len() % 4) % 4)).replace('-', "+").replace('_', "/");
        serde_json::from_slice::<Value>(&openssl::base64::decode_block(&padded).unwrap()).unwrap()
    };
    let (header, mut body) = (decode(parts[0]), decode(parts[1]));
    body["scope"] = json!("system/*.cruds");
    let more = base64url(body.to_string().as_bytes());
    let kid = header["kid"].as_str().unwrap();
    let assertion = keys.sign(&claims(&server, "gp"));
    let wrong = [
        ("more scopes", format!("{}.{more}.{}", parts[0], parts[2])),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("no algorithm", forged(&json!({ "alg": "none", "typ": "at+jwt", "kid": kid }), &body, None)),
        ("HMAC", forged(&json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid }), &body, Some(b"secret"))),
        ("an assertion", assertion),
        ("nothing", String::new()),
        ("something", "abc".to_owned()),
    ];
    for (name, token) in wrong {
        assert_eq!(with(&server, &token, "GET", "Patient", None).status, 401, "{name}");
    }
    for header in ["Basic Z3A6Z3A=", "bearer", "Bearer", "Bearer  "] {
        let answer = server.send("GET", "Patient", &[("Authorization", header)], None);
        assert_eq!(answer.status, 401, "{header}");
    }
}

fn a_form_that_is_not_right_is_refused(database: &TestDatabase) {
    let (server, keys) = (guarded(database), Keys::elliptic("k1"));
    register(&server.server.store, "gp", &[&keys], "system/Patient.rs");
    let sign = || keys.sign(&claims(&server, "gp"));
    let ask = |form: &str| super::world::post(&server, "oauth2/token", form, &sign());
    for (form, status, error) in [
        ("scope=system/*.rs", 400, "invalid_request"),
        ("grant_type=password&scope=system/*.rs", 400, "unsupported_grant_type"),
        ("grant_type=client_credentials", 400, "invalid_scope"),
        ("grant_type=client_credentials&scope=openid", 400, "invalid_scope"),
        ("grant_type=client_credentials&scope=system/Task.rs", 400, "invalid_scope"),
        ("grant_type=client_credentials&scope=a&scope=b", 400, "invalid_request"),
        ("grant_type=client_credentials&scope=system/Patient.rs&client_id=other", 401, "invalid_client"),
    ] {
        let answer = ask(form);
        assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{form}: {}", answer.text);
    }
}
