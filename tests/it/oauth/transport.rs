//! TLS of the server itself: versions, client certificates, new files while it runs; and what must not be combined.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kith::store::{Client, Store};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode, SslVersion};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};
use serde_json::{Value, json};

use super::world::{Keys, now};
use crate::support::TestDatabase;
use crate::support::process::Process;

/// A certificate of `localhost` that signs itself.
pub fn certificate(name: &str) -> (X509, PKey<Private>) {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(&subject).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
    let names = SubjectAlternativeName::new().dns("localhost").build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (builder.build(), key)
}

fn write(folder: &Path, (certificate, key): &(X509, PKey<Private>)) {
    std::fs::write(folder.join("key.pem"), key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    std::fs::write(folder.join("certificate.pem"), certificate.to_pem().unwrap()).unwrap();
}

fn start(database: &TestDatabase) -> Process {
    let files = ["--tls-certificate", "certificate.pem", "--tls-key", "key.pem"];
    Process::start(database, &[&["--access-mode", "token"], files.as_slice()].concat())
}

fn connect(
    server: &Process,
    client: Option<&(X509, PKey<Private>)>,
    newest: Option<SslVersion>,
) -> Result<SslStream<TcpStream>, String> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    // So that the old version is offered at all.
    builder.set_security_level(0);
    builder.set_min_proto_version(None).unwrap();
    builder.set_max_proto_version(newest).unwrap();
    if let Some((certificate, key)) = client {
        builder.set_certificate(certificate).unwrap();
        builder.set_private_key(key).unwrap();
    }
    let place = server.base.trim_start_matches("https://").trim_end_matches("/fhir");
    let stream = TcpStream::connect(place).unwrap();
    let configured = builder.build().configure().unwrap().verify_hostname(false).use_server_name_indication(false);
    configured.connect("localhost", stream).map_err(|error| error.to_string())
}

/// One request over a new connection: status and body.
fn send(server: &Process, client: Option<&(X509, PKey<Private>)>, head: &str, body: &str) -> (u16, Value) {
    let mut stream = connect(server, client, None).unwrap();
    let request = format!("{head}Host: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    // The server may close without a closing alert.
    let _ = stream.read_to_string(&mut text);
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let start = text.find('{').map_or("{}", |start| &text[start..=text.rfind('}').unwrap()]);
    (status, serde_json::from_str(start).unwrap_or_default())
}

#[test]
fn only_current_versions_of_tls_are_spoken() {
    let database = TestDatabase::sqlite();
    write(database.folder(), &certificate("one"));
    let server = start(&database);
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        assert!(connect(&server, None, Some(version)).is_ok(), "{version:?}");
    }
    for version in [SslVersion::TLS1, SslVersion::TLS1_1] {
        assert!(connect(&server, None, Some(version)).is_err(), "{version:?}");
    }
    assert_eq!(send(&server, None, "GET /fhir/metadata HTTP/1.1\r\n", "").0, 200);
    assert_eq!(send(&server, None, "GET /fhir/Patient HTTP/1.1\r\n", "").0, 401);
    let mut stream = connect(&server, None, None).unwrap();
    stream.write_all(b"GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    assert!(text.to_lowercase().contains("\r\nstrict-transport-security: max-age=31536000\r\n"), "{text}");
}

#[test]
fn new_certificate_files_are_taken_up_and_broken_ones_are_not() {
    let database = TestDatabase::sqlite();
    write(database.folder(), &certificate("one"));
    let server = start(&database);
    let name = || {
        let stream = connect(&server, None, None).unwrap();
        let shown = stream.ssl().peer_certificate().unwrap();
        shown.subject_name().entries().next().unwrap().data().to_string().unwrap()
    };
    assert_eq!(name(), "one");
    std::fs::write(database.folder().join("certificate.pem"), "broken").unwrap();
    write(database.folder(), &certificate("two"));
    let begun = Instant::now();
    while name() != "two" {
        assert!(begun.elapsed() < Duration::from_mins(1), "the new certificate is not served");
    }
}

#[test]
fn a_token_bound_to_a_certificate_is_good_with_that_one_only() {
    let database = TestDatabase::sqlite();
    write(database.folder(), &certificate("server"));
    let (own, other, keys) = (certificate("own"), certificate("other"), Keys::elliptic("k1"));
    register(&database, &own, &keys);
    let server = start(&database);
    let root = server.base.trim_end_matches("/fhir");
    let form = || {
        let assertion = keys.sign(&json!({
            "iss": "gp", "sub": "gp", "aud": format!("{root}/oauth2/token"), "exp": now() + 200,
            "jti": kith::clock::Clock::System.new_id(),
        }));
        format!(
            "grant_type=client_credentials&scope=system/*.rs&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A\
             client-assertion-type%3Ajwt-bearer&client_assertion={assertion}"
        )
    };
    let head = "POST /oauth2/token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    assert_eq!(send(&server, None, head, &form()).0, 401);
    assert_eq!(send(&server, Some(&other), head, &form()).0, 401);
    let (status, answer) = send(&server, Some(&own), head, &form());
    assert_eq!(status, 200, "{answer}");
    let read =
        format!("GET /fhir/Patient HTTP/1.1\r\nAuthorization: Bearer {}\r\n", answer["access_token"].as_str().unwrap());
    assert_eq!(send(&server, Some(&own), &read, "").0, 200);
    assert_eq!(send(&server, Some(&other), &read, "").0, 401);
    assert_eq!(send(&server, None, &read, "").0, 401);
}

fn register(database: &TestDatabase, own: &(X509, PKey<Private>), keys: &Keys) {
    super::world::run(async {
        let store: Store = database.open().await;
        let client = Client {
            id: "gp".to_owned(),
            role: "harness".to_owned(),
            scopes: "system/*.cruds".to_owned(),
            keys: json!({ "keys": [keys.jwk()] }).to_string(),
            certificate: kith::access::thumbprint(&own.0.to_pem().unwrap()).unwrap(),
            ..Client::default()
        };
        store
            .write(move |tx| {
                let client = client.clone();
                Box::pin(async move {
                    tx.add_client(&client).await?;
                    Ok(((), vec![kith::store::AuditRecord::default()]))
                })
            })
            .await
            .unwrap();
        store.close().await;
    });
}

#[test]
fn what_lets_strangers_in_is_refused_at_start() {
    let refused = |arguments: &[&str], part: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_kith")).arg("serve").args(arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(part), "{part}: {text}");
    };
    refused(&["--listen", "0.0.0.0:0"], "access is open");
    refused(&["--proxies", "127.0.0.1"], "access is open");
    refused(&["--listen", "0.0.0.0:0", "--access-mode", "token"], "nothing is encrypted");
    refused(&["--tls-certificate", "a.pem"], "belong together");
    refused(&["--tls-certificate", "a.pem", "--tls-key", "b.pem"], "must be PEM files");
}
