//! `kith serve`: opens the store, starts the HTTP server and stops it gracefully on SIGINT or SIGTERM.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use actix_web::middleware::Compress;
use actix_web::web::Data;
use actix_web::{App, HttpServer};

use crate::app;
use crate::config::{Access, Flags, Settings};
use crate::interactions::server::Server;
use crate::jobs::{self, Runner};
use crate::problem::Problem;
use crate::telemetry;

/// Seconds that running requests get to finish after SIGTERM.
const GRACE: u64 = 10;

/// Runs the server until it is told to stop. Exit code 2 where it could not start.
pub fn run(flags: &Flags) -> ExitCode {
    let settings = match super::settings(flags) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    if !settings.listen.ip().is_loopback() {
        return super::failure(
            "This address can be reached from other machines, and access is open:",
            &["listen on 127.0.0.1 or [::1] until clients are registered".to_owned()],
        );
    }
    telemetry::start(&settings);
    match actix_web::rt::System::new().block_on(serve(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => super::failure("The server cannot run:", &[problem.to_string()]),
    }
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
    let server = app::build(settings).await?;
    announce(&server);
    let runner = Runner::start(Arc::clone(&server), jobs::ALL);
    let shared = Arc::clone(&server);
    HttpServer::new(move || {
        App::new().wrap(Compress::default()).app_data(Data::new(Arc::clone(&shared))).configure(app::routes)
    })
    .workers(workers)
    .shutdown_timeout(GRACE)
    .listen(listener)
    .map_err(Problem::internal)?
    .run()
    .await
    .map_err(Problem::internal)?;
    runner.stop().await;
    server.store.close().await;
    Ok(())
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
