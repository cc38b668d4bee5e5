//! Access tokens of external issuers: what an entry of the operator's file takes, and what it refuses; key sets behind a URL.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jsonwebtoken::Algorithm;
use kith::access::bearer::base64url;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::{Value, json};

use super::world::{Keys, now, run, with};
use crate::support::http::TestServer;
use crate::support::{TestDatabase, over_http, sql};

over_http!(
    a_token_of_an_issuer_gives_what_its_entry_allows,
    what_an_entry_does_not_allow_is_refused,
    keys_are_fetched_once_from_where_the_operator_allows,
);

pub fn entry(keys: &str) -> String {
    format!(
        "[[issuer]]\nname = \"idp\"\nissuer = \"https://idp.example\"\naudience = \"https://kith.example/fhir\"\nkeys = \"{keys}\"\n\
         scopes = \"system/Patient.rs system/Task.cruds\"\nroles = [\"harness\", \"referrer\"]\norganisations = [\"Y12345\", \"X99999\"]\n\
         [issuer.claims]\nscope = \"scp\"\nrole = \"kith_role\"\norganisation = \"ods\"\nuser = \"upn\"\n"
    )
}

fn start(database: &TestDatabase, keys: &str, more: &[(&'static str, &str)]) -> TestServer {
    let file = database.folder().join("issuers.toml");
    std::fs::write(&file, entry(keys)).unwrap();
    let settings = [("access.mode", "token"), ("access.issuers", file.to_str().unwrap())];
    TestServer::start_with(database, &[settings.as_slice(), more].concat())
}

pub fn with_key_file(database: &TestDatabase, keys: &Keys) -> TestServer {
    std::fs::write(database.folder().join("keys.json"), json!({ "keys": [keys.jwk()] }).to_string()).unwrap();
    start(database, "keys.json", &[])
}

pub fn claims() -> Value {
    json!({
        "iss": "https://idp.example", "aud": ["https://other.example", "https://kith.example/fhir"], "client_id": "app-1",
        "scp": ["openid", "system/Patient.rs", "system/Task.r", "system/Organization.cruds"], "kith_role": ["admin", "harness"],
        "ods": "Y12345", "upn": "flo@surgery.example", "exp": now() + 600, "iat": now(),
    })
}

fn a_token_of_an_issuer_gives_what_its_entry_allows(database: &TestDatabase) {
    let keys = Keys::rsa("k1", Algorithm::RS256);
    let server = with_key_file(database, &keys);
    let token = keys.sign(&claims());
    for _ in 0..2 {
        with(&server, &token, "GET", "Patient", None).expect(200);
    }
    with(&server, &token, "GET", "Task", None).expect(403);
    with(&server, &token, "GET", "Organization", None).expect(403);
    with(&server, &token, "POST", "Patient", Some(&json!({ "resourceType": "Patient" }))).expect(403);
    drop(server);
    let sql = "select client, organisation, user_id from audit where interaction = 'search-type' and status = 200";
    let rows: Vec<(String, String, String)> = run(sql::rows(database, sql));
    let organisation = format!("{}|Y12345", kith::access::ODS_SYSTEM);
    let row = ("idp:app-1".to_owned(), organisation, "flo@surgery.example".to_owned());
    assert_eq!(rows, [row.clone(), row]);
}

fn what_an_entry_does_not_allow_is_refused(database: &TestDatabase) {
    let (keys, others) = (Keys::rsa("k1", Algorithm::RS256), Keys::rsa("k1", Algorithm::RS256));
    let server = with_key_file(database, &keys);
    let refused = |token: &str, text: &str| {
        let answer = with(&server, token, "GET", "Patient", None).expect(401).json();
        let shown = answer["issue"][0]["diagnostics"].as_str().unwrap();
        assert!(shown.contains(text), "{text}: {shown}");
    };
    for (claim, value, text) in [
        ("iss", json!("https://idp.example/"), "not made by this server"),
        ("aud", json!("https://kith.example"), "another server"),
        ("exp", json!(now() - 1), "expired"),
        ("exp", json!(now() + 90_000), "a day at most"),
        ("exp", Value::Null, "claim exp"),
        ("nbf", json!(now() + 600), "not good yet"),
        ("client_id", Value::Null, "claim client_id"),
        ("client_id", json!("a\nb"), "claim client_id"),
        ("ods", json!("Z00000"), "claim ods"),
        ("ods", Value::Null, "claim ods"),
        ("kith_role", json!("operator"), "claim kith_role"),
        ("kith_role", Value::Null, "claim kith_role"),
    ] {
        let mut claims = claims();
        claims[claim] = value;
        refused(&keys.sign(&claims), text);
    }
    refused(&others.sign(&claims()), "No key of the issuer");
    refused(&symmetric(&keys, &claims()), "No key of the issuer");
    let signed = keys.sign(&claims());
    let (_, rest) = signed.split_once('.').unwrap();
    refused(&format!("{}.{rest}", base64url(br#"{"alg":"none"}"#)), "not a signed JWT");
}

/// A token whose "shared secret" is the public key, for servers that take the algorithm from the token.
fn symmetric(keys: &Keys, claims: &Value) -> String {
    let head = base64url(br#"{"alg":"HS256","kid":"k1"}"#);
    let signed = format!("{head}.{}", base64url(claims.to_string().as_bytes()));
    let secret = PKey::hmac(&keys.key.public_key_to_pem().unwrap()).unwrap();
    let mut signing = Signer::new(MessageDigest::sha256(), &secret).unwrap();
    let signature = signing.sign_oneshot_to_vec(signed.as_bytes()).unwrap();
    format!("{signed}.{}", base64url(&signature))
}

/// Serves one key set to everybody, or sends them elsewhere; counts who asks.
fn serve_keys(set: &Value, redirect: bool) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let (counting, body, elsewhere) = (Arc::clone(&asked), set.to_string(), url.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            counting.fetch_add(1, Ordering::SeqCst);
            BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
            let head = if redirect { format!("302 Found\r\nLocation: {elsewhere}") } else { "200 OK".to_owned() };
            let text = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            let _ = stream.write_all(text.as_bytes());
        }
    });
    (url, asked)
}

fn keys_are_fetched_once_from_where_the_operator_allows(database: &TestDatabase) {
    let keys = Keys::elliptic("k1");
    let set = json!({ "keys": [keys.jwk()] });
    let (url, asked) = serve_keys(&set, false);
    let local = [("access.local-key-urls", "yes")];
    let server = start(database, &url, &local);
    for client in ["one", "two"] {
        let mut claims = claims();
        claims["client_id"] = json!(client);
        with(&server, &keys.sign(&claims), "GET", "Patient", None).expect(200);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    drop(server);
    let server = start(database, &url, &[]);
    with(&server, &keys.sign(&claims()), "GET", "Patient", None).expect(401);
    assert_eq!(asked.load(Ordering::SeqCst), 1, "nothing private or plain is asked");
    drop(server);
    let (url, asked) = serve_keys(&set, true);
    let server = start(database, &url, &local);
    with(&server, &keys.sign(&claims()), "GET", "Patient", None).expect(401);
    assert_eq!(asked.load(Ordering::SeqCst), 1, "a redirect is not followed");
}

#[test]
fn mistakes_in_the_file_are_said_at_once() {
    let good = entry("https://idp.example/keys");
    let parse = |text: &str| kith::access::issuer::parse(text, Path::new("."));
    assert_eq!(parse(&good).unwrap().len(), 1);
    let other = good.replace("\"idp\"", "\"two words\"").replace("https://idp.example\"", "https://two.example\"");
    let third = good.replace("\"idp\"", "\"third\"").replace("https://idp.example\"", "https://three.example\"");
    let third = third.replace("\"harness\"", "\"emperor\"");
    let text = parse(&format!("{good}{other}{third}{good}")).unwrap_err();
    assert_eq!(text.lines().count(), 3, "{text}");
    for part in [
        "https://two.example: name must be",
        "emperor is no role",
        "https://idp.example: its issuer or name is there twice",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(parse("[[issuer]]\nname = \"x\"\n").unwrap_err().contains("missing field"));
    assert!(parse(&good.replace("roles", "rolls")).unwrap_err().contains("unknown field"));
}
