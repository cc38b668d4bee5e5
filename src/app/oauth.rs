//! The OAuth endpoints over HTTP: forms in, JSON out, nothing cached.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use super::guard::{self, Refusal};
use super::{inbound, outbound};
use crate::interactions::format::Wanted;
use crate::interactions::server::Server;
use crate::interactions::url;
use crate::oauth::{self, Answer, Request};
use crate::problem::{Kind, Problem};

/// Largest form, bytes.
const LARGEST_FORM: usize = 64 * 1024;

/// Reads a form and answers it by an endpoint.
macro_rules! answer {
    ($endpoint:path, $interaction:literal, $server:ident, $http:ident, $payload:ident) => {{
        let asked = inbound::minimal(&$server, &$http, Wanted::default());
        let certificate = inbound::certificate(&$http);
        let form = form(&$server, &$http, $payload).await;
        let request = Request {
            server: &$server,
            form: form.as_deref().unwrap_or_default(),
            address: &asked.caller.address,
            request_id: &asked.request_id,
            correlation_id: asked.correlation_id.as_deref().unwrap_or_default(),
            certificate: certificate.as_deref(),
        };
        let mut response = match &form {
            Ok(_) => json(&$endpoint(&request).await),
            Err(refusal) => refused(&request, $interaction, refusal).await,
        };
        outbound::mirror(&asked, &mut response);
        super::sum_up_behind(&$server);
        response
    }};
}

/// Registers the addresses below the server's root.
pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/oauth2/token", web::post().to(token))
        .route("/oauth2/introspect", web::post().to(introspect))
        .route("/oauth2/revoke", web::post().to(revoke))
        .route("/.well-known/jwks.json", web::get().to(jwks));
}

/// Registers the addresses below the FHIR base.
pub fn base_routes(config: &mut ServiceConfig) {
    config.route("/.well-known/smart-configuration", web::get().to(smart_configuration));
}

async fn token(server: Data<Arc<Server>>, http: HttpRequest, payload: Payload) -> HttpResponse {
    answer!(oauth::token, "login", server, http, payload)
}

async fn introspect(server: Data<Arc<Server>>, http: HttpRequest, payload: Payload) -> HttpResponse {
    answer!(oauth::introspect, "introspect", server, http, payload)
}

async fn revoke(server: Data<Arc<Server>>, http: HttpRequest, payload: Payload) -> HttpResponse {
    answer!(oauth::revoke, "revoke", server, http, payload)
}

async fn jwks(server: Data<Arc<Server>>) -> HttpResponse {
    match oauth::jwks(&server).await {
        Ok(set) => json(&Answer::ok(set)),
        Err(problem) => json(&Answer::failed(&problem)),
    }
}

async fn smart_configuration(server: Data<Arc<Server>>) -> HttpResponse {
    json(&Answer::ok(oauth::smart_configuration(&server)))
}

/// The decoded form. A client that sends its secret in a header has misread how it must authenticate, and is told so.
async fn form(server: &Server, http: &HttpRequest, payload: Payload) -> Result<Vec<(String, String)>, Refusal> {
    guard::rate_of_address(server, http)?;
    inbound::head(server, http)?;
    inbound::through_proxy(server, http)?;
    inbound::ids(http)?;
    let kind = http.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Problem::new(Kind::Invalid, "The body must be application/x-www-form-urlencoded.").into());
    }
    if http.headers().contains_key(AUTHORIZATION) {
        return Err(Problem::new(Kind::Invalid, "Clients authenticate by client_assertion, not by a header.").into());
    }
    let bytes = inbound::body(http, payload, LARGEST_FORM, server.settings.limits.body_seconds).await?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Problem::new(Kind::Invalid, "The form is not UTF-8."))?;
    Ok(url::query_pairs(text)?)
}

fn json(answer: &Answer) -> HttpResponse {
    response(answer.status, &answer.body)
}

/// A request that does not come so far as to be read. It is audited like any other.
async fn refused(request: &Request<'_>, interaction: &str, refusal: &Refusal) -> HttpResponse {
    let answer = Answer::failed(&refusal.problem);
    let answer = if refusal.silent { answer } else { oauth::refuse(request, interaction, answer).await };
    let mut response = json(&answer);
    if refusal.seconds > 0 {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(refusal.seconds));
    }
    response
}

fn response(status: u16, body: &Value) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("Pragma", "no-cache"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .content_type("application/json")
        .body(body.to_string())
}
