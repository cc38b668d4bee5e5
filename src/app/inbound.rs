//! From HTTP to a `Request`: path, query, headers, body within its limit.

use std::any::Any;
use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::{Decompress, Extensions};
use actix_web::http::Method as HttpMethod;
use actix_web::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
};
use actix_web::http::uri::Authority;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;

use crate::access::{Caller, tls::client_certificate};
use crate::config::Access;
use crate::interactions::format::{self, BodyFormat, Wanted};
use crate::interactions::header::Tags;
use crate::interactions::precondition::Precondition;
use crate::interactions::request::{Body, Headers, Method, Request};
use crate::interactions::server::Server;
use crate::interactions::{header, url};
use crate::problem::{Kind, Problem};

/// Content codings of bodies that are read (<https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1>).
const CODINGS: [&str; 5] = ["identity", "gzip", "x-gzip", "deflate", "zstd"];

/// Reads the whole body, decoded where it was sent compressed. 413 beyond `limit` bytes, decoded ones; nothing more than that
/// and one piece is ever held. 408 where it has not come in time.
pub async fn body(http: &HttpRequest, payload: Payload, limit: usize, seconds: usize) -> Result<Bytes, Problem> {
    let coding = text(http, &CONTENT_ENCODING).unwrap_or("identity").trim().to_ascii_lowercase();
    if !CODINGS.contains(&coding.as_str()) {
        let text = format!("The body may be compressed by one of {} only.", CODINGS[1..].join(", "));
        return Err(Problem::new(Kind::UnsupportedMediaType, text).at("http.content-encoding"));
    }
    let whole = whole(Decompress::from_headers(payload, http.headers()), limit);
    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
    tokio::time::timeout(Duration::from_secs(seconds), whole).await.unwrap_or_else(|_| {
        Err(Problem::new(Kind::TooSlow, format!("The body did not arrive within {seconds} seconds.")).at("http.body"))
    })
}

