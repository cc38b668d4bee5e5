//! `$validate` (<https://hl7.org/fhir/R4/resource-operation-validate.html>) at type and instance level, and at system level
//! for a resource of any type: says what would happen to it without storing it. The issues of a Bundle stand at their places
//! in it; the entries of a large one are validated on several threads.

use std::sync::Arc;

use serde_json::Value;

use crate::access::Grant;
use crate::access::scope::Permission;
use crate::fhir::codec::json;
use crate::fhir::issue::{Issue, IssueCode, Severity, operation_outcome};
use crate::interactions::draft;
use crate::interactions::operation::{Answer, Level, Operation};
use crate::interactions::record::Stamp;
use crate::interactions::reply::{Content, Reply};
use crate::interactions::request::{Method, Request};
use crate::interactions::server::Server;
use crate::interactions::visible;
use crate::problem::{Kind, Problem};
use crate::referral;
use crate::validate::Options;

/// The operation.
#[derive(Debug)]
pub struct Validate;

impl Operation for Validate {
    fn name(&self) -> &'static str {
        "validate"
    }

    fn definition(&self) -> &'static str {
        "http://hl7.org/fhir/OperationDefinition/Resource-validate"
    }

    fn offered_at(&self, level: &Level) -> bool {
        matches!(level, Level::System | Level::Type(_) | Level::Instance(..))
    }

    fn by_get(&self) -> bool {
        true
    }

    fn permission(&self) -> Option<Permission> {
        None
    }

    fn run<'a>(&'a self, server: &'a Arc<Server>, request: &'a Request, level: &'a Level, _grant: Grant) -> Answer<'a> {
        Box::pin(async move {
            let call = Call::read(server, request)?;
            let issues = match call.mode {
                Mode::Delete => deletable(server, request, level).await?,
                mode => content(server, request, level, &call, mode).await?,
            };
            server.store.audit(Stamp::of(request, server.clock.now()).record("operation $validate", 200)).await?;
            Ok(Reply::new(200, Content::Resource(operation_outcome(&issues))))
        })
    }
}

/// For which change the resource is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// For itself.
    None,
    Create,
    Update,
    Delete,
    /// Only against the profile named.
    Profile,
}

struct Call {
    resource: Option<Value>,
    profiles: Vec<String>,
    mode: Mode,
    /// A parameter of ours: whether the elements are listed that profiles mark as mustSupport.
    must_support: bool,
}

impl Call {
    /// Reads a bare resource with query parameters, or a Parameters resource.
    fn read(server: &Server, request: &Request) -> Result<Self, Problem> {
        let body = if request.method == Method::Post { Some(request.resource(server.bounds())?) } else { None };
        let mut profiles: Vec<String> =
            request.query.iter().filter(|(name, _)| name == "profile").map(|(_, value)| value.clone()).collect();
        let mut mode = request.parameter("mode").map(str::to_owned);
        let mut must_support = read_flag(request.parameter("mustSupport"))?;
        let is_parameters =
            body.as_ref().and_then(|value| value.get("resourceType")).and_then(Value::as_str) == Some("Parameters");
        let named = request.path.first().map(String::as_str) != Some("Parameters");
        let resource = match body {
            Some(parameters) if is_parameters && named => {
                let mut resource = None;
                for part in parameters.get("parameter").and_then(Value::as_array).into_iter().flatten() {
                    let value = |name: &str| part.get(name).and_then(Value::as_str).map(str::to_owned);
                    match part.get("name").and_then(Value::as_str) {
                        Some("resource") => resource = part.get("resource").cloned(),
                        Some("mode") => mode = value("valueCode").or(mode),
                        Some("profile") => profiles.extend(value("valueUri").or_else(|| value("valueCanonical"))),
                        Some("mustSupport") => {
                            must_support = part.get("valueBoolean").and_then(Value::as_bool).unwrap_or(must_support);
                        }
                        _ => {}
                    }
                }
                resource
            }
            other => other,
        };
        Ok(Self { resource, profiles, mode: read_mode(mode.as_deref())?, must_support })
    }
}

fn read_flag(text: Option<&str>) -> Result<bool, Problem> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::new(Kind::Invalid, "mustSupport must be true or false.").at("http.query.mustSupport")),
    }
}

