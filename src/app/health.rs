//! What orchestrators and monitoring ask: does the process run, can it serve, what has it counted.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::{inbound, outbound};
use crate::access::{Authority, Role};
use crate::interactions::reply::Reply;
use crate::interactions::server::Server;
use crate::problem::{Kind, Problem};

const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Registers the health checks and the metrics for those who may see them.
pub fn routes(config: &mut ServiceConfig) {
    let check = |path: &str| web::resource(path).default_service(web::to(not_offered));
    config
        .service(check("/health/live").route(web::get().to(live)).route(web::head().to(live)))
        .service(check("/health/ready").route(web::get().to(ready)).route(web::head().to(ready)))
        .service(check("/metrics").route(web::get().to(metrics)));
}

/// Registers what the listener of `metrics.listen` answers: everybody who reaches it may see it.
pub fn open_routes(config: &mut ServiceConfig) {
    config
        .route("/health/live", web::get().to(live))
        .route("/health/ready", web::get().to(ready))
        .route("/metrics", web::get().to(shown));
}

/// The process runs.
async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type(TEXT).body("live\n")
}

/// The database answers, has the tables of this version, and is written to; and the server is not about to stop.
async fn ready(server: Data<Arc<Server>>) -> HttpResponse {
    if server.throttle.is_leaving() {
        return HttpResponse::ServiceUnavailable().content_type(TEXT).body("the server is about to stop\n");
    }
    match server.store.ready().await {
        Ok(()) => HttpResponse::Ok().content_type(TEXT).body("ready\n"),
        Err(reason) => HttpResponse::ServiceUnavailable().content_type(TEXT).body(format!("{reason}\n")),
    }
}

/// Metrics for callers on this machine, and for operators with a token.
async fn metrics(server: Data<Arc<Server>>, http: HttpRequest) -> HttpResponse {
    let local = server.settings.proxies.is_empty() && http.peer_addr().is_some_and(|peer| peer.ip().is_loopback());
    if !local {
        let allowed = match super::admitted(&server, &http).await {
            Ok(caller) => matches!(&caller.authority, Authority::Token(granted) if granted.role == Role::Operator),
            Err(_) => false,
        };
        if !allowed {
            let problem = Problem::new(Kind::Forbidden, "Metrics are shown on this machine, and to operators.");
            return outbound::response(&Reply::problem(&problem), inbound::wanted(&http).unwrap_or_default(), None);
        }
    }
    shown(server).await
}

async fn shown(server: Data<Arc<Server>>) -> HttpResponse {
    let mut levels = server.store.levels().await;
    levels.extend(server.traces.iter().flat_map(|traces| traces.levels()));
    HttpResponse::Ok().content_type(OPEN_METRICS).body(server.store.metrics().text(&levels))
}

/// Another method than GET on a health check.
pub(super) async fn not_offered(http: HttpRequest) -> HttpResponse {
    let wanted = inbound::wanted(&http).unwrap_or_default();
    let problem = Problem::new(Kind::MethodNotAllowed, "This address is read by GET.").at("http.method");
    let mut response = outbound::response(&Reply::problem(&problem), wanted, None);
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
    response
}