async fn whole(mut payload: Decompress<Payload>, limit: usize) -> Result<Bytes, Problem> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk
            .map_err(|_| Problem::new(Kind::Invalid, "The body broke off or could not be decoded.").at("http.body"))?;
        if bytes.len() + chunk.len() > limit {
            return Err(Problem::new(Kind::TooLarge, format!("The body is larger than {limit} bytes.")).at("http.body"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// The format of the answer.
pub fn wanted(http: &HttpRequest) -> Result<Wanted, Problem> {
    wanted_by_form(http, b"")
}

/// The format of the answer to a search by POST, whose form may say it where the address does not. A query that cannot be
/// read is reported when the request is; it says nothing of the format.
fn wanted_by_form(http: &HttpRequest, bytes: &[u8]) -> Result<Wanted, Problem> {
    let mut query = url::query_pairs(std::str::from_utf8(bytes).unwrap_or_default()).unwrap_or_default();
    query.extend(url::query_pairs(http.query_string()).unwrap_or_default());
    let find = |name: &str| query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    format::wanted(all(http, &ACCEPT).as_deref(), find("_format"), find("_pretty"))
}

/// 414 or 431 where the head of a request is larger than the server reads.
pub fn head(server: &Server, http: &HttpRequest) -> Result<(), Problem> {
    let limits = &server.settings.limits;
    let uri = http.uri();
    if uri.path().len() + uri.query().map_or(0, str::len) > limits.url {
        let text = format!("The address is longer than {} bytes.", limits.url);
        return Err(Problem::new(Kind::AddressTooLong, text).at("http.url"));
    }
    let size: usize = http.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > limits.headers {
        let text = format!("The headers are larger than {} bytes.", limits.headers);
        return Err(Problem::new(Kind::HeadersTooLarge, text).at("http.headers"));
    }
    Ok(())
}

/// The whole request.
pub fn request(server: &Server, http: &HttpRequest, bytes: Bytes, caller: Caller) -> Result<Request, Problem> {
    let (prefer_return, strict) =
        header::prefer(http.headers().get_all("prefer").filter_map(|value| value.to_str().ok()));
    let headers = Headers {
        precondition: Precondition {
            matches: Tags::must_match(all(http, &IF_MATCH).as_deref(), "http.if-match")?,
            none_matches: Tags::parse(all(http, &IF_NONE_MATCH).as_deref()),
        },
        if_modified_since: text(http, &IF_MODIFIED_SINCE).and_then(header::parse_http_date),
        if_none_exist: named(http, "if-none-exist").map(str::to_owned),
        prefer_return,
        strict,
    };
    let format = if bytes.is_empty() { None } else { Some(content_format(http)?) };
    let wanted = match format {
        Some(BodyFormat::Form) => wanted_by_form(http, &bytes)?,
        _ => wanted(http)?,
    };
    let body = format.map_or(Body::None, |format| Body::Bytes(bytes, format));
    let (request_id, correlation_id) = ids(http)?;
    Ok(Request {
        method: method(http.method())?,
        path: path(http)?,
        query: url::query_pairs(http.query_string())?,
        headers,
        body,
        wanted,
        caller,
        request_id: request_id.unwrap_or_else(|| server.clock.new_id()),
        correlation_id,
    })
}

/// Request and correlation id, where they are given. 400 where one is not fit to be kept.
pub fn ids(http: &HttpRequest) -> Result<(Option<String>, Option<String>), Problem> {
    let read = |name: &str| header::identifier(named(http, name), &format!("http.{name}"));
    Ok((read("x-request-id")?, read("x-correlation-id")?))
}

/// As much of a request as can be told when its head cannot be read: for the audit event of its refusal.
pub fn minimal(server: &Server, http: &HttpRequest, wanted: Wanted) -> Request {
    let id = |name: &str| header::identifier(named(http, name), "").ok().flatten();
    Request {
        method: method(http.method()).unwrap_or(Method::Get),
        path: path(http).unwrap_or_default(),
        query: Vec::new(),
        headers: Headers::default(),
        body: Body::None,
        wanted,
        caller: caller(server, http).unwrap_or_else(|_| Caller { address: address(server, http), ..Caller::default() }),
        request_id: id("x-request-id").unwrap_or_else(|| server.clock.new_id()),
        correlation_id: id("x-correlation-id"),
    }
}

/// The segments of the address below the base. They are read from the request line: the router's own text has replaced what
/// is not UTF-8.
pub fn path(http: &HttpRequest) -> Result<Vec<String>, Problem> {
    let raw = http.uri().path();
    url::path_segments(raw.strip_prefix("/fhir").unwrap_or_else(|| http.match_info().unprocessed()))
}

fn content_format(http: &HttpRequest) -> Result<BodyFormat, Problem> {
    format::body_format(text(http, &CONTENT_TYPE))
}

/// Who the headers say calls, without authority.
pub fn caller(server: &Server, http: &HttpRequest) -> Result<Caller, Problem> {
    Caller::from_headers(|name| named(http, name).map(str::to_owned), address(server, http))
}

/// The `Authorization` header.
pub fn authorization(http: &HttpRequest) -> Option<&str> {
    text(http, &AUTHORIZATION)
}

/// SHA-256 thumbprint (base64url) of the certificate that the client showed in the TLS handshake.
pub fn certificate(http: &HttpRequest) -> Option<String> {
    http.conn_data::<PeerCertificate>().map(|certificate| certificate.0.clone())
}

/// Notes the client certificate of a new TLS connection.
pub fn on_connect(connection: &dyn Any, data: &mut Extensions) {
    if let Some(thumbprint) = client_certificate(connection) {
        data.insert(PeerCertificate(thumbprint));
    }
}

/// What is kept of a connection's client certificate: its SHA-256 thumbprint, base64url.
#[derive(Debug, Clone)]
pub struct PeerCertificate(pub String);

/// The network address of whoever asks: the peer's, or where the peer is a declared proxy the one that it names last in
/// `X-Forwarded-For`, which is the one that it has seen itself.
pub fn address(server: &Server, http: &HttpRequest) -> String {
    let Some(peer) = http.peer_addr().map(|address| address.ip()) else { return String::new() };
    let named = named(http, "x-forwarded-for").and_then(|list| list.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
    let proxied = server.settings.proxies.contains(&peer);
    named.filter(|_| proxied).unwrap_or(peer).to_string()
}

/// 403 where access is open and the request is meant for another machine's name: a web page whose name is made to lead to the
/// loopback interface would otherwise read everything in the browser of whoever works on this machine.
pub fn own_name(server: &Server, http: &HttpRequest) -> Result<(), Problem> {
    let Some(named) = text(http, &HOST).filter(|_| server.settings.access == Access::Open) else { return Ok(()) };
    let host = |authority: &str| authority.parse::<Authority>().map(|authority| authority.host().to_ascii_lowercase());
    // Looked at for none of the names that are always right, under which almost every request comes.
    let base = || server.base.split('/').nth(2).map(host).and_then(Result::ok);
    let own = host(named).is_ok_and(|name| {
        let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
        let local = name == "localhost" || name.ends_with(".localhost");
        local || address.is_ok_and(|address| address.is_loopback()) || Some(name) == base()
    });
    if own {
        return Ok(());
    }
    let text =
        "Access is open to this machine only: ask for localhost, 127.0.0.1 or [::1], or set base-url to this name.";
    Err(Problem::new(Kind::Forbidden, text).at("http.host"))
}

/// 403 for a connection that does not come through a declared proxy, where some are declared.
pub fn through_proxy(server: &Server, http: &HttpRequest) -> Result<(), Problem> {
    let proxies = &server.settings.proxies;
    let peer = http.peer_addr().map(|address| address.ip());
    if proxies.is_empty() || peer.is_some_and(|peer| proxies.contains(&peer)) {
        return Ok(());
    }
    Err(Problem::new(Kind::Forbidden, "This server is reached through its proxy only.").at("http.peer"))
}

fn method(method: &HttpMethod) -> Result<Method, Problem> {
    Method::parse(method.as_str())
        .ok_or_else(|| Problem::new(Kind::MethodNotAllowed, "This HTTP method is not offered.").at("http.method"))
}

fn text<'a>(http: &'a HttpRequest, name: &HeaderName) -> Option<&'a str> {
    http.headers().get(name).and_then(|value| value.to_str().ok())
}

/// All values of a header, as one list.
fn all<'a>(http: &'a HttpRequest, name: &HeaderName) -> Option<Cow<'a, str>> {
    let mut values = http.headers().get_all(name).filter_map(|value| value.to_str().ok());
    let first = values.next()?;
    let mut list = Cow::Borrowed(first);
    for value in values {
        let list = list.to_mut();
        list.push(',');
        list.push_str(value);
    }
    Some(list)
}

/// Headers that every request is asked for and that the HTTP library has no names for: a name made once is found faster than
/// one that is read anew each time.
static NAMES: [HeaderName; 8] = [
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-correlation-id"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-user"),
    HeaderName::from_static("x-user-role"),
    HeaderName::from_static("x-purpose-of-use"),
    HeaderName::from_static("nhsd-end-user-organisation-ods"),
    HeaderName::from_static("if-none-exist"),
];

/// The value of a header, by its name in lower case.
fn named<'a>(http: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let value = match NAMES.iter().find(|known| known.as_str() == name) {
        Some(known) => http.headers().get(known),
        None => http.headers().get(name),
    };
    value.and_then(|value| value.to_str().ok())
}
