//! Key sets behind an https address: taken where an authority that this machine trusts vouches for who answers, else not.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use openssl::ssl::{SslAcceptor, SslMethod};
use serde_json::{Value, json};

use super::external::{claims, entry};
use super::transport::certificate;
use super::world::Keys;
use crate::support::TestDatabase;
use crate::support::http::send;
use crate::support::process::{Process, command};

/// Serves a key set over TLS; the port.
fn serve(set: &Value, shown: &(openssl::x509::X509, openssl::pkey::PKey<openssl::pkey::Private>)) -> u16 {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_certificate(&shown.0).unwrap();
    acceptor.set_private_key(&shown.1).unwrap();
    let (acceptor, body) = (Arc::new(acceptor.build()), set.to_string());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // A client that does not trust the certificate ends the handshake.
            let Ok(mut stream) = acceptor.accept(stream) else { continue };
            BufReader::new(&mut stream)
                .lines()
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .for_each(drop);
            let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            let _ = stream.write_all(text.as_bytes());
            let _ = stream.shutdown();
        }
    });
    port
}

/// What a token of the issuer whose keys are at `https://[host]` gets, with this certificate among the trusted ones.
fn status(host: &str, trusted: bool) -> u16 {
    let database = TestDatabase::sqlite();
    let (keys, own) = (Keys::elliptic("k1"), certificate("keys"));
    let port = serve(&json!({ "keys": [keys.jwk()] }), &own);
    std::fs::write(database.folder().join("issuers.toml"), entry(&format!("https://{host}:{port}/keys"))).unwrap();
    let authorities = if trusted { own } else { certificate("somebody else") };
    std::fs::write(database.folder().join("authorities.pem"), authorities.0.to_pem().unwrap()).unwrap();
    let mut serving = command(&database, &["serve", "--listen", "127.0.0.1:0", "--access-mode", "token"]);
    serving.args(["--access-issuers", "issuers.toml", "--access-local-key-urls", "yes"]);
    serving.env("SSL_CERT_FILE", database.folder().join("authorities.pem"));
    let server = Process::spawn(&mut serving);
    let authorization = format!("Bearer {}", keys.sign(&claims()));
    send("GET", &format!("{}/Patient", server.base), &[("Authorization", &authorization)], None).status
}

#[test]
fn only_public_addresses_are_asked() {
    let public = ["192.0.2.1", "198.51.100.7", "203.0.113.9"].map(|documented| (documented, false));
    let cases = [
        ("93.184.216.34", true),
        ("8.8.8.8", true),
        ("2606:4700::1111", true),
        ("2a00:1450:4009::1", true),
        ("127.0.0.1", false),
        ("10.1.2.3", false),
        ("172.16.0.1", false),
        ("192.168.1.1", false),
        ("169.254.169.254", false),
        ("100.64.0.1", false),
        ("198.18.0.1", false),
        ("192.0.0.8", false),
        ("0.0.0.0", false),
        ("255.255.255.255", false),
        ("224.0.0.1", false),
        ("::1", false),
        ("::", false),
        ("::127.0.0.1", false),
        ("::ffff:10.0.0.1", false),
        ("::ffff:169.254.169.254", false),
        ("64:ff9b::10.0.0.1", false),
        ("64:ff9b:1::1", false),
        ("100::1", false),
        ("fc00::1", false),
        ("fd12::1", false),
        ("fe80::1", false),
        ("fec0::1", false),
        ("ff02::1", false),
        ("2001:db8::1", false),
        ("2001:0:7f00:1::1", false),
        ("2002:7f00:1::1", false),
    ];
    for (address, expected) in cases.into_iter().chain(public) {
        assert_eq!(kith::oauth::is_public(address.parse().unwrap()), expected, "{address}");
    }
}

#[test]
fn keys_come_from_whom_an_authority_vouches_for() {
    assert_eq!(status("localhost", true), 200);
    assert_eq!(status("localhost", false), 401, "the certificate is not trusted");
    assert_eq!(status("127.0.0.1", true), 401, "the certificate is another name's");
}
