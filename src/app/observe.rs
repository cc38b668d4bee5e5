//! One access line, one count and one span for each request. The line names what was asked for by the pattern of its address: never the
//! address itself, which may hold what nobody should read in a log.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderValue, STRICT_TRANSPORT_SECURITY};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};

use crate::clock::Micros;
use crate::interactions::list;
use crate::interactions::request::{Method, Request};
use crate::interactions::route::Target;
use crate::interactions::server::Server;
use crate::telemetry::traces::{Context, Span, span_id};

/// What is known of a request once it was read; travels with the answer.
#[derive(Debug, Clone)]
struct Seen {
    route: String,
    interaction: &'static str,
    client: String,
}

/// For how long a browser that has seen TLS here speaks nothing else (<https://www.rfc-editor.org/rfc/rfc6797>).
const ONE_YEAR: &str = "max-age=31536000";

/// Addresses outside the FHIR API, and what is asked for there.
const OTHERS: &[(&str, &str)] = &[
    ("/oauth2/token", "login"),
    ("/oauth2/introspect", "introspect"),
    ("/oauth2/revoke", "revoke"),
    ("/.well-known/jwks.json", "jwks"),
    ("/fhir/.well-known/smart-configuration", "smart-configuration"),
    ("/fhir/openapi.json", "openapi"),
    ("/health/live", "health"),
    ("/health/ready", "health"),
    ("/metrics", "metrics"),
];

/// Notes on the answer what the request was.
pub fn note(server: &Server, request: &Request, response: &mut HttpResponse) {
    let (route, interaction) = match Target::parse(&request.path, &server.definitions) {
        Ok(target) => (route(server, &target), list::code(&target, request.method)),
        Err(_) => ("unknown".to_owned(), ""),
    };
    response.extensions_mut().insert(Seen { route, interaction, client: request.caller.client.clone() });
}

/// Lets the request through, then writes its line and counts it.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let Some(server) = request.app_data::<Data<Arc<Server>>>().map(|data| Arc::clone(data)) else {
        return next.call(request).await;
    };
    let begun = server.clock.now();
    let context = server.traces.as_ref().map(|_| trace_of(&server, &request));
    let method = Method::parse(request.method().as_str()).map_or("other", Method::name);
    let mut response = next.call(request).await?;
    if server.settings.tls_certificate.is_some() {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(ONE_YEAR));
    }
    let seen = response.response().extensions().get::<Seen>().cloned();
    let seen = seen.unwrap_or_else(|| elsewhere(response.request().uri().path()));
    let (status, duration) = (response.status().as_u16(), server.clock.now() - begun);
    let interaction = if seen.interaction.is_empty() { "other" } else { seen.interaction };
    server.store.metrics().request(interaction, status, duration);
    let watches = matches!(interaction, "health" | "metrics");
    let recorded = context.as_ref().filter(|context| context.sampled && !watches);
    if let (Some(traces), Some(context)) = (&server.traces, recorded) {
        traces.add(span(&server, (context, begun, duration), &response, &seen, method));
    }
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if watches {
        tracing::debug!(target: "kith::access", method, route = seen.route, status, duration, "request");
    } else {
        tracing::info!(
            target: "kith::access",
            request_id = header("x-request-id"),
            correlation_id = header("x-correlation-id"),
            method,
            route = seen.route,
            interaction,
            status,
            duration,
            client = seen.client,
            trace_id = context.as_ref().map(|context| context.trace.as_str()),
            "request"
        );
    }
    Ok(response)
}

/// The trace that the caller names, else a new one.
fn trace_of(server: &Server, request: &ServiceRequest) -> Context {
    let named = request.headers().get("traceparent").and_then(|value| value.to_str().ok()).and_then(Context::parse);
    named.unwrap_or_else(|| Context::new(&server.clock.new_id()))
}

fn span(
    server: &Server,
    (context, begun, duration): (&Context, Micros, Micros),
    response: &ServiceResponse<impl MessageBody>,
    seen: &Seen,
    method: &'static str,
) -> Span {
    let request = response.headers().get("x-request-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
    Span {
        context: context.clone(),
        id: span_id(&server.clock.new_id()),
        method,
        route: seen.route.clone(),
        interaction: seen.interaction,
        status: response.status().as_u16(),
        request: request.to_owned(),
        begun,
        ended: begun + duration,
    }
}

fn elsewhere(path: &str) -> Seen {
    let known = OTHERS.iter().find(|(address, _)| *address == path);
    let (route, interaction) = known.copied().unwrap_or(("unknown", ""));
    Seen { route: route.to_owned(), interaction, client: String::new() }
}

/// The pattern of an address: resource types and the names of operations that are offered, nothing else of it.
fn route(server: &Server, target: &Target) -> String {
    let member = |member: &Option<String>| member.clone().unwrap_or_else(|| "*".to_owned());
    match target {
        Target::System => "/".to_owned(),
        Target::Metadata => "metadata".to_owned(),
        Target::SystemHistory => "_history".to_owned(),
        Target::SystemSearch => "_search".to_owned(),
        Target::Type(name) => name.clone(),
        Target::TypeSearch(name) => format!("{name}/_search"),
        Target::TypeHistory(name) => format!("{name}/_history"),
        Target::Instance(name, _) => format!("{name}/[id]"),
        Target::Compartment(name, _, other) => format!("{name}/[id]/{}", member(other)),
        Target::CompartmentSearch(name, _, other) => format!("{name}/[id]/{}/_search", member(other)),
        Target::InstanceHistory(name, _) => format!("{name}/[id]/_history"),
        Target::Version(name, ..) => format!("{name}/[id]/_history/[version]"),
        Target::Operation { name, resource_type, id, version } => {
            let known = server.operations.iter().find(|operation| name.strip_prefix('$') == Some(operation.name()));
            let name = known.map_or("unknown", |operation| operation.name());
            match (resource_type, id, version) {
                (Some(of), Some(_), Some(_)) => format!("{of}/[id]/_history/[version]/${name}"),
                (Some(of), Some(_), None) => format!("{of}/[id]/${name}"),
                (Some(of), None, _) => format!("{of}/${name}"),
                _ => format!("${name}"),
            }
        }
    }
}
