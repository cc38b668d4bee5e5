//! The HTTP shell: one place where URLs are registered, HTTP becomes a `Request` and a `Reply` becomes HTTP. `main` (through
//! `kith serve`) and the tests build the same application from here.

mod build;
mod cors;
mod guard;
mod health;
mod inbound;
mod oauth;
mod observe;
mod outbound;
pub mod rules;

pub use build::{build, definitions, validation};
pub use health::open_routes;
pub use inbound::on_connect;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix_web::http::{Method, header};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::FutureExt;
use tracing::Instrument;

use self::guard::Refusal;
use crate::access::Caller;
use crate::interactions;
use crate::interactions::format::Wanted;
use crate::interactions::reply::Reply;
use crate::interactions::request::Request;
use crate::interactions::server::Server;
use crate::oauth::{Credentials, admit};
use crate::problem::{Kind, Problem};

/// Tells of what was refused and not told of yet; call it when no request comes any more.
pub async fn leave(server: &Server) {
    if let Some(sum) = server.throttle.sum_up(server.clock.now(), true) {
        guard::tell(server, sum).await;
    }
}

/// Registers every URL of the server: health checks, metrics, tokens and the FHIR API below `/fhir`. Every request leaves a line in
/// the log.
pub fn routes(config: &mut ServiceConfig) {
    config.service(
        web::scope("")
            .wrap(from_fn(observe::observe))
            .configure(health::routes)
            .configure(rules::routes)
            .configure(oauth::routes)
            .service(
                web::scope("/fhir")
                    .configure(oauth::base_routes)
                    .route("/openapi.json", web::get().to(openapi))
                    .default_service(web::to(fhir)),
            )
            .default_service(web::to(elsewhere)),
    );
}

/// What the API offers, for tools; it shows no data and is not audited.
async fn openapi(server: Data<Arc<Server>>) -> HttpResponse {
    let description = interactions::openapi::description(&server.latest());
    HttpResponse::Ok().content_type("application/json").body(description.to_string())
}

async fn elsewhere(http: HttpRequest) -> HttpResponse {
    let wanted = inbound::wanted(&http).unwrap_or_default();
    let problem =
        Problem::new(Kind::NotFound, "The FHIR API is at /fhir; /fhir/metadata says what it offers.").at("http.url");
    outbound::response(&Reply::problem(&problem), wanted, None)
}

async fn fhir(server: Data<Arc<Server>>, http: HttpRequest, payload: web::Payload) -> HttpResponse {
    let mut response = answer(&server, &http, payload).await;
    cors::mark(&server, &http, &mut response);
    sum_up_behind(&server);
    response
}

/// Nobody waits for the audit row that stands for many refusals.
fn sum_up_behind(server: &Arc<Server>) {
    if let Some(sum) = server.throttle.sum_up(server.clock.now(), false) {
        let server = Arc::clone(server);
        actix_web::rt::spawn(async move { guard::tell(&server, sum).await });
    }
}

async fn answer(server: &Arc<Server>, http: &HttpRequest, payload: web::Payload) -> HttpResponse {
    let wanted = || inbound::wanted(http).unwrap_or_default();
    if http.method() == Method::OPTIONS {
        return options(server, http, wanted());
    }
    let Some(_place) = server.throttle.enter(server.settings.limits.requests) else {
        return refused(server, http, &guard::full(server), wanted()).await;
    };
    match taken(server, http, payload).await {
        Ok(request) => {
            let span = tracing::info_span!("request", id = request.request_id);
            let work = AssertUnwindSafe(interactions::handle(server, &request)).catch_unwind();
            let reply = match guard::in_time(server, work).instrument(span).await {
                Ok(Ok(reply)) => reply,
                Ok(Err(_)) => failed(server, &request, &Problem::internal("panic")).await,
                Err(late) => failed(server, &request, &late).await,
            };
            answered(server, &request, &reply)
        }
        Err(refusal) => refused(server, http, &refusal, wanted()).await,
    }
}

/// The request, where it is let in and arrives within all limits.
async fn taken(server: &Arc<Server>, http: &HttpRequest, payload: web::Payload) -> Result<Request, Refusal> {
    guard::rate_of_address(server, http)?;
    inbound::head(server, http)?;
    let caller = guard::in_time(server, admitted(server, http)).await??;
    guard::rate_of_client(server, &caller)?;
    let limit = server.settings.body_limit;
    let body = inbound::body(http, payload, limit, server.settings.limits.body_seconds).await?;
    Ok(inbound::request(server, http, body, caller)?)
}

/// Who calls, with the authority of the access token, before anything of the body is read.
async fn admitted(server: &Server, http: &HttpRequest) -> Result<Caller, Problem> {
    inbound::through_proxy(server, http)?;
    inbound::own_name(server, http)?;
    let mut caller = inbound::caller(server, http)?;
    let certificate = inbound::certificate(http);
    let shown = Credentials { authorization: inbound::authorization(http), certificate: certificate.as_deref() };
    admit(server, &mut caller, shown).await?;
    Ok(caller)
}

/// A request that cannot be read or is beyond a limit is refused and audited with what is known of it; of many that are refused
/// within a second one is, and the others are summed up.
async fn refused(server: &Server, http: &HttpRequest, refusal: &Refusal, wanted: Wanted) -> HttpResponse {
    let request = inbound::minimal(server, http, wanted);
    if refusal.silent {
        return answered(server, &request, &refusal.reply());
    }
    let stamp = interactions::record::Stamp::of(&request, server.clock.now());
    match guard::briefly(server.store.audit(stamp.refusal(server, &request, &refusal.problem))).await {
        Ok(()) => answered(server, &request, &refusal.reply()),
        Err(failure) => answered(server, &request, &Reply::problem(&failure)),
    }
}

fn answered(server: &Server, request: &Request, reply: &Reply) -> HttpResponse {
    let mut response = outbound::answer(server, request, reply);
    observe::note(server, request, &mut response);
    response
}

/// Says which methods an address takes, and to a browser what a page may do there. It shows no data and is not audited.
fn options(server: &Server, http: &HttpRequest, wanted: Wanted) -> HttpResponse {
    let path = match inbound::path(http) {
        Ok(path) => path,
        Err(problem) => return outbound::response(&Reply::problem(&problem), wanted, None),
    };
    let methods = outbound::allow(server, &path);
    let mut response = HttpResponse::NoContent().insert_header((header::ALLOW, methods.as_str())).finish();
    cors::preflight(server, http, &methods, &mut response);
    response
}

/// A bug in one request, or one that takes too long, is an answer and an audit event like any other failure; the server lives
/// on.
async fn failed(server: &Server, request: &Request, problem: &Problem) -> Reply {
    tracing::error!(request_id = request.request_id, %problem, "a request failed");
    let stamp = interactions::record::Stamp::of(request, server.clock.now());
    match guard::briefly(server.store.audit(stamp.refusal(server, request, problem))).await {
        Ok(()) => Reply::problem(problem),
        Err(failure) => Reply::problem(&failure),
    }
}
