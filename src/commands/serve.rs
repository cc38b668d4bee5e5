//! `kith serve`: opens the store, starts the HTTP server and stops it gracefully on SIGINT or SIGTERM.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::Compress;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use tokio::signal::unix::{SignalKind, signal};

use crate::access::tls::{Tls, TlsFiles};
use crate::app;
use crate::config::{Access, Flags, Settings};
use crate::interactions::server::Server;
use crate::jobs::{self, Runner};
use crate::problem::Problem;
use crate::telemetry;

/// How often changed certificate files are looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Runs the server until it is told to stop. Exit code 2 where it could not start.
pub fn run(flags: &Flags) -> ExitCode {
    let settings = match super::settings(flags) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let mistakes = exposed(&settings);
    if !mistakes.is_empty() {
        return super::failure("These settings are not safe together:", &mistakes);
    }
    telemetry::start(&settings);
    match actix_web::rt::System::new().block_on(serve(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => super::failure("The server cannot run:", &[problem.to_string()]),
    }
}

/// What would let strangers in, or let others read along.
fn exposed(settings: &Settings) -> Vec<String> {
    let mut mistakes = Vec::new();
    let reachable = !settings.listen.ip().is_loopback();
    if reachable && settings.access == Access::Open {
        mistakes.push(
            "The address can be reached from other machines, and access is open: set access.mode = \"token\", or listen on 127.0.0.1 or [::1]"
                .to_owned(),
        );
    }
    if !reachable && !settings.proxies.is_empty() && settings.access == Access::Open {
        mistakes.push("A proxy lets other machines in, and access is open: set access.mode = \"token\"".to_owned());
    }
    if reachable && settings.tls_certificate.is_none() && settings.proxies.is_empty() {
        mistakes.push(
            "The address can be reached from other machines, and nothing is encrypted: set tls.certificate and tls.key, or proxies where a proxy ends TLS"
                .to_owned(),
        );
    }
    if settings.audit_retention.is_some() && settings.audit_export.is_none() {
        mistakes.push(
            "audit.retention-days removes what is exported, and nothing is: set audit.export to a folder on another disk".to_owned(),
        );
    }
    if settings.tls_certificate.is_some() != settings.tls_key.is_some() {
        mistakes.push("tls.certificate and tls.key belong together: set both".to_owned());
    }
    mistakes
}

async fn serve(mut settings: Settings) -> Result<(), Problem> {
    let listener = std::net::TcpListener::bind(settings.listen).map_err(|error| {
        Problem::new(crate::problem::Kind::Unavailable, format!("cannot listen on {}: {error}", settings.listen))
    })?;
    settings.listen = listener.local_addr().map_err(Problem::internal)?;
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        count => count,
    };
    let tls = tls(&settings)?;
    let limits = settings.limits.clone();
    let seconds = |seconds: usize| u64::try_from(seconds).unwrap_or(u64::MAX);
    let server = app::build(settings).await?;
    #[cfg(feature = "unaudited")]
    tracing::warn!("this build can serve without an audit trail: it is for measurements only");
    announce(&server);
    let watched = match server.settings.metrics_listen {
        Some(address) => Some(watch(&server, address)?),
        None => None,
    };
    let runner = Runner::start(Arc::clone(&server), jobs::ALL);
    let shared = Arc::clone(&server);
    let http = HttpServer::new(move || {
        App::new().wrap(Compress::default()).app_data(Data::new(Arc::clone(&shared))).configure(app::routes)
    })
    .on_connect(app::on_connect)
    .workers(workers)
    .max_connections(limits.connections)
    .client_request_timeout(Duration::from_secs(seconds(limits.head_seconds)))
    .shutdown_timeout(seconds(limits.stop_seconds))
    .disable_signals();
    let http = match tls {
        None => http.listen(listener),
        Some(tls) => {
            let acceptor = tls.acceptor()?;
            actix_web::rt::spawn(keep_current(tls));
            http.listen_openssl(listener, acceptor)
        }
    };
    let running = http.map_err(Problem::internal)?.run();
    let drain = Duration::from_secs(seconds(limits.drain_seconds));
    actix_web::rt::spawn(stop_when_told(Arc::clone(&server), running.handle(), drain)?);
    running.await.map_err(Problem::internal)?;
    app::leave(&server).await;
    runner.stop().await;
    if let Some(watched) = watched {
        watched.stop(false).await;
    }
    server.store.close().await;
    if let Some(traces) = server.traces.clone() {
        tokio::task::spawn_blocking(move || traces.stop()).await.map_err(Problem::internal)?;
    }
    Ok(())
}

/// Answers metrics and health checks at an address of their own.
fn watch(server: &Arc<Server>, address: SocketAddr) -> Result<ServerHandle, Problem> {
    let shared = Arc::clone(server);
    let http = HttpServer::new(move || App::new().app_data(Data::new(Arc::clone(&shared))).configure(app::open_routes))
        .workers(1);
    let bound = http.disable_signals().bind(address).map_err(|error| {
        Problem::new(crate::problem::Kind::Unavailable, format!("cannot listen on {address}: {error}"))
    })?;
    let running = bound.run();
    let handle = running.handle();
    actix_web::rt::spawn(running);
    Ok(handle)
}

/// Waits for SIGTERM or SIGINT. The first one lets a proxy notice, then running requests finish; the second ends at once.
fn stop_when_told(
    server: Arc<Server>,
    handle: ServerHandle,
    drain: Duration,
) -> Result<impl Future<Output = ()>, Problem> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Problem::internal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Problem::internal)?;
    let mut told = async move || {
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
    };
    Ok(async move {
        told().await;
        server.throttle.leave();
        tokio::select! {
            () = tokio::time::sleep(drain) => (),
            () = told() => (),
        }
        let graceful = handle.stop(true);
        tokio::select! {
            () = graceful => (),
            () = told() => handle.stop(false).await,
        }
    })
}

fn tls(settings: &Settings) -> Result<Option<Tls>, Problem> {
    let (Some(certificate), Some(key)) = (&settings.tls_certificate, &settings.tls_key) else { return Ok(None) };
    let client_authorities = settings.tls_client_authorities.clone();
    Tls::open(TlsFiles { certificate: certificate.clone(), key: key.clone(), client_authorities }).map(Some)
}

/// Takes up new certificate files while the server runs.
async fn keep_current(mut tls: Tls) {
    loop {
        actix_web::rt::time::sleep(LOOK_AGAIN).await;
        match tls.reload() {
            Ok(true) => tracing::info!("new TLS certificate files are in use"),
            Ok(false) => {}
            Err(problem) => {
                tracing::error!(%problem, "changed TLS certificate files cannot be used; the old ones stay");
            }
        }
    }
}

/// Says where the server is. Whoever started it may have closed its output; the server runs on all the same.
fn announce(server: &Server) {
    let base = &server.base;
    let lines = [
        format!("Kith {} serves FHIR R4 at {base}", env!("CARGO_PKG_VERSION")),
        format!("Data lies in {}", server.store.location()),
        match server.settings.access {
            Access::Open => {
                "Access is open to everybody on this machine, because it listens on the loopback interface only."
                    .to_owned()
            }
            Access::Token => "Requests need an access token; register systems with: kith client add".to_owned(),
        },
        format!("Try: curl {base}/metadata"),
        "or:  curl -X POST -H 'Content-Type: application/fhir+json' \\".to_owned(),
        format!("       --data @fixtures/valid/Bundle-direct-referral.json {base}"),
    ];
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "{}", lines.join("\n"));
}
