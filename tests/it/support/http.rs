//! A real server on a free port of the loopback interface, in this process, and a client that speaks FHIR to it.

use std::collections::HashMap;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use kith::config::{Flags, load};
use kith::interactions::server::Server;
use kith::jobs::Runner;
use serde_json::Value;
use ureq::Agent;

use super::TestDatabase;

/// A running server; it stops when this is dropped.
pub struct TestServer {
    /// `http://127.0.0.1:PORT/fhir`
    pub base: String,
    /// What the server runs with.
    pub server: Arc<Server>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Header by lower-case name.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Panics with the body where the status is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

impl TestServer {
    /// Starts a server on this database.
    pub fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, &[])
    }

    /// Starts a server with further settings.
    pub fn start_with(database: &TestDatabase, settings: &[(&'static str, &str)]) -> Self {
        Self::start_by(database, settings, |_| ())
    }

    /// Starts a server that is not quite the real one.
    pub fn start_changed(database: &TestDatabase, change: fn(&mut Server)) -> Self {
        Self::start_by(database, &[], change)
    }

    fn start_by(database: &TestDatabase, settings: &[(&'static str, &str)], change: fn(&mut Server)) -> Self {
        let key = database.folder().join("audit-key.pem").display().to_string();
        let mut flags = vec![
            ("listen", "127.0.0.1:0"),
            ("database", database.url.as_str()),
            ("sqlite.synchronous", "normal"),
            ("audit.key", key.as_str()),
            ("log.filter", "warn"),
            // Most tests store what they are about, and not what that refers to.
            ("references.write", "allow"),
            ("references.delete", "allow"),
        ];
        flags.extend_from_slice(settings);
        let mut settings = load(&Flags::of(&flags), |_| None).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        settings.listen = listener.local_addr().unwrap();
        let base = settings.base();
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let mut server = kith::app::build(settings).await.unwrap();
                change(Arc::get_mut(&mut server).unwrap());
                let runner = Runner::start(Arc::clone(&server), kith::jobs::ALL);
                let shared = Arc::clone(&server);
                let running = HttpServer::new(move || {
                    App::new().app_data(Data::new(Arc::clone(&shared))).configure(kith::app::routes)
                })
                .workers(2)
                .disable_signals()
                .listen(listener)
                .unwrap()
                .run();
                sender.send((Arc::clone(&server), running.handle())).unwrap();
                running.await.unwrap();
                kith::app::leave(&server).await;
                runner.stop().await;
                server.store.close().await;
            });
        });
        let (server, handle) = receiver.recv().unwrap();
        Self { base, server, handle, thread: Some(thread) }
    }

    /// Sends a request below the base.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        send(method, &format!("{}/{path}", self.base), headers, body)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[JSON], Some(body.to_string().as_bytes()))
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, &[JSON], Some(body.to_string().as_bytes()))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], None)
    }
}

/// The header of a JSON body.
pub const JSON: (&str, &str) = ("Content-Type", "application/fhir+json");

/// Sends one request to an absolute address.
pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
    let mut builder = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let response = match body {
        Some(bytes) => agent().run(builder.body(bytes).unwrap()),
        None => agent().run(builder.body(()).unwrap()),
    };
    let mut response = response.unwrap();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    let status = response.status().as_u16();
    let text = response.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
    Answer { status, headers, text }
}

fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .timeout_global(Some(Duration::from_mins(1)))
        .build()
        .new_agent()
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let stop = self.handle.stop(true);
        actix_web::rt::System::new().block_on(stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
