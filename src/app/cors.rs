//! Cross-origin requests (<https://hl7.org/fhir/R4/security.html>, <https://fetch.spec.whatwg.org/#http-cors-protocol>): pages of the
//! origins that the configuration lists may call the API from a browser. With none listed no such header is sent.

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use crate::interactions::server::Server;

/// Headers of answers that a page may read.
const EXPOSED: &str = "Allow, Content-Location, ETag, Last-Modified, Location, Preference-Applied, Retry-After, \
                       WWW-Authenticate, X-Correlation-Id, X-Request-Id";

/// Headers that a page may send.
const TAKEN: &str = "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, \
                     NHSD-End-User-Organisation-ODS, Prefer, X-Correlation-Id, X-Purpose-Of-Use, X-Request-Id, X-User, \
                     X-User-Role";

/// Seconds for which a browser may remember the answer to a preflight request.
const MEMORY: &str = "600";

/// Marks an answer as readable by the page that asked, where its origin is listed.
pub fn mark(server: &Server, http: &HttpRequest, response: &mut HttpResponse) {
    let origins = &server.settings.cors_origins;
    if origins.is_empty() {
        return;
    }
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed(origins, http) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
}

/// Adds to the answer to OPTIONS what a preflight request asks for. `methods` are those of the address.
pub fn preflight(server: &Server, http: &HttpRequest, methods: &str, response: &mut HttpResponse) {
    let asks = http.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if !asks || allowed(&server.settings.cors_origins, http).is_none() {
        return;
    }
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    set(header::ACCESS_CONTROL_ALLOW_HEADERS, TAKEN);
    set(header::ACCESS_CONTROL_MAX_AGE, MEMORY);
}

/// The origin as the answer names it, where it is listed.
fn allowed(origins: &[String], http: &HttpRequest) -> Option<HeaderValue> {
    let origin = http.headers().get(header::ORIGIN)?;
    let text = origin.to_str().ok()?;
    let listed = |listed: &String| listed == "*" || listed.eq_ignore_ascii_case(text);
    origins.iter().any(listed).then(|| origin.clone())
}
