//! A server that asks for tokens, and a client with keys of its own.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use kith::access::bearer::base64url;
use kith::clock::Clock;
use kith::store::{Client, Store};
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use serde_json::{Value, json};

use crate::support::TestDatabase;
use crate::support::http::{Answer, TestServer, send};

/// A key pair of a client.
pub struct Keys {
    pub id: &'static str,
    pub algorithm: Algorithm,
    pub key: PKey<Private>,
}

impl Keys {
    /// A pair on P-384, for ES384.
    pub fn elliptic(id: &'static str) -> Self {
        let group = EcGroup::from_curve_name(Nid::SECP384R1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        Self { id, algorithm: Algorithm::ES384, key }
    }

    /// An RSA pair, for RS384 or RS512.
    pub fn rsa(id: &'static str, algorithm: Algorithm) -> Self {
        Self { id, algorithm, key: PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap() }
    }

    /// The public half as a JWK.
    pub fn jwk(&self) -> Value {
        if let Ok(rsa) = self.key.rsa() {
            let number = |number: &openssl::bn::BigNumRef| base64url(&number.to_vec());
            return json!({ "kty": "RSA", "kid": self.id, "n": number(rsa.n()), "e": number(rsa.e()) });
        }
        let key = self.key.ec_key().unwrap();
        let (mut x, mut y, mut context) =
            (BigNum::new().unwrap(), BigNum::new().unwrap(), BigNumContext::new().unwrap());
        key.public_key().affine_coordinates(key.group(), &mut x, &mut y, &mut context).unwrap();
        let half = |number: &BigNum| base64url(&number.to_vec_padded(48).unwrap());
        json!({ "kty": "EC", "crv": "P-384", "kid": self.id, "x": half(&x), "y": half(&y) })
    }

    /// Signs claims.
    pub fn sign(&self, claims: &Value) -> String {
        kith::access::install();
        let der = self.key.private_key_to_der().unwrap();
        let key = if self.key.rsa().is_ok() { EncodingKey::from_rsa_der(&der) } else { EncodingKey::from_ec_der(&der) };
        encode(&Header { kid: Some(self.id.to_owned()), ..Header::new(self.algorithm) }, claims, &key).unwrap()
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    Clock::System.now().div_euclid(1_000_000)
}

/// Starts a server that asks for tokens.
pub fn guarded(database: &TestDatabase) -> TestServer {
    TestServer::start_with(database, &[("access.mode", "token")])
}

/// The same with tokens that outlast a test, however slow the machine is.
pub fn guarded_long(database: &TestDatabase) -> TestServer {
    TestServer::start_with(database, &[("access.mode", "token"), ("access.token-seconds", "3600")])
}

/// The server's address without `/fhir`.
pub fn root(server: &TestServer) -> String {
    server.base.trim_end_matches("/fhir").to_owned()
}

/// Registers a client with these keys and scopes.
pub fn register(store: &Store, id: &str, keys: &[&Keys], scopes: &str) {
    register_as(store, id, keys, scopes, "harness");
}

/// Registers a client in a role.
pub fn register_as(store: &Store, id: &str, keys: &[&Keys], scopes: &str, role: &str) {
    register_for(store, id, keys, scopes, (role, "Y12345"));
}

/// Registers a client in a role for the organisation of an ODS code.
pub fn register_for(store: &Store, id: &str, keys: &[&Keys], scopes: &str, (role, code): (&str, &str)) {
    let set = json!({ "keys": keys.iter().map(|keys| keys.jwk()).collect::<Vec<_>>() });
    let client = Client {
        id: id.to_owned(),
        name: format!("System {id}"),
        organisation: format!("{}|{code}", kith::access::ODS_SYSTEM),
        role: role.to_owned(),
        scopes: scopes.to_owned(),
        keys: set.to_string(),
        created: 1,
        updated: 1,
        ..Client::default()
    };
    run(store.write(move |tx| {
        let client = client.clone();
        Box::pin(async move {
            tx.add_client(&client).await?;
            Ok(((), vec![kith::store::AuditRecord::default()]))
        })
    }))
    .unwrap();
}

/// Waits for a future.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The claims of a right assertion.
pub fn claims(server: &TestServer, client: &str) -> Value {
    json!({
        "iss": client, "sub": client, "aud": format!("{}/oauth2/token", root(server)),
        "exp": now() + 240, "iat": now(), "jti": Clock::System.new_id(),
    })
}

/// Asks for a token with this assertion.
pub fn ask(server: &TestServer, assertion: &str, scope: &str) -> Answer {
    let scope = scope.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace(' ', "+");
    post(server, "oauth2/token", &format!("grant_type=client_credentials&scope={scope}"), assertion)
}

/// Posts a form with an assertion to an OAuth endpoint.
pub fn post(server: &TestServer, path: &str, form: &str, assertion: &str) -> Answer {
    let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let body = format!("{form}&client_assertion_type={kind}&client_assertion={assertion}");
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    send("POST", &format!("{}/{path}", root(server)), &headers, Some(body.as_bytes()))
}

/// A token for a client.
pub fn token(server: &TestServer, client: &str, keys: &Keys, scope: &str) -> String {
    let answer = ask(server, &keys.sign(&claims(server, client)), scope).expect(200).json();
    answer["access_token"].as_str().unwrap().to_owned()
}

/// Sends a FHIR request with a token.
pub fn with(server: &TestServer, token: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let authorization = format!("Bearer {token}");
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/fhir+json")];
    server.send(method, path, &headers, body.map(ToString::to_string).as_deref().map(str::as_bytes))
}