fn read_mode(text: Option<&str>) -> Result<Mode, Problem> {
    Ok(match text {
        None => Mode::None,
        Some("create") => Mode::Create,
        Some("update") => Mode::Update,
        Some("delete") => Mode::Delete,
        Some("profile") => Mode::Profile,
        Some(_) => {
            return Err(
                Problem::new(Kind::Invalid, "mode must be create, update, delete or profile.").at("http.query.mode")
            );
        }
    })
}

async fn deletable(server: &Server, request: &Request, level: &Level) -> Result<Vec<Issue>, Problem> {
    let Level::Instance(resource_type, id) = level else {
        return Err(Problem::new(Kind::Invalid, "mode=delete is asked of one resource: [type]/[id]/$validate.")
            .at("http.query.mode"));
    };
    match visible::read(server, &request.caller, resource_type, id).await? {
        Some(stored) if !stored.deleted => Ok(Vec::new()),
        _ => Err(Problem::new(Kind::NotFound, "There is no such resource.").at("http.url")),
    }
}

async fn content(
    server: &Server,
    request: &Request,
    level: &Level,
    call: &Call,
    mode: Mode,
) -> Result<Vec<Issue>, Problem> {
    if mode == Mode::Profile && call.profiles.is_empty() {
        return Err(Problem::new(Kind::Invalid, "mode=profile needs the parameter profile.").at("http.query.profile"));
    }
    let resource = match (&call.resource, level) {
        (Some(resource), _) => resource.clone(),
        (None, Level::Instance(resource_type, id)) => stored(server, request, resource_type, id).await?,
        _ => {
            return Err(
                Problem::new(Kind::Invalid, "There is no resource to validate: send it in the body.").at("http.body")
            );
        }
    };
    let mut issues = Vec::new();
    let found = draft::resource_type(&resource)?.to_owned();
    let (expected, id) = match level {
        Level::Type(name) => (name.as_str(), None),
        Level::Instance(name, id) | Level::Version(name, id, _) => (name.as_str(), Some(id.as_str())),
        Level::System => (found.as_str(), None),
    };
    if found != expected {
        let text = format!("The address is for {expected}, the resource is of another type.");
        issues.push(Issue::new(Severity::Error, IssueCode::Invalid, "resource-type", text).at("resourceType"));
    }
    let own_id = resource.get("id").and_then(Value::as_str);
    if mode == Mode::Update && id.is_some() && own_id != id {
        let text = "The id in the resource must be the id in the address.";
        issues.push(Issue::new(Severity::Error, IssueCode::Invalid, "resource-id", text).at(format!("{found}.id")));
    }
    let entries = resource.get("entry").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if entries.len() > server.settings.bundle_limit {
        let text = format!("A Bundle may have at most {} entries here.", server.settings.bundle_limit);
        return Err(Problem::new(Kind::TooLarge, text).at("Bundle.entry"));
    }
    let options = Options {
        profiles: call.profiles.clone(),
        must_support: call.must_support,
        parallel: true,
        ..Options::default()
    };
    issues.extend(server.validator.validate(&resource, &options));
    issues.extend(referral::check(&resource));
    for (index, entry) in entries.iter().enumerate() {
        let found = entry.get("resource").map(referral::check).unwrap_or_default();
        issues.extend(found.into_iter().map(|issue| within(issue, index)));
    }
    Ok(issues)
}

/// An issue of a resource, at its place in the Bundle.
fn within(mut issue: Issue, index: usize) -> Issue {
    if let Some(expression) = &mut issue.expression {
        let rest = expression.split_once('.').map_or("", |(_, rest)| rest);
        *expression = format!("Bundle.entry[{index}].resource.{rest}");
    }
    issue
}

async fn stored(server: &Server, request: &Request, resource_type: &str, id: &str) -> Result<Value, Problem> {
    match visible::read(server, &request.caller, resource_type, id).await? {
        Some(stored) if !stored.deleted => json::parse_stored(&stored.body),
        _ => Err(Problem::new(Kind::NotFound, "There is no such resource.").at("http.url")),
    }
}
