//! From a `Reply` to HTTP: status, headers, body in the format asked for. The only place where response headers are set.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};

use crate::interactions;
use crate::interactions::format::Wanted;
use crate::interactions::reply::Reply;
use crate::interactions::request::{Method, Request};
use crate::interactions::server::Server;
use crate::problem::{Kind, Problem};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// The answer to a request that was carried out or refused.
pub fn answer(server: &Server, request: &Request, reply: &Reply) -> HttpResponse {
    let absolute = reply.location.as_ref().map(|location| format!("{}/{location}", server.base));
    let mut response = response(reply, request.wanted, Some(request));
    if let Some(value) = absolute.and_then(|text| text.parse().ok()) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    if reply.status == 405
        && let Ok(value) = allow(server, &request.path).parse()
    {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// The methods offered at an address, as the Allow header lists them.
pub fn allow(server: &Server, path: &[String]) -> String {
    let mut names: Vec<&str> = interactions::methods(server, path).into_iter().map(Method::name).collect();
    names.push("OPTIONS");
    names.join(", ")
}

/// Says on an answer that was made elsewhere which request it answers.
pub fn mirror(request: &Request, response: &mut HttpResponse) {
    let ids = [(REQUEST_ID, Some(&request.request_id)), (CORRELATION_ID, request.correlation_id.as_ref())];
    for (name, id) in ids {
        if let Some(value) = id.and_then(|id| HeaderValue::from_str(id).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
}

/// The response without a Location header.
pub fn response(reply: &Reply, wanted: Wanted, request: Option<&Request>) -> HttpResponse {
    match reply.bytes(wanted) {
        Ok(bytes) => {
            let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut builder = HttpResponse::build(status);
            if let Some(request) = request {
                builder.insert_header((REQUEST_ID, request.request_id.as_str()));
                if let Some(id) = &request.correlation_id {
                    builder.insert_header((CORRELATION_ID, id.as_str()));
                }
            }
            if let Some(etag) = reply.etag() {
                builder.insert_header((header::ETAG, etag));
            }
            if let Some(date) = reply.last_modified() {
                builder.insert_header((header::LAST_MODIFIED, date));
            }
            if reply.status == 401 {
                builder.insert_header(("WWW-Authenticate", "Bearer realm=\"fhir\""));
            }
            if reply.status == 503 {
                builder.insert_header((header::RETRY_AFTER, "1"));
            }
            for (name, value) in &reply.headers {
                builder.insert_header((*name, value.as_str()));
            }
            for preference in &reply.applied {
                builder.append_header(("Preference-Applied", *preference));
            }
            builder.insert_header((header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")));
            builder.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
            if bytes.is_empty() {
                return builder.finish();
            }
            builder.content_type(HeaderValue::from_static(wanted.content_type()));
            // The answer to HEAD has the length of the body too; actix-web keeps the body itself back.
            builder.body(bytes)
        }
        Err(problem) => unwritable(&problem),
    }
}

/// A resource that cannot be written in the format asked for: the client gets the reason in JSON.
fn unwritable(problem: &Problem) -> HttpResponse {
    if problem.kind == Kind::Internal {
        tracing::error!(%problem, "an answer could not be written");
    }
    let reply = Reply::problem(problem);
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let bytes = reply.bytes(Wanted::default()).unwrap_or_default();
    HttpResponse::build(status).content_type(Wanted::default().content_type()).body(bytes)
}
